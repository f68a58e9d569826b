"""Allocation by hand, against formulas, brute force and any order of rows."""

import itertools

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from futuremap.catchment.allocate import (
    Decay,
    huff,
    k_nearest,
    nearest_only,
    with_capacity,
)
from futuremap.catchment.pairs import Pairs, near, nearest
from futuremap.core.zones import Zones
from futuremap.errors import DemographyError, LabelError


def zones(ids, kind, *, east=None, north=None, source="x"):
    count = len(ids)
    east = np.full(count, 133.0) if east is None else east
    north = np.full(count, 34.4) if north is None else north
    return Zones.build(
        ids, shapely.points(east, north), names=ids, parents=["34204"] * count, kind=kind,
        plane_zone=3, sources=[source],
    )  # fmt: skip


def halls(*ids):
    return zones(list(ids), "facility", source="halls")


def homes(*ids):
    return zones(list(ids), "place", source="homes")


def table(distances):
    """Pairs of a table of distances (F, M); NaN where there is none."""
    distances = np.asarray(distances, dtype=float)
    facility, place = np.nonzero(~np.isnan(distances))
    return Pairs(facility, place, distances[facility, place])


def dense(allocation):
    return allocation.walk.weights.toarray()


def shuffled(pairs, facilities, places, rng):
    """The same with facilities, places and pairs in another order; and how they moved."""
    fs, ps = rng.permutation(len(facilities)), rng.permutation(len(places))
    moved = Pairs(np.argsort(fs)[pairs.facility], np.argsort(ps)[pairs.place], pairs.distance)
    order = rng.permutation(len(pairs.place))
    return (
        Pairs(*(column[order] for column in moved)),
        Zones(facilities.frame.iloc[fs], "facility", 3),
        Zones(places.frame.iloc[ps], "place", 3),
        fs,
        ps,
    )


TABLE = [[100.0, 300.0, 200.0, np.nan], [400.0, 100.0, 200.0, np.nan], [50.0, 900.0, 200.0, np.nan]]
THREE, FOUR = halls("c", "b", "d"), homes("p", "q", "r", "s")


def test_nearest_and_ties_to_the_lower_id():
    allocation = nearest_only(table(TABLE), facilities=THREE, places=FOUR, credits=["roads"])
    assert dense(allocation).tolist() == [[0, 0, 0, 0], [0, 1, 1, 0], [1, 0, 0, 0]]
    assert allocation.unreached == ("s",)
    assert allocation.walk.credits == ("halls", "homes", "roads")
    assert allocation.walk.targets == ("c", "b", "d")


def test_the_k_nearest_share_equally_or_by_distance():
    two = {"facilities": THREE, "places": FOUR, "k": 2}
    equal = dense(k_nearest(table(TABLE), **two))
    assert equal.tolist() == [[0.5, 0.5, 0.5, 0], [0, 0.5, 0.5, 0], [0.5, 0, 0, 0]]
    inverse = dense(k_nearest(table(TABLE), **two, shared="by inverse distance"))
    assert inverse[:, 0] == pytest.approx([1 / 3, 0, 2 / 3])  # 1/100 to 1/50
    assert inverse[:, 1] == pytest.approx([1 / 4, 3 / 4, 0])
    assert inverse[:, 2].tolist() == [0.5, 0.5, 0]
    every = dense(k_nearest(table(TABLE), facilities=THREE, places=FOUR, k=9))
    assert every[:, 0] == pytest.approx([1 / 3] * 3)
    with pytest.raises(LabelError, match="the 0 nearest"):
        k_nearest(table(TABLE), facilities=THREE, places=FOUR, k=0)


def test_who_stands_at_a_facility_goes_there():
    pairs = table([[0.0, 5e-324], [100.0, 100.0]])
    two = {"facilities": halls("a", "b"), "places": homes("p", "q")}
    inverse = dense(k_nearest(pairs, **two, k=2, shared="by inverse distance"))
    assert inverse.tolist() == [[1, 1], [0, 0]]
    by_power = huff(pairs, **two, attraction=np.array([1.0, 9.0]), decay=Decay("power", 1))
    assert dense(by_power).tolist() == [[1, 1], [0, 0]]


@pytest.mark.parametrize(
    ("decay", "fall"),
    [
        (Decay("power", 1.5), lambda d: d**-1.5),
        (Decay("exponential", 0.004), lambda d: np.exp(-0.004 * d)),
        (Decay("gaussian", 40_000.0), lambda d: np.exp(-(d**2) / 40_000)),
    ],
)
def test_huff_is_its_formula(decay, fall):
    attraction = np.array([3.0, 1.0, 0.5])
    allocation = huff(
        table(TABLE), facilities=THREE, places=FOUR, attraction=attraction, decay=decay
    )
    drawn = attraction[:, None] * fall(np.array(TABLE)[:, :3])
    assert dense(allocation)[:, :3] == pytest.approx(drawn / drawn.sum(axis=0), rel=1e-12)
    assert allocation.unreached == ("s",)


