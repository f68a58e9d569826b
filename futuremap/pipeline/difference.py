"""A scenario's people: the baseline as found, with who comes and what rates change on top of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from futuremap.config.scenario import (
    FertilityChange,
    HousingChange,
    MigrationChange,
    Scenario,
    SurvivalChange,
    When,
    Where,
)
from futuremap.core.flows import Flows
from futuremap.core.population import Population
from futuremap.errors import DemographyError
from futuremap.indicators.changed_rates import ChangedRate, factor_at, fields_of
from futuremap.pipeline.housing import mover_profile
from futuremap.pipeline.named_places import find_facility, find_zone
from futuremap.pipeline.read_rates import find_field
from futuremap.pipeline.read_scenarios import bundle_of
from futuremap.pipeline.run import Outcome
from futuremap.pipeline.scenario_account import account_of
from futuremap.projection.beyond import (
    Came,
    Change,
    Course,
    Kept,
    carry,
    fewer_deaths,
    fewer_losses,
    follow_change,
    realised,
    survival,
)
from futuremap.projection.project import Projection
from futuremap.projection.single_years import LAST_AGE
from futuremap.scenario.schedule import at_ages, at_dates, intensity

Floats = NDArray[np.float64]


class Grounds(NamedTuple):
    """What differences of one run are measured against.

    outcome
        The baseline.
    path
        Its people ``(1 + H, Z, S, A)``. [persons]
    course
        What its municipalities' people go through.
    alive
        Share that outlives a step ``(S, A)``. [ratio]
    """

    outcome: Outcome
    path: Floats
    course: Course
    alive: Floats

    @property
    def parent_of(self) -> NDArray[np.intp]:
        """Position of each zone's municipality ``(Z,)``."""
        return self.outcome.rates.parent_of

    @property
    def shape(self) -> tuple[int, int, int]:
        """Steps, zones and age groups."""
        steps, zones, _, ages = self.path.shape
        return steps - 1, zones, ages

    def strength(self, when: When) -> Floats:
        """Strength of a difference in every year ``(H, n)``."""
        project = self.outcome.prepared.project
        width = self.outcome.projection.population.ages.width
        return intensity(
            when, base_year=project.project.base_year, steps=self.shape[0], width=width
        )

    def spread(self, where: Where) -> Floats:
        """Share of each zone of what comes to some places ``(Z,)``: as people live there.

        A facility's place is its reach in the base year.

        Raises
        ------
        DemographyError
            If a facility has nothing in reach.
        """
        people = self.path[0].sum(axis=(1, 2))
        weights = self.inside(where)
        if where.facility:
            weights = self.reached(where)
        living = weights * people
        total = living.sum()
        if not weights.sum() > 0:
            raise DemographyError(
                f"{where.facility} の利用圏に区域がありません / no zone is in reach of it"
            )
        return np.asarray(living / total if total > 0 else weights / weights.sum())

    def inside(self, where: Where) -> Floats:
        """1 for the zones that a difference is about, 0 elsewhere ``(Z,)``."""
        return inside(self.outcome, where)

    def reached(self, where: Where) -> Floats:
        """Share of each zone within reach of a facility in the base year ``(Z,)``. [ratio]"""
        return reach_row(self.outcome, where.facility, where.municipality, 0)


def inside(outcome: Outcome, where: Where) -> Floats:
    """1 for the zones of a run that a difference is about, 0 elsewhere ``(Z,)``.

    A facility's place is its reach in the base year.
    """
    towns = outcome.prepared.towns
    zones = outcome.projection.population.zones
    place = {zone: i for i, zone in enumerate(zones)}
    chosen = np.zeros(len(zones))
    names = [name for name in (where.zone, *where.zones) if name]
    if where.facility:
        row = reach_row(outcome, where.facility, where.municipality, 0)
        return np.asarray(row > 0, dtype=np.float64)
    for name in names:
        found = find_zone(name, where.municipality, towns)
        if found is None:
            raise AssertionError(f"{name} was accepted without being found")
        chosen[place[found[1]]] = 1.0
    if not names:
        codes = [outcome.rates.parents[i] for i in outcome.rates.parent_of]
        chosen = np.array([where.municipality in ("", code) for code in codes], dtype=float)
    return chosen


