"""The states of a class of facilities: what is open in a year, and who counts where meanwhile."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

from futuremap.catchment.life_cycle import Timeline, timeline
from futuremap.catchment.network import nearest_time
from futuremap.catchment.pairs import nearest
from futuremap.catchment.travel import to_nearest
from futuremap.catchment.versions import Versions, active, versions
from futuremap.config.reach import ReachRule
from futuremap.core.crosswalk import Crosswalk, compose, from_pairs, stack
from futuremap.core.facilities import Facilities
from futuremap.core.population import Population
from futuremap.core.table import Table
from futuremap.core.zones import Zones
from futuremap.pipeline.reach_rules import (
    Ground,
    OnPlaces,
    serve,
    serve_districts,
    way_of,
    weighted_reach,
)
from futuremap.pipeline.read_reach import ReachInputs, of_class

Floats = NDArray[np.float64]
INHERITED = "districts"  # where everybody belongs to one facility, a merger hands them on


class Course(NamedTuple):
    """One class of facilities through the years.

    rule, facilities
        The class.
    then, every
        What becomes of it, and all places at which its facilities stand.
    open
        Which of those places are in service ``(Y, V)``.
    size
        What the rule looks at, 1 where it looks at none ``(Y, F)``.
    """

    rule: ReachRule
    facilities: Facilities
    then: Timeline
    every: Versions
    open: NDArray[np.bool_]
    size: Floats

    def ids(self, located: Zones) -> list[str]:
        """Its facilities that have coordinates, in order."""
        held = set(located.ids)
        return [zone for zone in self.then.facilities if zone in held]


class State(NamedTuple):
    """Who counts where while the same facilities are open.

    walk, covered, on_places
        As :class:`futuremap.pipeline.reach_rules.Served` has them.
    metres, minutes
        To the nearest facility by place ``(M,)``, in a straight line and by the rule's way; NaN
        where it has none. [m], [min]
    weighted
        Areas to facilities for supply per person, if that is asked for.
    """

    walk: Crosswalk
    covered: Crosswalk
    metres: Floats
    minutes: Floats
    on_places: OnPlaces | None
    weighted: Crosswalk | None


@dataclass(eq=False)
class Memory:
    """What scenarios of one town share: who counts where as long as the same places are open.

    Parameters
    ----------
    ground
        What the rules work on.
    states
        Who counts where, by rule and by the places, sizes and successors of its facilities.
    courses
        Facilities of a class through the years, by rule and events.
    tables
        Coverage of a class with the people it was counted for.
    unions
        Blocks within a radius of any facility, by radius and places.
    """

    ground: Ground
    states: dict[tuple[Hashable, ...], State] = field(default_factory=dict)
    courses: dict[Hashable, Course] = field(default_factory=dict)
    tables: dict[Hashable, tuple[Population, Table]] = field(default_factory=dict)
    unions: dict[tuple[float, bytes], Crosswalk] = field(default_factory=dict)

    def on(self, inputs: ReachInputs) -> Memory:
        """The same with other buses: all that does not go by bus is remembered."""
        kept = {key: state for key, state in self.states.items() if not _by_bus(key)}
        ground = replace(self.ground, inputs=inputs)
        return Memory(ground, kept, self.courses, unions=self.unions)


def course_of(
    facilities: Facilities,
    rule: ReachRule,
    years: Sequence[int],
    *,
    memory: Memory,
) -> Course:
    """Follow a class through the years.

    Parameters
    ----------
    facilities
        Facilities of a town with their events.
    rule
        Rule of the class.
    years
        Years asked for ``(Y,)``.
    memory
        What is known already; what is found is added.
    """
    part = of_class(facilities, rule.facility_class)
    numbers = [name for name in ("opened", "floor_area", "capacity") if name in part.table]
    # NaN is unlike itself: two lists are the same if they look the same
    key = (
        repr(rule),
        tuple(years),
        tuple(part.table.index),
        part.table[numbers].to_numpy(dtype=np.float64).tobytes(),
        shapely.get_coordinates(part.located.geometry).tobytes(),
        repr(tuple(part.events.itertuples(index=False, name=None))),
    )
    if key not in memory.courses:
        memory.courses[key] = _course(part, rule, years)
    return memory.courses[key]


def _course(part: Facilities, rule: ReachRule, years: Sequence[int]) -> Course:
    name = rule.facility_class
    life = {} if rule.life_years is None else {name: float(rule.life_years)}
    longer = {} if rule.extension_years is None else {name: float(rule.extension_years)}
    then = timeline(part, years, life_years=life, extension_years=longer)
    every = versions(part)
    wanted = "capacity" if rule.rule == "capacity" else rule.attraction
    sizes = {"capacity": then.capacity, "floor_area": then.floor_area}
    size = sizes.get(wanted or "", np.ones(then.open.shape))
    return Course(rule, part, then, every, np.array([active(every, y) for y in years]), size)


def states_of(course: Course, memory: Memory) -> list[State]:
    """The state of every year ``(Y,)``, the same one while nothing changes.

    Parameters
    ----------
    course
        The class.
    memory
        What its rule works on, and what is known already; what is found is added.
    """
    found: dict[bytes, State] = {}
    keys = [_key(course, t) for t in range(len(course.open))]
    for t, key in enumerate(keys):
        if key not in found:
            known = _place_key(course, t)
            if known not in memory.states:
                memory.states[known] = _state(course, t, memory.ground)
            found[key] = memory.states[known]
    return [found[key] for key in keys]


def _key(one: Course, t: int) -> bytes:
    return b"".join(row.tobytes() for row in (one.open[t], one.size[t], one.then.successor[t]))


def _by_bus(key: tuple[Hashable, ...]) -> bool:
    return key[0] == "bus"


def _place_key(one: Course, t: int) -> tuple[Hashable, ...]:
    """All that a state follows from, so that scenarios may share it; the kind of rule first."""
    at = np.flatnonzero(one.open[t])
    zones = one.every.zones
    return (
        one.rule.rule,
        repr(one.rule),
        one.then.facilities,
        tuple(np.asarray(zones.ids, dtype=object)[at]),
        shapely.get_coordinates(zones.geometry[at]).tobytes(),
        one.size[t, one.every.facility[at]].tobytes(),
        one.then.successor[t].tobytes(),
    )


def _state(one: Course, t: int, ground: Ground) -> State:
    """Who counts where while the same facilities are open."""
    rule, then = one.rule, one.then
    ids = np.asarray(then.facilities, dtype=object)
    at = np.flatnonzero(one.open[t])
    standing = some_of(one.every.zones, at, ids[one.every.facility[at]])
    if rule.rule == INHERITED:  # the districts of a closed facility go on to its successor
        found = serve_districts(rule.facility_class, one.facilities, ground)
        row = {zone: f for f, zone in enumerate(then.facilities)}
        owner = np.array([then.successor[t, row[zone]] for zone in found.walk.targets])
        kept = np.flatnonzero(owner >= 0)
        hand_on = from_pairs(
            owner[kept],
            kept,
            np.ones(len(kept)),
            targets=then.facilities,
            sources=found.walk.targets,
            rule="facilities to those that took over",
        )
        walk = compose(hand_on, found.walk)
    else:
        found = serve(rule, standing, ground, size=one.size[t, one.every.facility[at]])
        walk = found.walk
    travel = _travel(rule, standing, ground)
    weighted = weighted_reach(rule, standing, ground)
    return State(walk, found.covered, *travel, found.on_places, weighted)


def some_of(zones: Zones, at: NDArray[np.intp], ids: NDArray[np.object_]) -> Zones:
    """The zones at some positions, by other ids."""
    frame = zones.frame.iloc[at].set_axis(ids, axis=0)
    frame.index.name = "zone"
    return replace(zones, frame=frame)


def _travel(rule: ReachRule, facilities: Zones, ground: Ground) -> tuple[Floats, Floats]:
    """Metres in a straight line, and minutes where the rule goes by road, by place ``(M,)``."""
    places = ground.places.places
    metres = to_nearest(nearest(facilities, places), len(places))
    way = way_of(rule, ground.inputs)
    if way is None:
        return metres, np.full(len(places), np.nan)
    found = nearest_time(facilities, places, way.network, mode=way.mode, speed=way.speed)
    return metres, found.minutes


def of_located(parts: Sequence[Crosswalk], located: Zones) -> Crosswalk:
    """Crosswalks to the facilities of several classes as one, a row for each that is located."""
    # a facility that gets coordinates by moving has no place on the map of today
    ids = set(located.ids)
    kept = []
    for part in parts:
        rows = [i for i, target in enumerate(part.targets) if target in ids]
        targets = tuple(part.targets[i] for i in rows)
        kept.append(replace(part, weights=part.weights[rows], targets=targets))
    return stack(kept, located.ids)
