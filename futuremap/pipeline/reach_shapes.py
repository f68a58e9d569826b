"""Outlines of the reach of a town's facilities, one for each, by the rule of its class."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from futuremap.catchment.districts import facility_of_district
from futuremap.catchment.outlines import circles, hulls, of_districts
from futuremap.config.reach import ReachRule
from futuremap.core.facilities import Facilities
from futuremap.core.population import Population
from futuremap.pipeline.prepare import Prepared, Town
from futuremap.pipeline.reach_rules import BY_TIME, Ground, reached_in_time
from futuremap.pipeline.read_reach import of_class, rule_of
from futuremap.pipeline.town_reach import ground_of

Shapes = NDArray[np.object_]
ROUND = ("radius", "centroid")


def reach_shapes(prepared: Prepared, town: Town, population: Population) -> Shapes:
    """Outline of the reach of every facility with coordinates, in degrees ``(F,)``.

    Parameters
    ----------
    prepared
        Checked input.
    town
        One of its towns.
    population
        People of all blocks of all towns. [persons]

    Returns
    -------
    ndarray
        A circle, the districts served, or a hull of the places within time. None where people
        are shared out among facilities: such a reach has no edge.
    """
    if town.facilities is None:
        return np.empty(0, dtype=object)
    located = town.facilities.located
    found = np.full(len(located), None, dtype=object)
    place = {zone: i for i, zone in enumerate(located.ids)}
    ground = ground_of(prepared, town, population)
    for name in town.class_names:
        part = of_class(town.facilities, name)
        rule = rule_of(prepared.project, name)
        if len(part.located):
            here = [place[zone] for zone in part.located.ids]
            found[here] = _of_class(rule, part, ground)
    return found


def _of_class(rule: ReachRule, part: Facilities, ground: Ground) -> Shapes:
    points = part.located
    if rule.rule in ROUND and rule.radius_m is not None:
        return circles(points, radius=rule.radius_m)
    if rule.rule in BY_TIME:
        walk = reached_in_time(rule, points, ground)
        return hulls(walk, points, ground.places.places)
    if rule.rule == "districts":
        districts, by = ground.inputs.districts[rule.facility_class], ground.by[rule.facility_class]
        return of_districts(facility_of_district(part, districts, by=by).walk, districts)
    return np.full(len(points), None, dtype=object)
