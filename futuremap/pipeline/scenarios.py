"""Scenarios of a finished run: what differs is made anew, all the rest is the baseline's own."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from futuremap.base.mesh_shares import gather_by_age
from futuremap.config.reach import Reach, ReachRule
from futuremap.config.scenario import Scenario
from futuremap.core.crosswalk import Crosswalk, gather, to_parents
from futuremap.core.population import Population
from futuremap.core.table import Table
from futuremap.errors import DemographyError, UnknownNameError
from futuremap.indicators.account import account
from futuremap.indicators.changed_rates import ChangedRate
from futuremap.indicators.people import age_structure, density
from futuremap.indicators.reach import covered
from futuremap.pipeline.difference import changed_rates, project_difference
from futuremap.pipeline.new_bus import lines_of, since_of, with_lines
from futuremap.pipeline.notes import Notes
from futuremap.pipeline.prepare import Prepared, Progress, Town, silent
from futuremap.pipeline.reaching import Earlier, Reaching
from futuremap.pipeline.read_reach import rule_of
from futuremap.pipeline.read_scenarios import facilities_of
from futuremap.pipeline.renewal import renewals
from futuremap.pipeline.run import Gathered, Outcome, TownOutcome, larger_meshes, with_interval
from futuremap.pipeline.town_reach import covered_people, in_reach
from futuremap.pipeline.uncertainty import Uncertainty, uncertainty
from futuremap.pipeline.weighing import Indicators, weigh_all
from futuremap.problems import Report
from futuremap.projection.project import Projection

WEIGHED = ("municipality", "area")  # the kinds of zones whose services a scenario compares
OF_FACILITIES = ("facility", "district")  # kinds whose people change with the facilities


class Draft(Uncertainty):
    """Draws nothing: tables stay without intervals."""

    def bound(self, table: Table, indicator: str, walks: Sequence[Crosswalk]) -> Table:
        """The table as it is."""
        del indicator, walks
        return table


class Played(NamedTuple):
    """A scenario that was run.

    key, setting
        Its key in the project and what it says.
    outcome
        What came out; what does not differ is the baseline's own object.
    """

    key: str
    setting: Scenario
    outcome: Outcome


class Changed(NamedTuple):
    """What a scenario begins from.

    setting
        What it says.
    prepared
        The input with its facilities, rules and buses.
    projection
        Its people; None where they are the baseline's.
    rates
        Rates of use that differ.
    """

    setting: Scenario
    prepared: Prepared
    projection: Projection | None
    rates: Sequence[ChangedRate]


class Comparison(NamedTuple):
    """A baseline and scenarios of it.

    baseline
        The run without any difference: 何もしない将来.
    scenarios
        Those that were run, in the order of the project.
    """

    baseline: Outcome
    scenarios: tuple[Played, ...]


def run_scenarios(
    baseline: Outcome,
    names: Sequence[str] = (),
    *,
    progress: Progress = silent,
) -> Comparison:
    """Run scenarios of a project on its finished run.

    Parameters
    ----------
    baseline
        The run.
    names
        Keys or Japanese names of scenarios; all of the project if none is given.
    progress
        Is told what is being computed.

    Raises
    ------
    UnknownNameError
        If the project has no scenario of a name; it proposes what is there.
    InputRefused
        If more people would be cleared away than live in a zone by then.
    """
    settings = baseline.prepared.project.scenario
    played = []
    for key in keys_of(baseline.prepared, names):
        progress(f"シナリオ：{settings[key].name} / scenario")
        played.append(_played(baseline, key, settings[key]))
    return Comparison(baseline, tuple(played))


def keys_of(prepared: Prepared, names: Sequence[str]) -> list[str]:
    """Keys of scenarios by key or Japanese name; all of the project if none is named.

    Raises
    ------
    UnknownNameError
        If the project has no scenario of a name; it proposes what is there.
    """
    settings = prepared.project.scenario
    return list(dict.fromkeys([_named(name, settings) for name in names] or settings))


def _played(baseline: Outcome, key: str, setting: Scenario) -> Played:
    """A scenario of the file; one that clears more people than are left by then is refused."""
    try:
        return play(baseline, key, setting)
    except DemographyError as error:
        report = Report()
        notes = Notes(baseline.prepared.project, report)
        cleared = [estate for estate in setting.housing if estate.dwellings < 0]
        said = "、".join(f"{one.zone} {one.year} {one.dwellings:g}" for one in cleared)
        notes.add("FM847", ("scenario", key, "housing"), f"{said}（{error}）")
        report.raise_if_errors()
        raise


def _named(name: str, settings: dict[str, Scenario]) -> str:
    found = [key for key, one in settings.items() if name in (key, one.name)]
    if not found:
        known = [*settings, *(one.name for one in settings.values())]
        near = difflib.get_close_matches(name, known, n=3, cutoff=0.4) or list(settings)
        raise UnknownNameError(name, tuple(near))
    return found[0]


def play(baseline: Outcome, key: str, setting: Scenario, *, draft: bool = False) -> Played:
    """Run one scenario.

    Parameters
    ----------
    baseline
        The run it differs from.
    key, setting
        The scenario, checked.
    draft
        Whether only people and reach are wanted, without intervals and meshes: for searches.
    """
    projection = project_difference(baseline, setting) if setting.changes_people else None
    prepared = _prepared(baseline.prepared, setting)
    same = projection is None and prepared is baseline.prepared
    if same and not setting.changes_rates:
        return Played(key, setting, baseline)
    changed = Changed(setting, prepared, projection, changed_rates(baseline, setting))
    if same:
        known = _spread(baseline, baseline.projection)
        found = _services(baseline, changed, baseline.towns, known)
        return Played(key, setting, baseline._replace(indicators=found))
    return Played(key, setting, _outcome(baseline, changed, draft=draft))


def _spread(baseline: Outcome, projection: Projection) -> Uncertainty:
    """How far people may come from a projection: the baseline's factors.

    So that a difference is one of people and not of errors.
    """
    parents = [baseline.rates.parents[i] for i in baseline.rates.parent_of]
    seed = baseline.prepared.project.projection.seed
    known = uncertainty(baseline.projection.population, parents, seed=seed)
    return known._replace(population=projection.population)


def _outcome(baseline: Outcome, changed: Changed, *, draft: bool) -> Outcome:
    prepared, projection = changed.prepared, changed.projection or baseline.projection
    known = _spread(baseline, projection)
    spread = Draft(known.population, known.spread, known.seed) if draft else known
    towns = tuple(
        _town(changed, town, like, baseline=baseline.prepared, spread=spread)
        for town, like in zip(prepared.towns, baseline.towns, strict=True)
    )
    same = changed.projection is None
    return baseline._replace(
        prepared=prepared,
        projection=projection,
        accounts=baseline.accounts if same else account(projection.population, projection.flows),
        municipal=_municipal(baseline, prepared, towns, spread),
        checks=baseline.checks if same else {},
        rivals=baseline.rivals if same else {},
        towns=towns,
        indicators=None if draft else _services(baseline, changed, towns, spread),
    )


def _services(
    baseline: Outcome,
    changed: Changed,
    towns: Sequence[TownOutcome],
    spread: Uncertainty,
) -> Indicators | None:
    """Services of the municipalities and what else rests on people and rates alone."""
    if baseline.indicators is None or changed.projection is not None or changed.rates:
        return weigh_all(
            changed.prepared,
            towns,
            people=spread.population,
            flows=(changed.projection or baseline.projection).flows,
            spread=spread,
            on=WEIGHED,
            changed=changed.rates,
            like=baseline.projection.population,
        )
    kept = tuple(one for one in baseline.indicators.tables if one.level not in OF_FACILITIES)
    return baseline.indicators._replace(tables=kept, renewal=renewals(changed.prepared, towns))


def _prepared(prepared: Prepared, setting: Scenario) -> Prepared:
    if not setting.changes_facilities:
        return prepared
    project = prepared.project
    if setting.reach:
        classes = {rule.facility_class for rule in setting.reach}
        kept = [rule for rule in project.reach.rule if rule.facility_class not in classes]
        said = [one.model_dump(by_alias=True, exclude={"from_year"}) for one in setting.reach]
        rules = [*kept, *(ReachRule.model_validate(one) for one in said)]
        reach = Reach(radius_m=project.reach.radius_m, rule=rules)
        project = project.model_copy(update={"reach": reach})
    towns = tuple(
        town._replace(
            facilities=facilities_of(project, setting, town),
            reach=with_lines(town, lines_of(setting, town, project)),
        )
        for town in prepared.towns
    )
    return prepared._replace(project=project, towns=towns)


def _town(
    changed: Changed,
    town: Town,
    like: TownOutcome,
    *,
    baseline: Prepared,
    spread: Uncertainty,
) -> TownOutcome:
    prepared, same_people = changed.prepared, changed.projection is None
    people, blocks, mesh, served = like.people, like.blocks, like.mesh, like.reach
    larger = like.larger
    if not same_people:
        people = spread.population.only(town.blocks.ids)
        table = age_structure(people).join(density(people, town.blocks.areas()))
        blocks = with_interval(table, to_parents(people.zones, people.zones), spread)
        wanted = mesh is not None and not isinstance(spread, Draft)
        mesh = _mesh(town, mesh, people, spread) if wanted and mesh is not None else None
        larger = {} if mesh is None else larger_meshes(prepared, mesh, spread)
    same_rules = prepared.project.reach is baseline.project.reach
    same_places = town.facilities is like.town.facilities and town.reach is like.town.reach
    if like.reach is not None and not (same_people and same_rules and same_places):
        rules = {name: rule_of(baseline.project, name) for name in town.class_names}
        since = since_of(changed.setting, town, prepared.project)
        earlier = Earlier(like.reach.memory, rules, since) if since else None
        served = in_reach(prepared, town, spread.population, like=like.reach, earlier=earlier)
        served = served._replace(table=_bounded(served, like.reach, spread))
    return TownOutcome(town, people, blocks, mesh, served, larger)


def _mesh(town: Town, like: Gathered, people: Population, spread: Uncertainty) -> Gathered:
    gathered = (
        gather(people, like.walk) if town.shares is None else gather_by_age(people, town.shares)
    )
    table = age_structure(gathered).join(density(gathered, like.zones.areas()))
    return like._replace(people=gathered, table=with_interval(table, like.walk, spread))


def _bounded(served: Reaching, like: Reaching, spread: Uncertainty) -> Table:
    """The interval of people in reach; drawn again only for reaches that differ."""
    name = "people_in_reach"
    if served.sent is not like.sent or isinstance(spread, Draft):
        return spread.bound(served.table, name, served.by_year)
    place = {zone: i for i, zone in enumerate(like.table.zones)}
    rows = np.array([place.get(zone, -1) for zone in served.table.zones])
    old = like.table.intervals()[name]
    bounds = [np.where(rows >= 0, bound[:, rows], np.nan) for bound in old]
    wanted: dict[int, tuple[Crosswalk, list[tuple[int, NDArray[np.intp]]]]] = {}
    for t in range(1, len(served.table.years)):
        new, before = served.by_year[t], like.by_year[t]
        _, several = wanted.setdefault(id(new), (new, []))
        several.append((t, _differing(new, before, rows)))
    for walk, years in wanted.values():
        needed = np.unique(np.concatenate([at for _, at in years]))
        if len(needed):
            targets = tuple(walk.targets[i] for i in needed)
            drawn = spread.through(replace(walk, weights=walk.weights[needed], targets=targets))
            for t, at in years:
                here = np.searchsorted(needed, at)
                for bound, found in zip(bounds, drawn, strict=True):
                    bound[t, at] = found[t - 1, here]
    value = served.table.data["value"].values[served.table.indicators.index(name)]
    low, high = np.minimum(bounds[0], value), np.maximum(bounds[1], value)
    return served.table.bounded({name: (low, high)})


def _differing(new: Crosswalk, old: Crosswalk, rows: NDArray[np.intp]) -> NDArray[np.intp]:
    """Targets who count other people than before, or were not there ``(K,)``."""
    known = np.flatnonzero(rows >= 0)
    changed = (new.weights[known] != old.weights[rows[known]]).sum(axis=1)
    return np.sort(
        np.concatenate([known[np.asarray(changed).ravel() > 0], np.flatnonzero(rows < 0)])
    )


def _municipal(
    baseline: Outcome,
    prepared: Prepared,
    towns: Sequence[TownOutcome],
    spread: Uncertainty,
) -> Table:
    population = spread.population
    if population is baseline.projection.population:
        inside = covered_people(prepared, towns, like=baseline.towns)
        if inside is None:
            return baseline.municipal
        values = _values(baseline.municipal)
        city = population_of(baseline)
        return Table.build(
            {**values, **_values(covered(city, inside))},
            years=city.years,
            zones=city.zones,
            intervals=baseline.municipal.intervals(),
        )
    walk = to_parents(population.zones, list(spread.spread.parents))
    city = gather(population, walk)
    inside = covered_people(prepared, towns, like=baseline.towns)
    return with_interval(age_structure(city).join(covered(city, inside)), walk, spread)


def population_of(outcome: Outcome) -> Population:
    """The people of the municipalities of a run."""
    population = outcome.projection.population
    parents = [outcome.rates.parents[i] for i in outcome.rates.parent_of]
    return gather(population, to_parents(population.zones, parents))


def _values(table: Table) -> dict[str, NDArray[np.float64]]:
    return dict(zip(table.indicators, table.data["value"].values, strict=True))
