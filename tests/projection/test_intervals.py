"""Intervals from earlier launches: ranks, classes, what errors did since, horizons."""

from __future__ import annotations

import numpy as np
import pytest

from futuremap.errors import LabelError
from futuremap.projection.intervals import FEWEST, SIZES, ErrorTable, Tried, calibrate, scores
from futuremap.projection.scoring import coverage

RNG = np.random.default_rng


def a_launch(year, *, seed, spread=0.05, years=5.0, count=2_000, bias=0.0):
    rng = RNG(seed)
    size = np.exp(rng.uniform(np.log(500), np.log(500_000), count))
    return Tried(year, years, size, size, size * np.exp(rng.normal(bias, spread, count)))


def test_intervals_hold_their_share_in_every_class_of_the_next_launch():
    table = calibrate([a_launch(2000 + 5 * i, seed=i) for i in range(3)])
    new = a_launch(2020, seed=9, count=20_000)

    low, high = table.interval(new.projected, new.size, 5)

    assert coverage(low, high, new.actual) == pytest.approx(0.8, abs=0.02)
    for least, below in zip(SIZES, (*SIZES[1:], np.inf), strict=True):
        chosen = (new.size >= least) & (new.size < below)
        held = coverage(low[chosen], high[chosen], new.actual[chosen])
        assert held == pytest.approx(0.8, abs=0.05)


def test_quantiles_are_signed_and_of_the_conformal_rank():
    n = np.full(39, 1e7)
    error = np.concatenate([np.linspace(-0.02, 0, 20), np.linspace(0.01, 0.38, 19)])
    tried = Tried(2010, 5, n, n, n * (1 + error))

    table = calibrate([tried])

    rank = int(np.ceil(40 * 0.9))
    found = np.sort(scores(tried))
    assert table.high[0, 3] == found[rank - 1]
    assert table.low[0, 3] == found[40 - rank - 1]
    assert table.high[0, 3] > 5 * -table.low[0, 3]


def test_classes_go_by_the_size_at_launch():
    small = Tried(2010, 5, *(np.full(50, n) for n in (1e3, 1e6, 1.5e6)))
    large = Tried(2010, 5, *(np.full(50, n) for n in (1e6, 1e3, 1e3)))

    table = calibrate([small, large])

    assert table.high[0, 0] == pytest.approx(0.5, rel=1e-3)
    assert table.high[0, 3] == pytest.approx(0.0, abs=1e-12)


def test_a_class_of_few_is_joined_to_its_neighbour():
    few = Tried(2010, 5, *(np.full(3, 1e3) for _ in range(3)))
    many = Tried(2010, 5, *(np.full(FEWEST, n) for n in (1e4, 1e4, 1.1e4)))

    table = calibrate([few, many])

    assert table.counts[0].tolist() == [FEWEST + 3, FEWEST, FEWEST, FEWEST]


def test_newer_launches_count_more():
    wide, narrow = (a_launch(y, seed=y, spread=s) for y, s in ((2000, 0.2), (2005, 0.02)))
    older_first = calibrate([wide, narrow])
    even = calibrate([wide, narrow], recency=1.0)

    # the transfer of the newer launch is the same in both
    assert (older_first.high < even.high).all()


@pytest.mark.parametrize(("later", "above"), [(0.1, True), (0.02, False)])
def test_tables_that_failed_at_the_next_launch_are_mended(later, above):
    past = [a_launch(2000, seed=1), a_launch(2005, seed=2, spread=later)]

    assert bool(calibrate(past).transfer[0] > 1) is above
    assert calibrate(past[:1]).transfer[0] == 1


def test_targets_not_yet_counted_at_a_launch_do_not_test_it():
    past = [a_launch(2000, seed=1, years=10.0), a_launch(2005, seed=2, years=10.0, spread=0.5)]

    assert calibrate(past).transfer.tolist() == [1.0]


def test_a_launch_at_which_nobody_was_projected_gives_finite_scores():
    zero = Tried(2010, 5, np.zeros(40), np.zeros(40), np.arange(40.0))

    table = calibrate([zero])
    low, high = table.interval(np.zeros(2), np.zeros(2), 5)

    assert np.isfinite(table.high).all()
    assert low.tolist() == [0, 0]
    assert high[0] == pytest.approx(36.0)


def two_horizons():
    one = np.ones((1, 1))
    low = np.concatenate([-0.1 * one, -0.05 * one])
    high = np.concatenate([0.1 * one, 0.3 * one])
    counts = np.full((2, 1), 99)
    return ErrorTable((0.0,), (5.0, 10.0), low, high, counts, np.ones(2), 0.8)


def test_between_horizons_bounds_follow_a_line_and_never_narrow():
    table, n = two_horizons(), np.array([1e9])
    years = np.array([0.0, 2.5, 5.0, 7.5, 10.0, 20.0])

    bounds = np.array([table.interval(n, n, float(year)) for year in years])[:, :, 0] / 1e9

    np.testing.assert_allclose(bounds[:, 0], [1, 0.95, 0.9, 0.9, 0.9, 0.8], atol=1e-6)
    np.testing.assert_allclose(bounds[:, 1], [1, 1.05, 1.1, 1.2, 1.3, 1.6], atol=1e-6)


def test_nothing_below_nobody():
    low, _ = two_horizons().interval(np.array([100.0]), np.array([100.0]), 500.0)

    assert low.tolist() == [0.0]


def test_bad_questions_are_refused():
    with pytest.raises(LabelError, match="no earlier launch"):
        calibrate([])
    with pytest.raises(LabelError, match="-5 years ahead"):
        two_horizons().interval(np.ones(1), np.ones(1), -5)
