"""Several numbers from one set of draws: the same intervals as one by one."""

import numpy as np
import pytest
from scipy import sparse

from futuremap.errors import LabelError
from futuremap.projection.draws import Spread, factors, interval, intervals, uniform

RNG = np.random.default_rng(3)
ZONES = [f"z{i}" for i in range(7)]
LOW = RNG.uniform(0.6, 0.95, (2, 7))
SPREAD = Spread(LOW, LOW + 0.4, ("a",) * 3 + ("b",) * 4, np.full((2, 7), 0.4))
VALUES = RNG.gamma(2.0, 30.0, (5, 2, 7))
WALK = sparse.csr_array(
    np.array(
        [
            [1.0, 0.5, 0.0, 0.0, 0.2, 0.0, 0.0],
            [0.0, 0.0, 0.7, 0.0, 0.0, 0.0, 0.0],
            [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
            [0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1],
        ]
    )
)


def test_they_are_those_of_each_alone():
    low, high = intervals(VALUES, SPREAD, zones=ZONES, weights=WALK, seed=5)
    for i, one in enumerate(VALUES):
        expected = interval(one, SPREAD, zones=ZONES, weights=WALK, seed=5)
        for found, bound in zip((low[i], high[i]), expected, strict=True):
            assert found[:, [0, 3]] == pytest.approx(bound[:, [0, 3]], rel=1e-12)
            # a target of one zone is exact, draws are near it
            assert found[:, 1] == pytest.approx(bound[:, 1], rel=0.06)
            assert (found[:, 2] == 0).all()


def test_a_target_of_one_zone_has_its_own_factors():
    low, high = intervals(VALUES, SPREAD, zones=ZONES, weights=WALK, seed=5)
    assert low[:, :, 1] == pytest.approx(0.7 * VALUES[:, :, 2] * SPREAD.low[:, 2])
    assert high[:, :, 1] == pytest.approx(0.7 * VALUES[:, :, 2] * SPREAD.high[:, 2])


def test_factors_are_those_that_move_the_people():
    moved = factors(SPREAD, zones=ZONES, seed=5, draws=1000)
    assert moved.shape == (2, 7, 1000)
    drawn = np.quantile(np.einsum("z,zd->d", VALUES[0, 1], moved[1]), [0.1, 0.9])
    whole = sparse.csr_array(np.ones((1, 7)))
    low, high = intervals(VALUES[:1], SPREAD, zones=ZONES, weights=whole, seed=5)
    assert [low[0, 1, 0], high[0, 1, 0]] == pytest.approx(drawn, rel=1e-12)


def test_order_of_zones_does_not_matter():
    turned = slice(None, None, -1)
    back = Spread(
        SPREAD.low[:, turned], SPREAD.high[:, turned], SPREAD.parents[turned],
        SPREAD.shared[:, turned],
    )  # fmt: skip
    one = intervals(VALUES, SPREAD, zones=ZONES, weights=WALK, seed=5)
    other = intervals(
        VALUES[:, :, turned], back, zones=ZONES[turned],
        weights=sparse.csr_array(WALK.toarray()[:, turned]), seed=5,
    )  # fmt: skip
    assert np.allclose(one, other, rtol=1e-12)


def test_uniform_numbers_are_keyed():
    assert (uniform(["b", "a"], seed=1, draws=5)[1] == uniform(["a"], seed=1, draws=5)[0]).all()
    assert (uniform(["a"], seed=1, draws=5) != uniform(["a"], seed=2, draws=5)).all()


def test_shapes_are_checked():
    with pytest.raises(LabelError):
        intervals(VALUES[:, :, :3], SPREAD, zones=ZONES, weights=WALK, seed=5)
