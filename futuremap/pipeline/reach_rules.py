"""Which people count at the facilities of one class: the rule of the project, on its inputs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from futuremap.catchment.allocate import Decay, huff, k_nearest, nearest_only, with_capacity
from futuremap.catchment.choice import within_any
from futuremap.catchment.cost import AS_SURFACE
from futuremap.catchment.coverage import within_radius_of_any
from futuremap.catchment.districts import by_districts, facility_of_district
from futuremap.catchment.network import FARTHEST as FROM_STREET
from futuremap.catchment.network import Reached, within_time
from futuremap.catchment.pairs import Pairs, nearest
from futuremap.catchment.reach import by_centroid, by_places, within_radius
from futuremap.catchment.stand import Standing, stand
from futuremap.catchment.streets import Speed
from futuremap.config.reach import Decay as DecaySetting
from futuremap.config.reach import ReachRule
from futuremap.core.crosswalk import Crosswalk, compose, from_pairs
from futuremap.core.facilities import Facilities
from futuremap.core.network import Network
from futuremap.core.zones import Zones, by_parent
from futuremap.errors import LabelError

Floats = NDArray[np.float64]
Positions = NDArray[np.intp]
BY_TIME = ("walk", "car", "surface")
FARTHEST = 30_000.0  # to the facility that people are sent to, where the project says nothing [m]


class Served(NamedTuple):
    """What a rule gives for the facilities in service.

    walk
        Areas to facilities. [ratio]
    covered
        Areas to their municipality: the share of their people with any facility, counted once.
    """

    walk: Crosswalk
    covered: Crosswalk


@dataclass(frozen=True, eq=False)
class Ground:
    """What all rules of a town work on.

    Parameters
    ----------
    areas
        Town blocks: the town's own and those of its neighbours in the project.
    people
        People of each area in the base year ``(Z,)``. [persons]
    standing
        Where they stand if that is known; else evenly on a grid.
    roads, surface
        Graphs on which people move, if the project gives them.
    districts
        Districts of the facilities of a class.
    by
        How facilities are found in districts, by class: "name" or "inside".
    """

    areas: Zones
    people: Floats
    standing: Standing | None
    roads: Network | None
    surface: Network | None
    districts: dict[str, Zones]
    by: dict[str, Literal["name", "inside"]]

    @cached_property
    def places(self) -> Standing:
        """Points on which people stand."""
        return self.standing or stand(self.areas)


def serve(rule: ReachRule, facilities: Zones, ground: Ground, *, size: Floats) -> Served:
    """Apply the rule of a class.

    Parameters
    ----------
    rule
        The rule, checked.
    facilities
        The facilities of the class that are in service.
    ground
        Where people are and how they move.
    size
        Capacity or floor area of each facility, where the rule asks for one ``(F,)``.

    Raises
    ------
    LabelError
        If the rule needs a graph or districts that are not there.
    """
    return RULES[rule.rule](rule, facilities, ground, size)


def serve_districts(name: str, facilities: Facilities, ground: Ground) -> Served:
    """People of the districts that the facilities of a class serve, open or not.

    Parameters
    ----------
    name
        The class.
    facilities
        All facilities of the class.
    ground
        Where people are, and the districts.
    """
    districts = ground.districts[name]
    served = facility_of_district(facilities, districts, by=ground.by[name])
    return _kept(compose(served.walk, by_districts(districts, ground.areas).walk), ground.areas)


def _radius(rule: ReachRule, facilities: Zones, ground: Ground, size: Floats) -> Served:
    del size
    radius = _metres(rule)
    if ground.standing is not None:
        return _whole(by_places(facilities, ground.standing.places, radius=radius), ground)
    walk = within_radius(facilities, ground.areas, radius=radius)
    union = within_radius_of_any(facilities, ground.areas, radius=radius, target="any")
    held = union.weights.tocoo()
    return Served(walk, _to_parents(held.col.astype(np.intp), held.data, union, ground.areas))


def _centroid(rule: ReachRule, facilities: Zones, ground: Ground, size: Floats) -> Served:
    del size
    walk = by_centroid(facilities, ground.areas, radius=_metres(rule))
    return Served(walk, within_any(walk, ground.areas))


def _nearest(rule: ReachRule, facilities: Zones, ground: Ground, size: Floats) -> Served:
    del size
    pairs = _pairs(facilities, ground, rule, k=1)
    found = nearest_only(pairs, facilities=facilities, places=ground.places.places)
    return _shared(found.walk, ground)


def _k_nearest(rule: ReachRule, facilities: Zones, ground: Ground, size: Floats) -> Served:
    del size
    k = rule.k or 1
    pairs = _pairs(facilities, ground, rule, k=k)
    found = k_nearest(pairs, facilities=facilities, places=ground.places.places, k=k)
    return _shared(found.walk, ground)


def _huff(rule: ReachRule, facilities: Zones, ground: Ground, size: Floats) -> Served:
    given = rule.decay or DecaySetting()
    found = huff(
        _pairs(facilities, ground, rule, k=len(facilities)),
        facilities=facilities,
        places=ground.places.places,
        attraction=size,
        decay=Decay(given.form, given.parameter),
    )
    return _shared(found.walk, ground)


def _capacity(rule: ReachRule, facilities: Zones, ground: Ground, size: Floats) -> Served:
    standing = ground.places
    found = with_capacity(
        _pairs(facilities, ground, rule, k=len(facilities)),
        facilities=facilities,
        places=standing.places,
        capacity=size,
        people=np.asarray(standing.walk.weights @ ground.people),
    )
    return _shared(found.walk, ground)


def _by_road(rule: ReachRule, facilities: Zones, ground: Ground, size: Floats) -> Served:
    del size
    return _in_time(rule, facilities, ground, network=ground.roads, speed=rule.speed_kmh)


def _on_surface(rule: ReachRule, facilities: Zones, ground: Ground, size: Floats) -> Served:
    del size
    return _in_time(rule, facilities, ground, network=ground.surface, speed=AS_SURFACE)


def _in_time(
    rule: ReachRule,
    facilities: Zones,
    ground: Ground,
    *,
    network: Network | None,
    speed: Speed | None,
) -> Served:
    reached = _reached(rule, facilities, ground, network=network, speed=speed)
    return _whole(reached.reach, ground)


def reached_in_time(rule: ReachRule, facilities: Zones, ground: Ground) -> Crosswalk:
    """Places from which facilities are reached, for a rule that goes by time ``(F, M)``.

    Parameters
    ----------
    rule
        One of the rules of `BY_TIME`, checked.
    facilities
        Its facilities.
    ground
        Where people are and how they move.

    Raises
    ------
    LabelError
        If the rule needs a graph that is not there.
    """
    road = rule.rule != "surface"
    network = ground.roads if road else ground.surface
    speed = rule.speed_kmh if road else AS_SURFACE
    return _reached(rule, facilities, ground, network=network, speed=speed).reach


def _reached(
    rule: ReachRule,
    facilities: Zones,
    ground: Ground,
    *,
    network: Network | None,
    speed: Speed | None,
) -> Reached:
    if network is None or rule.minutes is None:
        raise LabelError(f"the rule {rule.rule} of {rule.facility_class} has no graph or time")
    return within_time(
        facilities,
        ground.places.places,
        network,
        minutes=rule.minutes,
        mode="walk" if rule.rule == "walk" else "car",
        speed=speed,
        farthest=FROM_STREET if rule.farthest_m is None else rule.farthest_m,
    )


def _whole(reach: Crosswalk, ground: Ground) -> Served:
    # every place is reached or not: coverage counts each place once
    places, walk = ground.places.places, ground.places.walk
    return Served(compose(reach, walk), compose(within_any(reach, places), walk))


def _shared(walk: Crosswalk, ground: Ground) -> Served:
    # every place is shared out among facilities: what is given away is covered
    return _kept(compose(walk, ground.places.walk), ground.areas)


def _kept(walk: Crosswalk, areas: Zones) -> Served:
    given = np.asarray(walk.weights.sum(axis=0)).ravel()
    (source,) = np.nonzero(given)
    return Served(walk, _to_parents(source, given[source], walk, areas))


def _to_parents(source: Positions, share: Floats, walk: Crosswalk, areas: Zones) -> Crosswalk:
    codes, parent = by_parent(areas.frame["parent"].to_numpy(dtype=object))
    return from_pairs(
        parent[source],
        source,
        share,
        targets=codes,
        sources=areas.ids,
        rule=f"{walk.rule}, each person once",
        credits=walk.credits,
    )


def _pairs(facilities: Zones, ground: Ground, rule: ReachRule, *, k: int) -> Pairs:
    farthest = rule.farthest_m or FARTHEST
    return nearest(facilities, ground.places.places, k=max(k, 1), farthest=farthest)


def _metres(rule: ReachRule) -> float:
    if rule.radius_m is None:
        raise LabelError(f"the rule of {rule.facility_class} has no radius")
    return rule.radius_m


RULES: dict[str, Callable[[ReachRule, Zones, Ground, Floats], Served]] = {
    "radius": _radius,
    "centroid": _centroid,
    "nearest": _nearest,
    "k_nearest": _k_nearest,
    "huff": _huff,
    "capacity": _capacity,
    "walk": _by_road,
    "car": _by_road,
    "surface": _on_surface,
}
