"""The level of the census for people of a resident register."""

from __future__ import annotations

import numpy as np

from futuremap.base.reconcile import factors, scaled
from futuremap.config import Project
from futuremap.core.population import Population
from futuremap.pipeline.read_ages import municipal
from futuremap.problems import Report


def read_level(project: Project, number: int, report: Report) -> Population | None:
    """Read the census that ``[municipality.reconcile]`` names; None without one, or in doubt.

    Parameters
    ----------
    project, number
        The project, and which of its municipalities.
    report
        Takes the problems of the reader.
    """
    town = project.municipality[number]
    if town.reconcile is None:
        return None
    entry = town.reconcile
    return municipal(project, town, entry.file, year=entry.year, credit=entry.credit, report=report)


def at_level(
    project: Project,
    number: int,
    register: Population,
    census: Population,
    report: Report,
) -> Population:
    """Bring the registers of all years to the level of the census, by the year nearest to it.

    Parameters
    ----------
    project, number
        The project, and which of its municipalities.
    register
        Town blocks in all years. [persons]
    census
        The municipality. [persons]
    report
        Takes FM475 to FM479.

    Returns
    -------
    Population
        Flagged as raked, or the register as it was where it was refused.
    """
    town = project.municipality[number]
    nearest = min(register.years, key=lambda year: (abs(year - census.years[0]), year))
    parents = [town.code] * len(register.zones)
    file = town.population_of(nearest)
    found = factors(
        register.at(nearest),
        census,
        parents=parents,
        report=report,
        file=file.file if file else "",
    )
    if found is None or town.reconcile is None:
        return register
    if town.reconcile.rule == "total":
        level = np.broadcast_to(found.overall[:, np.newaxis, np.newaxis], found.factor.shape)
        found = found._replace(factor=level, pooled=np.zeros_like(found.pooled))
    return scaled(register, found, parents=parents)
