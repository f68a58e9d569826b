"""Which facilities of a class to keep, or where to put one, for the people of a later year.

outcome = fm.run(fm.open_project("project.toml"))
(choice,) = fm.choose(outcome, "community_center", year=2053, keep=40)
print(choice.events())
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

from futuremap.catchment.network import nearest_time, within_time
from futuremap.catchment.pairs import Pairs, near, nearest
from futuremap.catchment.siting import Candidates, Sited, max_coverage, p_median, set_cover
from futuremap.catchment.stand import Standing, coarser, stand
from futuremap.config.reach import ReachRule
from futuremap.core.facilities import Facilities
from futuremap.core.zones import Zones, join
from futuremap.errors import DemographyError, UnknownNameError
from futuremap.pipeline.reach_rules import Way, way_of
from futuremap.pipeline.reach_states import course_of, some_of
from futuremap.pipeline.read_reach import rule_of
from futuremap.pipeline.run import Outcome, TownOutcome

Floats = NDArray[np.float64]
Goal = Literal["coverage", "distance", "cover"]
Verdict = Literal["keep", "close", "new"]
SPACING = 250.0  # of the cells between which a choice is made [m]
INHABITED = 0.5  # persons; a block with fewer is no place for a new facility
NEW = "new@"  # before the id of the block in which a new facility would stand


class Row(NamedTuple):
    """One facility of a choice.

    facility, name, verdict
        Its id and name, and whether it stays, closes or is new.
    years_in_service
        In the chosen year, NaN where unknown. [years]
    before, after
        People who have it nearest, of all in service and of those that stay. [persons]
    latitude, longitude
        Where it stands.
    """

    facility: str
    name: str
    verdict: Verdict
    years_in_service: float
    before: float
    after: float
    latitude: float
    longitude: float


class Access(NamedTuple):
    """How people of the chosen year reach the class.

    within
        People within reach of any facility, by the rule of the class. [persons]
    mean
        Mean distance or time to the nearest one. [m or min]
    """

    within: float
    mean: float


class Choice(NamedTuple):
    """Facilities to keep, or to add.

    town, town_name, facility_class, class_name
        The municipality and the class.
    year, goal
        The year whose people count, and what was made best.
    rows
        The facilities: those that stay, are new, and close, each by id.
    people
        People of the municipality. [persons]
    before, after
        Access now and after the choice, of the people of that year.
    unit
        Of the mean: metres in a straight line, minutes where the rule goes by road.
    reach
        What is within reach, such as "800 m".
    gap
        How far the answer may be from the best, as a share; 0 is proven best.
    """

    town: str
    town_name: str
    facility_class: str
    class_name: str
    year: int
    goal: Goal
    rows: tuple[Row, ...]
    people: float
    before: Access
    after: Access
    unit: Literal["m", "min"]
    reach: str
    gap: float

    def of(self, verdict: Verdict) -> tuple[str, ...]:
        """Ids of the facilities with a verdict."""
        return tuple(row.facility for row in self.rows if row.verdict == verdict)

    @property
    def kept(self) -> tuple[str, ...]:
        """Ids of the facilities that stay."""
        return self.of("keep")

    @property
    def closed(self) -> tuple[str, ...]:
        """Ids of the facilities that close."""
        return self.of("close")

    @property
    def new(self) -> tuple[str, ...]:
        """Ids of the places chosen for new facilities."""
        return self.of("new")

    def events(self) -> str:
        """The closures as they stand in a project.toml, below their [[municipality]]."""
        return "\n".join(
            "[[municipality.event]]\n"
            f"facility = {json.dumps(row.facility)}  # {' '.join(row.name.split())}\n"
            f'year = {self.year}\nevent = "close"\n'
            for row in self.rows
            if row.verdict == "close"
        )


class _Question(NamedTuple):
    town: TownOutcome
    rule: ReachRule
    way: Way | None
    radius: float
    year: int


def choose(
    outcome: Outcome,
    facility_class: str,
    *,
    year: int,
    keep: int | None = None,
    add: int = 0,
    goal: Goal = "coverage",
    fixed: Sequence[str] = (),
    municipality: str = "",
) -> tuple[Choice, ...]:
    """Keep so many facilities of a class, or add some, so that people have it best.

    Parameters
    ----------
    outcome
        A finished run.
    facility_class
        The class; a choice is made for every town that has facilities of it in service.
    year
        A year of the projection, whose people and facilities count.
    keep
        How many facilities stay; None with `add`, and with the goal "cover".
    add
        How many new ones are added to all that are there, each in an inhabited town block.
    goal
        "coverage": most people within reach by the rule of the class (its radius, or minutes by
        road). "distance": least sum of people × straight distance. "cover": the fewest
        facilities that reach everybody whom all of them reach.
    fixed
        Ids or names of facilities that stay in any case.
    municipality
        Code of the only town for which a choice is made; every town if none is said.

    Returns
    -------
    tuple of Choice
        One a town, in the order of the project. The choice is made between the people on cells
        of 250 m; access before and after is counted on 100 m, or where dwellings are known, on
        those.

    Raises
    ------
    UnknownNameError
        If no town has facilities of this class, one that stays is called nothing there, or the
        year is not projected.
    DemographyError
        If not exactly one of `keep`, `add` and the goal "cover" is asked.
    SolveError
        If so many cannot be kept.
    """
    years = outcome.prepared.project.projected_years
    if year not in years:
        raise UnknownNameError(str(year), tuple(map(str, years)))
    asked = (keep is not None) + (add > 0) + (goal == "cover")
    if asked != 1 or add < 0 or (keep is not None and keep < 0):
        raise DemographyError(
            'keep、add、goal = "cover" のどれか1つ / exactly one of keep, add and goal = "cover"'
        )
    found = [
        _choose(
            _question(outcome, town, facility_class, year), goal, keep=keep, add=add, fixed=fixed
        )
        for town in outcome.towns
        if town.town.facilities is not None
        and facility_class in town.town.class_names
        and municipality in ("", town.town.code)
    ]
    if not found:
        known = sorted({name for town in outcome.towns for name in town.town.class_names})
        raise UnknownNameError(facility_class, tuple(known))
    return tuple(found)


def _question(outcome: Outcome, town: TownOutcome, name: str, year: int) -> _Question:
    project, served = outcome.prepared.project, town.town.reach
    rule = rule_of(project, name)
    way = way_of(rule, served)
    radius = rule.radius_m or project.reach.radius_m
    return _Question(town, rule, way if rule.minutes is not None else None, radius, year)


def _choose(
    asked: _Question,
    goal: Goal,
    *,
    keep: int | None,
    add: int,
    fixed: Sequence[str],
) -> Choice:
    town = asked.town.town
    standing, age = _in_service(asked)
    stays = _named(fixed, standing)
    people = asked.town.people.at(asked.year).totals()[0]
    fine = town.standing or stand(town.blocks)
    cells, crowd = coarser(fine, people, spacing=SPACING)
    sites = standing
    if add:
        sites, stays = join([standing, _new_sites(asked, people)]), list(standing.ids)
    count = len(standing) + add if keep is None else keep
    if goal == "distance":
        # of the facilities of a place so many close at most: one of the others is kept
        pairs = nearest(sites, cells, k=max(1, len(sites) - count + 1))
    else:
        pairs = _within(asked, sites, cells)
    reached = np.zeros(len(cells), dtype=np.bool_)
    reached[pairs.place] = True
    demand = np.where(reached, crowd, 0.0) if goal == "cover" else crowd
    candidates = Candidates(
        sites.ids,
        cells.ids,
        pairs,
        demand,
        tuple(stays),
        credits=(*sites.sources, *cells.sources),
    )
    sited = _solve(candidates, goal, count)
    return _answer(asked, goal, sited, sites=sites, standing=standing, age=age, fine=fine)


def _solve(candidates: Candidates, goal: Goal, count: int) -> Sited:
    if goal == "cover":
        return set_cover(candidates)
    return (max_coverage if goal == "coverage" else p_median)(candidates, count)


def _in_service(asked: _Question) -> tuple[Zones, dict[str, float]]:
    """The facilities of the class in service in the year, where they then stand, and their age."""
    if asked.town.reach is None:
        raise AssertionError(f"{asked.town.town.code} has no facilities")
    known = asked.town.reach.memory
    course = course_of(_of(asked.town), asked.rule, (asked.year,), memory=known)
    ids = np.asarray(course.then.facilities, dtype=object)
    at = np.flatnonzero(course.open[0])
    age = dict(zip(course.then.facilities, course.then.years_in_service[0].tolist(), strict=True))
    return some_of(course.every.zones, at, ids[course.every.facility[at]]), age


def _of(town: TownOutcome) -> Facilities:
    if town.town.facilities is None:
        raise AssertionError(f"{town.town.code} has no facilities")
    return town.town.facilities


def _named(fixed: Sequence[str], standing: Zones) -> list[str]:
    names: dict[str, list[str]] = {}
    for zone, name in zip(standing.ids, standing.names, strict=True):
        names.setdefault(name, []).append(zone)
    known = set(standing.ids)
    stays = []
    for word in fixed:
        called = [word] if word in known else names.get(word, [])
        if len(called) != 1:
            raise UnknownNameError(word, tuple(called or sorted(names)[:3]))
        stays += called
    return stays


def _new_sites(asked: _Question, people: Floats) -> Zones:
    """A point in every inhabited town block."""
    blocks = asked.town.town.blocks
    kept = people >= INHABITED
    frame = blocks.frame[kept].set_axis([f"{NEW}{zone}" for zone in blocks.frame.index[kept]])
    frame.index.name = "zone"
    points = shapely.point_on_surface(frame.geometry.to_numpy())
    return Zones(
        frame[["name", "parent"]].set_geometry(points, crs=blocks.frame.crs),
        "facility",
        blocks.plane_zone,
        sources=blocks.sources,
    )


def _within(asked: _Question, sites: Zones, places: Zones) -> Pairs:
    """Which places a facility reaches by the rule of its class, or within the project's radius."""
    way, minutes = asked.way, asked.rule.minutes
    if way is None or minutes is None:
        return near(sites, places, radius=asked.radius)
    found = within_time(sites, places, way.network, minutes=minutes, mode=way.mode, speed=way.speed)
    return found.times


