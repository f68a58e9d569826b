"""A backcast posed as a program: unit responses weighed with targets, under any one bent lever.

A bent lever (births per woman, losses by migration) changes the very rates that all others go
through. Under each of its settings the rest is linear again, so that it is found by search.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from futuremap.backcast.goals import Goal, as_walk
from futuremap.backcast.solve import Problem
from futuremap.config.scenario import FertilityChange, LeverEntry, MigrationChange, Where
from futuremap.pipeline.difference import Grounds, births_change, moves_change
from futuremap.pipeline.respond import Responses, respond
from futuremap.pipeline.run import Outcome
from futuremap.pipeline.uncertainty import uncertainty
from futuremap.projection.beyond import Change, follow_change

Floats = NDArray[np.float64]
NO_EFFORT = 1.0  # a factor of 1 changes nothing


class Pose(NamedTuple):
    """What is asked and what can be done, on one run.

    ground
        What the baseline's people go through.
    goals
        The targets.
    levers
        Levers of households.
    bent
        A lever of rates, if there is one.
    """

    ground: Grounds
    goals: tuple[Goal, ...]
    levers: tuple[LeverEntry, ...]
    bent: LeverEntry | None

    @property
    def outcome(self) -> Outcome:
        """The baseline."""
        return self.ground.outcome


class Posed(NamedTuple):
    """A program, with what it was made of.

    problem
        Rows, costs and bounds.
    responses
        Answers to the levers; None without levers of households.
    path
        The people without them ``(1 + H, Z, S, A)``. [persons]
    """

    problem: Problem
    responses: Responses | None
    path: Floats


def where_of(lever: LeverEntry) -> dict[str, object]:
    """The keys of a lever that say where and when."""
    return {name: getattr(lever, name) for name in Where.model_fields}


def change_of(pose: Pose, factor: float) -> Change | None:
    """The rates under a setting of the bent lever; None where nothing differs."""
    lever = pose.bent
    if lever is None or factor == NO_EFFORT:
        return None
    ground = pose.ground
    if lever.lever == "fertility":
        return births_change(ground, FertilityChange(factor=factor, **where_of(lever)))  # type: ignore[arg-type]
    entry = MigrationChange(
        net_loss_factor=factor,
        age_from=lever.age_from,
        age_to=lever.age_to,
        **where_of(lever),  # type: ignore[arg-type]
    )
    return moves_change(ground, entry)


def posed(pose: Pose, factor: float = NO_EFFORT) -> Posed:
    """The program under a setting of the bent lever.

    Parameters
    ----------
    pose
        What is asked.
    factor
        Of the bent lever.
    """
    change = change_of(pose, factor)
    path = pose.outcome.projection.population.persons
    if change is not None:
        fertile = pose.ground.course.fertile
        path = path * follow_change(path, change, fertile=fertile).share
    responses = respond(pose.ground, pose.levers, change=change) if pose.levers else None
    if responses is not None and not responses.levers:
        responses = None  # none begins before the last target
    return Posed(program(pose, responses, path), responses, path)


def program(
    pose: Pose,
    responses: Responses | None,
    path: Floats,
    bounds: Sequence[float | None] = (),
    factors: Floats | None = None,
) -> Problem:
    """Rows, costs and bounds of a program.

    Parameters
    ----------
    pose
        What is asked.
    responses, path
        Answers to the levers, and the people without them.
    bounds
        Bounds in place of the targets' own; None keeps one.
    factors
        On the people of each target, where it is not sure how many there are ``(R,)``.
    """
    count = 0 if responses is None else len(responses.levers)
    rows, least = np.zeros((len(pose.goals), count)), np.zeros(len(pose.goals))
    for i, goal in enumerate(pose.goals):
        other = bounds[i] if bounds else None
        sign = 1.0 if goal.least else -1.0
        base = 0.0
        for part in goal.rows(other):
            base += part.of(path[goal.year])
            if responses is not None:
                rows[i] += sign * responses.of(part.weights, part.rates, goal.year)
        if factors is not None:
            base *= factors[i]
        least[i] = sign * (goal.limit(other) - base)
    entries = [] if responses is None else [pose.levers[u.entry] for u in responses.levers]
    return Problem(
        rows,
        least,
        np.array([entry.cost for entry in entries]),
        np.array([entry.minimum for entry in entries]),
        np.array([entry.maximum or 0.0 for entry in entries]),
        np.array([entry.whole for entry in entries], dtype=np.bool_),
    )


def intervals(pose: Pose) -> Floats:
    """Factors on what each target counts that bound 80 % of what may come ``(R, 2)``.

    They are 1 for ratios, of which the age mix decides, and whose error nobody has measured.
    """
    outcome = pose.outcome
    population = outcome.projection.population
    parents = [outcome.rates.parents[i] for i in outcome.rates.parent_of]
    spread = uncertainty(population, parents, seed=outcome.prepared.project.projection.seed)
    totals = population.totals()
    found = np.ones((len(pose.goals), 2))
    for i, goal in enumerate(pose.goals):
        walk = as_walk(goal, population.zones)
        value = float((walk.weights @ totals[goal.year])[0])
        if not goal.is_ratio and value > 0:
            low, high = spread.through(walk)
            found[i] = (
                min(low[goal.year - 1, 0] / value, 1.0),
                max(high[goal.year - 1, 0] / value, 1.0),
            )
    return found
