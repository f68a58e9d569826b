"""What a town is told of each class of facilities: who is covered, how far it is, what it costs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from futuremap.catchment.travel import percentiles
from futuremap.core.crosswalk import gather, to_parents
from futuremap.core.population import Population
from futuremap.core.table import Table
from futuremap.core.table import stack as stack_tables
from futuremap.core.zones import Zones
from futuremap.indicators.access_table import PERCENTILES, coverage, nearest_travel
from futuremap.indicators.people import ratio
from futuremap.pipeline.reach_measures import COSTS, gather_years
from futuremap.pipeline.reach_rules import Ground, of_age
from futuremap.pipeline.reach_states import Course, Memory, State

Floats = NDArray[np.float64]
ON_FOOT = ("radius", "walk")  # rules whose reach the handbook calls 徒歩圏
Unit = Literal["metres", "minutes"]


def known_access(
    one: Course,
    states: Sequence[State],
    people: Population,
    *,
    memory: Memory,
    town: str,
) -> Table:
    """What :func:`access` says, from memory where the same people met the same states.

    Parameters
    ----------
    one, states, people, town
        As there.
    memory
        What is known of the town.
    """
    key = (one.rule.facility_class, *(id(state) for state in states))  # memory keeps them alive
    counted, table = memory.tables.get(key, (None, None))
    if table is None or counted is not people:
        table = access(one, states, people=people, ground=memory.ground, town=town)
        memory.tables[key] = people, table
    return table


def access(
    one: Course,
    states: Sequence[State],
    *,
    people: Population,
    ground: Ground,
    town: str,
) -> Table:
    """Coverage and travel of a class, of the town's own people, as the zone ``town/class``.

    Parameters
    ----------
    one, states
        The class, and its state in every year ``(Y,)``.
    people
        People of the ground's areas. [persons]
    ground
        Where people are and how they move.
    town
        Code of the municipality.
    """
    blocks = ground.areas.frame["parent"].tolist()
    all_of = gather(people, to_parents(ground.areas.ids, blocks)).only([town])
    covered = gather_years(people, [state.covered for state in states]).only([town])
    places = ground.places.places
    own = np.flatnonzero(places.frame["parent"] == town)
    standing = np.asarray((ground.places.walk.weights[own] @ people.totals().T).T)
    table = coverage(all_of, covered)
    walking = np.full((len(people.years), 1), np.nan)
    on_places = [state.on_places.covered for state in states if state.on_places is not None]
    if on_places and one.rule.rule in ON_FOOT:
        near = gather_years(people, on_places).only([town])
        walking = ratio(near.totals(), all_of.totals())
    table = table.join(
        Table.build({"walking_coverage_rate": walking}, years=table.years, zones=table.zones)
    )
    travels: dict[Unit, Floats] = {
        "metres": np.stack([state.metres[own] for state in states]),
        "minutes": np.stack([state.minutes[own] for state in states]),
    }
    for unit, travel in travels.items():
        table = _with_travel(table, travel, standing, unit=unit)
    named = f"{town}/{one.rule.facility_class}"
    return Table(table.data.assign_coords(zone=np.array([named], dtype=object)))


def costs_and_supply(
    one: Course,
    cycle: Table,
    *,
    supply: Floats | None,
    people: Population,
    areas: Zones,
    town: str,
) -> Table:
    """Costs of a class, and its supply per person of the town, as the zone ``town/class``.

    Parameters
    ----------
    one, cycle
        The class, and what becomes of its facilities.
    supply
        Supply per person of each area ``(Y, Z)``, if that is asked for.
    people, areas
        Who shares it. [persons]
    town
        Code of the municipality.
    """
    own = areas.frame["parent"].to_numpy() == town
    found = np.full(len(people.years), np.nan)
    if supply is not None:
        demand = of_age(people, one.rule)[:, own]
        whole = demand.sum(axis=1)
        weighed = (demand * supply[:, own]).sum(axis=1)
        np.divide(weighed, whole, out=found, where=whole > 0)
    values = {"accessibility": found[:, None]}
    asked = one.rule.rebuild_cost is not None or one.rule.repair_cost is not None
    for name in COSTS:
        cost = cycle.data["value"].sel(indicator=name).values
        known = np.nansum(cost, axis=1, keepdims=True)
        values[name] = known if asked else np.full(known.shape, np.nan)
    unknown = np.isnan(cycle.data["value"].sel(indicator="renewal_cost").values)
    untold = unknown.sum(axis=1, keepdims=True).astype(np.float64)
    values["cost_unknown"] = untold if asked else np.full(untold.shape, np.nan)
    name = f"{town}/{one.rule.facility_class}"
    return Table.build(values, years=people.years, zones=[name])


def supply_by_block(
    classes: Sequence[Course],
    supply: Sequence[Floats | None],
    *,
    people: Population,
    areas: Zones,
    town: str,
) -> Table | None:
    """Supply per person of the town's blocks, as the zones ``block/class``; None if not asked for.

    Parameters
    ----------
    classes, supply
        Classes, and the supply per person of each area ``(Y, Z)`` by those that ask for it.
    people, areas
        Who shares it. [persons]
    town
        Code of the municipality.
    """
    own = np.flatnonzero(areas.frame["parent"].to_numpy() == town)
    parts = [
        Table.build(
            {"accessibility": amounts[:, own]},
            years=people.years,
            zones=[f"{areas.ids[i]}/{one.rule.facility_class}" for i in own],
        )
        for one, amounts in zip(classes, supply, strict=True)
        if amounts is not None
    ]
    return stack_tables(parts) if parts else None


def _with_travel(table: Table, travel: Floats, people: Floats, *, unit: Unit) -> Table:
    shape = (len(table.years), 1)
    nothing = np.full(shape, np.nan)
    if np.isnan(travel).any():  # the rule does not go by road
        values = {f"nearest_{unit}_p{percent}": nothing for percent in PERCENTILES}
        return table.join(Table.build(values, years=table.years, zones=table.zones))
    found = percentiles(travel, people, parents=[table.zones[0]] * people.shape[1])
    more = nearest_travel(
        found.travel,
        people=found.people,
        unreached=found.unreached,
        years=table.years,
        zones=table.zones,
        unit=unit,
    )
    kept = [name for name in more.indicators if name.startswith("nearest_")]
    values = {name: more.data["value"].sel(indicator=name).values for name in kept}
    return table.join(Table.build(values, years=table.years, zones=table.zones))
