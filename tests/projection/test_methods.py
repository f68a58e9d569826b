"""Every method on histories that towns really have: growth, decline, emptied and filled zones."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from futuremap.core.ages import AgeGroups
from futuremap.errors import DemographyError, LabelError
from futuremap.projection.methods import (
    FIRST_STEP,
    LATER_STEPS,
    METHODS,
    CohortRatios,
    History,
    Pool,
    Totals,
    add_differences,
)
from futuremap.projection.methods.history import Parents, fertile, periods

AGES = AgeGroups.five_year(open_age=90)
PARENT_OF = np.array([0, 0, 0, 1, 1, 2])


def a_history(seed: int = 1, *, years: int = 4, scale: float = 300.0) -> History:
    rng = np.random.default_rng(seed)
    persons = rng.poisson(scale, (years, len(PARENT_OF), 2, len(AGES))).astype(np.float64)
    return History(persons, 2000.0 + 5 * np.arange(years), AGES, PARENT_OF)


def towns_that_break_ratios() -> History:
    history = a_history()
    persons = history.persons.copy()
    persons[-1, 0] = 0  # evacuated: people before, nobody at launch
    persons[:-1, 1] = 0  # filled: nobody before
    persons[:, 3] = 0  # never inhabited
    persons[1, 4] = 0  # emptied and back
    persons[:, 5] = 0  # and a parent without anybody
    persons[:, 2, :, 12:] = 0  # no old people in one, so cells that stay empty
    return history._replace(persons=persons)


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("years", [2, 3, 4])
def test_no_town_breaks_a_method(name, years):
    history = towns_that_break_ratios()
    history = history._replace(
        persons=history.persons[-years:],
        times=history.times[-years:],
    )

    path = METHODS[name](history, steps=6)

    assert path.shape == (7, *history.persons.shape[1:])
    assert np.isfinite(path).all()
    assert (path >= 0).all()
    np.testing.assert_array_equal(path[0], history.persons[-1])


@pytest.mark.parametrize("name", METHODS)
def test_methods_are_pure_and_start_where_told(name):
    history = a_history()
    before = history.persons.copy()
    launch = history.persons[0] * 1.1

    first = METHODS[name](history, launch=launch, steps=2)
    second = METHODS[name](history, launch=launch, steps=2)

    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(first[0], launch)
    np.testing.assert_array_equal(history.persons, before)


@pytest.mark.parametrize("name", METHODS)
def test_the_order_of_zones_within_a_parent_does_not_matter(name):
    history = a_history()
    order = np.array([2, 0, 1, 4, 3, 5])

    path = METHODS[name](history, steps=2)
    turned = METHODS[name](history._replace(persons=history.persons[:, order]), steps=2)

    np.testing.assert_allclose(turned, path[:, order], rtol=1e-9)


@pytest.mark.parametrize("name", METHODS)
def test_nobody_anywhere_stays_nobody(name):
    history = a_history()
    empty = history._replace(persons=np.zeros_like(history.persons))

    assert METHODS[name](empty, steps=2).sum() == 0


def test_raw_ratios_repeat_what_happened():
    history = a_history(years=2)

    later = METHODS["raw"](history, launch=history.persons[0], steps=1)[1]

    # the last two groups share a ratio, so only their sum comes back
    np.testing.assert_allclose(later[:, :, 1:-1], history.persons[1, :, :, 1:-1])
    np.testing.assert_allclose(later[:, :, -1], history.persons[1, :, :, -1])
    np.testing.assert_allclose(
        later[:, :, 0].sum(axis=1),
        history.persons[1, :, :, 0].sum(axis=1),
    )


def test_one_zone_alone_has_its_parents_ratios():
    history = a_history(years=2)
    alone = history._replace(persons=history.persons[:, 5:], parent_of=np.array([0]))

    raw, parent, shrunk = (METHODS[n](alone, steps=3) for n in ("raw", "parent", "shrunk"))

    np.testing.assert_allclose(raw, parent)
    np.testing.assert_allclose(shrunk, parent)


def test_capped_ratios_stay_within_half_and_one_and_a_half_of_the_parents():
    history = a_history(scale=5.0)
    start = np.ones(history.persons.shape[1:])

    capped, parent = (METHODS[n](history, launch=start, steps=1) for n in ("capped", "parent"))

    within = capped[1, :, :, 1:-1] / parent[1, :, :, 1:-1]
    assert within.min() >= 0.5 - 1e-9
    assert within.max() <= 1.5 + 1e-9


def test_a_pool_keeps_its_parents_cohorts():
    history = a_history()

    pool, parent = (METHODS[n](history, steps=1)[1, :3, :, 1:] for n in ("pool_1", "parent"))

    np.testing.assert_allclose(pool.sum(axis=0), parent.sum(axis=0))


def test_a_pool_fills_a_zone_that_was_empty_at_launch():
    history = a_history()
    launch = history.persons[-1].copy()
    launch[1] = 0

    assert Pool()(history, launch=launch, steps=1)[1, 1].sum() > 0
    assert CohortRatios()(history, launch=launch, steps=1)[1, 1].sum() == 0


def test_a_disaster_is_not_repeated():
    history = a_history(scale=5_000.0)
    struck = history.persons.copy()
    struck[-1, 0] *= 0.5
    struck = history._replace(persons=struck)

    def beside_its_neighbour(calm):
        path = CohortRatios("shrunk", past=(2.0, 1.0), calm=calm)(struck, steps=1)
        growth = path[1, :, :, 1:].sum(axis=(1, 2)) / path[0].sum(axis=(1, 2))
        return growth[0] / growth[1]

    assert beside_its_neighbour(calm=False) < 0.7
    assert beside_its_neighbour(calm=True) == pytest.approx(1.0, abs=0.05)


def test_with_two_periods_no_shock_is_told():
    history = a_history(years=3, scale=5_000.0)
    history.persons[-1, 0] *= 0.5
    loud, calm = (CohortRatios(past=(2.0, 1.0), calm=c)(history, steps=1) for c in (False, True))

    np.testing.assert_array_equal(loud, calm)


def test_improving_survival_keeps_more_of_the_old():
    history = a_history(scale=1_000.0)
    old = AGES.at_least(60)
    for t in range(len(history.times)):
        history.persons[t, :, :, old] *= 0.5 ** (np.arange(7) * (1 - 0.05 * t))

    plain, improving = (METHODS[n](history, steps=1)[1] for n in ("pool_1", "pool_1_improving"))

    assert improving[..., old].sum() > plain[..., old].sum()
    np.testing.assert_allclose(improving[..., : old.start], plain[..., : old.start])


def test_differences_say_what_they_clipped():
    history = a_history(years=2)
    launch = np.zeros_like(history.persons[0])

    added = add_differences(history, launch=launch, steps=1)

    cohorts = history.persons[0, :, :, :-1].copy()
    cohorts[..., -1] += history.persons[0, :, :, -1]
    change = history.persons[1, :, :, 1:] - cohorts
    np.testing.assert_allclose(added.clipped[0], np.maximum(-change, 0).sum(axis=(1, 2)))
    np.testing.assert_allclose(added.persons[1, :, :, 1:], np.maximum(change, 0))


@pytest.mark.parametrize(
    ("course", "expected"),
    [
        ("linear", [110.0, 120.0, 130.0]),
        ("exponential", [110.0, 121.0, 133.1]),
        ("linear_or_exponential", [110.0, 120.0, 130.0]),
        ("constant", [110.0, 110.0, 110.0]),
    ],
)
def test_totals_go_on_as_they_went(course, expected):
    cells = np.full((1, 2, len(AGES)), 100.0 / 38)
    history = History(np.stack([cells, cells * 1.1]), np.array([0, 5]), AGES, np.array([0]))

    totals = Totals(course)(history, steps=2).sum(axis=(1, 2, 3))

    np.testing.assert_allclose(totals, expected)


def test_a_falling_line_ends_at_nobody_and_damping_ends_it_sooner():
    cells = np.full((1, 2, len(AGES)), 10.0)
    history = History(np.stack([cells, cells * 0.4]), np.array([0, 5]), AGES, np.array([0]))

    line = Totals("linear")(history, steps=3).sum(axis=(1, 2, 3))
    damped = Totals("linear", damping=0.1)(history, steps=3).sum(axis=(1, 2, 3))

    assert line.tolist()[1:] == [0, 0, 0]
    assert damped[2] == pytest.approx(max(0.0, 152 - 1.1 * 228))
    assert Totals("exponential")(history, steps=1).sum(axis=(1, 2, 3))[1] == pytest.approx(60.8)


def test_the_averaged_methods_are_in_the_table():
    assert set(LATER_STEPS) | set(FIRST_STEP) < set(METHODS)


def test_stocks_that_are_not_one_width_apart_are_refused():
    history = a_history()

    with pytest.raises(LabelError, match="5 years apart"):
        METHODS["raw"](history._replace(times=history.times * 0.4), steps=1)
    with pytest.raises(LabelError, match="two at least"):
        periods(history._replace(persons=history.persons[:1], times=history.times[:1]))


@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        (lambda h: h._replace(parent_of=h.parent_of[::-1]), LabelError, "stand together"),
        (lambda h: h._replace(parent_of=h.parent_of[1:]), LabelError, "do not match"),
        (lambda h: h._replace(ages=AgeGroups.five_year(open_age=85)), LabelError, "age groups"),
        (lambda h: h._replace(persons=h.persons - 1e6), DemographyError, "persons at"),
        (lambda h: h._replace(persons=h.persons * np.nan), DemographyError, "persons at"),
    ],
)
def test_bad_histories_are_refused(change, error, says):
    with pytest.raises(error, match=says):
        METHODS["shrunk"](change(a_history()), steps=1)


def test_bad_launches_are_refused():
    history = a_history()
    launch = history.persons[-1]

    with pytest.raises(LabelError, match="launch has shape"):
        METHODS["raw"](history, launch=launch[:2], steps=1)
    with pytest.raises(DemographyError, match="persons at"):
        METHODS["raw"](history, launch=launch - 1e6, steps=1)


def test_ages_without_women_of_fertile_age_are_refused():
    with pytest.raises(LabelError, match="15–49"):
        fertile(AgeGroups((0, 10, 60)))


def test_parents_may_skip_numbers():
    parents = Parents(np.array([3, 3, 7]))

    assert parents.sum(np.ones(3)).tolist() == [2.0, 1.0]


@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 10_000), scale=st.sampled_from([0.2, 1.0, 30.0]))
def test_sparse_towns_never_give_anything_but_people(seed, scale):
    history = a_history(seed, scale=scale)

    for name, method in METHODS.items():
        path = method(history, steps=2)
        assert np.isfinite(path).all(), name
        assert (path >= 0).all(), name


def test_a_parents_own_level_fades_toward_all_zones():
    history = a_history(scale=1_000.0)
    history.persons[-1, :3] *= 1.3  # one parent boomed

    def later(left):
        path = CohortRatios("parent", level_persistence=left)(history, steps=3)
        return path[:, 0].sum(axis=(1, 2))

    np.testing.assert_allclose(later(0.5)[1], later(1.0)[1])
    assert later(0.5)[3] < later(1.0)[3]


def test_a_trend_of_births_goes_on():
    history = a_history(scale=1_000.0)
    history.persons[-2:, :, :, 0] *= np.array([0.5, 0.25])[:, None, None]

    def children(trend):
        path = CohortRatios("parent", births_trend=trend)(history, steps=1)
        return path[1, :, :, 0].sum()

    assert children(1.0) == pytest.approx(children(0.0) * 0.5, rel=0.1)
    assert children(0.5) == pytest.approx(children(0.0) * 0.5**0.5, rel=0.1)
