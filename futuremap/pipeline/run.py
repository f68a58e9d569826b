"""The method, from the base year to the people within reach of every facility."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from futuremap.base.meshes import on_mesh
from futuremap.catchment.coverage import within_radius_of_any
from futuremap.catchment.life_cycle import years_in_service
from futuremap.catchment.reach import share_outside, within_radius
from futuremap.core.crosswalk import Crosswalk, gather, to_parents
from futuremap.core.facilities import Facilities
from futuremap.core.layer import Text
from futuremap.core.population import Population, join_zones
from futuremap.core.rates import Rates
from futuremap.core.table import Table
from futuremap.core.zones import Zones
from futuremap.indicators.account import account
from futuremap.indicators.people import age_structure, density
from futuremap.indicators.reach import covered, reach
from futuremap.pipeline.history import history_of
from futuremap.pipeline.housing import with_housing
from futuremap.pipeline.prepare import Prepared, Progress, Town, silent
from futuremap.pipeline.uncertainty import Uncertainty, uncertainty
from futuremap.projection.controls import control_totals, register_ratio, residuals
from futuremap.projection.methods import ANY_SPACING, METHODS, apart
from futuremap.projection.path import follow
from futuremap.projection.project import Projection, project
from futuremap.projection.rates import from_two_dates
from futuremap.projection.regular import in_steps_of_age

METHOD_OF_RATES = "damped"  # the method that can be said as rates, with their account
PLAUSIBLE_FACTORS = (0.9, 1.1)  # a step moved by more than this is reported


class Gathered(NamedTuple):
    """Town blocks counted on other zones.

    zones
        Mesh cells or located facilities.
    walk
        How blocks count there.
    people
        The population gathered.
    table
        Its indicators.
    """

    zones: Zones
    walk: Crosswalk
    people: Population
    table: Table


class TownOutcome(NamedTuple):
    """What came out for one municipality.

    town
        What went in.
    people, blocks
        The population by town block, and its indicators.
    mesh
        The same on the mesh; None where the municipality is its own only zone.
    reach
        The people within reach of its facilities; None without facilities.
    """

    town: Town
    people: Population
    blocks: Table
    mesh: Gathered | None
    reach: Gathered | None


class Check(NamedTuple):
    """A later count beside the projection of its year. [persons]"""

    place: Text
    name: str
    year: int
    counted: float
    projected: float

    @property
    def text(self) -> Text:
        """The comparison in words."""
        off = self.projected / self.counted - 1
        return Text(
            f"{self.place.ja} {self.year}年：推計 {self.projected:,.0f}人、"
            f"{self.name} {self.counted:,.0f}人（推計は {off:+.1%}）",
            f"{self.place.en} {self.year}: projected {self.projected:,.0f}, "
            f"counted {self.counted:,.0f} ({off:+.1%})",
        )


class Outcome(NamedTuple):
    """What a run makes.

    prepared
        The input.
    rates, projection
        How people change, and their later years with the account.
    accounts
        Births, net change and control adjustment by town block.
    municipal
        Indicators of the municipalities.
    control_residuals
        Largest distance from the control totals, relative to them, by municipality.
    register_ratio
        People in the base year over the published total, where that year was published.
    checks
        Later counts beside the projection, by municipality.
    towns
        The municipalities one by one.
    """

    prepared: Prepared
    rates: Rates
    projection: Projection
    accounts: Table
    municipal: Table
    control_residuals: dict[str, float]
    register_ratio: dict[str, float]
    checks: dict[str, Check]
    towns: tuple[TownOutcome, ...]


def run(prepared: Prepared, *, progress: Progress = silent) -> Outcome:
    """Project, gather and weigh.

    Parameters
    ----------
    prepared
        Checked input.
    progress
        Is told what is being computed.

    Raises
    ------
    DemographyError
        If rates cannot be made from the two dates.
    SolveError
        If a control total cannot be met.
    """
    towns = prepared.towns
    setting = prepared.project
    past = join_zones([town.past for town in towns])
    base = join_zones([town.base for town in towns])
    parents = [town.code for town in towns for _ in town.base.zones]

    progress("将来人口 / projection")
    rates = from_two_dates(past, base, parents=parents)
    totals = _totals(prepared)
    projected = (
        project(base, rates, steps=setting.steps, totals=totals)
        if setting.projection.method == METHOD_OF_RATES and not _has_housing(prepared)
        else _follow(prepared, base, rates, totals)
    )
    city = gather(projected.population, to_parents(base.zones, parents))

    spread = uncertainty(projected.population, parents, seed=setting.projection.seed)
    outcomes = []
    for town in towns:
        progress(f"{town.name.ja}：メッシュと利用圏 / mesh and reach")
        outcomes.append(_gather_town(prepared, town, projected.population, spread))
    _warn_of_large_factors(prepared, projected.controls)
    return Outcome(
        prepared,
        rates,
        projected,
        account(projected.population, projected.flows),
        spread.bound(
            age_structure(city).join(covered(city, _coverage(prepared, projected.population))),
            "population",
            to_parents(base.zones, parents),
        ),
        residuals(city, totals),
        _register_ratios(prepared),
        _checks(prepared, city),
        tuple(outcomes),
    )


def _follow(
    prepared: Prepared,
    base: Population,
    rates: Rates,
    totals: NDArray[np.float64],
) -> Projection:
    name, steps = prepared.project.projection.method, prepared.project.steps
    history = history_of(prepared.towns, until=base.years[0])
    known = history if name in ANY_SPACING else in_steps_of_age(history)
    path = apart(METHODS[name], known, launch=base.persons[0], steps=steps)
    return follow(base, with_housing(prepared, path, rates), rates=rates, totals=totals)


def _has_housing(prepared: Prepared) -> bool:
    return any(entry.housing for entry in prepared.project.municipality)


def _totals(prepared: Prepared) -> NDArray[np.float64]:
    setting = prepared.project
    years = setting.projected_years
    columns = [
        np.full((len(years), 1), np.nan)
        if town.controls is None
        else control_totals(
            town.controls,
            years=years,
            base_totals=town.base.totals().sum(axis=1),
            basis=town.basis,
        )
        for town in prepared.towns
    ]
    return np.concatenate(columns, axis=1)


def _gather_town(
    prepared: Prepared,
    town: Town,
    population: Population,
    spread: Uncertainty,
) -> TownOutcome:
    people = population.only(town.blocks.ids)
    table = age_structure(people).join(density(people, town.blocks.areas()))
    mesh = None if town.is_whole else _on_mesh(prepared, town, people)
    served = None
    if town.facilities is not None:
        served = _in_reach(prepared, town, people, town.facilities)
    return TownOutcome(
        town,
        people,
        spread.bound(table, "population", to_parents(people.zones, people.zones)),
        # a mesh of whole municipalities would say that people live evenly all over them
        None if mesh is None else _bounded(mesh, "population", spread),
        None if served is None else _bounded(served, "people_in_reach", spread),
    )


def _bounded(gathered: Gathered, indicator: str, spread: Uncertainty) -> Gathered:
    return gathered._replace(table=spread.bound(gathered.table, indicator, gathered.walk))


def _on_mesh(prepared: Prepared, town: Town, people: Population) -> Gathered:
    zones, walk = on_mesh(town.blocks, prepared.project.mesh.level)
    gathered = gather(people, walk)
    table = age_structure(gathered).join(density(gathered, zones.areas()))
    return Gathered(zones, walk, gathered, table)


def _in_reach(
    prepared: Prepared,
    town: Town,
    people: Population,
    facilities: Facilities,
) -> Gathered:
    radius = prepared.project.reach.radius_m
    walk = within_radius(facilities.located, town.blocks, radius=radius)
    gathered = gather(people, walk)
    table = reach(
        gathered,
        years_in_service=years_in_service(facilities.opened(), gathered.years),
        outside=share_outside(facilities.located, town.outline, radius=radius),
    )
    return Gathered(facilities.located, walk, gathered, table)


def _coverage(prepared: Prepared, population: Population) -> Population | None:
    parts = []
    for town in prepared.towns:
        if town.facilities is None:
            continue
        walk = within_radius_of_any(
            town.facilities.located,
            town.blocks,
            radius=prepared.project.reach.radius_m,
            target=town.code,
        )
        parts.append(gather(population.only(town.blocks.ids), walk))
    return join_zones(parts) if parts else None


def _register_ratios(prepared: Prepared) -> dict[str, float]:
    year = prepared.project.project.base_year
    ratios = {
        town.code: register_ratio(float(town.base.totals().sum()), town.controls, year)
        for town in prepared.towns
        if town.controls is not None
    }
    return {code: ratio for code, ratio in ratios.items() if not np.isnan(ratio)}


def _warn_of_large_factors(prepared: Prepared, controls: Table) -> None:
    low, high = PLAUSIBLE_FACTORS
    names = {town.code: town.name.ja for town in prepared.towns}
    files = {m.code: m.control.file for m in prepared.project.municipality if m.control}
    for year in controls.years:
        factors = controls.column("control_factor", year)
        for code, factor in zip(controls.zones, factors.tolist(), strict=True):
            if not low <= factor <= high:
                prepared.report.add("FM422", file=files[code], value=f"{factor:.3f}",
                                    name=names[code], year=year)  # fmt: skip


def _checks(prepared: Prepared, city: Population) -> dict[str, Check]:
    checks = {}
    for town, entry in zip(prepared.towns, prepared.project.municipality, strict=True):
        if town.check is None or entry.check is None:
            continue
        year = town.check.years[0]
        counted = float(town.check.column("population", year)[0])
        projected = float(city.at(year).only([town.code]).totals()[0, 0])
        checks[town.code] = Check(town.name, entry.check.name, year, counted, projected)
    return checks
