"""The method, from the base year to the people within reach of every facility."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from futuremap.base.meshes import Meshed, on_mesh
from futuremap.catchment.life_cycle import years_in_service
from futuremap.catchment.reach import share_outside, within_radius
from futuremap.core.crosswalk import Crosswalk, gather, to_parents
from futuremap.core.population import Population, join_zones
from futuremap.core.rates import Rates
from futuremap.core.table import Table
from futuremap.indicators.account import account
from futuremap.indicators.people import age_structure, density
from futuremap.indicators.reach import reach
from futuremap.pipeline.prepare import Prepared, Progress, Town
from futuremap.projection.controls import control_totals, register_ratio, residuals
from futuremap.projection.project import Projection, project
from futuremap.projection.rates import from_two_dates


class TownOutcome(NamedTuple):
    """What came out for one municipality.

    town
        What went in.
    people, mesh_people, catchments
        The population by town block, by mesh cell and by facility.
    blocks, mesh, facilities
        Their indicators.
    meshed, walk
        How blocks count on the mesh and at facilities.
    """

    town: Town
    people: Population
    blocks: Table
    meshed: Meshed
    mesh_people: Population
    mesh: Table
    walk: Crosswalk | None
    catchments: Population | None
    facilities: Table | None


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
        People in the base year over the published total, by municipality; NaN without one.
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
    towns: tuple[TownOutcome, ...]


def run(prepared: Prepared, *, progress: Progress) -> Outcome:
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
    projected = project(base, rates, steps=setting.steps, totals=totals)
    city = gather(projected.population, to_parents(base.zones, parents))

    outcomes = []
    for town in towns:
        progress(f"{town.name.ja}：メッシュと利用圏 / mesh and reach")
        outcomes.append(_gather_town(prepared, town, projected.population))
    ratios = {
        town.code: register_ratio(
            float(town.base.totals().sum()),
            town.controls,
            setting.project.base_year,
        )
        for town in towns
        if town.controls is not None
    }
    return Outcome(
        prepared,
        rates,
        projected,
        account(projected.population, projected.flows),
        age_structure(city),
        residuals(city, totals),
        ratios,
        tuple(outcomes),
    )


def _totals(prepared: Prepared) -> NDArray[np.float64]:
    setting = prepared.project
    interval = prepared.towns[0].base.ages.width
    years = [setting.project.base_year + interval * i for i in range(setting.steps + 1)]
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


def _gather_town(prepared: Prepared, town: Town, population: Population) -> TownOutcome:
    people = population.only(town.blocks.ids)
    meshed = on_mesh(town.blocks, prepared.project.mesh.level)
    mesh_people = gather(people, meshed.crosswalk)
    walk = catchments = served = None
    if town.facilities is not None:
        radius = prepared.project.reach.radius_m
        walk = within_radius(town.facilities.located, town.blocks, radius=radius)
        catchments = gather(people, walk)
        served = reach(
            catchments,
            years_in_service=years_in_service(town.facilities.opened(), catchments.years),
            outside=share_outside(town.facilities.located, town.outline, radius=radius),
        )
    return TownOutcome(
        town,
        people,
        age_structure(people).join(density(people, town.blocks.areas())),
        meshed,
        mesh_people,
        age_structure(mesh_people).join(density(mesh_people, meshed.zones.areas())),
        walk,
        catchments,
        served,
    )
