"""Which facilities stay: hand-worked cases, all sets tried one by one, ties, capacities, refusals."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from futuremap.catchment.pairs import Pairs
from futuremap.catchment.siting import Candidates, max_coverage, p_median, set_cover
from futuremap.errors import DemographyError, LabelError, SolveError


def scattered(places, facilities, *, seed, within=np.inf, demand=None):
    rng = np.random.default_rng(seed)
    home, hall = rng.uniform(0, 1000, (places, 2)), rng.uniform(0, 1000, (facilities, 2))
    away = np.hypot(*(hall[:, None] - home[None]).transpose(2, 0, 1))
    facility, place = np.nonzero(away <= within)
    people = rng.integers(1, 90, places).astype(float) if demand is None else demand
    ids = tuple(f"f{i}" for i in range(facilities)), tuple(f"p{i}" for i in range(places))
    return Candidates(*ids, Pairs(facility, place, away[facility, place]), people), away


def line(halls, homes, people, *, within=np.inf, **more):
    """Halls a, b, … and homes x0, x1, … along a road."""
    away = np.abs(np.subtract.outer(np.array(halls, float), np.array(homes, float)))
    facility, place = np.nonzero(away <= within)
    return Candidates(
        tuple("abcdefgh"[: len(halls)]),
        tuple(f"x{i}" for i in range(len(homes))),
        Pairs(facility, place, away[facility, place]),
        np.array(people, float),
        **more,
    )


@pytest.mark.parametrize("count", [1, 3, 6])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_p_median_is_the_best_of_all_sets(seed, count):
    # more facilities than a place sees at first: the pairs left off are brought back
    candidates, away = scattered(25, 9, seed=seed)
    answer = p_median(candidates, count)
    sums = {
        chosen: candidates.demand @ away[list(chosen)].min(axis=0)
        for chosen in combinations(range(9), count)
    }
    best = min(sums, key=sums.get)
    assert answer.chosen == tuple(f"f{i}" for i in best)
    assert answer.objective == pytest.approx(sums[best], rel=1e-12)
    assert answer.gap <= 1e-9
    assert answer.assigned.conserves()
    assert answer.unserved == ()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_max_coverage_is_the_best_of_all_sets(seed):
    candidates, away = scattered(60, 9, seed=seed, within=250)
    answer = max_coverage(candidates, 3)
    sums = {
        chosen: candidates.demand[(away[list(chosen)] <= 250).any(axis=0)].sum()
        for chosen in combinations(range(9), 3)
    }
    assert answer.objective == max(sums.values())
    within = (away[[int(facility[1:]) for facility in answer.chosen]] <= 250).any(axis=0)
    assert answer.unserved == tuple(f"p{i}" for i in np.flatnonzero(~within))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_set_cover_is_the_smallest_of_all_sets_and_the_first_in_order(seed):
    candidates, away = scattered(30, 8, seed=seed, within=600)
    covers = [
        chosen
        for count in range(1, 9)
        for chosen in combinations(range(8), count)
        if (away[list(chosen)] <= 600).any(axis=0).all()
    ]
    fewest = len(covers[0])
    first = min(sum(chosen) for chosen in covers if len(chosen) == fewest)
    answer = set_cover(candidates)
    assert answer.objective == fewest == len(answer.chosen)
    assert sum(int(facility[1:]) for facility in answer.chosen) == first


def test_what_is_fixed_stays_and_what_closes_goes():
    road = line([0, 50, 100], [0, 100], [10, 1])
    assert p_median(road, 1).chosen == ("a",)
    assert p_median(replace(road, fixed=("c",)), 1).chosen == ("c",)
    closing = replace(road, allowed=("b", "c"))
    assert p_median(closing, 1).chosen == ("b",)
    assert p_median(closing, 1).objective == 10 * 50 + 50


def test_ties_go_to_the_ids_that_sort_first_whatever_the_order_given():
    # all four halls stand together; any two are as good as any other two
    road = line([10, 10, 10, 10], [0, 20], [5, 5])
    assert p_median(road, 2).chosen == ("a", "b")
    assert max_coverage(road, 2).chosen == ("a", "b")
    assert set_cover(road).chosen == ("a",)
    turned = replace(road, facilities=("d", "c", "b", "a"))
    assert p_median(turned, 2).chosen == ("b", "a")
    assert set_cover(turned).chosen == ("a",)
    # both halls are open: the place goes to the id that sorts first
    assert p_median(turned, 2).assigned.weights.toarray().tolist() == [[0, 0], [1, 1]]


def test_the_order_of_zones_changes_nothing():
    candidates, _ = scattered(40, 10, seed=5)
    answer = p_median(candidates, 4)
    facility, place = np.random.default_rng(0).permutation(10), np.arange(40)[::-1]
    back = np.argsort(facility)
    mixed = Candidates(
        tuple(np.array(candidates.facilities)[facility]),
        tuple(np.array(candidates.places)[place]),
        Pairs(back[candidates.pairs.facility], 39 - candidates.pairs.place,
              candidates.pairs.distance),
        candidates.demand[place],
    )  # fmt: skip
    again = p_median(mixed, 4)
    assert set(again.chosen) == set(answer.chosen)
    assert again.objective == pytest.approx(answer.objective, rel=1e-14)


def test_capacities_send_people_on_and_split_places():
    # 15 people by a, which holds 10: 5 of them go to b, 100 m away
    road = line([0, 100], [0, 100], [15, 3], capacity=np.array([10.0, 20.0]))
    answer = p_median(road, 2)
    assert answer.objective == pytest.approx(500)
    np.testing.assert_allclose(answer.assigned.weights.toarray(), [[2 / 3, 0], [1 / 3, 1]])
    assert answer.assigned.conserves()


def test_coverage_under_capacities_counts_people_served():
    road = line([0, 100], [0, 100], [15, 3], within=50, capacity=np.array([10.0, 20.0]))
    answer = max_coverage(road, 2)
    assert answer.objective == pytest.approx(13)
    assert answer.unserved == ("x0",)
    assert max_coverage(replace(road, capacity=None), 2).objective == 18


def test_being_left_out_may_be_the_lesser_evil():
    road = line([0, 100], [0, 40, 1000], [1, 1, 1])
    answer = p_median(road, 1, left_out=50)
    assert (answer.chosen, answer.objective) == (("a",), 40 + 50)
    assert answer.unserved == ("x2",)


def test_who_cannot_be_served_is_named():
    road = line([0, 100], [0, 100, 500], [1, 1, 7], within=50)
    with pytest.raises(SolveError, match=r"7 are left out, at \['x2'\]"):
        p_median(road, 2)
    with pytest.raises(SolveError, match="'x2'"):
        set_cover(road)
    near = line([0, 100], [0, 100], [4, 1], within=50)
    with pytest.raises(SolveError, match=r"1 are left out, at \['x1'\]"):
        p_median(near, 1)
    with pytest.raises(SolveError, match="at best 8 are left out"):
        p_median(replace(near, capacity=np.array([1.0, 1.0]), demand=np.array([9.0, 1.0])), 2)
    with pytest.raises(SolveError, match="1 are fixed and 2 allowed"):
        p_median(replace(near, fixed=("b",)), 3)


def test_places_with_nobody_decide_nothing_but_are_no_fault():
    road = line([0, 100], [0, 100, 500], [1, 1, 0], within=50)
    assert set_cover(road).chosen == ("a", "b")
    assert p_median(road, 2).unserved == ()


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"demand": np.array([1.0, np.nan])}, DemographyError),
        ({"demand": np.array([1.0, -1.0])}, DemographyError),
        ({"demand": np.array([1.0])}, LabelError),
        ({"capacity": np.array([1.0, np.nan])}, DemographyError),
        ({"capacity": np.array([1.0])}, LabelError),
        ({"fixed": ("z",)}, LabelError),
        ({"fixed": ("a",), "allowed": ("b",)}, LabelError),
        ({"facilities": ("a", "a")}, LabelError),
        ({"facilities": ("a",)}, LabelError),
        ({"pairs": Pairs(np.array([0]), np.array([0]), np.array([np.inf]))}, DemographyError),
        ({"pairs": Pairs(np.array([0]), np.array([0]), np.array([1.0, 2.0]))}, LabelError),
    ],
)
def test_candidates_that_contradict_themselves_are_refused(change, error):
    with pytest.raises(error):
        replace(line([0, 100], [0, 100], [1, 1]), **change)


def test_a_search_that_is_cut_short_says_how_far_it_may_be_off():
    candidates, _ = scattered(150, 30, seed=3)
    cut = p_median(replace(candidates, capacity=np.full(30, 600.0)), 14, nodes=1)
    assert cut.bound <= cut.objective
    assert cut.gap >= 0


def test_a_place_left_out_in_part_is_named():
    road = line([0], [0], [15], capacity=np.array([10.0]))
    answer = p_median(road, 1, left_out=100)
    assert answer.unserved == ("x0",)
    assert answer.objective == pytest.approx(5 * 100)
