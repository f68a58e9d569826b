"""Known housing projects of project.toml: found in the blocks, put into a path."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from futuremap.core.flows import advance_age
from futuremap.core.population import SEXES, Population, join_zones
from futuremap.core.rates import Rates
from futuremap.pipeline.prepare import Prepared, Town
from futuremap.projection.housing import HousingProject, in_mover_profile, settle
from futuremap.projection.rates import FERTILE_FROM, FERTILE_TO

FEMALE = SEXES.index("female")


def with_housing(
    prepared: Prepared,
    path: NDArray[np.float64],
    rates: Rates,
) -> NDArray[np.float64]:
    """The path with the project's housing in it; as it is where there is none.

    Raises
    ------
    DemographyError
        If more people would leave a block than live there.
    """
    projects = [
        HousingProject(
            town.zone_named(one.zone) or one.zone,
            one.year,
            dwellings=one.dwellings,
            persons=one.persons,
            household_size=one.household_size,
            occupied_share=one.occupied_share,
        )
        for entry, town in zip(prepared.project.municipality, prepared.towns, strict=True)
        for one in entry.housing
    ]
    if not projects:
        return path
    years = prepared.project.projected_years
    return settle(path, projects, rates, years=years, profile=mover_profile(prepared, rates))


def mover_profile(prepared: Prepared, rates: Rates) -> NDArray[np.float64]:
    """Sex and age of those who moved into each zone's municipality ``(Z, S, A)``."""
    past, base = (
        join_zones([one(town) for town in prepared.towns]).persons[0] for one in (_past, _base)
    )
    due = advance_age(past)
    fertile = rates.ages.between(FERTILE_FROM, FERTILE_TO)
    due[:, :, 0] = base[:, FEMALE, fertile].sum(axis=1)[:, None]
    return in_mover_profile(base, due, parent_of=rates.parent_of)


def _past(town: Town) -> Population:
    return town.past


def _base(town: Town) -> Population:
    return town.base
