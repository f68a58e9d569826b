"""The method, from the base year to the people within reach of every facility."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from futuremap.base.coarser import in_larger_cells
from futuremap.base.mesh_shares import BY_MESHES, gather_by_age
from futuremap.base.meshes import on_mesh
from futuremap.core.crosswalk import Crosswalk, compose, gather, to_parents
from futuremap.core.layer import Text
from futuremap.core.population import Population, join_zones
from futuremap.core.rates import Rates
from futuremap.core.table import Table
from futuremap.core.zones import Zones
from futuremap.indicators.account import account
from futuremap.indicators.people import age_structure, density
from futuremap.indicators.reach import covered
from futuremap.pipeline.history import history_of
from futuremap.pipeline.housing import with_housing
from futuremap.pipeline.prepare import Prepared, Progress, Town, silent
from futuremap.pipeline.reaching import Reaching
from futuremap.pipeline.read_rival import Rival
from futuremap.pipeline.town_reach import covered_people, in_reach
from futuremap.pipeline.uncertainty import Uncertainty, uncertainty
from futuremap.pipeline.weighing import Indicators, weigh_all
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
        Mesh cells.
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
    larger
        The same on the larger meshes that the project asks for, by their level.
    """

    town: Town
    people: Population
    blocks: Table
    mesh: Gathered | None
    reach: Reaching | None
    larger: dict[str, Gathered] = {}  # noqa: RUF012 - never changed


class Check(NamedTuple):
    """A later count, or another projection, beside ours of its year. [persons]"""

    place: Text
    name: str
    year: int
    counted: float
    projected: float
    is_rival: bool = False

    @property
    def text(self) -> Text:
        """The comparison in words."""
        off = self.projected / self.counted - 1
        other = self.name if self.is_rival else "counted"
        return Text(
            f"{self.place.ja} {self.year}年：推計 {self.projected:,.0f}人、"
            f"{self.name} {self.counted:,.0f}人（推計は {off:+.1%}）",
            f"{self.place.en} {self.year}: projected {self.projected:,.0f}, "
            f"{other} {self.counted:,.0f} ({off:+.1%})",
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
    rivals
        Other projections beside ours in all years that both have, by municipality.
    towns
        The municipalities one by one.
    indicators
        From people to services; None if the project wants none.
    """

    prepared: Prepared
    rates: Rates
    projection: Projection
    accounts: Table
    municipal: Table
    control_residuals: dict[str, float]
    register_ratio: dict[str, float]
    checks: dict[str, Check]
    rivals: dict[str, tuple[Check, ...]]
    towns: tuple[TownOutcome, ...]
    indicators: Indicators | None = None


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
        outcomes.append(gather_town(prepared, town, projected.population, spread))
    _warn_of_large_factors(prepared, projected.controls)
    progress("指標 / indicators")
    people, flows = projected.population, projected.flows
    found = weigh_all(prepared, outcomes, people=people, flows=flows, spread=spread)
    return Outcome(
        prepared,
        rates,
        projected,
        account(projected.population, projected.flows),
        with_interval(
            age_structure(city).join(covered(city, covered_people(prepared, outcomes))),
            to_parents(base.zones, parents),
            spread,
        ),
        residuals(city, totals),
        _register_ratios(prepared),
        _checks(prepared, city),
        _rivals(prepared, city),
        tuple(outcomes),
        found,
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


def gather_town(
    prepared: Prepared,
    town: Town,
    population: Population,
    spread: Uncertainty,
) -> TownOutcome:
    """Blocks, mesh and reach of one town, from the people of all."""
    people = population.only(town.blocks.ids)
    table = age_structure(people).join(density(people, town.blocks.areas()))
    mesh = None
    # a mesh of whole municipalities would say that people live evenly all over them
    if not town.is_whole or town.shares is not None:
        mesh = _on_mesh(prepared, town, people)
    served = None
    if town.facilities is not None:
        served = in_reach(prepared, town, population)
        bounded = spread.bound(served.table, "people_in_reach", served.by_year)
        served = served._replace(table=bounded)
    larger: dict[str, Gathered] = {}
    if mesh is not None:
        mesh = mesh._replace(table=with_interval(mesh.table, mesh.walk, spread))
        larger = larger_meshes(prepared, mesh, spread)
    alone = to_parents(people.zones, people.zones)
    return TownOutcome(town, people, with_interval(table, alone, spread), mesh, served, larger)


def larger_meshes(prepared: Prepared, mesh: Gathered, spread: Uncertainty) -> dict[str, Gathered]:
    """The same people on the larger meshes that the maps of a project ask for, by their level."""
    found = {level: on_larger_mesh(mesh, level) for level in prepared.project.map_.meshes}
    return {
        level: one._replace(table=with_interval(one.table, one.walk, spread))
        for level, one in found.items()
    }


def on_larger_mesh(mesh: Gathered, level: str) -> Gathered:
    """The people of mesh cells in the larger cells that hold them.

    Parameters
    ----------
    mesh
        Town blocks counted on mesh cells.
    level
        A coarser level, such as "1km".
    """
    zones, walk = in_larger_cells(mesh.zones, level)
    people = gather(mesh.people, walk)
    table = age_structure(people).join(density(people, zones.areas()))
    return Gathered(zones, compose(walk, mesh.walk), people, table)


def with_interval(table: Table, walk: Crosswalk, spread: Uncertainty) -> Table:
    """A table with the interval of its people, who count in its zones by the walk."""
    return spread.bound(table, "population", [walk] * len(table.years))


def _on_mesh(prepared: Prepared, town: Town, people: Population) -> Gathered:
    level = prepared.project.mesh.level
    if town.shares is None:
        zones, walk = on_mesh(town.blocks, level, dwelling=town.dwelling)
        gathered = gather(people, walk)
    else:
        zones, walk = on_mesh(town.blocks, level, dwelling=town.shares.overall)
        zones = replace(zones, notes=(*town.blocks.notes, BY_MESHES))
        gathered = gather_by_age(people, town.shares)
    table = age_structure(gathered).join(density(gathered, zones.areas()))
    return Gathered(zones, walk, gathered, table)


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


def _rivals(prepared: Prepared, city: Population) -> dict[str, tuple[Check, ...]]:
    years = prepared.project.projected_years
    beside = {}
    for town in prepared.towns:
        ours = city.only([town.code]).totals()[:, 0]
        rows = [
            Check(town.name, _named(rival, year), year, float(theirs), float(own), is_rival=True)
            for rival in town.rivals
            for year, theirs, own in zip(
                years,
                control_totals(rival.people, years=years, base_totals=ours[:1])[:, 0],
                ours,
                strict=True,
            )
            if theirs > 0  # not in years that the rival does not have
        ]
        if rows:
            beside[town.code] = tuple(rows)
    return beside


def _named(rival: Rival, year: int) -> str:
    return rival.name if year in rival.people.years else f"{rival.name}（直線補間）"
