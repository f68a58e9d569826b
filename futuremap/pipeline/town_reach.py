"""Reach of one town's facilities, its neighbours in the project included; and who is covered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np
import shapely

from futuremap.catchment.coverage import within_radius_of_any
from futuremap.catchment.stand import Standing, stand, together
from futuremap.core.crosswalk import Crosswalk, from_pairs
from futuremap.core.population import Population, join_zones
from futuremap.core.zones import Zones, join
from futuremap.pipeline.prepare import Prepared, Town
from futuremap.pipeline.reach_measures import as_one, gather_years
from futuremap.pipeline.reach_rules import Ground
from futuremap.pipeline.reach_states import Memory
from futuremap.pipeline.reaching import Earlier, Reaching, reaching
from futuremap.pipeline.read_reach import rule_of

MARGIN = 1.001  # on a radius, for what may be touched
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
    earlier: Earlier | None = None,
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
    earlier
        What holds before some rules do.
    """
    if town.facilities is None:
        raise AssertionError(f"{town.code} has no facilities")
    memory = Memory(ground_of(prepared, town, population)) if like is None else like.memory
    if memory.ground.inputs is not town.reach:
        memory = memory.on(town.reach)
    people = like.sent if like is not None and _same(like.sent, population) else None
    if people is None:
        people = population.only(memory.ground.areas.ids)
    outlines = [town.outline, *(one.outline for one in _near(prepared, town) if one is not town)]
    return reaching(
        town.facilities,
        {name: rule_of(prepared.project, name) for name in town.class_names},
        people=people,
        memory=memory,
        outline=town.outline,
        known=as_one(outlines),
        town=town.code,
        earlier=earlier,
    )


def _same(sent: Population, population: Population) -> bool:
    """Whether people of some zones are those of a population, number by number."""
    place = {zone: i for i, zone in enumerate(population.zones)}
    columns = [place[zone] for zone in sent.zones]
    return bool((sent.persons == population.persons[:, columns]).all())


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


def covered_people(
    prepared: Prepared,
    outcomes: Sequence[Served],
    *,
    like: Sequence[Served] = (),
) -> Population | None:
    """People within the project's radius of any facility in service, whatever its class.

    Parameters
    ----------
    prepared
        Checked input.
    outcomes
        What came out by town.
    like
        What came out for the same towns in the baseline: only blocks near facilities that
        differ are measured again.
    """
    radius = prepared.project.reach.radius_m
    known = {one.town.code: one.reach for one in like if one.reach is not None}
    parts = []
    for one in outcomes:
        if one.reach is None:
            continue
        points, code = one.reach.zones, one.town.code
        walks = known[code].memory.unions if code in known else one.reach.memory.unions
        keys = []
        for state in one.reach.in_service:
            open_now = replace(points, frame=points.frame[state])
            keys.append((radius, _places(open_now)))
            if keys[-1] not in walks:
                walks[keys[-1]] = _union(open_now, one.town.blocks, walks, radius=radius, code=code)
        parts.append(gather_years(one.people, [walks[key] for key in keys]))
    return join_zones(parts) if parts else None


def _places(points: Zones) -> bytes:
    return bytes(shapely.get_coordinates(points.geometry).tobytes())


def _union(
    points: Zones,
    blocks: Zones,
    walks: Mapping[tuple[float, bytes], Crosswalk],
    *,
    radius: float,
    code: str,
) -> Crosswalk:
    """Blocks within a radius of any point: as in a union known already, where it is the same."""
    here = _rows(_places(points))
    others = {key: _rows(key[1]) for key in walks if key[0] == radius}
    if not others:
        return within_radius_of_any(points, blocks, radius=radius, target=code)
    like, there = min(others.items(), key=lambda item: len(here ^ item[1]))
    differ = shapely.points(np.array(sorted(here ^ there)))
    moved = Zones.build(
        [str(i) for i in range(len(differ))], differ, names=[""] * len(differ),
        parents=[code] * len(differ), kind="facility", plane_zone=points.plane_zone,
    )  # fmt: skip
    shapes = blocks.plane_geometry()
    tree = shapely.STRtree(shapes)
    touched = np.unique(tree.query(moved.plane_geometry(), "dwithin", radius * MARGIN)[1])
    share = np.zeros(len(blocks))
    held = walks[like].weights.tocoo()
    share[held.col] = held.data
    if len(touched):
        near = shapely.union_all(shapes[touched])
        close = shapely.dwithin(points.plane_geometry(), near, radius * MARGIN)
        part = within_radius_of_any(
            replace(points, frame=points.frame[close]),
            replace(blocks, frame=blocks.frame.iloc[touched]),
            radius=radius,
            target=code,
        )
        share[touched] = part.weights.toarray()[0]
    (source,) = np.nonzero(share)
    return from_pairs(
        np.zeros(len(source), dtype=np.intp), source, share[source], targets=[code],
        sources=blocks.ids, rule=walks[like].rule, credits=walks[like].credits,
    )  # fmt: skip


def _rows(places: bytes) -> set[tuple[float, float]]:
    return {(float(x), float(y)) for x, y in np.frombuffer(places).reshape(-1, 2)}


def _is_near(other: Town, town: Town) -> bool:
    """Whether the people of another town may come to this one's facilities."""
    if other.is_whole != town.is_whole:
        return False
    gap = shapely.distance(other.outline.geometry[0], town.outline.geometry[0])
    return bool(gap <= NEIGHBOURS)
