"""Bus lines of scenarios: laid along the roads of their municipality, besides those that run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

import numpy as np
import shapely

from futuremap.catchment.bus import FROM_LINE, along_roads, with_bus
from futuremap.config.lines import Path as KeyPath
from futuremap.config.model import Project
from futuremap.config.scenario import NewBus, Scenario
from futuremap.core.zones import Zones
from futuremap.pipeline.notes import Notes
from futuremap.pipeline.read_reach import ReachInputs

STOP = "new-stop"


class Town(Protocol):
    """A municipality, as far as a bus runs in it."""

    @property
    def code(self) -> str:
        """Its code."""
        ...

    @property
    def blocks(self) -> Zones:
        """Its town blocks."""
        ...

    @property
    def reach(self) -> ReachInputs:
        """Its roads and buses."""
        ...


class _Laid(NamedTuple):
    inputs: ReachInputs
    far: list[int]
    broken: list[int]


def lines_of(scenario: Scenario, town: Town, project: Project) -> list[NewBus]:
    """The lines of a checked scenario that run in a municipality."""
    alone = len(project.municipality) == 1
    return [one for one in scenario.bus if one.municipality == town.code
            or (alone and not one.municipality)]  # fmt: skip


def with_lines(town: Town, lines: Sequence[NewBus]) -> ReachInputs:
    """The roads and buses of a municipality with more lines; its own if there are none.

    Parameters
    ----------
    town
        The municipality.
    lines
        Checked lines.
    """
    inputs = town.reach
    for line in lines:
        inputs = _laid(town, inputs, line).inputs
    return inputs


def _laid(town: Town, inputs: ReachInputs, line: NewBus) -> _Laid:
    roads = inputs.roads
    if roads is None:
        raise AssertionError(f"{line.name} was accepted without roads")
    count = len(line.stops)
    ids = [f"{STOP}-{i + 1:03d}" for i in range(count)]
    latitude, longitude = np.array(line.stops, dtype=np.float64).T
    stops = Zones.build(
        ids,
        shapely.points(longitude, latitude),
        names=ids,
        parents=[town.code] * count,
        kind="place",
        plane_zone=town.blocks.plane_zone,
    )
    found = along_roads(roads, stops, back=not line.one_way)
    far = np.flatnonzero(found.distance > FROM_LINE).tolist()
    if far or found.broken:
        return _Laid(inputs, far, list(found.broken))
    both = with_bus(
        inputs.bus or roads,
        found.network,
        found.stops,
        speed=line.speed_kmh,
        wait=line.wait_minutes,
    )
    return _Laid(inputs._replace(bus=both.network), [], [])


def check_lines(scenario: Scenario, towns: Sequence[Town], at: KeyPath, notes: Notes) -> None:
    """Note stops of a scenario's lines that no road leads to (FM876, FM877)."""
    for j, line in enumerate(scenario.bus):
        for town in towns:
            if line not in lines_of(scenario, town, notes.project) or town.reach.roads is None:
                continue
            found = _laid(town, town.reach, line)
            for i in found.far:
                place = "{}, {}".format(*line.stops[i])
                notes.add("FM876", (*at, "bus", j, "stops", i), place, limit=f"{FROM_LINE:g}",
                          number=i + 1)  # fmt: skip
            for i in set(found.broken) - {k for far in found.far for k in (far - 1, far)}:
                place = "{}, {}".format(*line.stops[i])
                notes.add("FM877", (*at, "bus", j, "stops", i), place, number=i + 1,
                          then=i + 2)  # fmt: skip


def since_of(scenario: Scenario, town: Town, project: Project) -> Mapping[str, int]:
    """The year from which each class of a municipality has another reach.

    Parameters
    ----------
    scenario
        A checked scenario.
    town
        The municipality.
    project
        The project with the rules of the scenario.
    """
    first = project.project.base_year + 1
    since = {rule.facility_class: rule.from_year or first for rule in scenario.reach}
    runs = [line.from_year or first for line in lines_of(scenario, town, project)]
    if runs:
        by_bus = [rule.facility_class for rule in project.reach.rule if rule.rule == "bus"]
        since |= {name: max(since.get(name, first), *runs) for name in by_bus}
    return since
