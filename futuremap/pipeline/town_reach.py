"""Reach of one town's facilities, its neighbours in the project included; and who is covered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Protocol

import shapely

from futuremap.catchment.coverage import within_radius_of_any
from futuremap.config.reach import ReachRule
from futuremap.core.crosswalk import Crosswalk
from futuremap.core.population import Population, join_zones
from futuremap.core.zones import join
from futuremap.pipeline.prepare import Prepared, Town
from futuremap.pipeline.reach_rules import Ground
from futuremap.pipeline.reaching import Memory, Reaching, gather_years, reaching
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


def in_reach(
    prepared: Prepared,
    town: Town,
    population: Population,
    *,
    like: Reaching | None = None,
    rules: Mapping[str, ReachRule] | None = None,
) -> Reaching:
    """People within reach of a town's facilities by the rules of the project.

    Parameters
    ----------
    prepared
        Checked input.
    town
        One of its towns, with facilities.
    population
        People of all blocks of all towns. [persons]
    like
        The baseline's, whose ground and crosswalks are used again where they are the same.
    rules
        Rules in place of the project's own, by class.
    """
    if town.facilities is None:
        raise AssertionError(f"{town.code} has no facilities")
    if like is None:
        memory = Memory(_ground(prepared, town, population))
    else:
        memory = like.memory
    people = like.sent if like is not None and _same(like.sent, population) else None
    if people is None:
        people = population.only(memory.ground.areas.ids)
    given = rules or {}
    return reaching(
        town.facilities,
        {name: given.get(name, rule_of(prepared.project, name)) for name in town.class_names},
        people=people,
        memory=memory,
        outline=town.outline,
        town=town.code,
    )


def _same(sent: Population, population: Population) -> bool:
    """Whether people of some zones are those of a population, number by number."""
    place = {zone: i for i, zone in enumerate(population.zones)}
    columns = [place[zone] for zone in sent.zones]
    return bool((sent.persons == population.persons[:, columns]).all())


def _ground(prepared: Prepared, town: Town, population: Population) -> Ground:
    near = [other for other in prepared.towns if _is_near(other, town)]
    areas = join([other.blocks for other in near])
    people = population.only(areas.ids)
    entry = next(m for m in prepared.project.municipality if m.code == town.code)
    return Ground(
        areas,
        people.totals()[0],
        town.standing if len(near) == 1 else None,
        town.reach.roads,
        town.reach.surface,
        town.reach.districts,
        {given.facility_class: given.by for given in entry.districts},
    )


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
    if other.blocks.plane_zone != town.blocks.plane_zone or other.is_whole != town.is_whole:
        return False
    gap = shapely.distance(other.outline.geometry[0], town.outline.geometry[0])
    return bool(gap <= NEIGHBOURS)
