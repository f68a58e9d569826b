"""Reach of one town's facilities, its neighbours in the project included; and who is covered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

import shapely

from futuremap.catchment.coverage import within_radius_of_any
from futuremap.catchment.stand import Standing, stand, together
from futuremap.core.crosswalk import Crosswalk
from futuremap.core.population import Population, join_zones
from futuremap.core.zones import join
from futuremap.pipeline.prepare import Prepared, Town
from futuremap.pipeline.reach_measures import as_one, gather_years
from futuremap.pipeline.reach_rules import Ground
from futuremap.pipeline.reaching import Reaching, reaching
from futuremap.pipeline.read_reach import rule_of

NEIGHBOURS = 0.5  # degrees between the boundaries of towns whose people are counted together


class Served(Protocol):
    """What came out for one municipality, as far as coverage needs it."""

    @property
    def town(self) -> Town:
        """What went in."""
        ...

    @property
    def people(self) -> Population:
        """Its people by block."""
        ...

    @property
    def reach(self) -> Reaching | None:
        """The reach of its facilities."""
        ...


def in_reach(prepared: Prepared, town: Town, population: Population) -> Reaching:
    """People within reach of a town's facilities by the rules of the project.

    Parameters
    ----------
    prepared
        Checked input.
    town
        One of its towns, with facilities.
    population
        People of all blocks of all towns. [persons]
    """
    if town.facilities is None:
        raise AssertionError(f"{town.code} has no facilities")
    ground = ground_of(prepared, town, population)
    people = population.only(ground.areas.ids)
    outlines = [town.outline, *(one.outline for one in _near(prepared, town) if one is not town)]
    return reaching(
        town.facilities,
        {name: rule_of(prepared.project, name) for name in town.class_names},
        people=people,
        ground=ground,
        outline=town.outline,
        known=as_one(outlines),
        town=town.code,
    )


def ground_of(prepared: Prepared, town: Town, population: Population) -> Ground:
    """What the rules of reach of a town work on, its neighbours in the project included.

    Parameters
    ----------
    prepared
        Checked input.
    town
        One of its towns.
    population
        People of all blocks of all towns. [persons]
    """
    near = _near(prepared, town)
    # all are measured in the plane zone of the facilities, wherever the border runs
    zone = town.blocks.plane_zone
    areas = join([replace(other.blocks, plane_zone=zone) for other in near])
    people = population.only(areas.ids)
    entry = next(m for m in prepared.project.municipality if m.code == town.code)
    return Ground(
        areas,
        people.at(people.years[0]),
        _standing(near, zone),
        town.reach,
        {given.facility_class: given.by for given in entry.districts},
    )


def _near(prepared: Prepared, town: Town) -> list[Town]:
    return [other for other in prepared.towns if _is_near(other, town)]


def _standing(near: Sequence[Town], plane_zone: int) -> Standing | None:
    """Where the people of all these towns stand, if that is known of any of them."""
    if all(other.standing is None for other in near):
        return None
    parts = []
    for other in near:
        found = other.standing or stand(replace(other.blocks, plane_zone=plane_zone))
        parts.append(found._replace(places=replace(found.places, plane_zone=plane_zone)))
    return together(parts)


def covered_people(prepared: Prepared, outcomes: Sequence[Served]) -> Population | None:
    """People within the project's radius of any facility in service, whatever its class.

    Parameters
    ----------
    prepared
        Checked input.
    outcomes
        What came out by town.
    """
    radius = prepared.project.reach.radius_m
    parts = []
    for one in outcomes:
        if one.reach is None:
            continue
        points, code = one.reach.zones, one.town.code
        walks: dict[bytes, Crosswalk] = {}
        for state in one.reach.in_service:
            if state.tobytes() not in walks:
                walks[state.tobytes()] = within_radius_of_any(
                    replace(points, frame=points.frame[state]),
                    one.town.blocks,
                    radius=radius,
                    target=code,
                )
        by_year = [walks[state.tobytes()] for state in one.reach.in_service]
        parts.append(gather_years(one.people, by_year))
    return join_zones(parts) if parts else None


def _is_near(other: Town, town: Town) -> bool:
    """Whether the people of another town may come to this one's facilities."""
    if other.is_whole != town.is_whole:
        return False
    gap = shapely.distance(other.outline.geometry[0], town.outline.geometry[0])
    return bool(gap <= NEIGHBOURS)