def test_huff_far_from_everything_and_with_nothing_to_draw():
    pairs = table([[1e6, 2e6, 300.0], [2e6, 1e6, 301.0]])
    two = {"facilities": halls("a", "b"), "places": homes("p", "q", "r")}
    decay = Decay("exponential", 0.01)  # exp(-10,000) is 0 in floating point
    allocation = huff(pairs, **two, attraction=np.array([1.0, 1.0]), decay=decay)
    assert dense(allocation)[:, :2].tolist() == [[1, 0], [0, 1]]
    assert dense(allocation)[0, 2] == pytest.approx(1 / (1 + np.exp(-0.01)))
    none = huff(pairs, **two, attraction=np.array([0.0, 1.0]), decay=decay, farthest=300.5)
    assert none.unreached == ("p", "q", "r")
    assert none.walk.weights.nnz == 0
    assert none.walk.rule == "by Huff's model, exponential decay 0.01, up to 300.5"


@pytest.mark.parametrize("attraction", [[1.0, -1.0], [np.nan, 1.0], [np.inf, 1.0]])
def test_impossible_attractions(attraction):
    two = {"facilities": halls("a", "b"), "places": homes("p")}
    with pytest.raises(DemographyError, match=r"attraction is .* at"):
        huff(table([[1], [2]]), **two, attraction=np.array(attraction), decay=Decay("power", 2))
    with pytest.raises(LabelError, match="shape"):
        huff(table([[1], [2]]), **two, attraction=np.ones(3), decay=Decay("power", 2))
    with pytest.raises(LabelError, match="not > 0"):
        Decay("power", 0.0)


def test_straight_lines_on_the_ground():
    east = 133.0 + np.arange(6) / 100
    facilities = zones(["a", "b"], "facility", east=east[[1, 4]])
    places = zones([f"p{i}" for i in range(6)], "place", east=east)
    for pairs in (near(facilities, places, radius=1e5), nearest(facilities, places, k=2)):
        found = nearest_only(pairs, facilities=facilities, places=places)
        assert dense(found).tolist() == [[1, 1, 1, 0, 0, 0], [0, 0, 0, 1, 1, 1]]
        assert found.walk.conserves()


def filled(distances, capacity, people, facilities=None, places=None):
    facilities = facilities or halls(*(f"f{i}" for i in range(len(capacity))))
    places = places or homes(*(f"p{i}" for i in range(len(people))))
    return with_capacity(
        table(distances), facilities=facilities, places=places,
        capacity=np.asarray(capacity, float), people=np.asarray(people, float),
    )  # fmt: skip


def test_a_full_facility_sends_on_those_who_lose_least():
    # both nearer to f0, which has room for one place: q would walk 10 m more, p 500 m
    result = filled([[100, 200], [600, 210]], [10, 100], [10, 10])
    assert dense(result).tolist() == [[1, 0], [0, 1]]
    assert result.unserved.tolist() == [0, 0]


def test_without_limits_it_is_the_nearest():
    rng = np.random.default_rng(5)
    distances = rng.uniform(10, 5000, (4, 30)).round(3)
    facilities, places = halls(*"abcd"), homes(*(f"p{i:02}" for i in range(30)))
    result = filled(distances, [np.inf] * 4, rng.uniform(1, 9, 30), facilities, places)
    nearest_ones = nearest_only(table(distances), facilities=facilities, places=places)
    assert dense(result) == pytest.approx(dense(nearest_ones), abs=0)


def test_who_finds_no_room_and_who_reaches_nothing():
    result = filled([[100, 200, np.nan, 50], [np.nan, 900, np.nan, 60]], [12, 5], [10, 10, 7, 0])
    assert result.unserved == pytest.approx([0, 3, 7, 0])  # p1: 2 in f0, 5 in f1
    assert dense(result) == pytest.approx(np.array([[1, 0.2, 0, 0], [0, 0.5, 0, 0]]))
    assert result.unreached == ("p2",)


def test_serving_more_people_goes_before_short_ways():
    # p0 could go to either, p1 to f0 only: p0 moves far away to make room
    result = filled([[1, 2], [50_000, np.nan]], [10, 10], [10, 10])
    assert dense(result).tolist() == [[0, 1], [1, 0]]


def test_no_room_at_all_and_nobody():
    result = filled([[1, 2]], [0], [3, 4])
    assert result.unserved.tolist() == [3, 4]
    assert result.unreached == ()
    empty = filled([[1, 2]], [5], [0, 0])
    assert (empty.walk.weights.nnz, empty.unserved.tolist()) == (0, [0, 0])
    none = filled(np.full((1, 2), np.nan), [5], [3, 4])
    assert none.unreached == ("p0", "p1")


