"""The people within reach of a town's facilities in every year, as facilities come and go."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

from futuremap.catchment.life_cycle import Timeline, timeline
from futuremap.catchment.load import load, per_head, served
from futuremap.catchment.network import nearest_time
from futuremap.catchment.pairs import nearest
from futuremap.catchment.reach import share_outside
from futuremap.catchment.streets import Mode
from futuremap.catchment.travel import to_nearest
from futuremap.catchment.versions import Versions, active, versions
from futuremap.config.reach import ReachRule
from futuremap.core.crosswalk import Crosswalk, compose, from_pairs, stack
from futuremap.core.facilities import Facilities
from futuremap.core.population import Population
from futuremap.core.table import Table
from futuremap.core.table import stack as stack_tables
from futuremap.core.zones import Zones
from futuremap.indicators.reach import reach
from futuremap.pipeline.reach_access import access_of, gather_years
from futuremap.pipeline.reach_rules import Ground, serve, serve_districts
from futuremap.pipeline.read_reach import meets, of_class

Floats = NDArray[np.float64]
FURTHER = ("life_left", "load", "floor_area_per_head")  # columns only where they are known
INHERITED = "districts"  # where everybody belongs to one facility, a merger hands them on
BY_ROAD = ("walk", "car")
Unit = Literal["metres", "minutes"]


@dataclass(eq=False)
class Memory:
    """What scenarios of one town share: who counts where as long as the same places are open.

    Parameters
    ----------
    ground
        What the rules work on.
    states
        Who counts where, by rule and by the places, sizes and successors of its facilities.
    classes
        Facilities of a class through the years, by rule and events.
    tables
        Coverage of a class with the people it was counted for.
    unions
        Blocks within a radius of any facility, by radius and places.
    """

    ground: Ground
    states: dict[Hashable, _State] = field(default_factory=dict)
    classes: dict[Hashable, _Class] = field(default_factory=dict)
    tables: dict[Hashable, tuple[Population, Table]] = field(default_factory=dict)
    unions: dict[tuple[float, bytes], Crosswalk] = field(default_factory=dict)


class Reaching(NamedTuple):
    """What reach gives for one town.

    zones
        The facilities that have coordinates (F).
    areas
        The areas whose people are counted.
    walks
        Areas to facilities: one crosswalk for each state of what is open.
    of_year
        Which of them holds in each year ``(Y,)``.
    in_service
        Which facilities are open ``(Y, F)``.
    sent, people
        People of the areas, and in reach of each facility. [persons]
    table
        Indicators of the facilities.
    access
        Coverage and travel to the nearest, by class of facility.
    memory
        What was found on the way, for a scenario of the same town.
    """

    zones: Zones
    areas: Zones
    walks: tuple[Crosswalk, ...]
    of_year: tuple[int, ...]
    in_service: NDArray[np.bool_]
    sent: Population
    people: Population
    table: Table
    access: Table
    memory: Memory

    @property
    def covered_by_year(self) -> list[Crosswalk]:
        """Blocks within the project's radius of any facility in service, every year ``(Y,)``.

        Filled by :func:`futuremap.pipeline.town_reach.covered_people`.
        """
        points = shapely.get_coordinates(self.zones.geometry)
        radius = next(iter(self.memory.unions))[0]
        return [self.memory.unions[radius, points[row].tobytes()] for row in self.in_service]

    @property
    def by_year(self) -> list[Crosswalk]:
        """The crosswalk of every year ``(Y,)``."""
        return [self.walks[i] for i in self.of_year]


class _Class(NamedTuple):
    # one class of facilities through the years
    rule: ReachRule
    facilities: Facilities
    then: Timeline
    every: Versions
    open: NDArray[np.bool_]  # (Y, V)
    size: Floats  # (Y, F); what the rule looks at, 1 where it looks at none


class _State(NamedTuple):
    walk: Crosswalk
    covered: Crosswalk
    metres: Floats  # to the nearest facility, by place
    minutes: Floats  # the same by road, NaN where the rule does not go by road


def reaching(
    facilities: Facilities,
    rules: Mapping[str, ReachRule],
    *,
    people: Population,
    memory: Memory,
    outline: Zones,
    town: str,
) -> Reaching:
    """People in reach of every facility in every year.

    Parameters
    ----------
    facilities
        Facilities of a town with their events.
    rules
        Rule of each class.
    people
        People of the ground's areas. [persons]
    memory
        What the rules work on, and what is known already of the same town.
    outline, town
        The town's boundary and code.

    Raises
    ------
    LabelError
        If the people are not those of the areas.
    """
    classes = [
        _known_class(facilities, rules[name], people.years, memory)
        for name in dict.fromkeys(facilities.table["facility_class"])
    ]
    ground = memory.ground
    keys = [tuple(_key(one, t) for one in classes) for t in range(len(people.years))]
    states = [_states(one, [key[c] for key in keys], memory) for c, one in enumerate(classes)]
    located = facilities.located
    distinct = list(dict.fromkeys(keys))
    walks = [
        _of_located([known[k].walk for known, k in zip(states, key, strict=True)], located)
        for key in distinct
    ]
    of_year = tuple(distinct.index(key) for key in keys)
    in_reach = gather_years(people, [walks[i] for i in of_year])
    access = [
        _known_access(one, [known[key[c]] for key in keys], people, memory, town)
        for c, (one, known) in enumerate(zip(classes, states, strict=True))
    ]
    table, in_service = _table(classes, in_reach, located, outline)
    return Reaching(
        located,
        ground.areas,
        tuple(walks),
        of_year,
        in_service,
        people,
        in_reach,
        table,
        stack_tables(access),
        memory,
    )


def _known_class(
    facilities: Facilities,
    rule: ReachRule,
    years: Sequence[int],
    memory: Memory,
) -> _Class:
    part = of_class(facilities, rule.facility_class)
    numbers = [name for name in ("opened", "floor_area", "capacity") if name in part.table]
    # NaN is unlike itself: two lists are the same if they look the same
    key = (
        rule,
        tuple(years),
        tuple(part.table.index),
        part.table[numbers].to_numpy(dtype=np.float64).tobytes(),
        shapely.get_coordinates(part.located.geometry).tobytes(),
        repr(tuple(part.events.itertuples(index=False, name=None))),
    )
    if key not in memory.classes:
        memory.classes[key] = _class(part, rule, years)
    return memory.classes[key]


def _class(part: Facilities, rule: ReachRule, years: Sequence[int]) -> _Class:
    name = rule.facility_class
    life = {} if rule.life_years is None else {name: float(rule.life_years)}
    then = timeline(part, years, life_years=life)
    every = versions(part)
    wanted = "capacity" if rule.rule == "capacity" else rule.attraction
    sizes = {"capacity": then.capacity, "floor_area": then.floor_area}
    size = sizes.get(wanted or "", np.ones(then.open.shape))
    return _Class(rule, part, then, every, np.array([active(every, y) for y in years]), size)


def _key(one: _Class, t: int) -> bytes:
    return b"".join(row.tobytes() for row in (one.open[t], one.size[t], one.then.successor[t]))


def _states(one: _Class, keys: Sequence[bytes], memory: Memory) -> dict[bytes, _State]:
    found: dict[bytes, _State] = {}
    for t, key in enumerate(keys):
        if key not in found:
            known = _place_key(one, t)
            if known not in memory.states:
                memory.states[known] = _state(one, t, memory.ground)
            found[key] = memory.states[known]
    return found


def _place_key(one: _Class, t: int) -> Hashable:
    """All that a state follows from, so that scenarios may share it."""
    at = np.flatnonzero(one.open[t])
    zones = one.every.zones
    return (
        one.rule,
        one.then.facilities,
        tuple(np.asarray(zones.ids, dtype=object)[at]),
        shapely.get_coordinates(zones.geometry[at]).tobytes(),
        one.size[t, one.every.facility[at]].tobytes(),
        one.then.successor[t].tobytes(),
    )


def _state(one: _Class, t: int, ground: Ground) -> _State:
    """Who counts where while the same facilities are open."""
    rule, then = one.rule, one.then
    ids = np.asarray(then.facilities, dtype=object)
    at = np.flatnonzero(one.open[t])
    standing = _some(one.every.zones, at, ids[one.every.facility[at]])
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
    return _State(walk, found.covered, *_travel(rule, standing, ground))


def _some(zones: Zones, at: NDArray[np.intp], ids: NDArray[np.object_]) -> Zones:
    frame = zones.frame.iloc[at].set_axis(ids, axis=0)
    frame.index.name = "zone"
    return replace(zones, frame=frame)


def _travel(rule: ReachRule, facilities: Zones, ground: Ground) -> tuple[Floats, Floats]:
    """Metres in a straight line, and minutes where the rule goes by road, by place ``(M,)``."""
    places = ground.places.places
    metres = to_nearest(nearest(facilities, places), len(places))
    minutes = np.full(len(places), np.nan)
    if rule.rule in BY_ROAD and ground.roads is not None:
        mode: Mode = "walk" if rule.rule == "walk" else "car"
        found = nearest_time(facilities, places, ground.roads, mode=mode, speed=rule.speed_kmh)
        minutes = found.minutes
    return metres, minutes


def _of_located(parts: Sequence[Crosswalk], located: Zones) -> Crosswalk:
    # a facility that gets coordinates by moving has no place on the map of today
    ids = set(located.ids)
    kept = []
    for part in parts:
        rows = [i for i, target in enumerate(part.targets) if target in ids]
        targets = tuple(part.targets[i] for i in rows)
        kept.append(replace(part, weights=part.weights[rows], targets=targets))
    return stack(kept, located.ids)


def _table(
    classes: Sequence[_Class],
    in_reach: Population,
    located: Zones,
    outline: Zones,
) -> tuple[Table, NDArray[np.bool_]]:
    place = {zone: i for i, zone in enumerate(located.ids)}
    shape = (len(in_reach.years), len(located))
    held = {name: np.full(shape, np.nan) for name in ("years_in_service", *FURTHER)}
    outside = np.full(len(located), np.nan)
    in_service = np.zeros(shape, dtype=np.bool_)
    for one in classes:
        here = [f for f, zone in enumerate(one.then.facilities) if zone in place]
        ids = [one.then.facilities[f] for f in here]
        to = np.array([place[zone] for zone in ids], dtype=np.intp)
        in_service[:, to] = one.then.open[:, here]
        for name, values in _of_class(one, here, in_reach.only(ids)).items():
            held[name][:, to] = values
        if one.rule.rule == "radius" and one.rule.radius_m is not None:
            points = _some(located, to, np.asarray(ids, dtype=object))
            outside[to] = share_outside(points, outline, radius=one.rule.radius_m)
    age = held.pop("years_in_service")
    known = {name: values for name, values in held.items() if not np.isnan(values).all()}
    if not in_service.all():
        known["in_service"] = in_service.astype(np.float64)
    table = reach(in_reach, years_in_service=age, outside=outside)
    if known:
        table = table.join(Table.build(known, years=table.years, zones=table.zones))
    return table, in_service


def _of_class(one: _Class, here: list[int], in_reach: Population) -> dict[str, Floats]:
    then, rule = one.then, one.rule
    people = _of_age(in_reach, rule)
    values = {
        "years_in_service": then.years_in_service[:, here],
        "life_left": then.life_left[:, here],
    }
    ids = in_reach.zones
    values["load"] = load(people, then.capacity[:, here], facilities=ids)
    values["floor_area_per_head"] = per_head(then.floor_area[:, here], people, facilities=ids)
    return values


def _of_age(people: Population, rule: ReachRule) -> Floats:
    if not meets(rule, people.ages):  # a preset's ages inside a group; FM674 said so
        return people.totals()
    stop = None if rule.age_to is None else rule.age_to + 1
    return served(people, start=rule.age_from or 0, stop=stop)


def _known_access(
    one: _Class,
    states: Sequence[_State],
    people: Population,
    memory: Memory,
    town: str,
) -> Table:
    key = (one.rule.facility_class, *(id(state) for state in states))  # memory keeps them alive
    counted, table = memory.tables.get(key, (None, None))
    if table is None or counted is not people:
        table = access_of(one.rule.facility_class, states, people, memory.ground, town)
        memory.tables[key] = people, table
    return table
