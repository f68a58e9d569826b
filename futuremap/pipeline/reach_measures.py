"""What a town is told of the reach of one class: overlap, the border, supply, life and cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import shapely
from numpy.typing import NDArray

from futuremap.catchment.accessibility import two_step
from futuremap.catchment.life_cycle import Timeline, renewal_costs
from futuremap.catchment.load import load, per_head
from futuremap.catchment.reach import share_outside
from futuremap.config.reach import ReachRule
from futuremap.core.crosswalk import Crosswalk, gather
from futuremap.core.facilities import Facilities
from futuremap.core.population import Population, join_years
from futuremap.core.table import Table
from futuremap.core.zones import Zones
from futuremap.indicators.access_table import across_border, reach_overlap
from futuremap.pipeline.reach_rules import OnPlaces, of_age

Floats = NDArray[np.float64]
COSTS = ("rebuild_cost", "repair_cost", "renewal_cost")


def gather_years(people: Population, walks: Sequence[Crosswalk]) -> Population:
    """Count people in other zones by a crosswalk for every year ``(Y,)``."""
    if all(walk is walks[0] for walk in walks):
        return gather(people, walks[0])
    return join_years(
        [gather(people.at(year), walk) for year, walk in zip(people.years, walks, strict=True)],
    )


def life_cycle(
    facilities: Facilities,
    then: Timeline,
    rule: ReachRule,
    *,
    in_reach: Population,
) -> Table:
    """Age, people, load and cost of every facility of a class in every year.

    Parameters
    ----------
    facilities, then
        The class, those without coordinates too, and what becomes of it.
    rule
        Its rule.
    in_reach
        People in reach of those that have coordinates. [persons]

    Returns
    -------
    Table
        The numbers of people and what is made of them are not defined (NaN) for facilities
        without coordinates; costs where what falls due cannot be told.
    """
    name, ids = rule.facility_class, then.facilities
    place = {zone: i for i, zone in enumerate(ids)}
    here = [place[zone] for zone in in_reach.zones]
    everybody, people = np.full((2, len(then.years), len(ids)), np.nan)
    everybody[:, here], people[:, here] = in_reach.totals(), of_age(in_reach, rule)
    # nobody can divide by 0; FM672 said so
    room, area = (np.where(size > 0, size, np.nan) for size in (then.capacity, then.floor_area))
    values = {
        "in_service": then.open.astype(np.float64),
        "years_in_service": then.years_in_service,
        "life_left": then.life_left,
        "capacity": then.capacity,
        "floor_area": then.floor_area,
        "people_in_reach": everybody,
        "load": load(people, room, facilities=ids),
        "floor_area_per_head": per_head(area, people, facilities=ids),
    }
    table = Table.build(values, years=then.years, zones=ids)
    said = {
        key: {} if value is None else {name: float(value)}
        for key, value in (
            ("life_years", rule.life_years),
            ("extension_years", rule.extension_years),
            ("rebuild_cost", rule.rebuild_cost),
            ("repair_cost", rule.repair_cost),
        )
    }
    if rule.rebuild_cost is None and rule.repair_cost is None:
        nothing = np.full((len(then.years), len(ids)), np.nan)
        return table.join(Table.build(dict.fromkeys(COSTS, nothing), years=then.years, zones=ids))
    return table.join(renewal_costs(facilities, then.years, **said))


def overlapping(
    standing: Population,
    states: Sequence[OnPlaces | None],
    in_reach: Population,
) -> dict[str, Floats]:
    """People who reach no other facility of the class, and the share of the others ``(Y, F)``.

    Parameters
    ----------
    standing
        People of the areas. [persons]
    states
        Reach on places in every year; None where a rule gives everybody to one facility.
    in_reach
        People in reach of the facilities of the class that have coordinates. [persons]

    Notes
    -----
    The share is measured on the points where people stand, for exact circles too; the people
    are that share of those in reach, so that both add up.
    """
    each = [one.each for one in states if one is not None]
    alone = [one.alone for one in states if one is not None]
    if len(each) < len(states):
        return {}
    table = reach_overlap(*(_of(standing, walks, in_reach.zones) for walks in (each, alone)))
    share = table.data["value"].sel(indicator="reach_shared_share").values
    people = in_reach.totals()  # 0, not nothing, where nobody is in reach
    only = np.where(people > 0, people * (1 - share), 0.0)
    return {"people_only_here": only, "reach_shared_share": share}


def border(
    people: Population,
    walks: Sequence[Crosswalk],
    *,
    areas: Zones,
    town: str,
    outside: Floats,
    missing: Floats,
) -> dict[str, Floats]:
    """People in reach on both sides of the border ``(Y, F)``, if the other side is known.

    Parameters
    ----------
    people, areas
        People of the areas, of several municipalities. [persons]
    walks
        Areas to facilities in every year.
    town
        Code of the municipality whose facilities they are.
    outside, missing
        Share of each reach outside the municipality, and outside all that is known ``(F,)``.
        [ratio]
    """
    own = areas.frame["parent"].to_numpy() == town
    if own.all():
        return {}
    ours, theirs = (gather_years(people, _each_once(walks, kept)) for kept in (own, ~own))
    table = across_border(ours, theirs, outside=outside, missing=missing)
    kept = ("reach_in_town", "reach_in_neighbours", "reach_missing_share")
    return {name: table.data["value"].sel(indicator=name).values for name in kept}


def outside_of(
    points: Zones,
    rule: ReachRule,
    outlines: Sequence[Zones],
) -> list[Floats]:
    """Share of each circle that lies outside each outline ``(F,)``; NaN where no rule draws one.

    Parameters
    ----------
    points
        Facilities of the class that have coordinates.
    rule
        Their rule.
    outlines
        The municipality; and it and its neighbours, as one.
    """
    if rule.rule != "radius" or rule.radius_m is None:
        return [np.full(len(points), np.nan)] * len(outlines)
    return [share_outside(points, outline, radius=rule.radius_m) for outline in outlines]


def as_one(outlines: Sequence[Zones]) -> Zones:
    """Outlines of several municipalities as one area, in the plane zone of the first.

    Examples
    --------
    >>> east, west = (
    ...     Zones.build([code], [shapely.box(x, 34.0, x + 1, 35.0)], names=[code], parents=[code],
    ...                 kind="municipality", plane_zone=zone)
    ...     for code, x, zone in (("34204", 133.0, 3), ("33207", 134.0, 5))
    ... )
    >>> both = as_one([east, west])
    >>> both.plane_zone, shapely.bounds(both.geometry[0]).tolist()
    (3, [133.0, 34.0, 135.0, 35.0])
    """
    first = outlines[0]
    if len(outlines) == 1:
        return first
    shape = shapely.union_all([outline.geometry[0] for outline in outlines])
    frame = first.frame.iloc[:1].copy()
    frame.geometry = [shape]
    sources = sorted({source for outline in outlines for source in outline.sources})
    return replace(first, frame=frame, sources=tuple(sources))


def supply_per_person(
    then: Timeline,
    rule: ReachRule,
    states: Sequence[Crosswalk | None],
    people: Population,
) -> Floats | None:
    """Supply per person of every area ``(Y, Z)`` by two steps; None if the rule asks for none.

    Parameters
    ----------
    then
        The class through the years.
    rule
        Its rule.
    states
        Areas to the facilities in service, weighted, in every year ``(Y,)``.
    people
        People of the areas. [persons]
    """
    given = rule.accessibility
    if given is None:
        return None
    demand = of_age(people, rule)
    sizes = {"capacity": then.capacity, "floor_area": then.floor_area}
    size = sizes.get(given.supply, then.open.astype(np.float64))
    place = {zone: i for i, zone in enumerate(then.facilities)}
    found = np.empty(demand.shape)
    for t, reach in enumerate(states):
        if reach is None:
            raise AssertionError(f"no weighted reach of {rule.facility_class}")
        supply = size[t, [place[zone] for zone in reach.targets]]
        if given.unknown is not None:
            supply = np.where(np.isnan(supply), given.unknown, supply)
        found[t] = two_step(reach, supply=supply, demand=demand[[t]]).at_place[0]
    return found


def _of(people: Population, walks: Sequence[Crosswalk], located: Sequence[str]) -> Population:
    wanted: dict[int, Crosswalk] = {}
    for walk in walks:
        if id(walk) not in wanted:
            wanted[id(walk)] = _widened(walk, located)
    return gather_years(people, [wanted[id(walk)] for walk in walks])


def _widened(walk: Crosswalk, targets: Sequence[str]) -> Crosswalk:
    """The crosswalk with a row for every target wanted, empty where it has none."""
    row = {target: i for i, target in enumerate(walk.targets)}
    empty = len(walk.targets)
    order = np.array([row.get(target, empty) for target in targets], dtype=np.intp)
    weights = walk.weights.copy()
    weights.resize(empty + 1, len(walk.sources))
    return replace(walk, weights=weights[order], targets=tuple(targets))


def _each_once(walks: Sequence[Crosswalk], kept: NDArray[np.bool_]) -> list[Crosswalk]:
    """Crosswalks of some of their sources; the same for the same."""
    made: dict[int, Crosswalk] = {}
    for walk in walks:
        if id(walk) not in made:
            weights = walk.weights.multiply(kept[None, :]).tocsr()
            made[id(walk)] = replace(walk, weights=weights)
    return [made[id(walk)] for walk in walks]
