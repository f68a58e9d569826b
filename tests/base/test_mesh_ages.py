"""Five-year ages on meshes: the meshes' own margins kept, the seed's structure inside them."""

import numpy as np
import pytest

from futuremap.core.ages import AgeGroups
from futuremap.core.population import Flag, Population
from futuremap.errors import DemographyError, LabelError, SolveError
from tests.base.mesh_ages import from_blocks, from_municipality

BROAD = AgeGroups((0, 15, 18, 20, 65, 75, 85, 95))
FINE = AgeGroups.five_year(open_age=95)
SHARED = AgeGroups((0, 15, 20, 65, 75, 85, 95))
IMPUTED, OBSERVED = int(Flag.IMPUTED), int(Flag.OBSERVED)
MESHES = [f"523400{i:02d}" for i in range(12)]


def people(cube, zones, ages, **more):
    return Population.build(cube, years=[2020], zones=zones, ages=ages, **more)


def made_up(seed=0, *, least=1):
    random = np.random.default_rng(seed)
    margins = people(random.integers(0, 60, (1, 12, 2, 8)), MESHES, BROAD)
    blocks = people(random.integers(least, 40, (1, 12, 2, 20)), MESHES, FINE)
    return margins, blocks


def sums(population, ages):
    return population.persons @ population.ages.merge_matrix(ages).T


@pytest.mark.parametrize("seed", range(10))
def test_margins_of_each_mesh_are_kept(seed):
    margins, blocks = made_up(seed, least=0)
    done = from_blocks(margins, blocks)
    assert done.ages == FINE
    np.testing.assert_allclose(sums(done, SHARED), sums(margins, SHARED), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(done.persons.sum(axis=3), margins.persons.sum(axis=3), rtol=1e-12)


def test_ratios_inside_a_broad_group_are_those_of_the_seed():
    margins, blocks = made_up()
    done = from_blocks(margins, blocks)
    np.testing.assert_allclose(
        done.persons[..., 1] * blocks.persons[..., 2], done.persons[..., 2] * blocks.persons[..., 1]
    )


def test_ages_of_the_municipality_alone():
    margins, _ = made_up()
    town = people(np.arange(1, 41).reshape(1, 1, 2, 20), ["34204"], FINE)
    done = from_municipality(margins, town, parents=["34204"] * 12)
    np.testing.assert_allclose(
        done.persons[0, 4, 0, :3], margins.persons[0, 4, 0, 0] * np.array([1, 2, 3]) / 6
    )
    np.testing.assert_allclose(done.persons[..., -1], margins.persons[..., -1], rtol=1e-14)


@pytest.mark.parametrize("seed", range(5))
def test_controls_and_margins_are_met_together(seed):
    margins, blocks = made_up(seed)
    parents = ["34204"] * 7 + ["14384"] * 5
    controls = people(
        np.random.default_rng(seed).integers(20, 90, (1, 2, 2, 20)), ["14384", "34204"], FINE
    )
    done = from_blocks(margins, blocks, controls=controls, parents=parents)
    np.testing.assert_allclose(sums(done, SHARED), sums(margins, SHARED), rtol=1e-9, atol=1e-9)
    town = done.persons[0, :7].sum(axis=0)
    wanted = controls.persons[0, 1]
    merge = FINE.merge_matrix(SHARED)
    np.testing.assert_allclose(
        town / (town @ merge.T @ merge), wanted / (wanted @ merge.T @ merge), rtol=1e-9
    )


def test_cells_that_were_split_are_flagged():
    margins, blocks = made_up()
    done = from_blocks(margins, blocks)
    flags = done.data["flag"].values[0, 0, 0].tolist()
    # of the groups only 15-19 and 95 and over are both broad and five-year ones
    wanted = [IMPUTED] * 20
    wanted[3] = wanted[19] = OBSERVED
    assert flags == wanted
    merged = people(margins.persons, MESHES, BROAD, flag=np.full((1, 12), int(Flag.MERGED)))
    assert from_blocks(merged, blocks).data["flag"].values[0, 0, 0, 19] == int(Flag.MERGED)
    counted = margins.persons[..., [1, 2, 7]].sum(axis=(2, 3))
    np.testing.assert_allclose(done.imputed_share, 1 - counted / margins.totals())


def test_where_the_blocks_have_nobody_the_others_are_the_seed():
    margins = people([[[[9.0], [0.0]], [[3.0], [3.0]]]], ["a", "b"], AgeGroups((0,)))
    cube = np.array([[[[0.0, 0.0], [0.0, 0.0]], [[0.0, 0.0], [1.0, 2.0]]]])
    blocks = people(cube, ["a", "b"], AgeGroups((0, 65)))
    assert from_blocks(margins, blocks).persons[0].tolist() == [[[3, 6], [0, 0]], [[1, 2], [1, 2]]]
    nobody = people(np.zeros((1, 2, 2, 2)), ["a", "b"], AgeGroups((0, 65)))
    with pytest.raises(DemographyError, match="nobody is known"):
        from_blocks(margins, nobody)


def test_what_cannot_be_met_is_said_with_the_town():
    margins = people([[[[4.0], [0.0]], [[4.0], [0.0]]]], ["a", "b"], AgeGroups((0,)))
    blocks = people(
        [[[[1.0, 0.0], [0.0, 0.0]], [[1.0, 0.0], [0.0, 0.0]]]], ["a", "b"], AgeGroups((0, 65))
    )
    town = people([[[[1.0, 1.0], [1.0, 1.0]]]], ["34204"], AgeGroups((0, 65)))
    with pytest.raises(SolveError, match="34204 2020 male"):
        from_blocks(margins, blocks, controls=town, parents=["34204"] * 2)


def test_labels_must_match():
    margins, blocks = made_up()
    with pytest.raises(LabelError, match="same meshes"):
        from_blocks(margins, blocks.only(MESHES[::-1]))
    with pytest.raises(LabelError, match="parents"):
        from_blocks(margins, blocks, controls=blocks)
    with pytest.raises(LabelError, match="parents for"):
        from_municipality(margins, blocks, parents=["a"])
    with pytest.raises(LabelError, match="no ages"):
        from_municipality(margins, blocks, parents=["a"] * 12)
    later = Population.build(blocks.persons, years=[2025], zones=MESHES, ages=FINE)
    with pytest.raises(LabelError, match="2025"):
        from_blocks(margins, later)