def reach_row(outcome: Outcome, name: str, code: str, year: int) -> Floats:
    """Share of each zone of a run within reach of a facility ``(Z,)``. [ratio]

    Parameters
    ----------
    outcome
        The run.
    name, code
        The facility, checked, and its municipality if that is said.
    year
        Position of the year.
    """
    found = find_facility(name, code, outcome.prepared.towns)
    if found is None:
        raise AssertionError(f"{name} was accepted without being found")
    town = next(town for town in outcome.towns if town.town.code == found[0])
    place = {zone: i for i, zone in enumerate(outcome.projection.population.zones)}
    row = np.zeros(len(place))
    if town.reach is not None and found[1] in town.reach.zones.ids:
        walk = town.reach.by_year[year]
        weights = walk.weights[[walk.targets.index(found[1])]].toarray()[0]
        row[[place[zone] for zone in walk.sources]] = weights
    return row


def grounds(outcome: Outcome) -> Grounds:
    """What differences of a run are measured against."""
    population = outcome.projection.population
    return Grounds(
        outcome,
        population.persons,
        realised(population.persons, outcome.rates),
        survival(population.ages),
    )


def project_difference(outcome: Outcome, setting: Scenario) -> Projection:
    """The people of a scenario and their account, on the baseline's rake factors.

    Parameters
    ----------
    outcome
        The baseline.
    setting
        A checked scenario that changes people.

    Raises
    ------
    DemographyError
        If more people must go from a zone than live there.
    """
    ground = grounds(outcome)
    change = changes(ground, setting)
    kept = None
    if not change.is_none:
        kept = follow_change(ground.path, change, fertile=ground.course.fertile)
    arrivals = arriving(ground, setting)
    where = np.flatnonzero(arrivals.any(axis=(0, 1, 3, 4)))
    came = carry(
        arrivals[:, :, where],
        zone_course(ground, change, where),
        parent=np.arange(len(where)),
    )
    return assemble(outcome, kept, came, where)


def zone_course(ground: Grounds, change: Change, where: NDArray[np.intp]) -> Course:
    """What who comes goes through in some zones: each zone as a parent of its own."""
    parent = ground.parent_of[where]
    course = ground.course
    return Course(
        course.change[:, parent] * change.change[:, where],
        course.child_woman_ratio[:, parent] * change.births[:, where],
        course.boys[:, parent],
        course.fertile,
    )


def assemble(
    outcome: Outcome,
    kept: Kept | None,
    came: Came,
    where: NDArray[np.intp],
) -> Projection:
    """Stocks and account of a scenario.

    Parameters
    ----------
    outcome
        The baseline.
    kept
        What is left of its people; None if nothing changed for them.
    came
        Who came to some zones.
    where
        Those zones ``(K,)``.
    """
    base, flows = outcome.projection.population, outcome.projection.flows
    persons = base.persons.copy() if kept is None else base.persons * kept.share
    persons[:, where] += came.persons
    if kept is None and not len(where):
        return outcome.projection
    population = Population.build(
        persons,
        years=base.years,
        zones=base.zones,
        ages=base.ages,
        flag=base.data["flag"].values,
        imputed_share=base.imputed_share,
        sources=base.sources,
    )
    parts = account_of(flows, persons, kept, came, where)
    made = Flows.build(parts, years=base.years[1:], zones=base.zones, ages=base.ages)
    return outcome.projection._replace(population=population, flows=made)


def changes(ground: Grounds, setting: Scenario) -> Change:
    """The rates of a scenario that differ, by zone and step."""
    steps, zones, groups = ground.shape
    change = Change.none(steps, zones, groups)
    for fertility in setting.fertility:
        change = times(change, births_change(ground, fertility))
    for survive in setting.survival:
        change = times(change, deaths_change(ground, survive))
    for migration in setting.migration:
        change = times(change, moves_change(ground, migration))
    for estate in setting.housing:
        if estate.dwellings < 0:
            zone, step, _ = _estate_place(ground, estate)
            gone = -estate.dwellings * estate.occupied_share * (estate.household_size or 0.0)
            change.clear[step, zone] += gone
    return change


def times(one: Change, other: Change) -> Change:
    """Both changes together."""
    return Change(one.change * other.change, one.births * other.births, one.clear + other.clear)


def births_change(ground: Grounds, entry: FertilityChange) -> Change:
    """More or fewer births per woman."""
    none = Change.none(*ground.shape)
    factor = entry.factor
    if factor is None and entry.tfr_goal is not None and entry.tfr_now is not None:
        factor = entry.tfr_goal / entry.tfr_now
    strength = ground.strength(entry).mean(axis=1)[:, None] * ground.inside(entry)
    return none._replace(births=1 + ((factor or 1.0) - 1) * strength)


