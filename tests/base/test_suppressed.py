"""Suppressed areas: totals of zones and ages of groups both kept, to the last person."""

from pathlib import Path

import numpy as np
import pytest

from futuremap.base import unknown_age
from futuremap.base.suppressed import restore
from futuremap.core.ages import AgeGroups
from futuremap.core.crosswalk import from_pairs
from futuremap.core.population import Flag, Population
from futuremap.errors import DemographyError, LabelError
from futuremap.problems import Report
from futuremap.sources import estat_mesh

CLIP = Path(__file__).resolve().parents[2] / "fixtures/geo/clips/estat/tblT001102Q5240_clip.txt"
AGES = AgeGroups((0, 15, 65))
RESTORED = int(Flag.MERGED | Flag.IMPUTED)


def people(cube, zones, ages=AGES, years=(2020,)):
    return Population.build(cube, years=list(years), zones=zones, ages=ages, sources=["census"])


def walk(pairs, groups, zones):
    at = np.array([(groups.index(group), zones.index(zone)) for group, zone in pairs])
    return from_pairs(
        at[:, 0], at[:, 1], np.ones(len(at)), targets=groups, sources=zones, rule="test"
    )


def made_up(seed, years=(2020,)):
    """Zones a to f in groups b (with a), d (with c and e) and f, some people of unknown age."""
    random = np.random.default_rng(seed)
    zones, groups = list("abcdef"), list("bdf")
    own = random.integers(1, 30, (len(years), 6, 2, 3)).astype(float)
    merged = walk(
        [("b", "a"), ("b", "b"), ("d", "c"), ("d", "d"), ("d", "e"), ("f", "f")], groups, zones
    )
    matrix = merged.weights.toarray()
    totals = people(
        (own.sum(axis=3) + random.integers(0, 3, own.shape[:3]))[..., None],
        zones,
        AgeGroups((0,)),
        years,
    )
    details = people(np.einsum("gz,yzsa->ygsa", matrix, own), groups, years=years)
    return totals, details, merged


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("years", [(2020,), (2015, 2020)])
def test_both_margins_are_kept(seed, years):
    totals, details, merged = made_up(seed, years)
    known, unknown = restore(totals, details, merged=merged)
    both = known.persons.sum(axis=3) + unknown.persons[..., 0]
    np.testing.assert_allclose(both, totals.persons[..., 0], rtol=1e-12)
    groups = np.einsum("gz,yzsa->ygsa", merged.weights.toarray(), known.persons)
    np.testing.assert_allclose(groups, details.persons, rtol=1e-12)
    np.testing.assert_array_equal(known.persons[:, 5], details.persons[:, 2])  # alone: bit by bit
    assert (unknown.persons >= 0).all()


def test_cells_that_were_touched_are_flagged():
    totals, details, merged = made_up(1)
    for part in restore(totals, details, merged=merged):
        assert part.flag[0].tolist() == [RESTORED] * 5 + [int(Flag.OBSERVED)]
        assert part.imputed_share[0].tolist() == [1, 1, 1, 1, 1, 0]
        assert part.sources == ("census",)


def test_the_whole_file_spread_to_people_of_known_age():
    published = estat_mesh.read(CLIP, year=2020, credit="census", report=Report()).published
    known, unknown = restore(published.totals, published.details, merged=published.merged)
    np.testing.assert_allclose(
        known.totals() + unknown.totals(), published.totals.totals(), rtol=1e-12
    )
    assert round(float((known.totals() + unknown.totals()).sum()), 6) == 4906
    assert (known.flag[0] == RESTORED).sum() == 73  # 43 suppressed, 30 that held them
    assert unknown_age.spread(known, unknown).totals().sum() == pytest.approx(4906, rel=1e-12)


def test_a_zone_without_its_partner_gets_the_ages_of_all():
    zones = ["a", "b"]
    totals = people([[[[6.0], [0.0]], [[20.0], [8.0]]]], zones, AgeGroups((0,)))
    details = people([[[[5.0, 10.0, 5.0], [0.0, 4.0, 2.0]]]], ["b"])
    known, unknown = restore(totals, details, merged=walk([("b", "b")], ["b"], zones))
    assert known.persons[0, 0].tolist() == [[1.5, 3.0, 1.5], [0.0, 0.0, 0.0]]
    assert known.flag[0].tolist() == [int(Flag.IMPUTED), int(Flag.OBSERVED)]
    assert unknown.persons[0, :, :, 0].tolist() == [[0.0, 0.0], [0.0, 2.0]]


def test_ages_from_outside_are_scaled_to_the_total():
    totals = people([[[[10.0], [4.0]]]], ["a"], AgeGroups((0,)))
    details = people([[[[10.0, 10.0, 0.0], [1.0, 2.0, 1.0]]]], ["a"])
    known, unknown = restore(totals, details, merged=walk([("a", "a")], ["a"], ["a"]))
    assert known.persons[0, 0].tolist() == [[5.0, 5.0, 0.0], [1.0, 2.0, 1.0]]
    assert (known.flag[0, 0], unknown.totals()[0, 0]) == (RESTORED, 0)


def test_what_does_not_fit_is_refused():
    totals, details, merged = made_up(1)
    with pytest.raises(LabelError, match="order"):
        restore(totals.only(list("bacdef")), details, merged=merged)
    with pytest.raises(LabelError, match="one age group"):
        restore(people(np.ones((1, 6, 2, 3)), list("abcdef")), details, merged=merged)
    halves = from_pairs(np.array([0, 1]), np.array([0, 0]), np.full(2, 0.5),
                        targets=["a", "b"], sources=["z"], rule="test")  # fmt: skip
    with pytest.raises(LabelError, match="whole"):
        restore(
            people(np.ones((1, 1, 2, 1)), ["z"], AgeGroups((0,))),
            people(np.ones((1, 2, 2, 3)), ["a", "b"]),
            merged=halves,
        )
    nobody = people(np.zeros((1, 6, 2, 1)), list("abcdef"), AgeGroups((0,)))
    with pytest.raises(DemographyError, match="without people"):
        restore(nobody, details, merged=merged)
