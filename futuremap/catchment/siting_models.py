"""Siting models: the integer programs behind siting, on positions only, solved by HiGHS."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

from futuremap.catchment.pairs import Pairs
from futuremap.errors import SolveError

Floats = NDArray[np.float64]
LIMIT, INFEASIBLE = 1, 2  # status of scipy.optimize.milp
# HiGHS stops at an absolute gap of 1e-6: objectives are scaled so that this is 1e-12 of them
SCALE = 1e6
SAME = 1e-9  # objectives whose relative difference is no more are a tie
HALF = 0.5
NONE_LEFT = 1e-6  # a share below this is rounding of the solver
FEWEST = 4  # nearest facilities of each place to begin with


@dataclass(frozen=True, eq=False)
class Model:
    """A choice among facilities, in positions.

    Parameters
    ----------
    pairs
        Which facility may serve which place, at what distance or time ``(K,)``.
    demand
        Weight of each place ``(M,)``, above 0. [persons]
    low, high
        0 or 1 for each facility ``(F,)``: it must be chosen (1, 1), or may not be (0, 0).
    capacity
        Most demand that each facility can serve ``(F,)``, infinite where there is no limit.
    left_out
        What it costs for each person who is not served; infinite if all must be. [m or min]
    count
        How many facilities are chosen; None where that is the question.
    nodes
        Most nodes of a search tree; None for no limit.

    Examples
    --------
    The first facility reaches both places, the second only one:

    >>> pairs = Pairs(np.array([0, 0, 1]), np.array([0, 1, 1]), np.array([5.0, 9.0, 1.0]))
    >>> choice = Model(pairs, np.array([1.0, 2.0]), np.zeros(2), np.ones(2),
    ...                np.full(2, np.inf), count=1)
    >>> best = median(choice)
    >>> best.chosen.tolist(), round(best.objective, 6)
    ([True, False], 23.0)
    """

    pairs: Pairs
    demand: Floats
    low: Floats
    high: Floats
    capacity: Floats
    left_out: float = np.inf
    count: int | None = None
    nodes: int | None = None


class Solved(NamedTuple):
    """Chosen facilities ``(F,)``, the bound of the objective, what each place lacks ``(M,)``."""

    chosen: NDArray[np.bool_]
    objective: float
    bound: float
    lacking: Floats


class _Program(NamedTuple):
    """Minimise cost; columns are facilities, pairs, and what each place lacks."""

    cost: Floats
    rows: tuple[LinearConstraint, ...]
    low: Floats
    high: Floats
    reference: float  # size of the objective, to scale by
    beyond: NDArray[np.bool_]  # places that may lack because pairs were left off


def median(model: Model) -> Solved | None:
    """Facilities with the least sum of demand × distance; None where not all can be served.

    Notes
    -----
    The strong form of [1]_: each pair has a variable that may not exceed that of its facility,
    so that the relaxation is nearly whole. At first each place sees its few nearest
    facilities, and may lack one at the distance of the first it does not see, which costs no
    more than any of those. Where a place does lack one it sees twice as many, and the program
    is solved again; once none does, the answer is that of all pairs.

    References
    ----------
    .. [1] ReVelle, C., Swain, R. (1970). Central facilities location. *Geographical Analysis*
       2(1), 30-42. doi:10.1111/j.1538-4632.1970.tb00142.x
    """
    nearest, rank = _by_distance(model.pairs)
    model = replace(model, pairs=nearest)
    sees = np.full(len(model.demand), FEWEST)
    first, sees = _seeing_enough(model, rank, sees)
    if first is None:
        return None
    return _in_order(first, lambda: _seeing_enough(model, rank, sees, no_worse=first.objective)[0])


def coverage(model: Model) -> Solved | None:
    """Facilities that leave the least demand without one in reach; None where none may be.

    References
    ----------
    .. [1] Church, R., ReVelle, C. (1974). The maximal covering location problem. *Papers of the
       Regional Science Association* 32, 101-118. doi:10.1007/BF01942293
    """
    group, alike = _alike(model)
    program = _coverage_program(alike)
    first = _solve(alike, program)
    if first is None:
        return None
    best = _in_order(first, lambda: _solve(alike, _by_position(alike, program, first.objective)))
    return best._replace(lacking=best.lacking[group])


def cover(model: Model) -> Solved | None:
    """The fewest facilities that leave no place without one in reach; None where none do.

    References
    ----------
    .. [1] Toregas, C., Swain, R., ReVelle, C., Bergman, L. (1971). The location of emergency
       service facilities. *Operations Research* 19(6), 1363-1373.
       doi:10.1287/opre.19.6.1363
    """
    group, alike = _alike(replace(model, left_out=np.inf))
    program = _coverage_program(alike)
    cost = np.zeros_like(program.cost)
    cost[: len(model.low)] = 1.0
    program = program._replace(cost=cost, reference=float(len(model.low)))
    first = _solve(alike, program)
    if first is None:
        return None
    best = _in_order(first, lambda: _solve(alike, _by_position(alike, program, first.objective)))
    return best._replace(lacking=best.lacking[group])


def only(pairs: Pairs, held: NDArray[np.bool_] | NDArray[np.intp]) -> Pairs:
    """Some of the pairs, by mask or position."""
    return Pairs(pairs.facility[held], pairs.place[held], pairs.distance[held])


def most_served(model: Model) -> Solved | None:
    """Facilities that, under their capacities, serve the most demand within reach."""
    # to serve somebody costs nothing, to leave somebody out costs 1
    free = model.pairs._replace(distance=np.zeros_like(model.pairs.distance))
    return median(replace(model, pairs=free, left_out=1.0))


def allot(model: Model, chosen: NDArray[np.bool_]) -> Floats:
    """Share of each place that each pair serves, with only the chosen open ``(K,)``.

    Pairs stand by place, distance and facility: without capacities the first that is open
    serves the whole place.

    Raises
    ------
    SolveError
        If the chosen cannot serve all who must be served.
    """
    held = np.flatnonzero(chosen[model.pairs.facility])
    share = np.zeros(len(model.pairs.place))
    if not np.isfinite(model.capacity).any():
        _, first = np.unique(model.pairs.place[held], return_index=True)
        share[held[first]] = 1.0
        return share
    pairs = only(model.pairs, held)
    open_ = chosen.astype(np.float64)
    program = _median_program(replace(model, pairs=pairs, low=open_, high=open_, count=None))
    shares, _ = _minimise(model, program, whole=False)
    if shares is None:
        raise SolveError("the chosen facilities cannot serve all places")
    facilities = len(model.low)
    # the solver leaves shares off 0 and 1 by its tolerance
    served = np.clip(shares[facilities : facilities + len(held)], 0.0, 1.0)
    served[served < NONE_LEFT] = 0.0
    sums = np.bincount(pairs.place, served, len(model.demand))
    lacks = shares[facilities + len(held) :] >= NONE_LEFT
    factor = np.divide(1.0, sums, out=np.ones_like(sums), where=~lacks & (sums > 0))
    share[held] = served * factor[pairs.place]
    return share


def _in_order(first: Solved, again: Callable[[], Solved | None]) -> Solved:
    """Among all as good the one that comes first, if the search gets so far."""
    if first.objective - first.bound > SAME * abs(first.objective):
        return first  # cut short: there may be better ones
    try:
        second = again()
    except SolveError:  # out of nodes
        return first
    return (
        first if second is None else second._replace(objective=first.objective, bound=first.bound)
    )


def _seeing_enough(
    model: Model,
    rank: NDArray[np.intp],
    sees: NDArray[np.intp],
    *,
    no_worse: float | None = None,
) -> tuple[Solved | None, NDArray[np.intp]]:
    while True:
        seen = rank < sees[model.pairs.place]
        part = replace(model, pairs=only(model.pairs, seen))
        program = _median_program(part, unseen=_first_unseen(model, rank, sees))
        if no_worse is not None:
            program = _by_position(model, program, no_worse)
        solved = _solve(part, program)
        if solved is None:
            return None, sees
        short = program.beyond & (solved.lacking > NONE_LEFT)
        if not short.any():
            return solved, sees
        sees = np.where(short, 2 * sees, sees)


def _first_unseen(model: Model, rank: NDArray[np.intp], sees: NDArray[np.intp]) -> Floats:
    distance = np.full(len(model.demand), np.inf)
    first = rank == sees[model.pairs.place]
    distance[model.pairs.place[first]] = model.pairs.distance[first]
    return distance


def _by_distance(pairs: Pairs) -> tuple[Pairs, NDArray[np.intp]]:
    order = np.lexsort((pairs.facility, pairs.distance, pairs.place))
    ordered = only(pairs, order)
    begins = np.searchsorted(ordered.place, ordered.place)
    return ordered, np.arange(len(order)) - begins


def _median_program(model: Model, *, unseen: Floats | None = None) -> _Program:
    facility, place, distance = model.pairs
    facilities, pairs, places = len(model.low), len(place), len(model.demand)
    columns = facilities + pairs + places
    pair, each = np.arange(pairs), np.arange(places)
    alone = np.full(places, model.left_out)
    lack = alone if unseen is None else np.minimum(alone, unseen)
    may_lack = np.isfinite(lack)
    paid = model.demand[place] * distance
    cost = np.concatenate([np.zeros(facilities), paid, model.demand * np.where(may_lack, lack, 0)])
    whole = _matrix(np.append(place, each), np.append(facilities + pair, facilities + pairs + each),
                    1.0, (places, columns))  # fmt: skip
    opened = _matrix(np.append(pair, pair), np.append(facilities + pair, facility),
                     np.repeat([1.0, -1.0], pairs), (pairs, columns))  # fmt: skip
    rows = [LinearConstraint(whole, 1, 1), LinearConstraint(opened, -np.inf, 0)]
    limited = np.flatnonzero(np.isfinite(model.capacity))
    if limited.size:
        used = _matrix(facility, facilities + pair, model.demand[place], (facilities, columns))
        size = _matrix(limited, limited, model.capacity[limited], (facilities, columns))
        rows.append(LinearConstraint((used - size)[limited], -np.inf, 0))
    nearest = np.full(places, np.inf)
    np.minimum.at(nearest, place, distance)
    least = float(model.demand @ np.where(np.isfinite(nearest), nearest, 0.0))
    return _Program(
        cost,
        (*rows, *_counted(model, columns)),
        np.append(model.low, np.zeros(pairs + places)),
        np.concatenate([model.high, np.ones(pairs), may_lack.astype(np.float64)]),
        least if least > 0 else float(paid.sum()) or 1.0,
        may_lack & (lack < alone),
    )


def _coverage_program(model: Model) -> _Program:
    facility, place, _ = model.pairs
    facilities, places = len(model.low), len(model.demand)
    each = np.arange(places)
    reached = _matrix(np.append(place, each), np.append(facility, facilities + each), 1.0,
                      (places, facilities + places))  # fmt: skip
    return _Program(
        np.append(np.zeros(facilities), model.demand),
        (LinearConstraint(reached, 1, np.inf), *_counted(model, facilities + places)),
        np.append(model.low, np.zeros(places)),
        np.append(model.high, np.full(places, float(np.isfinite(model.left_out)))),
        float(model.demand.sum()) or 1.0,
        np.zeros(places, dtype=np.bool_),
    )


def _counted(model: Model, columns: int) -> tuple[LinearConstraint, ...]:
    if model.count is None:
        return ()
    first = np.arange(len(model.low))
    row = _matrix(np.zeros_like(first), first, 1.0, (1, columns))
    return (LinearConstraint(row, model.count, model.count),)


def _by_position(model: Model, program: _Program, objective: float) -> _Program:
    # among all as good, the set whose facilities have the least sum of positions
    position = np.zeros_like(program.cost)
    position[: len(model.low)] = np.arange(1, len(model.low) + 1)
    scale = SCALE / program.reference
    row = sparse.csr_array(program.cost[None, :] * scale)
    worst = (objective + SAME * max(abs(objective), program.reference)) * scale
    held = LinearConstraint(row, -np.inf, worst)
    return program._replace(
        cost=position, rows=(*program.rows, held), reference=float(position.sum())
    )


def _solve(model: Model, program: _Program) -> Solved | None:
    found, bound = _minimise(model, program, whole=True)
    if found is None:
        return None
    return Solved(
        found[: len(model.low)] > HALF,
        float(program.cost @ found),
        bound,
        found[len(found) - len(model.demand) :],
    )


def _minimise(model: Model, program: _Program, *, whole: bool) -> tuple[Floats | None, float]:
    integrality = np.zeros(len(program.cost))
    integrality[: len(model.low)] = whole
    options: dict[str, float] = {"mip_rel_gap": 0.0}
    if model.nodes is not None:
        options["node_limit"] = model.nodes
    scale = SCALE / program.reference
    answer = milp(
        program.cost * scale,
        integrality=integrality,
        bounds=Bounds(program.low, program.high),
        constraints=program.rows,
        options=options,
    )
    if answer.x is None:
        if answer.status == INFEASIBLE:
            return None, np.inf
        raise SolveError(f"no set of facilities found: {answer.message}")
    bound = answer.mip_dual_bound
    return np.asarray(answer.x), float(answer.fun if bound is None else bound) / scale


def _alike(model: Model) -> tuple[NDArray[np.intp], Model]:
    # places that the same facilities reach count as one; sums of random words tell them apart
    words = np.random.default_rng(0).integers(0, 2**63, (2, len(model.low)), dtype=np.uint64)
    marks = np.zeros((2, len(model.demand)), dtype=np.uint64)
    for mark, word in zip(marks, words, strict=True):
        np.add.at(mark, model.pairs.place, word[model.pairs.facility])
    _, first, group = np.unique(marks, axis=1, return_index=True, return_inverse=True)
    group = np.asarray(group).ravel()
    stays = np.isin(model.pairs.place, first)
    pairs = only(model.pairs, stays)
    demand = np.asarray(np.bincount(group, model.demand), dtype=np.float64)
    return group, replace(model, pairs=pairs._replace(place=group[pairs.place]), demand=demand)


def _matrix(
    row: NDArray[np.intp],
    column: NDArray[np.intp],
    value: Floats | float,
    shape: tuple[int, int],
) -> sparse.csr_array:
    values = np.broadcast_to(value, row.shape)
    return sparse.csr_array(sparse.coo_array((values, (row, column)), shape=shape))
