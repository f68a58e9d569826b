"""Siting: which facilities to keep, or where to put some, for the people of a chosen year."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from futuremap.catchment import siting_models as models
from futuremap.catchment.pairs import Pairs
from futuremap.core.crosswalk import Crosswalk, from_pairs
from futuremap.errors import DemographyError, LabelError, SolveError

Floats = NDArray[np.float64]
SHOWN = 5  # places named in an error
FAR = 1e3  # times the longest distance: what one person left out counts beside a detour
SERVED = 1 - models.NONE_LEFT


@dataclass(frozen=True, eq=False)
class Candidates:
    """Facilities to choose from, and the people whom they may serve.

    Parameters
    ----------
    facilities, places
        Ids ``(F,)`` and ``(M,)``.
    pairs
        Which facility may serve which place, at what distance or time ``(K,)``: all within
        reach, of any rule. [m or min]
    demand
        People of each place in the chosen year ``(M,)``; places with nobody decide nothing.
        [persons]
    fixed
        Ids that are chosen whatever else is.
    allowed
        Ids that may be chosen; None for all. A facility that closes is left out here.
    capacity
        Most people that each facility can serve ``(F,)``, infinite where there is no limit;
        None for no limits. [persons]
    credits
        Credit keys of the data all this was made from.

    Raises
    ------
    LabelError
        If lengths and ids disagree, ids repeat or are unknown, or a fixed id is not allowed.
    DemographyError
        If a demand, capacity or distance is negative or not a number.
    """

    facilities: tuple[str, ...]
    places: tuple[str, ...]
    pairs: Pairs
    demand: Floats
    fixed: tuple[str, ...] = ()
    allowed: tuple[str, ...] | None = None
    capacity: Floats | None = None
    credits: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        sizes = (len(self.facilities), len(self.places))
        for ids in (self.facilities, self.places):
            if len(set(ids)) != len(ids):
                raise LabelError("ids of facilities or places repeat")
        allowed = self.facilities if self.allowed is None else self.allowed
        unknown = sorted({*self.fixed, *allowed} - set(self.facilities))
        if unknown or not set(self.fixed) <= set(allowed):
            raise LabelError(
                f"fixed or allowed facilities nobody knows: {unknown[:SHOWN]}; fixed but not "
                f"allowed: {sorted(set(self.fixed) - set(allowed))[:SHOWN]}",
            )
        if len({column.shape for column in self.pairs}) > 1 or self.demand.shape != sizes[1:]:
            raise LabelError(f"pairs or demand {self.demand.shape} do not match {sizes} ids")
        for positions, size in zip(self.pairs[:2], sizes, strict=True):
            if positions.size and not 0 <= positions.min() <= positions.max() < size:
                raise LabelError(f"pairs name position {positions.max()} of {size} ids")
        _require("demand", self.demand, self.places)
        _require("distance", self.pairs.distance, self.pairs.place)
        if self.capacity is not None:
            if self.capacity.shape != sizes[:1]:
                raise LabelError(f"capacity {self.capacity.shape} for {sizes[0]} facilities")
            _require("capacity", self.capacity, self.facilities, infinite=True)


class Sited(NamedTuple):
    """An answer.

    chosen
        Ids of the chosen facilities, in the order of the candidates.
    objective
        What was made small or large, in the unit of the question.
    bound
        What no choice can go beyond; equal to the objective where the answer is proven.
    gap
        Relative difference between both. [ratio]
    assigned
        Places to the chosen facility that serves them ``(C, M)``.
    unserved
        Ids of the places with people whom no chosen facility serves, or not all of them.
    """

    chosen: tuple[str, ...]
    objective: float
    bound: float
    gap: float
    assigned: Crosswalk
    unserved: tuple[str, ...]


def p_median(
    candidates: Candidates,
    count: int,
    *,
    left_out: float = np.inf,
    nodes: int | None = None,
) -> Sited:
    """The `count` facilities with the least sum of people × distance.

    Parameters
    ----------
    candidates
        Facilities and people.
    count
        How many facilities are chosen, the fixed ones among them; *p*.
    left_out
        Distance or time that counts for those whom no chosen facility serves; infinite if all
        must be served. [m or min]
    nodes
        Most nodes of the search tree; None to search until the answer is proven.

    Returns
    -------
    Sited
        `objective` in person-metres (or person-minutes). People go to the nearest chosen
        facility; under capacities, where the sum is least, and a place may be split.

    Raises
    ------
    SolveError
        If no such set serves all; the message names places that stay without.

    Notes
    -----
    Ties: of all sets whose sums differ by no more than 1e-9 of them, that is chosen whose ids
    have the least sum of positions in sorted order; at one distance the first id serves.
    Everything is sorted by id before it is solved: the order given changes nothing.

    Examples
    --------
    Homes at 0, 10 and 100 m of a road, halls at 0, 10 and 90 m; two halls stay. Between the
    first two the larger home decides:

    >>> import numpy as np
    >>> hall, home = np.repeat(np.arange(3), 3), np.tile(np.arange(3), 3)
    >>> away = np.abs(np.array([0.0, 10, 90])[hall] - np.array([0.0, 10, 100])[home])
    >>> halls = Candidates(("a", "b", "c"), ("x", "y", "z"), Pairs(hall, home, away),
    ...                    np.array([3.0, 2.0, 1.0]))
    >>> two = p_median(halls, 2)
    >>> two.chosen, round(two.objective), two.assigned.weights.toarray().tolist()
    (('a', 'c'), 30, [[1.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    """
    model, order = _model(candidates, count, left_out=left_out, nodes=nodes)
    # nobody goes farther than being left out counts
    model = replace(model, pairs=models.only(model.pairs, model.pairs.distance <= left_out))
    solved = _solved(models.median, model, candidates, order)
    share = models.allot(model, solved.chosen)
    lacking = 1.0 - np.bincount(model.pairs.place, share, len(model.demand))
    paid = float((model.demand[model.pairs.place] * model.pairs.distance) @ share)
    missed = lacking > models.NONE_LEFT
    if missed.any():
        paid += float(model.demand[missed] @ lacking[missed]) * left_out
    answer = _Answer(solved.chosen, share, paid, min(solved.bound, paid))
    return _sited(candidates, model, order, answer, rule=f"{count} facilities with the least way")


def max_coverage(candidates: Candidates, count: int, *, nodes: int | None = None) -> Sited:
    """The `count` facilities with the most people in reach of one.

    Parameters
    ----------
    candidates
        Facilities and people; a pair is a place within reach, and its distance only says which
        of the chosen facilities serves it.
    count
        How many facilities are chosen, the fixed ones among them.
    nodes
        Most nodes of the search tree; None to search until the answer is proven.

    Returns
    -------
    Sited
        `objective`: people in reach, each counted once; under capacities, people served.

    Raises
    ------
    SolveError
        If so many facilities cannot be chosen.

    Notes
    -----
    Ties are broken as in :func:`p_median`.

    Examples
    --------
    One of two halls stays; b reaches more people, though fewer homes:

    >>> import numpy as np
    >>> reach = Pairs(np.array([0, 0, 1]), np.array([0, 1, 2]), np.full(3, 300.0))
    >>> halls = Candidates(("a", "b"), ("x", "y", "z"), reach, np.array([1.0, 2.0, 4.0]))
    >>> one = max_coverage(halls, 1)
    >>> one.chosen, one.objective, one.unserved
    (('b',), 4.0, ('x', 'y'))
    """
    model, order = _model(candidates, count, left_out=1.0, nodes=nodes)
    limited = bool(np.isfinite(model.capacity).any())
    solved = _solved(models.most_served if limited else models.coverage, model, candidates, order)
    # the nearest serves, but serving somebody goes before any distance
    far = FAR * (1.0 + float(model.pairs.distance.max(initial=0.0)))
    share = models.allot(replace(model, left_out=far), solved.chosen)
    people = float(model.demand.sum())
    reached = float(model.demand[model.pairs.place] @ share)
    answer = _Answer(solved.chosen, share, reached, max(people - solved.bound, reached))
    return _sited(candidates, model, order, answer, rule=f"{count} facilities for the most people")


def set_cover(candidates: Candidates, *, nodes: int | None = None) -> Sited:
    """The fewest facilities that leave nobody without one in reach.

    Parameters
    ----------
    candidates
        Facilities and people; a pair is a place within reach. Capacities are not asked.
    nodes
        Most nodes of the search tree; None to search until the answer is proven.

    Returns
    -------
    Sited
        `objective`: how many facilities are chosen, the fixed ones among them.

    Raises
    ------
    SolveError
        If places with people are in reach of no allowed facility; the message names them.

    Notes
    -----
    Ties are broken as in :func:`p_median`.

    Examples
    --------
    >>> import numpy as np
    >>> reach = Pairs(np.array([0, 1, 1, 2]), np.array([0, 0, 1, 1]), np.full(4, 300.0))
    >>> halls = Candidates(("a", "b", "c"), ("x", "y"), reach, np.array([1.0, 1.0]))
    >>> set_cover(halls).chosen
    ('b',)
    """
    without = replace(candidates, capacity=None)
    model, order = _model(without, None, left_out=np.inf, nodes=nodes)
    solved = _solved(models.cover, model, candidates, order)
    share = models.allot(model, solved.chosen)
    count = float(solved.chosen.sum())
    answer = _Answer(solved.chosen, share, count, min(solved.bound, count))
    return _sited(candidates, model, order, answer, rule="the fewest facilities for all")


class _Order(NamedTuple):
    """Positions, in the candidates, of the model's facilities and places."""

    facility: NDArray[np.intp]
    place: NDArray[np.intp]


class _Answer(NamedTuple):
    chosen: NDArray[np.bool_]
    share: Floats
    objective: float
    bound: float


def _model(
    candidates: Candidates,
    count: int | None,
    *,
    left_out: float,
    nodes: int | None,
) -> tuple[models.Model, _Order]:
    if np.isnan(left_out) or left_out < 0:
        raise DemographyError(f"those left out cannot count for {left_out}")
    facility = np.argsort(np.asarray(candidates.facilities, dtype=np.str_), kind="stable")
    place = np.argsort(np.asarray(candidates.places, dtype=np.str_), kind="stable")
    place = place[candidates.demand[place] > 0]
    low, high = _limits(candidates)
    pairs = _renumbered(candidates, _Order(facility, place), high)
    capacity = candidates.capacity
    limits = np.full(len(low), np.inf) if capacity is None else capacity
    model = models.Model(
        pairs, candidates.demand[place], low[facility], high[facility], limits[facility],
        left_out, count, nodes,
    )  # fmt: skip
    if count is not None and not low.sum() <= count <= high.sum():
        raise SolveError(
            f"{count} facilities cannot be chosen: {int(low.sum())} are fixed and "
            f"{int(high.sum())} allowed",
        )
    return model, _Order(facility, place)


def _limits(candidates: Candidates) -> tuple[Floats, Floats]:
    ids = np.asarray(candidates.facilities, dtype=object)
    low = np.isin(ids, np.asarray(candidates.fixed, dtype=object)).astype(np.float64)
    if candidates.allowed is None:
        return low, np.ones(len(ids))
    return low, np.isin(ids, np.asarray(candidates.allowed, dtype=object)).astype(np.float64)


def _renumbered(candidates: Candidates, order: _Order, high: Floats) -> Pairs:
    rank = np.full(len(candidates.facilities), -1)
    rank[order.facility] = np.arange(len(order.facility))
    seat = np.full(len(candidates.places), -1)
    seat[order.place] = np.arange(len(order.place))
    facility, place, distance = candidates.pairs
    held = (seat[place] >= 0) & (high[facility] > 0)
    facility, place, distance = rank[facility[held]], seat[place[held]], distance[held]
    by = np.lexsort((facility, distance, place))
    return Pairs(facility[by], place[by], distance[by])


def _solved(
    solve: Callable[[models.Model], models.Solved | None],
    model: models.Model,
    candidates: Candidates,
    order: _Order,
) -> models.Solved:
    solved = None
    if np.isfinite(model.left_out) or np.isin(np.arange(len(order.place)), model.pairs.place).all():
        solved = solve(model)
    if solved is not None:
        return solved
    # how many can be served at best tells which places make the question impossible
    eased = replace(model, left_out=1.0)
    limited = bool(np.isfinite(model.capacity).any())
    if model.count is None:
        eased = replace(eased, count=int(model.high.sum()))
    best = models.most_served(eased) if limited else models.coverage(eased)
    lacking = np.zeros(0) if best is None else best.lacking
    left = np.sort(order.place[np.flatnonzero(lacking > models.NONE_LEFT)])
    named = [candidates.places[i] for i in left[:SHOWN]]
    short = float(model.demand @ lacking) if lacking.size else float(model.demand.sum())
    chosen = "all allowed" if model.count is None else f"{model.count}"
    raise SolveError(
        f"{chosen} facilities cannot serve all {model.demand.sum():g} people: at best "
        f"{short:g} are left out, at {named} and {len(left) - len(named)} more places",
    )


def _sited(
    candidates: Candidates,
    model: models.Model,
    order: _Order,
    answer: _Answer,
    *,
    rule: str,
) -> Sited:
    chosen = np.zeros(len(candidates.facilities), dtype=np.bool_)
    chosen[order.facility[answer.chosen]] = True
    seat = np.cumsum(chosen) - 1
    ids = tuple(np.asarray(candidates.facilities, dtype=object)[chosen])
    held = answer.share > 0
    assigned = from_pairs(
        seat[order.facility[model.pairs.facility[held]]],
        order.place[model.pairs.place[held]],
        answer.share[held],
        targets=ids,
        sources=candidates.places,
        rule=f"{rule}, each place to the nearest",
        credits=candidates.credits,
    )
    served = np.bincount(model.pairs.place, answer.share, len(order.place))
    unserved = np.sort(order.place[served < SERVED])
    gap = abs(answer.objective - answer.bound) / max(abs(answer.objective), 1.0)
    names = np.asarray(candidates.places, dtype=object)[unserved]
    return Sited(ids, answer.objective, answer.bound, gap, assigned, tuple(names))


def _require(
    name: str,
    values: Floats,
    labels: Sequence[str] | NDArray[np.intp],
    *,
    infinite: bool = False,
) -> None:
    bad = np.isnan(values) | (values < 0) | (np.isinf(values) & (not infinite))
    if bad.any():
        at = int(np.argmax(bad))
        raise DemographyError(f"{name} {values[at]} at {labels[at]}; {int(bad.sum())} such values")