def deaths_change(ground: Grounds, entry: SurvivalChange) -> Change:
    """More or fewer deaths at some ages."""
    factor = fewer_deaths(ground.alive, factor=entry.death_factor)
    return _at(ground, entry, factor[None, None], (entry.age_from, entry.age_to))


def moves_change(ground: Grounds, entry: MigrationChange) -> Change:
    """Other net migration at some ages, those at the end of a step."""
    factor = fewer_losses(
        ground.course,
        ground.alive,
        factor=1.0 if entry.net_loss_factor is None else entry.net_loss_factor,
        add=entry.net_rate or 0.0,
    )
    return _at(ground, entry, factor[:, ground.parent_of], (entry.age_from, entry.age_to))


def _at(ground: Grounds, where: Where, factor: Floats, between: tuple[int, int | None]) -> Change:
    ages = ground.outcome.projection.population.ages
    share = at_ages(ages, *between)
    by_start = np.concatenate([share[1:], share[-1:]])  # who is of that age at the end
    strength = ground.strength(where).mean(axis=1)[:, None] * ground.inside(where)
    none = Change.none(*ground.shape)
    return none._replace(change=1 + (factor - 1) * strength[:, :, None, None] * by_start)


def arriving(ground: Grounds, setting: Scenario) -> Floats:
    """People of a scenario who come in every year ``(H, n, Z, S, A)``. [persons]"""
    steps, zones, _ = ground.shape
    outcome = ground.outcome
    ages = outcome.projection.population.ages
    arrivals = np.zeros((steps, ages.width, zones, *ground.path.shape[2:]))
    for entry in setting.people:
        household = bundle_of(outcome.prepared.project, entry.bundle).by_age(ages)
        each_year = entry.per_year * ground.strength(entry)
        spread = ground.spread(entry)
        at = np.flatnonzero(spread)
        arrivals[:, :, at] += each_year[:, :, None, None, None] * spread[at, None, None] * household
    for estate in setting.housing:
        if estate.dwellings > 0:
            zone, step, year = _estate_place(ground, estate)
            arrivals[step, year, zone] += _households(ground, estate, zone)
    return arrivals


def _estate_place(ground: Grounds, estate: HousingChange) -> tuple[int, int, int]:
    outcome = ground.outcome
    found = find_zone(estate.zone, estate.municipality, outcome.prepared.towns)
    if found is None:
        raise AssertionError(f"{estate.zone} was accepted without being found")
    population = outcome.projection.population
    years = estate.year - population.years[0] - 1
    return (population.zones.index(found[1]), *divmod(years, population.ages.width))


def _households(ground: Grounds, estate: HousingChange, zone: int) -> Floats:
    outcome = ground.outcome
    lived_in = estate.dwellings * estate.occupied_share
    if not estate.mix:
        profile = mover_profile(outcome.prepared, outcome.rates)[zone]
        return np.asarray(lived_in * (estate.household_size or 0.0) * profile / profile.sum())
    ages = outcome.projection.population.ages
    mixed: Sequence[Floats] = [
        share * bundle_of(outcome.prepared.project, name).by_age(ages)
        for name, share in estate.mix.items()
    ]
    return np.asarray(lived_in * np.sum(mixed, axis=0))


def changed_rates(baseline: Outcome, setting: Scenario) -> tuple[ChangedRate, ...]:
    """What a checked scenario changes in the rates of a run.

    Parameters
    ----------
    baseline
        The run.
    setting
        The scenario.
    """
    inputs = baseline.prepared.indicators
    if inputs is None or not baseline.prepared.project.indicators.run:
        return ()
    population = baseline.projection.population
    zones = np.asarray(population.zones, dtype=object)
    found = []
    for entry in setting.rate:
        strength = at_dates(entry, population.years, full_from=entry.full_from)
        factor = factor_at(
            strength,
            factor=entry.factor,
            sex=entry.sex,
            ages=(entry.age_from, entry.age_to),
            width=LAST_AGE + 1,
        )
        fields = fields_of(inputs.catalogue, find_field(entry.indicator, inputs.catalogue))
        where = frozenset(zones[inside(baseline, entry) > 0].tolist())
        found.append(ChangedRate(fields, factor, where))
    return tuple(found)
