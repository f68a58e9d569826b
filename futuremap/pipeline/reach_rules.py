"""Which people count at the facilities of one class: the rule of the project, on its inputs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from futuremap.catchment.accessibility import Steps, weighted
from futuremap.catchment.allocate import Decay, huff, k_nearest, nearest_only, with_capacity
from futuremap.catchment.choice import only_here, within_any
from futuremap.catchment.cost import AS_SURFACE
from futuremap.catchment.coverage import within_radius_of_any
from futuremap.catchment.districts import by_districts, facility_of_district
from futuremap.catchment.load import served
from futuremap.catchment.network import FARTHEST as FROM_STREET
from futuremap.catchment.network import Reached, within_time
from futuremap.catchment.pairs import Pairs, near, nearest
from futuremap.catchment.reach import by_centroid, by_places, within_radius
from futuremap.catchment.stand import Standing, stand
from futuremap.catchment.streets import Mode, Speed
from futuremap.config.reach import Decay as DecaySetting
from futuremap.config.reach import ReachRule
from futuremap.core.crosswalk import Crosswalk, compose, from_pairs
from futuremap.core.facilities import Facilities
from futuremap.core.network import Network
from futuremap.core.population import Population
from futuremap.core.zones import Zones, by_parent
from futuremap.errors import LabelError
from futuremap.pipeline.read_reach import ReachInputs, meets

Floats = NDArray[np.float64]
Positions = NDArray[np.intp]
BY_TIME = ("walk", "car", "bus", "surface")  # rules with a limit in minutes
FARTHEST = 30_000.0  # to the facility that people are sent to, where the project says nothing [m]


class OnPlaces(NamedTuple):
    """Reach on the points where people stand, which says who has a choice.

    each, alone
        Areas to facilities: people in reach, and those of them who reach no other. [ratio]
    covered
        Areas to their municipality: people on the points with any facility in reach. [ratio]
    """

    each: Crosswalk
    alone: Crosswalk
    covered: Crosswalk


class Served(NamedTuple):
    """What a rule gives for the facilities in service.

    walk
        Areas to facilities. [ratio]
    covered
        Areas to their municipality: the share of their people with any facility, counted once.
    on_places
        The same on points; None where a rule gives everybody to some facilities in shares.
    """

    walk: Crosswalk
    covered: Crosswalk
    on_places: OnPlaces | None = None


@dataclass(frozen=True, eq=False)
class Ground:
    """What all rules of a town work on.

    Parameters
    ----------
    areas
        Town blocks: the town's own and those of its neighbours in the project.
    people
        People of the areas in the base year. [persons]
    standing
        Where they stand if that is known; else evenly on a grid.
    inputs
        Graphs on which people move, and districts, if the project gives them.
    by
        How facilities are found in districts, by class: "name" or "inside".
    """

    areas: Zones
    people: Population
    standing: Standing | None
    inputs: ReachInputs
    by: dict[str, Literal["name", "inside"]]

    @cached_property
    def places(self) -> Standing:
        """Points on which people stand."""
        return self.standing or stand(self.areas)


class Way(NamedTuple):
    """How people of a rule move: the graph, the mode and the speed on it. [km/h]"""

    network: Network
    mode: Mode
    speed: Speed | None


def way_of(rule: ReachRule, inputs: ReachInputs) -> Way | None:
    """The graph of a rule that goes by time; None for other rules, or if there is no graph.

    Parameters
    ----------
    rule
        The rule.
    inputs
        Graphs of the town.
    """
    if rule.rule == "surface" and inputs.surface is not None:
        return Way(inputs.surface, "car", AS_SURFACE)
    if rule.rule == "bus" and inputs.bus is not None:
        return Way(inputs.bus, "bus", None)
    if rule.rule == "walk" and inputs.roads is not None:
        return Way(inputs.roads, "walk", rule.speed_kmh)
    if rule.rule == "car" and inputs.roads is not None:
        return Way(inputs.roads, "car", rule.speed_kmh)
    return None


def of_age(people: Population, rule: ReachRule) -> Floats:
    """People of the ages that a class serves ``(Y, Z)``. [persons]

    Parameters
    ----------
    people
        People of areas or in reach of facilities. [persons]
    rule
        The rule of the class.
    """
    if not meets(rule, people.ages):  # a preset's ages inside a group; FM674 said so
        return people.totals()
    stop = None if rule.age_to is None else rule.age_to + 1
    return served(people, start=rule.age_from or 0, stop=stop)


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
    districts = ground.inputs.districts[name]
    served = facility_of_district(facilities, districts, by=ground.by[name])
    return _kept(compose(served.walk, by_districts(districts, ground.areas).walk), ground.areas)


def weighted_reach(rule: ReachRule, facilities: Zones, ground: Ground) -> Crosswalk | None:
    """Reach in which rings of distance or time count by their weights, for supply per person.

    Parameters
    ----------
    rule
        The rule; None is given back if it asks for no accessibility.
    facilities
        The facilities of the class that are in service.
    ground
        Where people are and how they move.
    """
    given = rule.accessibility
    if given is None:
        return None
    limits = given.limits or [(rule.minutes if rule.rule in BY_TIME else rule.radius_m) or 0.0]
    walk = weighted(
        _pairs_within(rule, facilities, ground, limits[-1]),
        facilities=facilities,
        places=ground.places.places,
        weight=Steps(tuple(limits), tuple(given.weights or [1.0])),
        rule=f"rings up to {limits[-1]:g}",
    )
    return compose(walk, ground.places.walk)


def _radius(rule: ReachRule, facilities: Zones, ground: Ground, size: Floats) -> Served:
    del size
    radius = _metres(rule)
    on_places = _whole(by_places(facilities, ground.places.places, radius=radius), ground)
    if ground.standing is not None:
        return on_places
    walk = within_radius(facilities, ground.areas, radius=radius)
    union = within_radius_of_any(facilities, ground.areas, radius=radius, target="any")
    held = union.weights.tocoo()
    covered = _to_parents(held.col.astype(np.intp), held.data, union, ground.areas)
    return Served(walk, covered, on_places.on_places)


def _centroid(rule: ReachRule, facilities: Zones, ground: Ground, size: Floats) -> Served:
    del size
    walk = by_centroid(facilities, ground.areas, radius=_metres(rule))
    covered = within_any(walk, ground.areas)
    return Served(walk, covered, OnPlaces(walk, only_here(walk), covered))


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
        people=np.asarray(standing.walk.weights @ of_age(ground.people, rule)[0]),
    )
    return _shared(found.walk, ground)


def _by_time(rule: ReachRule, facilities: Zones, ground: Ground, size: Floats) -> Served:
    del size
    return _whole(_reached(rule, facilities, ground).reach, ground)


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
    return _reached(rule, facilities, ground).reach


def _reached(rule: ReachRule, facilities: Zones, ground: Ground) -> Reached:
    way = way_of(rule, ground.inputs)
    if way is None or rule.minutes is None:
        raise LabelError(f"the rule {rule.rule} of {rule.facility_class} has no graph or time")
    return within_time(
        facilities,
        ground.places.places,
        way.network,
        minutes=rule.minutes,
        mode=way.mode,
        speed=way.speed,
        farthest=FROM_STREET if rule.farthest_m is None else rule.farthest_m,
    )


def _pairs_within(rule: ReachRule, facilities: Zones, ground: Ground, limit: float) -> Pairs:
    """Places within a time where the rule goes by time, else within a distance. [min or m]"""
    if rule.rule in BY_TIME:
        return _reached(rule.model_copy(update={"minutes": limit}), facilities, ground).times
    return near(facilities, ground.places.places, radius=limit)


def _whole(reach: Crosswalk, ground: Ground) -> Served:
    # every place is reached or not: coverage counts each place once
    places, walk = ground.places.places, ground.places.walk
    each, covered = compose(reach, walk), compose(within_any(reach, places), walk)
    return Served(each, covered, OnPlaces(each, compose(only_here(reach), walk), covered))


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
    "walk": _by_time,
    "car": _by_time,
    "bus": _by_time,
    "surface": _by_time,
}
