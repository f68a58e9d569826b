"""Scores of projections against what came."""

from __future__ import annotations

import numpy as np
import pytest

from futuremap.projection.scoring import coverage, score, shelf_life


def test_areas_where_nobody_came_count_only_in_weighted_errors():
    scored = score(np.array([10.0, 110.0]), np.array([0.0, 100.0]))

    assert scored.areas == 1
    assert scored.mape == pytest.approx(0.1)
    assert scored.weighted_ape == pytest.approx(0.2)


def test_cells_that_cancel_show_in_the_age_error_only():
    projected = np.array([[[60.0, 40.0]]])
    actual = np.array([[[40.0, 60.0]]])

    scored = score(projected, actual)

    assert scored.mape == 0
    assert scored.age_sex_wmape == pytest.approx(0.4)


def test_nobody_at_all_has_no_error():
    scored = score(np.zeros(2), np.zeros(2))

    assert scored.areas == 0
    assert np.isnan(scored.mape)
    assert np.isnan(coverage(np.zeros(0), np.zeros(0), np.zeros(0)))


def test_median_tail_and_bias_are_of_relative_errors():
    actual = np.full(11, 100.0)
    scored = score(actual + np.arange(11), actual)

    assert scored.median_ape == pytest.approx(0.05)
    assert scored.p90_ape == pytest.approx(0.09)
    assert scored.bias == pytest.approx(0.05)


def test_shelf_life_ends_at_the_first_horizon_that_fails():
    good, bad = np.full(10, 0.05), np.full(10, 0.2)

    assert shelf_life([5, 10, 15], [good, bad, good]) == 5
    assert shelf_life([5], [bad]) == 0
    assert shelf_life([5], [np.empty(0)]) == 0
