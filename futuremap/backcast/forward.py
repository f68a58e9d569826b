"""The answer of a backcast as a scenario that does what it says, and where that is."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from futuremap.backcast.pose import NO_EFFORT, Pose, Posed, where_of
from futuremap.backcast.solve import Solution
from futuremap.config.scenario import (
    FertilityChange,
    LeverEntry,
    MigrationChange,
    PeopleWhoCome,
    Scenario,
)
from futuremap.core.layer import Text
from futuremap.pipeline.named_places import find_facility, find_zone
from futuremap.pipeline.respond import Unit
from futuremap.pipeline.run import Outcome

Floats = NDArray[np.float64]
PULLED = 1e-9  # households a year that are none


class Found(NamedTuple):
    """What was asked, how it was posed, and what solves it.

    pose, made, solution
        The backcast, its program and the program's answer.
    factor
        Setting of the bent lever; 1 without one.
    """

    pose: Pose
    made: Posed
    solution: Solution
    factor: float


def forward(found: Found, effort: Floats, *, title: Text, share: float = 1.0) -> Scenario:
    """A scenario that does what an answer says, or a share of it.

    Parameters
    ----------
    found
        What was solved.
    effort
        Of each lever of households ``(J,)``.
    title
        Name of the scenario.
    share
        Of all effort, that of a bent lever included.
    """
    pose = found.pose
    units = () if found.made.responses is None else found.made.responses.levers
    people = [
        PeopleWhoCome(
            bundle=pose.levers[unit.entry].bundle,
            per_year=float(share * amount),
            **_where(pose, unit),  # type: ignore[arg-type]
        )
        for unit, amount in zip(units, effort, strict=True)
        if share * amount > PULLED
    ]
    said = Scenario(name=title.ja, name_en=title.en, people=people)
    if pose.bent is None or found.factor == NO_EFFORT:
        return said
    factor = NO_EFFORT + share * (found.factor - NO_EFFORT)
    if pose.bent.lever == "fertility":
        change = FertilityChange(factor=factor, **where_of(pose.bent))  # type: ignore[arg-type]
        return said.model_copy(update={"fertility": [change]})
    move = MigrationChange(
        net_loss_factor=factor, age_from=pose.bent.age_from, age_to=pose.bent.age_to,
        **where_of(pose.bent),  # type: ignore[arg-type]
    )  # fmt: skip
    return said.model_copy(update={"migration": [move]})


def _where(pose: Pose, unit: Unit) -> dict[str, object]:
    said = where_of(pose.levers[unit.entry])
    if unit.zone >= 0:
        rates = pose.outcome.rates
        zone = pose.outcome.projection.population.zones[unit.zone]
        code = rates.parents[rates.parent_of[unit.zone]]
        said |= {"zone": zone, "zones": [], "facility": "", "municipality": code}
    if unit.first is not None:
        said |= {"from_year": unit.first, "to_year": unit.last}
    return said


def years_of(pose: Pose, entry: LeverEntry, unit: Unit) -> tuple[int, int]:
    """First and last year in which a lever is pulled."""
    base, end = pose.outcome.prepared.project.years
    first = unit.first if unit.first is not None else entry.from_year or base + 1
    last = unit.last if unit.last is not None else entry.to_year or end
    return first, last


def place_words(outcome: Outcome, entry: LeverEntry, zone: int) -> Text:
    """Where a lever is pulled, in words."""
    towns = outcome.prepared.towns
    if zone >= 0:
        name = outcome.projection.population.zones[zone]
        for town in towns:
            if name in town.blocks.ids:
                shown = town.blocks.names[town.blocks.ids.index(name)]
                return Text(shown, shown)
    named = "・".join(called(outcome, name, entry.municipality) for name in named_in(entry))
    if named:
        tail = Text("の周り", "around ") if entry.facility else Text("", "")
        return Text(named + tail.ja, tail.en + named)
    names = [town.name for town in towns if entry.municipality in ("", town.code)]
    return Text("・".join(n.ja for n in names), ", ".join(n.en for n in names))


def named_in(entry: LeverEntry) -> list[str]:
    """What a lever names: blocks, or a facility."""
    return [name for name in (entry.zone, *entry.zones, entry.facility) if name]


def called(outcome: Outcome, name: str, code: str) -> str:
    """The name of a block or a facility that may have been given by its id."""
    towns = outcome.prepared.towns
    zone, facility = find_zone(name, code, towns), find_facility(name, code, towns)
    for town in towns:
        if zone is not None and town.code == zone[0]:
            return str(town.blocks.names[town.blocks.ids.index(zone[1])])
        if facility is not None and town.code == facility[0] and town.facilities is not None:
            return str(town.facilities.table.loc[facility[1], "name"])
    return name
