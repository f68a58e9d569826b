"""A lever that bends rates: its setting by search, with a linear program under each of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize_scalar

from futuremap.backcast.pose import NO_EFFORT, Pose, Posed, posed, program
from futuremap.backcast.solve import Problem, Solution, only, shortfall, solve
from futuremap.config.scenario import LeverEntry

HALVINGS = 48  # of an interval: to the last digits of a number
EDGE_HALVINGS = 24  # of a step of the grid, to where the rest just has an answer
CURVE_HALVINGS = 20  # of the same for a curve, which nobody reads to the last digit
GRID = 13  # settings of a bent lever that are tried before the best is refined
LEAST_FACTOR = 1e-9  # of births: none at all is no factor


class Setting(NamedTuple):
    """A bent lever set somewhere, and what is best then.

    factor
        1 is as it is now.
    made
        The program under it.
    solution
        Its answer; the cost includes that of the factor.
    """

    factor: float
    made: Posed
    solution: Solution

    @property
    def cost(self) -> float:
        """Of everything; infinite where there is no answer."""
        return float("inf") if self.solution.effort is None else self.solution.cost


def ends_of(lever: LeverEntry) -> list[float]:
    """Settings with the most effort: the usual way first, and the other way if it is allowed.

    Examples
    --------
    >>> births = {"lever": "fertility", "max": 1.5}
    >>> ends_of(LeverEntry.model_validate(births))
    [1.5]
    >>> ends_of(LeverEntry.model_validate({**births, "min": 0.8}))
    [1.5, 0.8]
    >>> ends_of(LeverEntry.model_validate({"lever": "net_loss", "min": 0.5, "max": 1.0}))
    [0.5]
    """
    most = lever.maximum or NO_EFFORT
    ends = [most]
    if lever.lever == "net_loss":
        ends = [lever.minimum, most]
    elif "minimum" in lever.model_fields_set:
        ends.append(max(lever.minimum, LEAST_FACTOR))
    return [end for end in ends if end != NO_EFFORT]


def least_bend(pose: Pose) -> tuple[Setting, list[Setting]]:
    """The setting of the bent lever at which all together costs least.

    Parameters
    ----------
    pose
        What is asked, with a bent lever.

    Returns
    -------
    tuple
        The best setting, and all that were tried on the grid; without an answer where none of
        them is enough.
    """
    lever = pose.bent
    if lever is None:
        raise AssertionError("no lever of rates to search along")
    none = _at(pose, lever, NO_EFFORT)
    tried, found = [none], [none]
    for end in ends_of(lever):

        def at(share: float, *, end: float = end) -> Setting:
            return _at(pose, lever, NO_EFFORT + share * (end - NO_EFFORT))

        best, grid = _along(at, none) if pose.levers else _alone(at, none)
        tried += grid
        found.append(best)
    return min(found, key=lambda setting: setting.cost), tried


def _at(pose: Pose, lever: LeverEntry, factor: float) -> Setting:
    made = posed(pose, factor)
    solution = solve(made.problem)
    bend = lever.cost * abs(factor - NO_EFFORT)
    return Setting(factor, made, solution._replace(cost=solution.cost + bend))


def _alone(at: Callable[[float], Setting], none: Setting) -> tuple[Setting, list[Setting]]:
    """The smallest share of the effort that meets what is not met without any."""
    missed = _missed(none.made.problem)
    share = _smallest(lambda share: _met(at(share).made.problem, missed))
    return at(share), [at(1.0)]


def _missed(problem: Problem) -> list[int]:
    """Rows that are not met without effort."""
    return [i for i in range(len(problem.least)) if not _met(problem, [i])]


def _met(problem: Problem, rows: list[int]) -> bool:
    return solve(only(problem, rows)).effort is not None


def _along(at: Callable[[float], Setting], none: Setting) -> tuple[Setting, list[Setting]]:
    """The cheapest share with other levers beside: by a grid, then inside its best step."""
    shares = np.linspace(0.0, 1.0, GRID)
    grid = [none, *(at(float(share)) for share in shares[1:])]
    costs = np.array([setting.cost for setting in grid])
    known = bool(np.isfinite(costs).any())
    gaps = costs if known else np.array([shortfall(one.made.problem) for one in grid])
    best = int(gaps.argmin())
    low, high = float(shares[max(best - 1, 0)]), float(shares[min(best + 1, GRID - 1)])
    inside = float(shares[best])
    if not known:  # what can be met may lie between two settings of the grid
        fine = minimize_scalar(
            lambda share: shortfall(at(share).made.problem), bounds=(low, high), method="bounded",
            options={"xatol": 1e-9},
        )  # fmt: skip
        inside = float(fine.x)
        if not np.isfinite(at(inside).cost):
            return grid[best], grid[1:]

    def answered(share: float) -> bool:
        return bool(np.isfinite(at(share).cost))

    low, high = _edge(low, inside, answered), _edge(high, inside, answered)
    fine = minimize_scalar(
        lambda share: at(share).cost, bounds=(low, high), method="bounded",
        options={"xatol": 1e-7},
    )  # fmt: skip
    tried = [at(share) for share in (inside, low, high, float(fine.x))]
    return min(tried, key=lambda setting: setting.cost), grid[1:]


def _edge(far: float, inside: float, answered: Callable[[float], bool]) -> float:
    """The share farthest from one with an answer, towards another, that still has one."""
    if answered(far):
        return far
    for _ in range(EDGE_HALVINGS):
        middle = (far + inside) / 2
        far, inside = (far, middle) if answered(middle) else (middle, inside)
    return inside


def _smallest(enough: Callable[[float], bool], *, halvings: int = HALVINGS) -> float:
    """Smallest share of the most effort that is enough; 1 where even that is not.

    Examples
    --------
    >>> round(_smallest(lambda share: share >= 0.3), 9)
    0.3
    """
    if enough(0.0):
        return 0.0
    low, high = 0.0, 1.0
    if not enough(high):
        return 1.0
    for _ in range(halvings):
        middle = (low + high) / 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def factor_for(pose: Pose, end: float, bounds: Sequence[float | None]) -> float:
    """The factor, from 1 towards an end, with which other bounds are met; NaN where none is.

    Parameters
    ----------
    pose
        What is asked, of a bent lever alone.
    end
        The setting with the most effort.
    bounds
        Bounds in place of the targets' own; None keeps one.
    """

    def at(share: float) -> Problem:
        made = posed(pose, NO_EFFORT + share * (end - NO_EFFORT))
        return program(pose, None, made.path, bounds)

    missed = _missed(at(0.0))
    share = _smallest(lambda share: _met(at(share), missed), halvings=CURVE_HALVINGS)
    answered = solve(at(share)).effort is not None
    return NO_EFFORT + share * (end - NO_EFFORT) if answered else float("nan")
