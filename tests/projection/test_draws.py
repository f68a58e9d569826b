"""Draws: their marginals, what is shared, and that order and tiles don't matter."""

import numpy as np
import pytest
from scipy import sparse

from futuremap.errors import LabelError
from futuremap.projection import draws
from futuremap.projection.draws import Spread, interval, normal


def spread(low, high, shared=0.3, parents=None):
    low, high = np.atleast_2d(np.array(low)), np.atleast_2d(np.array(high))
    return Spread(low, high, parents or ("p",) * low.shape[1], np.full(low.shape, shared))


def test_a_zone_alone_has_its_own_factors_as_interval():
    given = spread([[0.9, 0.7, 1.05]], [[1.2, 0.95, 1.3]])
    values = np.array([[100.0, 10.0, 50.0]])
    low, high = interval(
        values,
        given,
        zones=["a", "b", "c"],
        weights=sparse.eye_array(3).tocsr(),
        seed=3,
        draws=40_000,
    )
    assert np.allclose(low, values * given.low, rtol=0.02)
    assert np.allclose(high, values * given.high, rtol=0.02)


def test_what_is_shared_shows_in_the_correlation():
    numbers = normal(["p"], seed=1, draws=20_000)
    own = normal(["a", "b"], seed=1, draws=20_000)
    a, b = np.sqrt(0.4) * numbers + np.sqrt(0.6) * own
    assert np.corrcoef(a, b)[0, 1] == pytest.approx(0.4, abs=0.02)
    assert abs(np.corrcoef(*own)[0, 1]) < 0.02
    assert own.std() == pytest.approx(1, abs=0.02)


def test_order_and_tiles_do_not_matter(monkeypatch):
    rng = np.random.default_rng(0)
    zones = [f"z{i}" for i in range(30)]
    parents = tuple(f"p{i // 10}" for i in range(30))
    weights = sparse.random_array((12, 30), density=0.3, rng=rng).tocsr()
    values = rng.uniform(10, 100, (2, 30))
    common = np.full((2, 30), 0.2)
    given = Spread(np.full((2, 30), 0.8), np.full((2, 30), 1.3), parents, common)
    low, high = interval(values, given, zones=zones, weights=weights, seed=5, draws=200)
    monkeypatch.setattr(draws, "TILE", 500)
    tiled = interval(values, given, zones=zones, weights=weights, seed=5, draws=200)
    assert np.allclose(tiled[0], low, rtol=1e-12)
    turned = rng.permutation(30)
    other = interval(
        values[:, turned],
        Spread(given.low, given.high, tuple(parents[i] for i in turned), common),
        zones=[zones[i] for i in turned],
        weights=weights[:, turned],
        seed=5,
        draws=200,
    )
    assert np.allclose(other[1], high, rtol=1e-12)


def test_nobody_in_reach_has_no_interval_to_speak_of():
    weights = sparse.csr_array((1, 2))
    low, high = interval(
        np.array([[5.0, 5.0]]),
        spread([0.9, 0.9], [1.1, 1.1]),
        zones=["a", "b"],
        weights=weights,
        seed=1,
    )
    assert (low, high) == (0.0, 0.0)


def test_a_lower_factor_above_the_upper_is_refused():
    with pytest.raises(LabelError, match="zone b"):
        interval(
            np.array([[5.0, 5.0]]),
            spread([0.9, 1.2], [1.1, 1.1]),
            zones=["a", "b"],
            weights=sparse.eye_array(2).tocsr(),
            seed=1,
        )
