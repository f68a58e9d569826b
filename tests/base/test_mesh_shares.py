"""Shares of blocks on meshes: what is published where it can be, totals always."""

import numpy as np
import pytest

from futuremap.base.mesh_shares import AT_MOST, EXACT, FREE, fit, gap, gather_by_age
from futuremap.core.ages import AgeGroups
from futuremap.core.crosswalk import from_pairs, gather
from futuremap.core.population import Flag, Population
from futuremap.errors import LabelError
from tests.base.mesh_ages import from_blocks

FINE = AgeGroups((0, 5, 10, 15, 65, 75))
BROAD = AgeGroups((0, 15, 18, 65))
Z, T = 6, 14


def case(seed=0, *, exact=True):
    """Blocks on meshes with a truth that the published numbers are of."""
    draw = np.random.default_rng(seed)
    pairs = draw.random((T, Z)) < 0.4
    pairs[np.arange(Z), np.arange(Z)] = True
    pairs[np.arange(T), np.arange(T) % Z] = True
    area = np.where(pairs, draw.random((T, Z)), 0.0)
    truth = area * draw.gamma(0.5, size=(2, len(FINE), T, Z))
    area, truth = area / area.sum(axis=0), truth / truth.sum(axis=2, keepdims=True)
    people = draw.gamma(2.0, 20.0, size=(2, len(FINE), Z))
    on_mesh = np.einsum("satz,saz->tsa", truth, people)
    at = {age: i for i, age in enumerate(FINE.lower)}
    broad = np.zeros((T, 2, len(BROAD)))
    broad[..., 0] = on_mesh[..., : at[15]].sum(axis=2)
    middle = on_mesh[..., at[15] : at[65]].sum(axis=2)
    broad[..., 1], broad[..., 2] = 0.1 * middle, 0.9 * middle
    broad[..., 3] = on_mesh[..., at[65] :].sum(axis=2)
    row, column = np.nonzero(area)
    blocks = Population.build(np.moveaxis(people, 2, 0)[np.newaxis], years=[2020],
                              zones=[f"b{i}" for i in range(Z)], ages=FINE)  # fmt: skip
    walk = from_pairs(row, column, area[row, column], targets=[f"m{i:02d}" for i in range(T)],
                      sources=blocks.zones, rule="area")  # fmt: skip
    meshes = Population.build(broad[np.newaxis], years=[2020], zones=walk.targets, ages=BROAD,
                              sources=["mesh"])  # fmt: skip
    return blocks, walk, meshes, np.full(T, EXACT if exact else AT_MOST, dtype=np.uint8)


def broad_of(people, ages=(0, 15, 65)):
    return people.persons @ people.ages.merge_matrix(AgeGroups(ages)).T


