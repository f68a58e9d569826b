"""The people within reach of a town's facilities in every year, as facilities come and go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

from futuremap.config.reach import ReachRule
from futuremap.core.crosswalk import Crosswalk
from futuremap.core.facilities import Facilities
from futuremap.core.population import Population
from futuremap.core.table import Table
from futuremap.core.table import stack as stack_tables
from futuremap.core.zones import Zones
from futuremap.indicators.reach import reach
from futuremap.pipeline.reach_access import costs_and_supply, known_access, supply_by_block
from futuremap.pipeline.reach_measures import (
    border,
    gather_years,
    life_cycle,
    outside_of,
    overlapping,
    supply_per_person,
)
from futuremap.pipeline.reach_states import (
    Course,
    Memory,
    State,
    course_of,
    of_located,
    some_of,
    states_of,
)

Floats = NDArray[np.float64]
# columns only where they are known
FURTHER = ("life_left", "load", "floor_area_per_head", "renewal_cost")


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
        Coverage, travel to the nearest, costs and supply per person, by class of facility.
    life_cycle
        Age, people, load and cost of all facilities, those without coordinates too.
    accessibility
        Supply per person by town block and class; None if no class asks for it.
    moved
        Where facilities that move stand in the last year, by id.
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
    life_cycle: Table
    accessibility: Table | None
    moved: dict[str, shapely.Point]
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


class Earlier(NamedTuple):
    """What holds until something is changed.

    memory
        What its rules work on.
    rules
        Rule of each class.
    since
        First year of what comes after it, by class.
    """

    memory: Memory
    rules: Mapping[str, ReachRule]
    since: Mapping[str, int]


class _Measured(NamedTuple):
    # what all classes of a town share
    people: Population
    in_reach: Population
    areas: Zones
    located: Zones
    outlines: tuple[Zones, Zones]  # the town; and the town with the neighbours that are known
    town: str


def reaching(
    facilities: Facilities,
    rules: Mapping[str, ReachRule],
    *,
    people: Population,
    memory: Memory,
    outline: Zones,
    known: Zones,
    town: str,
    earlier: Earlier | None = None,
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
    outline, known, town
        The town's boundary, the same with the neighbours whose people are counted, its code.
    earlier
        What holds before some rules do.

    Raises
    ------
    LabelError
        If the people are not those of the areas.
    """
    years, ground = people.years, memory.ground
    classes = [
        course_of(facilities, rules[name], years, memory=memory)
        for name in dict.fromkeys(facilities.table["facility_class"])
    ]
    states = [states_of(one, memory) for one in classes]
    if earlier is not None:
        states = [
            _after(earlier, facilities, one, found, years=years, memory=memory)
            for one, found in zip(classes, states, strict=True)
        ]
    located = facilities.located
    together = [tuple(map(id, of_year)) for of_year in zip(*states, strict=True)]
    distinct = list(dict.fromkeys(together))
    of_year = tuple(distinct.index(key) for key in together)
    first = [of_year.index(i) for i in range(len(distinct))]
    walks = [of_located([of_class[t].walk for of_class in states], located) for t in first]
    in_reach = gather_years(people, [walks[i] for i in of_year])
    measured = _Measured(people, in_reach, ground.areas, located, (outline, known), town)
    cycle = [
        life_cycle(one.facilities, one.then, one.rule, in_reach=in_reach.only(one.ids(located)))
        for one in classes
    ]
    supply = [
        supply_per_person(one.then, one.rule, [state.weighted for state in found], people)
        for one, found in zip(classes, states, strict=True)
    ]
    told = [
        known_access(one, found, people, memory=memory, town=town).join(
            costs_and_supply(
                one, costs, supply=amounts, people=people, areas=ground.areas, town=town
            )
        )
        for one, found, costs, amounts in zip(classes, states, cycle, supply, strict=True)
    ]
    table, in_service = _table(classes, states, measured, stack_tables(cycle))
    return Reaching(
        located,
        ground.areas,
        tuple(walks),
        of_year,
        in_service,
        people,
        in_reach,
        table,
        stack_tables(told),
        stack_tables(cycle),
        supply_by_block(classes, supply, people=people, areas=ground.areas, town=town),
        _moved(classes, located),
        memory,
    )


