"""What a target costs by its height: from the baseline's level to beyond what is asked for."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from futuremap.backcast.forward import Found
from futuremap.backcast.pose import NO_EFFORT, Pose, program
from futuremap.backcast.search import Setting, ends_of, factor_for
from futuremap.backcast.solve import solve

Floats = NDArray[np.float64]
STEPS = np.arange(1, 14) / 10  # of the way from the baseline to the target, and beyond


def curve_of_target(found: Found, tried: Sequence[Setting], target: int) -> Floats:
    """Least cost of every level of a target, all others kept as they are ``(N, 2)``.

    Parameters
    ----------
    found
        The answer.
    tried
        Settings of its bent lever; the one setting of no effort without such a lever.
    target
        Position of the target.

    Returns
    -------
    ndarray
        Level and cost; NaN where a level is out of reach. Nothing without effort.
    """
    pose = found.pose
    goal = pose.goals[target]
    without = goal.value(pose.outcome.projection.population.persons)
    if not found.solution.cost > 0 or not abs(goal.bound - without) > 0:
        return np.empty((0, 2))
    levels = without + STEPS * (goal.bound - without)
    if pose.bent is None or pose.levers:
        best = Setting(found.factor, found.made, found.solution)
        return _levels(pose, [*tried, best], target, levels)
    costs = []
    for level in levels:
        factors = [
            factor_for(pose, end, _bounds(pose, target, level)) for end in ends_of(pose.bent)
        ]
        efforts = [pose.bent.cost * abs(factor - NO_EFFORT) for factor in factors]
        costs.append(min((e for e in efforts if not np.isnan(e)), default=np.nan))
    return np.column_stack([levels, costs])


def _levels(pose: Pose, tried: Sequence[Setting], target: int, levels: Floats) -> Floats:
    """Least cost of every level over settings of a bent lever, with the cost of that."""
    bend = 0.0 if pose.bent is None else pose.bent.cost
    costs = []
    for level in levels:
        bounds = _bounds(pose, target, float(level))
        found = [
            (bend * abs(one.factor - NO_EFFORT),
             solve(program(pose, one.made.responses, one.made.path, bounds)))
            for one in tried
        ]  # fmt: skip
        sums = [extra + one.cost for extra, one in found if one.effort is not None]
        costs.append(min(sums, default=np.nan))
    return np.column_stack([levels, costs])


def _bounds(pose: Pose, target: int, level: float) -> list[float | None]:
    bounds: list[float | None] = [None] * len(pose.goals)
    bounds[target] = level
    return bounds