@pytest.mark.parametrize("seed", range(5))
def test_published_numbers_and_totals_are_both_kept_where_they_agree(seed):
    blocks, walk, meshes, binds = case(seed)
    shares = fit(blocks, walk, meshes=meshes, binds=binds)
    found = gather_by_age(blocks, shares)
    assert shares.ages.lower == (0, 15, 65)
    np.testing.assert_allclose(broad_of(found), broad_of(meshes), rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(found.persons.sum(axis=1), blocks.persons.sum(axis=1), rtol=1e-12)
    np.testing.assert_allclose(gather(blocks, shares.overall).totals(), found.totals(), rtol=1e-12)
    assert all(one.conserves() for one in (*shares.walks, shares.overall))
    assert gap(found, meshes, binds).missed < 1e-4
    assert "mesh" in found.sources


def test_ages_inside_the_groups_agree_with_an_independent_fit():
    # from_blocks rakes what area gives; both have the margins and are not far apart inside them
    blocks, walk, meshes, binds = case(3)
    ours = gather_by_age(blocks, fit(blocks, walk, meshes=meshes, binds=binds))
    raked = from_blocks(meshes, gather(blocks, walk))
    np.testing.assert_allclose(broad_of(ours), broad_of(raked), rtol=1e-6, atol=1e-6)
    apart = np.abs(ours.persons - raked.persons).sum() / raked.persons.sum()
    plain = np.abs(gather(blocks, walk).persons - raked.persons).sum() / raked.persons.sum()
    assert apart < 0.25 * plain


def test_later_years_keep_totals_and_places():
    blocks, walk, meshes, binds = case(1)
    shares = fit(blocks, walk, meshes=meshes, binds=binds)
    later = Population.build(
        np.concatenate([blocks.persons, 0.5 * blocks.persons]), years=[2020, 2025],
        zones=blocks.zones, ages=FINE,
    )  # fmt: skip
    found = gather_by_age(later, shares)
    np.testing.assert_allclose(found.persons[1], 0.5 * found.persons[0], rtol=1e-12)


def test_shared_meshes_bound_from_above_and_free_ones_not_at_all():
    blocks, walk, meshes, _ = case(2)
    twice = Population.build(2 * meshes.persons, years=[2020], zones=meshes.zones, ages=BROAD)
    at_most = np.full(T, AT_MOST, dtype=np.uint8)
    by_area = gather(blocks, walk)
    above = gather_by_age(blocks, fit(blocks, walk, meshes=twice, binds=at_most))
    assert (broad_of(above) <= broad_of(twice) + 1e-6).all()
    assert (broad_of(by_area) > broad_of(twice)).any()
    free = gather_by_age(blocks, fit(blocks, walk, meshes=meshes, binds=np.full(T, FREE, np.uint8)))
    np.testing.assert_allclose(free.persons, by_area.persons, rtol=1e-12)
    assert (free.flag == by_area.flag).all()


def test_contradictions_go_for_the_blocks():
    blocks, walk, meshes, binds = case(4)
    nobody = Population.build(0 * meshes.persons, years=[2020], zones=meshes.zones, ages=BROAD)
    found = gather_by_age(blocks, fit(blocks, walk, meshes=nobody, binds=binds))
    np.testing.assert_allclose(found.persons, gather(blocks, walk).persons, rtol=1e-12)
    half = Population.build(0.5 * meshes.persons, years=[2020], zones=meshes.zones, ages=BROAD)
    found = gather_by_age(blocks, fit(blocks, walk, meshes=half, binds=binds))
    np.testing.assert_allclose(found.persons.sum(axis=1), blocks.persons.sum(axis=1), rtol=1e-12)
    left = gap(found, half, binds)
    assert left.meshes == T
    assert left.missed == pytest.approx(0.5 * blocks.totals().sum(), rel=1e-6)


def test_totals_are_met_where_only_ages_contradict():
    # what restoring suppressed ages does: shifted between two meshes, all of a sex as published
    blocks, walk, meshes, binds = case(6)
    persons = meshes.persons.copy()
    shift = 0.4 * persons[0, :2, :, [0, 3]].min()
    persons[0, 0, :, 0] += shift
    persons[0, 0, :, 3] -= shift
    shifted = Population.build(persons, years=[2020], zones=meshes.zones, ages=BROAD)
    found = gather_by_age(blocks, fit(blocks, walk, meshes=shifted, binds=binds))
    published = shifted.persons.sum(axis=3)
    assert np.abs(broad_of(found) - broad_of(shifted)).max() > 0.1 * shift
    np.testing.assert_allclose(found.persons.sum(axis=3), published, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(found.persons.sum(axis=1), blocks.persons.sum(axis=1), rtol=1e-12)


def test_a_group_that_nobody_is_in_yet_goes_with_all_people():
    blocks, walk, meshes, binds = case(5)
    persons = blocks.persons.copy()
    persons[0, 0, 0, 4:] = 0.0
    young = Population.build(persons, years=[2020], zones=blocks.zones, ages=FINE)
    shares = fit(young, walk, meshes=meshes, binds=binds)
    old_men = shares.walks[2].weights.toarray()[:, 0]
    np.testing.assert_allclose(old_men, shares.overall.weights.toarray()[:, 0], rtol=1e-12)


def test_flags_of_what_is_published_reach_the_meshes():
    blocks, walk, meshes, binds = case(1)
    flag = np.where(np.arange(T) == 3, Flag.MERGED | Flag.IMPUTED, Flag.OBSERVED)[np.newaxis]
    known = Population.build(meshes.persons, years=[2020], zones=meshes.zones, ages=BROAD,
                             flag=flag)  # fmt: skip
    found = gather_by_age(blocks, fit(blocks, walk, meshes=known, binds=binds))
    assert (found.flag & Flag.IMPUTED).all()
    assert ((found.flag & Flag.MERGED) > 0).tolist() == [[i == 3 for i in range(T)]]
    assert found.imputed_share.tolist() == [[float(i == 3) for i in range(T)]]


def test_what_does_not_fit_is_refused():
    blocks, walk, meshes, binds = case()
    with pytest.raises(LabelError, match="not those of the seed"):
        fit(blocks, walk, meshes=meshes.only(meshes.zones[::-1]), binds=binds)
    with pytest.raises(LabelError, match="bind"):
        fit(blocks, walk, meshes=meshes, binds=binds[1:])
