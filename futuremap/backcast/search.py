"""Levers whose answer is no line, by search: one that bends rates, a radius, how many to keep."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from scipy.optimize import minimize_scalar

from futuremap.backcast.goals import Goal, measured
from futuremap.backcast.pose import NO_EFFORT, Pose, Posed, posed
from futuremap.backcast.solve import Solution, solve
from futuremap.config.scenario import FacilityEvent, LeverEntry, ReachChange, Scenario
from futuremap.pipeline.read_reach import rule_of
from futuremap.pipeline.run import Outcome
from futuremap.pipeline.scenarios import Played, play
from futuremap.pipeline.siting import choose

HALVINGS = 48  # of an interval: to the last digits of a number
GRID = 13  # settings of a bent lever that are tried before the best is refined
LESS = 0.99
METRE = 1.0
EXACT = 1e-9


def bent_range(lever: LeverEntry) -> tuple[float, float]:
    """The setting without effort and the one with the most."""
    if lever.lever == "net_loss":
        return NO_EFFORT, lever.minimum
    return NO_EFFORT, lever.maximum or NO_EFFORT


def least_bend(pose: Pose) -> tuple[float, Posed, Solution]:
    """The setting of the bent lever at which all together costs least.

    Parameters
    ----------
    pose
        What is asked, with a bent lever.

    Returns
    -------
    tuple
        The factor, the program under it and its solution; the most effort where none is enough.
    """
    lever = pose.bent
    if lever is None:
        raise AssertionError("no lever of rates to search along")
    none, most = bent_range(lever)

    def at(share: float) -> tuple[float, Posed, Solution]:
        factor = none + share * (most - none)
        made = posed(pose, factor)
        found = solve(made.problem) if pose.levers else _alone(made)
        bend = lever.cost * abs(factor - NO_EFFORT)
        return factor, made, found._replace(cost=found.cost + bend)

    if not pose.levers:
        return at(_smallest(lambda share: at(share)[2].effort is not None))
    shares = np.linspace(0.0, 1.0, GRID)
    costs = np.array([_cost(at(share)[2]) for share in shares])
    if not np.isfinite(costs).any():
        return at(1.0)
    best = int(costs.argmin())
    low, high = shares[max(best - 1, 0)], shares[min(best + 1, GRID - 1)]
    fine = minimize_scalar(
        lambda share: _cost(at(share)[2]), bounds=(low, high), method="bounded",
        options={"xatol": 1e-7},
    )  # fmt: skip
    share = float(fine.x) if fine.fun < costs[best] else float(shares[best])
    return at(share)


def settings(pose: Pose) -> list[tuple[float, Posed]]:
    """Settings of the bent lever from none to the most effort: cost and program of each."""
    if pose.bent is None:
        return []
    factors = np.linspace(*bent_range(pose.bent), GRID).tolist()
    return [(pose.bent.cost * abs(f - NO_EFFORT), posed(pose, f)) for f in factors]


def _cost(found: Solution) -> float:
    return float("inf") if found.effort is None else found.cost


def _alone(made: Posed) -> Solution:
    # without other levers a setting is enough or it is not
    nothing = np.zeros(0)
    rows = len(made.problem.least)
    met = bool((made.problem.least <= EXACT * np.maximum(1.0, np.abs(made.problem.least))).all())
    return Solution(
        nothing if met else None, 0.0, np.zeros(rows, dtype=np.bool_), np.full(rows, np.nan)
    )


def _smallest(enough: Callable[[float], bool]) -> float:
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
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def least_radius(
    outcome: Outcome,
    goals: Sequence[Goal],
    lever: LeverEntry,
) -> tuple[float, Played, bool | None]:
    """The smallest radius, to a metre, with which every target is met on the run.

    Parameters
    ----------
    outcome
        The baseline.
    goals
        What is asked.
    lever
        The radius of a class, with its bounds.

    Returns
    -------
    tuple
        The radius, its run, and whether 1 % less fails (None at the lower bound); those of the
        largest where none is enough.
    """
    runs: dict[float, Played] = {}

    def at(radius: float) -> Played:
        if radius not in runs:
            setting = radius_scenario(outcome, lever, radius)
            runs[radius] = play(outcome, "answer", setting, draft=True)
        return runs[radius]

    low, high = max(lever.minimum, METRE), float(lever.maximum or METRE)
    if _met(at(low), goals, lever):
        return low, _whole(outcome, at(low)), None
    if not _met(at(high), goals, lever):
        return high, _whole(outcome, at(high)), None
    while high - low > METRE:
        middle = float(np.floor((low + high) / 2))
        low, high = (low, middle) if _met(at(middle), goals, lever) else (middle, high)
    return high, _whole(outcome, at(high)), not _met(at(LESS * high), goals, lever)


def _whole(outcome: Outcome, draft: Played) -> Played:
    return play(outcome, draft.key, draft.setting)


def radius_scenario(outcome: Outcome, lever: LeverEntry, radius: float) -> Scenario:
    """A scenario in which a class has another radius."""
    rule = rule_of(outcome.prepared.project, lever.facility_class)
    other = ReachChange.model_validate(
        {
            "class": rule.facility_class,
            "radius_m": radius,
            "age_from": rule.age_from,
            "age_to": rule.age_to,
            "life_years": rule.life_years,
        },
    )
    return Scenario(name=f"半径{radius:,.0f}m", name_en=f"radius {radius:,.0f} m", reach=[other])


def fewest_kept(
    outcome: Outcome,
    goals: Sequence[Goal],
    lever: LeverEntry,
) -> tuple[int, Played, bool | None]:
    """The fewest facilities of a class to keep with which every target is met on the run.

    Which ones stay is chosen for each count by the mixed-integer program of
    :func:`futuremap.pipeline.siting.choose`: those that most people of the last target's year
    have in reach.
    """
    runs: dict[int, Played] = {}

    def at(keep: int) -> Played:
        if keep not in runs:
            setting = kept_scenario(outcome, goals, lever, keep)
            runs[keep] = play(outcome, "answer", setting, draft=True)
        return runs[keep]

    low, high = max(int(lever.minimum), 1), int(lever.maximum or 1)
    if _met(at(low), goals, lever):
        return low, _whole(outcome, at(low)), None
    if not _met(at(high), goals, lever):
        return high, _whole(outcome, at(high)), None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _met(at(middle), goals, lever) else (middle, high)
    return high, _whole(outcome, at(high)), not _met(at(high - 1), goals, lever)


def kept_scenario(
    outcome: Outcome,
    goals: Sequence[Goal],
    lever: LeverEntry,
    keep: int,
) -> Scenario:
    """A scenario in which so many facilities of a class stay and the others close."""
    project = outcome.prepared.project
    year = max(goal.entry.year for goal in goals)
    fixed = [goal.entry.facility for goal in goals if goal.entry.facility]
    named = _ids(outcome, lever.facility_class, fixed)
    choices = choose(outcome, lever.facility_class, keep=keep, year=year, fixed=named)
    closing = lever.from_year or project.project.base_year + 1
    events = [
        FacilityEvent(facility=one, year=closing, event="close", municipality=choice.town)
        for choice in choices
        for one in choice.closed
    ]
    return Scenario(name=f"{keep}か所を残す", name_en=f"{keep} kept", event=events)


def _ids(outcome: Outcome, facility_class: str, names: Sequence[str]) -> list[str]:
    found = []
    for town in outcome.towns:
        if town.town.facilities is not None:
            table = town.town.facilities.table
            mine = table[table["facility_class"] == facility_class]
            found += [i for i, n in zip(mine.index, mine["name"], strict=True) if {i, n} & {*names}]
    return found


def _met(played: Played, goals: Sequence[Goal], lever: LeverEntry) -> bool:
    values = [measured(played.outcome, g, facility_class=lever.facility_class) for g in goals]
    return all(goal.slack(value) >= 0 for goal, value in zip(goals, values, strict=True))
