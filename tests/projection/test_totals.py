"""Totals by trend: each rule, its edges, and structures scaled to them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from futuremap.errors import DemographyError, LabelError
from futuremap.projection.totals import RULES, scale_to_totals, trend

AT = np.array([2018.0, 2019.0, 2020.0])


@pytest.mark.parametrize(
    ("rule", "growing", "declining"),
    [
        ("constant", 144, 81),
        ("linear", 188, 62),
        ("exponential", 207.36, 65.61),
        ("linear_exponential", 188, 65.61),
        ("average", 166, 73.305),
    ],
)
def test_rules(rule, growing, declining):
    seen = np.array([[100.0, 100.0], [120.0, 90.0], [144.0, 81.0]])
    result = trend(seen, AT, target_time=2022.0, rule=rule)
    assert result.totals == pytest.approx([growing, declining])
    assert not result.cut.any()


def test_damped_growth_ends():
    seen = np.array([[100.0], [105.0], [110.0]])
    full = trend(seen, AT, target_time=2022.0, rule="damped", persistence=1.0)
    assert full.totals == pytest.approx([120])
    far = trend(seen, AT, target_time=2220.0, rule="damped", persistence=0.8)
    assert far.totals == pytest.approx([110 + 5 / -np.log(0.8)])


def test_a_line_below_nobody_is_cut_and_said():
    result = trend(np.array([[100.0], [20.0]]), AT[:2], target_time=2020.0, rule="linear")
    assert (result.totals.tolist(), result.cut.tolist()) == ([0.0], [60.0])


def test_empty_zones():
    seen = np.array([[0.0, 10.0, 0.0], [30.0, 0.0, 0.0]])
    result = trend(seen, AT[:2], target_time=2020.0, rule="exponential")
    assert result.totals.tolist() == [60.0, 0.0, 0.0]


@given(arrays(np.float64, (3, 4), elements=st.floats(0, 1e5)), st.sampled_from(RULES))
def test_never_negative_and_steady_stays(seen, rule):
    result = trend(seen, AT, target_time=2023.5, rule=rule)
    assert np.isfinite(result.totals).all()
    assert (result.totals >= 0).all()
    steady = np.repeat(seen[:1], 3, axis=0)
    assert np.allclose(trend(steady, AT, target_time=2023.5, rule=rule).totals, seen[0])


def test_endless_growth_is_refused():
    with pytest.raises(DemographyError, match="zone 1: 100000 persons"):
        trend(np.array([[1.0, 1.0], [1.0, 1e5]]), AT[:2], target_time=2200.0, rule="exponential")


def test_unsound_input_is_refused():
    seen = np.ones((3, 1))
    with pytest.raises(LabelError, match="no rule"):
        trend(seen, AT, target_time=2022.0, rule="spline")
    with pytest.raises(LabelError, match="ascend"):
        trend(seen, AT, target_time=2019.0)
    with pytest.raises(LabelError, match="dates"):
        trend(seen[:2], AT, target_time=2022.0)
    with pytest.raises(LabelError, match="persistence"):
        trend(seen, AT, target_time=2022.0, persistence=1.5)
    with pytest.raises(DemographyError, match=r"2019.*zone 0"):
        trend(np.array([[1.0], [np.nan], [1.0]]), AT, target_time=2022.0)


def test_scaling_keeps_the_structure():
    people = np.random.default_rng(1).uniform(0, 9, (5, 2, 18))
    people[3] = 0
    wanted = np.array([10.0, 0.0, 500.0, 0.0, 1.0])
    scaled = scale_to_totals(people, wanted)
    assert scaled.sum(axis=(1, 2)) == pytest.approx(wanted)
    assert np.allclose(scaled[2] / scaled[2].sum(), people[2] / people[2].sum())


@pytest.mark.parametrize("total", [5.0, -1.0, np.nan])
def test_nobody_cannot_become_somebody(total):
    with pytest.raises(DemographyError, match="zone 37201-002"):
        scale_to_totals(
            np.array([[[1.0]], [[0.0]]]),
            np.array([1.0, total]),
            zones=["37201-001", "37201-002"],
        )
