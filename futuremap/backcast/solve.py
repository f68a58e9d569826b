"""The least effort as a linear or mixed-integer program, what binds, and what cannot be met."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, OptimizeResult, linprog, milp

from futuremap.errors import SolveError

Floats = NDArray[np.float64]
INFEASIBLE = 2  # status of both solvers
BINDS = 1e-7  # of the size of a row: a slack below it is none
TOLERANCE = 1e-9
EXACT = 1e-9  # of what is missing: less is nothing


class Problem(NamedTuple):
    """Least cost with all rows met.

    rows, least
        ``rows @ effort ≥ least`` ``(R, J)``, ``(R,)``.
    cost
        Of a unit of each lever ``(J,)``.
    low, high
        Bounds of each lever ``(J,)``.
    whole
        Which levers are whole numbers ``(J,)``.
    """

    rows: Floats
    least: Floats
    cost: Floats
    low: Floats
    high: Floats
    whole: NDArray[np.bool_]


class Solution(NamedTuple):
    """An answer to a problem.

    effort
        Of each lever ``(J,)``; None if no effort is enough.
    cost
        Of all together.
    binding
        Which rows hold with nothing to spare ``(R,)``; with whole levers, which would be missed
        with one fewer of some lever.
    price
        What one more of a row's right side would cost ``(R,)``; NaN with whole levers.
    """

    effort: Floats | None
    cost: float
    binding: NDArray[np.bool_]
    price: Floats


def solve(problem: Problem) -> Solution:
    """Find the least cost.

    Parameters
    ----------
    problem
        Rows, costs and bounds.

    Returns
    -------
    Solution
        Without an effort if the rows cannot be met together.

    Raises
    ------
    SolveError
        If the solver stops without an answer.

    Examples
    --------
    Three children are missing; a family brings one, a single person a tenth, both cost alike:

    >>> two = Problem(np.array([[1.0, 0.1]]), np.array([3.0]), np.ones(2), np.zeros(2),
    ...               np.array([2.0, 50.0]), np.zeros(2, dtype=bool))
    >>> found = solve(two)
    >>> found.effort.round(9).tolist(), found.binding.tolist(), found.price.round(9).tolist()
    ([2.0, 10.0], [True], [10.0])
    """
    if not problem.rows.shape[1]:
        return _without(problem)
    rows, least = _scaled(problem)
    if problem.whole.any():
        return _whole(problem, rows, least)
    found = linprog(
        problem.cost,
        A_ub=-rows if len(rows) else None,
        b_ub=-least if len(rows) else None,
        bounds=np.stack([problem.low, problem.high], axis=1),
        method="highs-ds",
        options={"primal_feasibility_tolerance": TOLERANCE},
    )
    if found.status == INFEASIBLE:
        return _nothing(len(rows))
    if found.x is None:
        raise SolveError(f"the linear program has no answer: {found.message}")
    effort = np.clip(found.x, problem.low, problem.high)
    scale = _scale(problem.rows, problem.least)
    price = -np.asarray(found.ineqlin.marginals) / scale if len(rows) else np.zeros(0)
    return _solution(problem, effort, price)


def _without(problem: Problem) -> Solution:
    # without levers all is met already, or it cannot be
    size = np.maximum(1.0, np.abs(problem.least))
    if (problem.least > EXACT * size).any():
        return _nothing(len(problem.least))
    return _solution(problem, np.zeros(0), np.zeros(len(problem.least)))


def _whole(problem: Problem, rows: Floats, least: Floats) -> Solution:
    found = milp(
        problem.cost,
        constraints=LinearConstraint(rows, least, np.inf) if len(rows) else (),
        bounds=Bounds(problem.low, problem.high),
        integrality=problem.whole.astype(np.int64),
        options={"mip_rel_gap": 0.0},
    )
    if found.x is None and found.status == INFEASIBLE:
        return _nothing(len(rows))
    if found.x is None:
        raise SolveError(f"the mixed-integer program has no answer: {found.message}")
    effort = np.where(problem.whole, np.rint(found.x), found.x)
    solution = _solution(problem, effort, np.full(len(rows), np.nan))
    # whole numbers hardly meet a row exactly: it binds if one household fewer would miss it
    fewer = np.where(problem.whole & (effort > problem.low), problem.rows, 0.0).max(axis=1)
    short = problem.rows @ effort - problem.least < fewer
    return solution._replace(binding=solution.binding | short)


def _solution(problem: Problem, effort: Floats, price: Floats) -> Solution:
    slack = problem.rows @ effort - problem.least
    binding = np.abs(slack) <= BINDS * _scale(problem.rows, problem.least)
    return Solution(effort, float(problem.cost @ effort), binding, price)


def _nothing(rows: int) -> Solution:
    return Solution(None, float("nan"), np.zeros(rows, dtype=np.bool_), np.full(rows, np.nan))


def _scale(rows: Floats, least: Floats) -> Floats:
    size = np.abs(rows).max(axis=1, initial=0.0)
    return np.where(size > 0, size, np.maximum(np.abs(least), 1.0))


def _scaled(problem: Problem) -> tuple[Floats, Floats]:
    # rows of one size each, so that a tolerance means the same in all
    scale = _scale(problem.rows, problem.least)
    return problem.rows / scale[:, None], problem.least / scale


def conflict(problem: Problem) -> list[int]:
    """Rows that cannot be met together, none of which can be left out of the conflict.

    Parameters
    ----------
    problem
        One without an answer; whole levers are taken as any numbers unless that has one.

    Returns
    -------
    list of int
        Positions of the rows: a smallest set in the sense that any part of it can be met.
        All of them where only whole numbers are in the way.

    Examples
    --------
    Ten cannot come, whatever else is asked for:

    >>> rows, least = np.array([[1.0], [1.0]]), np.array([10.0, 1.0])
    >>> conflict(Problem(rows, least, np.ones(1), np.zeros(1), np.full(1, 5.0),
    ...                  np.zeros(1, dtype=bool)))
    [0]
    """
    relaxed = problem._replace(whole=np.zeros_like(problem.whole))
    if solve(relaxed).effort is not None:
        return list(range(len(problem.least)))
    alone = np.flatnonzero(best(problem) < problem.least * (1 - TOLERANCE) - TOLERANCE)
    if len(alone):
        return alone.tolist()
    kept = _short(relaxed)
    for row in list(kept):
        without = [other for other in kept if other != row]
        if solve(only(relaxed, without)).effort is None:
            kept = without
    return kept


def best(problem: Problem) -> Floats:
    """The most that each row could come to, if nothing else were asked for ``(R,)``."""
    high, low = problem.high, problem.low
    return np.asarray(np.where(problem.rows > 0, problem.rows * high, problem.rows * low).sum(1))


def only(problem: Problem, rows: list[int]) -> Problem:
    """The same problem with some of its rows."""
    return problem._replace(rows=problem.rows[rows], least=problem.least[rows])


def reachable(problems: Sequence[Problem], rows: list[int]) -> bool:
    """Whether some rows can be met together under any one of several settings."""
    return any(solve(only(problem, rows)).effort is not None for problem in problems)


def conflict_of(problems: Sequence[Problem]) -> list[int]:
    """Rows that no setting of a bent lever meets together; see :func:`conflict`.

    Parameters
    ----------
    problems
        The same rows under several settings.
    """
    if len(problems) == 1 and problems[0].rows.shape[1]:
        return conflict(problems[0])
    kept = list(range(len(problems[0].least)))
    alone = [row for row in kept if not reachable(problems, [row])]
    if alone:
        return alone
    for row in list(kept):
        without = [other for other in kept if other != row]
        if without and not reachable(problems, without):
            kept = without
    return kept


def shortfall(problem: Problem) -> float:
    """By how much rows of one size each fall short together, at the least; 0 if all are met."""
    return float(_elastic(problem).fun)


def _short(problem: Problem) -> list[int]:
    """Rows with a price in the program that falls short by as little as possible."""
    found = _elastic(problem)
    priced = np.flatnonzero(np.abs(found.ineqlin.marginals) > TOLERANCE).tolist()
    if priced and solve(only(problem, priced)).effort is None:
        return priced
    return list(range(len(problem.least)))


def _elastic(problem: Problem) -> OptimizeResult:
    rows, least = _scaled(problem)
    count, levers = rows.shape
    return linprog(
        np.concatenate([np.zeros(levers), np.ones(count)]),
        A_ub=-np.hstack([rows, np.eye(count)]),
        b_ub=-least,
        bounds=[*zip(problem.low, problem.high, strict=True), *[(0, None)] * count],
        method="highs-ds",
    )
