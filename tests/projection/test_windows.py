"""Cohort change from windows that are not one age-group width."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from futuremap.core.ages import AgeGroups
from futuremap.errors import DemographyError, LabelError
from futuremap.projection.shrinkage import MOVER_NOISE, shrink
from futuremap.projection.single_years import merge_ages
from futuremap.projection.windows import cohort_change

AGES = AgeGroups.five_year(open_age=85)
ONE = np.zeros(3, dtype=np.intp)


def town(years, *, zones=3, birth=1000.0):
    """Stocks whose cohorts change by a smooth yearly rate of age; the truth of five years."""
    age = np.arange(111)
    yearly = 1 - 0.0002 * np.exp(0.085 * age) / 1.5 + 0.03 * np.exp(-(((age - 27) / 6) ** 2))
    yearly = np.clip(yearly, 0.05, None)
    people = birth * np.concatenate([[1.0], np.cumprod(yearly[:-1])]) * (1 + 0.2 * np.sin(age / 9))
    single = np.broadcast_to(people, (zones, 2, 111)) * np.array([1.0, 0.5, 0.1])[:, None, None]
    stocks = [merge_ages(single, AGES)]
    first = single
    for _ in range(max(years)):
        moved = np.zeros_like(single)
        moved[..., 1:] = single[..., :-1] * yearly[:-1]
        moved[..., 0] = single[..., 0]
        single = moved
        stocks.append(merge_ages(single, AGES))
    five = first
    for _ in range(5):
        moved = np.zeros_like(five)
        moved[..., 1:] = five[..., :-1] * yearly[:-1]
        five = moved
    before, after = merge_ages(first, AGES), merge_ages(five, AGES)
    truth = after[..., 1:].copy()
    pooled = before[..., :-1].copy()
    pooled[..., -1] += before[..., -1]
    return np.array([stocks[y] for y in years]), truth / pooled


def test_five_years_are_exact():
    rng = np.random.default_rng(2)
    stocks = rng.integers(0, 20, (2, 3, 2, 18)).astype(float)
    change = cohort_change(stocks, np.array([2015.0, 2020.0]), ages=AGES, parent_of=ONE)
    exposure = stocks[0, ..., :-1].copy()
    exposure[..., -1] += stocks[0, ..., -1]
    assert np.allclose(change.exposure, exposure)
    assert np.allclose(change.outcome, stocks[1, ..., 1:])
    assert (change.window, change.pairs) == (5.0, 1)


@pytest.mark.parametrize("window", [1, 2, 3, 4, 7])
def test_other_windows_come_near_the_five_year_ratio(window):
    stocks, truth = town([0, window])
    change = cohort_change(
        stocks, np.array([2010.0, 2010.0 + window]), ages=AGES, parent_of=ONE, window=window
    )
    ratio = change.outcome / change.exposure
    assert np.abs(ratio / truth - 1)[..., :15].max() < 0.03
    assert np.abs(ratio / truth - 1).max() < 0.12  # the oldest, whose ages are a model's
    assert np.allclose(ratio[0], ratio[2])  # the same rates in a large and a small zone


def test_what_was_seen_for_a_shorter_time_counts_less():
    stocks, _ = town([0, 1, 2, 3, 4, 5])
    times = 2010.0 + np.arange(6)
    full = cohort_change(stocks, times, ages=AGES, parent_of=ONE).exposure.sum()
    one = cohort_change(stocks, times, ages=AGES, parent_of=ONE, window=1).exposure.sum()
    assert one / full == pytest.approx(0.2, rel=0.05)


def test_a_zone_s_deviation_is_drawn_out_linearly():
    stocks, _ = town([0, 2])
    stocks[1, 0, :, 5:] *= 1.04
    times = np.array([2018.0, 2020.0])
    moved = cohort_change(stocks, times, ages=AGES, parent_of=ONE)
    ratio = moved.outcome / moved.exposure
    assert ratio[0, 0, 8] / ratio[1, 0, 8] == pytest.approx(1.10, abs=0.01)  # 4 % in two years


def test_the_parent_s_ratio_is_kept_and_parents_do_not_mix():
    rng = np.random.default_rng(4)
    stocks = rng.uniform(0, 40, (2, 6, 2, 18))
    times = np.array([2018.0, 2021.0])
    parent_of = np.array([0, 1, 0, 1, 1, 0])
    both = cohort_change(stocks, times, ages=AGES, parent_of=parent_of)
    alone = cohort_change(
        stocks[:, parent_of == 1], times, ages=AGES, parent_of=np.zeros(3, dtype=np.intp)
    )
    assert np.allclose(both.outcome[parent_of == 1], alone.outcome)
    shrunk = shrink(alone.outcome, alone.exposure, noise=MOVER_NOISE, smooth_axis=2)
    pooled = alone.outcome.sum(axis=0) / alone.exposure.sum(axis=0)
    assert np.allclose(shrunk.parent, pooled)
    assert np.isfinite(shrunk.ratio).all()


@settings(max_examples=30, deadline=None)
@given(st.permutations(range(6)), st.sampled_from([1.0, 2.0, 3.0, 5.0]))
def test_the_order_of_zones_does_not_matter(order, window):
    stocks = np.random.default_rng(5).uniform(0, 40, (2, 6, 2, 18))
    times = np.array([2020.0 - window, 2020.0])
    parent_of = np.array([0, 1, 0, 1, 1, 0])
    plain = cohort_change(stocks, times, ages=AGES, parent_of=parent_of)
    other = cohort_change(stocks[:, order], times, ages=AGES, parent_of=parent_of[order])
    assert np.allclose(other.outcome, plain.outcome[order], rtol=1e-9, atol=1e-9)


def test_months_are_paired_in_whole_years():
    times = 2018 + (10 + np.arange(31)) / 12
    stocks = np.random.default_rng(6).uniform(1, 9, (31, 3, 2, 18))
    change = cohort_change(stocks, times, ages=AGES, parent_of=ONE)
    assert (change.window, change.pairs) == (2.0, 7)
    short = cohort_change(stocks[:7], times[:7], ages=AGES, parent_of=ONE)
    assert short.window == pytest.approx(0.5)
    assert np.isfinite(short.outcome).all()


def test_nobody_there_is_no_exposure():
    stocks = np.zeros((2, 3, 2, 18))
    change = cohort_change(stocks, np.array([2018.0, 2020.0]), ages=AGES, parent_of=ONE)
    assert not change.exposure.any()
    assert not change.outcome.any()


def test_unsound_input_is_refused():
    stocks, times = np.ones((2, 3, 2, 18)), np.array([2018.0, 2020.0])
    with pytest.raises(LabelError, match="years apart"):
        cohort_change(stocks, times, ages=AGES, parent_of=ONE, window=3)
    with pytest.raises(LabelError, match="ascend"):
        cohort_change(stocks, times[::-1], ages=AGES, parent_of=ONE)
    with pytest.raises(LabelError, match="parents for"):
        cohort_change(stocks, times, ages=AGES, parent_of=ONE[:2])
    with pytest.raises(LabelError, match="age groups"):
        cohort_change(stocks[..., :-1], times, ages=AGES, parent_of=ONE)
    uneven = AgeGroups((0, 5, 12))
    with pytest.raises(LabelError, match="no common width"):
        cohort_change(np.ones((2, 3, 2, 3)), times, ages=uneven, parent_of=ONE)
    with pytest.raises(DemographyError, match="negative counts"):
        cohort_change(-stocks, times, ages=AGES, parent_of=ONE)
