"""Transport: who goes where if facilities have limited room; on positions, solved by HiGHS."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import linprog, minimize

from futuremap.catchment.pairs import TOLD_APART, Pairs
from futuremap.errors import SolveError

Floats = NDArray[np.float64]
Positions = NDArray[np.intp]
# shares of the longest distance over which choices are blurred, to find prices near the true ones
BLURS = (1 / 30, 1 / 100, 1 / 300, 1 / 1000)
STEPS = 60  # of the search for them, at each blur
WIDTH = 10  # blurs by which a pair may be worse than the best of its place, to be tried first
# distances are told apart at 1e-3: prices of a vertex are sums of such steps, this is rounding
STEP = 1e-5
OPTIMAL = 0  # status of scipy.optimize.linprog


class _Solved(NamedTuple):
    # people of each pair (K,), prices of places (M,) and of facilities (F,)
    people: Floats
    place: Floats
    facility: Floats


def transport(pairs: Pairs, *, people: Floats, capacity: Floats) -> Floats:
    """People by pair such that as many as can be are served, over the least distance in all.

    Parameters
    ----------
    pairs
        Which facility may serve which place, at what distance or time ``(K,)``.
    people
        At each place ``(M,)``, at least 0. [persons]
    capacity
        Of each facility ``(F,)``, at least 0; infinite where there is no limit. [persons]

    Returns
    -------
    numpy.ndarray
        ``(K,)``. Of equally good answers, the one in which earlier places are at earlier
        facilities. [persons]

    Raises
    ------
    SolveError
        If the solver does not end at an optimum.

    Notes
    -----
    ``min Σ x_ij (d_ij − D)`` with ``Σ_j x_ij ≤ p_i``, ``Σ_i x_ij ≤ c_j``, ``x ≥ 0`` and D so
    large that nobody is left out to shorten the ways of others. Prices of full facilities are
    first found for blurred choices; the program is solved on the pairs that are good at these
    prices, and pairs that its own prices prove useful are added until none is left, so that
    the optimum is that of all pairs.

    References
    ----------
    Hitchcock, F. L. (1941), J. Math. Phys. 20, 224-230. Dantzig, G. B. & Wolfe, P. (1960),
    Operations Research 8(1), 101-111: pricing.

    Examples
    --------
    Two places of 10 people, both nearer to the first of two facilities, which has room for 10:
    the way to the other is 200 m longer for one of them and 100 m for the other.

    >>> pairs = Pairs(np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1]),
    ...               np.array([100.0, 200.0, 300.0, 300.0]))
    >>> transport(pairs, people=np.full(2, 10.0), capacity=np.full(2, 10.0)).tolist()
    [10.0, 0.0, 0.0, 10.0]
    """
    flows = np.zeros(len(pairs.place))
    used = np.flatnonzero((people[pairs.place] > 0) & (capacity[pairs.facility] > 0))
    if not len(used):
        return flows
    places, place = np.unique(pairs.place[used], return_inverse=True)
    facilities, facility = np.unique(pairs.facility[used], return_inverse=True)
    order = np.lexsort((facility, place))
    ways = Pairs(facility[order], place[order], pairs.distance[used[order]].round(TOLD_APART))
    crowd = people[places]
    # no facility can take more than all; infinity is no number for the solver
    room = np.minimum(capacity[facilities], crowd.sum())
    flows[used[order]] = _least(ways, crowd, room)
    return flows


def taken(pairs: Pairs, chosen: Positions | NDArray[np.bool_]) -> Pairs:
    """Some of the pairs, by position or mask."""
    return Pairs(pairs.facility[chosen], pairs.place[chosen], pairs.distance[chosen])


def _least(ways: Pairs, people: Floats, capacity: Floats) -> Floats:
    # one more person served may push others on, by each facility once and at most its longest way
    longest = float(ways.distance.max()) or 1.0
    left_out = (len(capacity) + 1) * longest
    gain = ways.distance - left_out
    at = ways.distance + _blurred(ways, people, capacity, longest, left_out)[ways.facility]
    best = np.minimum.reduceat(at, np.flatnonzero(np.diff(ways.place, prepend=-1)))
    tried = at <= np.minimum(best, left_out)[ways.place] + WIDTH * BLURS[-1] * longest
    while True:
        part = taken(ways, tried)
        solved = _solve(part, gain[tried], people, capacity)
        loss = gain - solved.place[ways.place] - solved.facility[ways.facility]
        useful = (loss < -STEP) & ~tried
        if not useful.any():
            break
        tried |= useful
    as_good = loss <= STEP
    as_good[tried] |= solved.people > 0
    flows = np.zeros(len(gain))
    part = taken(ways, as_good)
    flows[as_good] = _earliest(part, people, capacity, solved)
    return flows


def _blurred(
    ways: Pairs,
    people: Floats,
    capacity: Floats,
    longest: float,
    left_out: float,
) -> Floats:
    # (F,) prices at which blurred demand meets capacity, the blur made sharper step by step
    first = np.flatnonzero(np.diff(ways.place, prepend=-1))
    count, whole = len(capacity), people.sum()

    def loss(price: Floats, blur: float) -> tuple[float, Floats]:
        score = -(ways.distance + price[ways.facility]) / blur
        top = np.maximum(np.maximum.reduceat(score, first), -left_out / blur)
        weight = np.exp(score - top[ways.place])
        total = np.add.reduceat(weight, first) + np.exp(-left_out / blur - top)
        value = blur * (people * (top + np.log(total))).sum() + capacity @ price
        chosen = weight * (people / total)[ways.place]
        demand = np.bincount(ways.facility, weights=chosen, minlength=count)
        return float(value) / whole, (capacity - demand) / whole

    prices = np.zeros(count)
    for share in BLURS:
        prices = minimize(
            loss,
            prices,
            args=(share * longest,),
            jac=True,
            method="L-BFGS-B",
            bounds=[(0.0, left_out)] * count,
            options={"maxiter": STEPS},
        ).x
    return np.asarray(prices, dtype=np.float64)


def _solve(ways: Pairs, gain: Floats, people: Floats, capacity: Floats) -> _Solved:
    found = linprog(
        gain,
        A_ub=_sums(ways, len(people), len(capacity)),
        b_ub=np.concatenate([people, capacity]),
        method="highs-ds",
    )
    if found.status != OPTIMAL:
        raise SolveError(f"people and room for {len(gain)} pairs: {found.message}")
    prices = found.ineqlin.marginals
    return _Solved(found.x, prices[: len(people)], prices[len(people) :])


def _earliest(ways: Pairs, people: Floats, capacity: Floats, solved: _Solved) -> Floats:
    # every optimum uses pairs without loss only, and all that has a price; among those, earlier
    # places at earlier facilities
    places, facilities = len(people), len(capacity)
    rank = (places - ways.place) * (facilities - ways.facility) / places
    sums = _sums(ways, places, facilities)
    whole = np.concatenate([people, capacity])
    priced = np.concatenate([solved.place, solved.facility]) < -STEP
    found = linprog(
        -rank,
        A_ub=sums[~priced] if not priced.all() else None,
        b_ub=whole[~priced] if not priced.all() else None,
        A_eq=sums[priced],
        b_eq=whole[priced],
        method="highs-ds",
    )
    if found.status != OPTIMAL:
        raise SolveError(f"which of equal answers, {len(rank)} pairs: {found.message}")
    # the solver ends within 1e-7 below 0 at times
    return np.asarray(np.maximum(found.x, 0.0) + 0.0, dtype=np.float64)


def _sums(ways: Pairs, places: int, facilities: int) -> sparse.csr_array:
    # (M + F, K): people of each place, people at each facility
    count = len(ways.place)
    rows = np.concatenate([ways.place, places + ways.facility])
    columns = np.tile(np.arange(count), 2)
    shape = (places + facilities, count)
    return sparse.csr_array(sparse.coo_array((np.ones(2 * count), (rows, columns)), shape=shape))