def test_ties_go_to_lower_ids():
    facilities, places = halls("b", "a"), homes("q", "p")
    both = filled(np.full((2, 2), 300.0), [99, 99], [10, 10], facilities, places)
    assert dense(both).tolist() == [[0, 0], [1, 1]]
    one = filled(np.full((2, 2), 300.0), [10, 10], [10, 10], facilities, places)
    assert dense(one).tolist() == [[1, 0], [0, 1]]  # p, the lower, is at a
    last = filled(np.full((1, 2), 300.0), [10], [10, 10], halls("a"), places)
    assert (dense(last).tolist(), last.unserved.tolist()) == ([[0, 1]], [10, 0])
    nearly = filled([[300.0001], [300.0]], [99, 99], [10], facilities, homes("p"))
    assert dense(nearly).tolist() == [[0], [1]]


@pytest.mark.parametrize("values", [[1.0, -1.0], [1.0, np.nan]])
def test_impossible_capacities_and_people(values):
    with pytest.raises(DemographyError, match=r"capacity is .* at f1"):
        filled(np.ones((2, 2)), values, [1, 1])
    with pytest.raises(DemographyError, match=r"people is .* at p1"):
        filled(np.ones((2, 2)), [1, 1], values)
    with pytest.raises(DemographyError, match=r"people is inf at p1"):
        filled(np.ones((2, 2)), [1, 1], [1, np.inf])


def brute_force(distances, capacity, people):
    """Most persons served, then the least distance; persons one by one in every seat order."""
    best = None
    choices = [
        [-1, *(f for f in range(len(capacity)) if not np.isnan(distances[f][i]))]
        for i, count in enumerate(people)
        for _ in range(count)
    ]
    who = [i for i, count in enumerate(people) for _ in range(count)]
    for seats in itertools.product(*choices):
        if any(seats.count(f) > capacity[f] for f in range(len(capacity))):
            continue
        served = sum(f >= 0 for f in seats)
        length = sum(distances[f][i] for f, i in zip(seats, who, strict=True) if f >= 0)
        best = min(best or (1, 0), (-served, length))
    return best


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_capacity_is_brute_force(data):
    count = data.draw(st.integers(1, 3)), data.draw(st.integers(1, 3))
    metre = st.one_of(st.just(np.nan), st.integers(0, 9).map(float))
    distances = [[data.draw(metre) for _ in range(count[1])] for _ in range(count[0])]
    capacity = [data.draw(st.integers(0, 3)) for _ in range(count[0])]
    people = [data.draw(st.integers(0, 2)) for _ in range(count[1])]
    result = filled(distances, capacity, people)
    seats = dense(result) * people
    assert (seats.sum(axis=1) <= np.array(capacity) + 1e-9).all()
    assert seats.sum(axis=0) + result.unserved == pytest.approx(people)
    served, length = brute_force(distances, capacity, people)
    assert -seats.sum() == pytest.approx(served)
    assert np.nansum(seats * np.nan_to_num(distances)) == pytest.approx(length)


@pytest.mark.parametrize("seed", range(4))
def test_no_order_of_rows_matters(seed):
    rng = np.random.default_rng(seed)
    distances = rng.integers(1, 8, (6, 40)) * 100.0  # ties all over
    distances[rng.random(distances.shape) < 0.3] = np.nan
    facilities = halls(*(f"f{i}" for i in range(6)))
    places = homes(*(f"p{i:02}" for i in range(40)))
    people, capacity = rng.integers(0, 20, 40) / 1.0, rng.integers(20, 80, 6) / 1.0
    pairs = table(distances)
    moved, fac, pla, fs, ps = shuffled(pairs, facilities, places, rng)
    rules = [
        lambda pairs, zones, f, p: with_capacity(
            pairs, **zones, capacity=capacity[f], people=people[p]
        ),
        lambda pairs, zones, *_: nearest_only(pairs, **zones),
        lambda pairs, zones, *_: k_nearest(pairs, **zones, k=3, shared="by inverse distance"),
        lambda pairs, zones, f, _: huff(
            pairs, **zones, attraction=capacity[f], decay=Decay("power", 2)
        ),
    ]
    given_so = {"facilities": facilities, "places": places}
    for rule in rules:
        one = dense(rule(pairs, given_so, np.arange(6), np.arange(40)))
        other = dense(rule(moved, {"facilities": fac, "places": pla}, fs, ps))
        assert other == pytest.approx(one[fs][:, ps], abs=1e-12)
        sums = one.sum(axis=0)
        if rule is not rules[0]:
            assert np.all((np.abs(sums - 1) < 1e-12) | (sums == 0))
