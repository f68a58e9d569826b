"""Floating catchments by pencil, and the laws they keep."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from futuremap.catchment.accessibility import Steps, selective, two_step, weighted
from futuremap.catchment.pairs import Pairs
from futuremap.core.crosswalk import compose, from_pairs
from futuremap.core.zones import Zones
from futuremap.errors import DemographyError, LabelError

WEIGHTS = np.array([[1.0, 0.5], [0.0, 1.0], [0.5, 0.0]])  # 3 facilities × 2 places
SUPPLY = np.array([10.0, 8.0, 5.0])
DEMAND = np.array([[10.0, 20.0], [40.0, 0.0]])  # 2 years


def reach(weights=WEIGHTS):
    facility, place = np.nonzero(weights)
    return from_pairs(
        facility,
        place,
        weights[facility, place],
        targets=[f"f{i}" for i in range(len(weights))],
        sources=[f"p{i}" for i in range(weights.shape[1])],
        rule="by hand",
        credits=["credit"],
    )


def points(ids, sources=()):
    return Zones.build(ids, shapely.points([133.0] * len(ids), [34.4] * len(ids)), names=ids,
                       parents=["34204"] * len(ids), kind="facility", plane_zone=3,
                       sources=sources)  # fmt: skip


def test_three_facilities_two_places_two_years_by_pencil():
    found = two_step(reach(), supply=SUPPLY, demand=DEMAND)
    # 2020: in reach 10 + 10 = 20, 20, 5; 2025: 40, nobody, 20
    assert found.ratio[0].tolist() == [10 / 20, 8 / 20, 5 / 5]
    assert found.ratio[1, [0, 2]].tolist() == [10 / 40, 5 / 20]
    assert np.isnan(found.ratio[1, 1])
    assert found.at_place[0].tolist() == pytest.approx([0.5 + 0.5 * 1.0, 0.5 * 0.5 + 0.4])
    assert found.at_place[1].tolist() == pytest.approx([0.25 + 0.5 * 0.25, 0.5 * 0.25])
    assert found.unused.tolist() == [0.0, 8.0]


def test_the_plain_method_is_one_ring():
    pairs = Pairs(np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1]), np.array([100, 800, 801, 300.0]))
    ring = weighted(pairs, facilities=points(["f0", "f1"], ["a"]),
                    places=points(["p0", "p1"], ["b"]), weight=Steps((800.0,), (1.0,)),
                    rule="within 800 m")  # fmt: skip
    assert ring.weights.toarray().tolist() == [[1, 1], [0, 1]]  # the limit is inside
    assert ring.weights.nnz == 3  # what counts nothing is not held
    assert (ring.rule, ring.credits) == ("within 800 m", ("a", "b"))
    found = two_step(ring, supply=np.array([3.0, 2.0]), demand=np.array([[10.0, 20.0]]))
    assert found.at_place[0].tolist() == pytest.approx([3 / 30, 3 / 30 + 2 / 20])


def test_supply_may_change_by_year():
    supply = np.array([SUPPLY, [0.0, 8.0, 5.0]])  # f0 closes
    found = two_step(reach(), supply=supply, demand=DEMAND)
    assert found.ratio[1, 0] == 0
    assert found.at_place[1].tolist() == pytest.approx([0.5 * 0.25, 0.0])


def test_competing_facilities_by_pencil():
    chosen = selective(reach())
    # place 0: weights 1 and ½, so ⅔ and ⅓ go; place 1: ½ and 1, so ⅓ and ⅔
    expected = [[2 / 3, 0.5 / 3], [0, 2 / 3], [0.5 / 3, 0]]
    assert chosen.weights.toarray() == pytest.approx(np.array(expected))
    assert chosen.credits == ("credit",)
    found = two_step(chosen, supply=SUPPLY, demand=DEMAND)
    shares = [10 / (20 / 3 + 10 / 3), 8 / (40 / 3), 5 / (5 / 3)]
    assert found.ratio[0].tolist() == pytest.approx(shares)


def test_a_place_that_nothing_reaches_has_nothing():
    found = two_step(reach(np.array([[1.0, 0.0]])), supply=np.array([4.0]), demand=DEMAND)
    assert found.at_place[:, 1].tolist() == [0, 0]


def test_an_area_has_the_mean_over_its_people():
    dwelling = from_pairs(np.array([0, 1]), np.array([0, 0]), np.array([0.25, 0.75]),
                          targets=["p0", "p1"], sources=["block"], rule="houses")  # fmt: skip
    apart = two_step(reach(), supply=SUPPLY, demand=np.array([[10.0, 30.0]]))
    whole = two_step(compose(reach(), dwelling), supply=SUPPLY, demand=np.array([[40.0]]))
    mean = 0.25 * apart.at_place[0, 0] + 0.75 * apart.at_place[0, 1]
    assert whole.at_place[0, 0] == pytest.approx(mean)


@settings(max_examples=100, deadline=None)
@given(
    hnp.arrays(float, (4, 5), elements=st.sampled_from([0.0, 0.22, 0.68, 1.0])),
    hnp.arrays(float, (2, 4), elements=st.floats(0, 1e4)),
    hnp.arrays(float, (2, 5), elements=st.floats(1e-3, 1e4) | st.just(0.0)),
)
def test_all_supply_is_given_away_or_unused(weights, supply, demand):
    walk = reach(weights)
    for crosswalk in (walk, selective(walk)):
        found = two_step(crosswalk, supply=supply, demand=demand)
        given_away = (found.at_place * demand).sum(axis=1)
        assert given_away + found.unused == pytest.approx(supply.sum(axis=1), rel=1e-9, abs=1e-9)
        assert np.isfinite(found.at_place).all()
    half = two_step(reach(weights / 2), supply=supply, demand=demand)
    full = two_step(walk, supply=supply, demand=demand)
    assert half.at_place == pytest.approx(full.at_place)  # the scale of the weights is nothing


def test_impossible_numbers_are_refused_with_their_place():
    with pytest.raises(DemographyError, match=r"supply is nan at f2.*1 such"):
        two_step(reach(), supply=np.array([1.0, 1.0, np.nan]), demand=DEMAND)
    with pytest.raises(DemographyError, match=r"demand is -1.0 at p1 in row 1"):
        two_step(reach(), supply=SUPPLY, demand=np.array([[1.0, 1.0], [1.0, -1.0]]))
    with pytest.raises(LabelError, match="supply has shape"):
        two_step(reach(), supply=SUPPLY[:2], demand=DEMAND)
    with pytest.raises(LabelError, match="demand has shape"):
        two_step(reach(), supply=SUPPLY, demand=DEMAND[0])


@pytest.mark.parametrize(
    ("limits", "weights"),
    [((), ()), ((20, 10), (1.0, 0.5)), ((10,), (1.0, 0.5)), ((10,), (1.5,))],
)
def test_steps_that_make_no_sense_are_refused(limits, weights):
    with pytest.raises(LabelError):
        Steps(limits, weights)
