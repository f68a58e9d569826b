"""The transport problem: the optimum of all pairs, whatever was tried first."""

import numpy as np
import pytest
from scipy import sparse
from scipy.optimize import linprog

from futuremap.catchment.pairs import Pairs
from futuremap.catchment.transport import transport


@pytest.mark.parametrize("room", [0.7, 1.0, 1.4])
@pytest.mark.parametrize("known", [1.0, 0.3])
def test_pricing_ends_at_the_optimum_of_all_pairs(room, known):
    rng = np.random.default_rng(8)
    facility, place = np.nonzero(rng.random((12, 400)) < known)
    count = len(place)
    distance = rng.uniform(0, 9000, count).round(3)
    people, capacity = rng.gamma(1, 20, 400), rng.gamma(2, 1, 12)
    capacity *= room * people.sum() / capacity.sum()
    sums = sparse.vstack([
        sparse.coo_array((np.ones(count), (place, np.arange(count))), shape=(400, count)),
        sparse.coo_array((np.ones(count), (facility, np.arange(count))), shape=(12, count)),
    ])  # fmt: skip
    gain = distance - 13 * 9000
    best = linprog(gain, A_ub=sums.tocsr(), b_ub=np.concatenate([people, capacity])).fun
    flows = transport(Pairs(facility, place, distance), people=people, capacity=capacity)
    assert gain @ flows == pytest.approx(best, rel=1e-12)
    assert (sums @ flows <= np.concatenate([people, capacity]) * (1 + 1e-9)).all()
    assert (flows >= 0).all()


def test_earlier_places_at_earlier_facilities():
    pairs = Pairs(np.array([0, 0, 0, 1, 1, 1]), np.array([0, 1, 2] * 2), np.full(6, 50.0))
    flows = transport(pairs, people=np.full(3, 10.0), capacity=np.array([15.0, 10.0]))
    assert flows.tolist() == [10, 5, 0, 0, 5, 5]


def test_at_distance_nothing():
    pairs = Pairs(np.array([0, 1]), np.array([0, 0]), np.zeros(2))
    assert transport(pairs, people=np.array([4.0]), capacity=np.array([1.0, np.inf])).sum() == 4