def _answer(
    asked: _Question,
    goal: Goal,
    sited: Sited,
    *,
    sites: Zones,
    standing: Zones,
    age: dict[str, float],
    fine: Standing,
) -> Choice:
    town = asked.town.town
    people = asked.town.people.at(asked.year).totals()[0]
    crowd = np.asarray(fine.walk.weights @ people)
    after = Zones(sites.frame.loc[list(sited.chosen)], "facility", sites.plane_zone)
    held, there = set(sited.chosen), set(standing.ids)
    users = [_users(zones, fine.places, crowd) for zones in (standing, after)]
    verdicts: dict[str, Verdict] = {
        zone: "close" if zone not in held else "keep" if zone in there else "new"
        for zone in sites.ids
        if zone in there or zone in held
    }
    where = dict(zip(sites.ids, shapely.get_coordinates(sites.geometry).tolist(), strict=True))
    names = dict(zip(sites.ids, sites.names, strict=True))
    order = {"keep": 0, "new": 1, "close": 2}
    rows = tuple(
        Row(zone, names[zone], verdict, age.get(zone, 0.0), users[0].get(zone, 0.0),
            users[1].get(zone, 0.0), where[zone][1], where[zone][0])
        for zone, verdict in sorted(verdicts.items(), key=lambda pair: (order[pair[1]], pair[0]))
    )  # fmt: skip
    minutes = asked.rule.minutes
    by_time = asked.way is not None and minutes is not None
    return Choice(
        town.code,
        town.name.ja,
        asked.rule.facility_class,
        town.class_names[asked.rule.facility_class],
        asked.year,
        goal,
        rows,
        float(people.sum()),
        _access(asked, standing, fine.places, crowd),
        _access(asked, after, fine.places, crowd),
        "min" if by_time else "m",
        f"{minutes:g} min" if by_time else f"{asked.radius:g} m",
        sited.gap,
    )


def _users(facilities: Zones, places: Zones, people: Floats) -> dict[str, float]:
    pairs = nearest(facilities, places)
    count = np.bincount(pairs.facility, people[pairs.place], len(facilities))
    return dict(zip(facilities.ids, count.tolist(), strict=True))


def _access(asked: _Question, facilities: Zones, places: Zones, people: Floats) -> Access:
    reached = np.unique(_within(asked, facilities, places).place)
    if asked.way is None:
        pairs = nearest(facilities, places)
        travel = np.full(len(places), np.inf)
        travel[pairs.place] = pairs.distance
    else:
        way = asked.way
        travel = nearest_time(
            facilities, places, way.network, mode=way.mode, speed=way.speed
        ).minutes
    # the mean of those who get there at all; nobody stays without by a straight line
    there = np.isfinite(travel) & (people > 0)
    whole = people[there].sum()
    mean = float(people[there] @ travel[there] / whole) if whole > 0 else np.nan
    return Access(float(people[reached].sum()), mean)
