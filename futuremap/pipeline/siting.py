"""Which facilities of a class to keep, for the people of a later year; as events for a project."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np

from futuremap.catchment.network import within_time
from futuremap.catchment.pairs import Pairs, near, nearest
from futuremap.catchment.siting import Candidates, max_coverage, p_median
from futuremap.catchment.stand import stand
from futuremap.catchment.travel import to_nearest
from futuremap.core.facilities import Facilities
from futuremap.core.zones import Zones
from futuremap.errors import UnknownNameError
from futuremap.pipeline.read_reach import of_class, rule_of
from futuremap.pipeline.run import Outcome, TownOutcome

Goal = Literal["coverage", "distance"]
SPACING = 250.0  # of the places between which distances are added up [m]


class Choice(NamedTuple):
    """Facilities to keep.

    town
        Code of the municipality.
    year
        The year whose people count.
    kept, closed
        Ids of the facilities.
    names
        Name of every facility by its id.
    reached
        People within reach of a kept facility. [persons]
    all_people
        People of the municipality. [persons]
    metres
        Mean distance to the nearest kept facility. [m]
    gap
        How far the answer may be from the best, as a share; 0 is proven best.
    """

    town: str
    year: int
    kept: tuple[str, ...]
    closed: tuple[str, ...]
    names: dict[str, str]
    reached: float
    all_people: float
    metres: float
    gap: float

    def events(self) -> str:
        """The closures as they stand in a project.toml, with the years left to the town."""
        return "\n".join(
            f'[[municipality.event]]\nfacility = "{facility}"  # {self.names[facility]}\n'
            f'year = {self.year}\nevent = "close"\n'
            for facility in self.closed
        )


def choose(
    outcome: Outcome,
    facility_class: str,
    *,
    keep: int,
    year: int,
    goal: Goal = "coverage",
    fixed: Sequence[str] = (),
) -> tuple[Choice, ...]:
    """Keep so many facilities of a class that most people, or the nearest ways, remain.

    Parameters
    ----------
    outcome
        A finished run.
    facility_class
        The class; a choice is made for every town that has it.
    keep
        How many facilities stay.
    year
        A year of the projection.
    goal
        "coverage": most people within reach by the rule of the class (a radius, or minutes by
        road). "distance": least sum of people × straight distance.
    fixed
        Ids of facilities that stay in any case.

    Raises
    ------
    UnknownNameError
        If no town has facilities of this class.
    SolveError
        If so many cannot be kept.
    """
    found = [
        _choose(outcome, town, facility_class, keep=keep, year=year, goal=goal, fixed=fixed)
        for town in outcome.towns
        if town.town.facilities is not None and facility_class in town.town.class_names
    ]
    if not found:
        known = sorted({name for town in outcome.towns for name in town.town.class_names})
        raise UnknownNameError(facility_class, tuple(known))
    return tuple(found)


def _choose(
    outcome: Outcome,
    town: TownOutcome,
    facility_class: str,
    *,
    keep: int,
    year: int,
    goal: Goal,
    fixed: Sequence[str],
) -> Choice:
    facilities = of_class(_of(town), facility_class)
    located = facilities.located
    standing = stand(town.town.blocks, spacing=SPACING)
    places = standing.places
    people = np.asarray(standing.walk.weights @ town.people.at(year).totals()[0])
    candidates = Candidates(
        located.ids,
        places.ids,
        _pairs(outcome, town, facility_class, located, places)
        if goal == "coverage"
        else nearest(located, places, k=len(located)),
        people,
        tuple(fixed),
        credits=(*located.sources, *places.sources),
    )
    sited = max_coverage(candidates, keep) if goal == "coverage" else p_median(candidates, keep)
    kept = Zones(located.frame.loc[list(sited.chosen)], "facility", located.plane_zone)
    metres = to_nearest(nearest(kept, places), len(places))
    within = np.unique(_pairs(outcome, town, facility_class, kept, places).place)
    names = dict(zip(located.ids, located.names, strict=True))
    return Choice(
        town.town.code,
        year,
        sited.chosen,
        tuple(zone for zone in located.ids if zone not in set(sited.chosen)),
        names,
        float(people[within].sum()),
        float(people.sum()),
        float(metres @ people / people.sum()),
        sited.gap,
    )


def _of(town: TownOutcome) -> Facilities:
    if town.town.facilities is None:
        raise AssertionError(f"{town.town.code} has no facilities")
    return town.town.facilities


def _pairs(
    outcome: Outcome,
    town: TownOutcome,
    facility_class: str,
    facilities: Zones,
    places: Zones,
) -> Pairs:
    """Which places a facility reaches by the rule of its class, or within the project's radius."""
    project, roads = outcome.prepared.project, town.town.reach.roads
    rule = rule_of(project, facility_class)
    if rule.rule in ("walk", "car") and roads is not None and rule.minutes is not None:
        mode: Literal["walk", "car"] = "walk" if rule.rule == "walk" else "car"
        found = within_time(
            facilities, places, roads, minutes=rule.minutes, mode=mode, speed=rule.speed_kmh
        )
        return found.times
    return near(facilities, places, radius=rule.radius_m or project.reach.radius_m)