def _after(
    earlier: Earlier,
    facilities: Facilities,
    one: Course,
    states: Sequence[State],
    *,
    years: Sequence[int],
    memory: Memory,
) -> list[State]:
    """The state of every year: of what was, until the year in which something else begins."""
    name = one.rule.facility_class
    first = earlier.since.get(name, years[0])
    if first <= years[0]:
        return list(states)
    old = course_of(facilities, earlier.rules[name], years, memory=earlier.memory)
    found = []
    for year, before, then in zip(years, states_of(old, earlier.memory), states, strict=True):
        state = before if year < first else then
        # who shares a supply is asked by one rule for all years: by the later one
        if year < first and (before.weighted is None) != (then.weighted is None):
            key = ("until", id(before), id(then))
            state = memory.states.setdefault(key, before._replace(weighted=then.weighted))
        found.append(state)
    return found


def _moved(classes: Sequence[Course], located: Zones) -> dict[str, shapely.Point]:
    today = dict(zip(located.ids, located.geometry, strict=True))
    later: dict[str, shapely.Point] = {}
    for one in classes:
        at = np.flatnonzero(one.open[-1])
        whose = [one.then.facilities[f] for f in one.every.facility[at]]
        later |= dict(zip(whose, one.every.zones.geometry[at], strict=True))
    return {zone: place for zone, place in later.items()
            if zone in today and not today[zone].equals(place)}  # fmt: skip


def _table(
    classes: Sequence[Course],
    states: Sequence[Sequence[State]],
    measured: _Measured,
    cycle: Table,
) -> tuple[Table, NDArray[np.bool_]]:
    """Indicators of the located facilities, and which of them are open ``(Y, F)``."""
    located, in_reach = measured.located, measured.in_reach
    shape = (len(in_reach.years), len(located))
    held: dict[str, Floats] = {}
    outside = np.full(len(located), np.nan)
    place = {zone: i for i, zone in enumerate(located.ids)}
    for one, of_year in zip(classes, states, strict=True):
        ids = one.ids(located)
        to = np.array([place[zone] for zone in ids], dtype=np.intp)
        points = some_of(located, to, np.asarray(ids, dtype=object))
        beyond, missing = outside_of(points, one.rule, measured.outlines)
        outside[to] = beyond
        walks = [of_located([state.walk], points) for state in _distinct(of_year)]
        by_year = [walks[i] for i in _position(of_year)]
        values = overlapping(
            measured.people, [state.on_places for state in of_year], in_reach.only(ids)
        )
        values |= border(measured.people, by_year, areas=measured.areas, town=measured.town,
                         outside=beyond, missing=missing)  # fmt: skip
        for name, found in values.items():
            held.setdefault(name, np.full(shape, np.nan))[:, to] = found
    here = cycle.data["value"].sel(zone=list(located.ids))
    held |= {name: here.sel(indicator=name).values for name in FURTHER}
    in_service = here.sel(indicator="in_service").values > 0
    known = {name: values for name, values in held.items() if not np.isnan(values).all()}
    if not in_service.all():
        known["in_service"] = in_service.astype(np.float64)
    age = here.sel(indicator="years_in_service").values
    table = reach(in_reach, years_in_service=age, outside=outside)
    if known:
        table = table.join(Table.build(known, years=table.years, zones=table.zones))
    return table, in_service


def _distinct(states: Sequence[State]) -> list[State]:
    return list({id(state): state for state in states}.values())


def _position(states: Sequence[State]) -> list[int]:
    order = {id(state): i for i, state in enumerate(_distinct(states))}
    return [order[id(state)] for state in states]
