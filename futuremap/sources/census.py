"""Municipal census counts: one zone a municipality; ages not stated are kept apart."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from futuremap.core.ages import AgeGroups
from futuremap.core.population import Flag, Population
from futuremap.problems import Report
from futuremap.sources.municipal import AGES, read_municipal

ANY_AGE = AgeGroups((0,))


class Census(NamedTuple):
    """A census of one municipality in one year.

    known
        People whose age was stated, to 90 and over. [persons]
    unknown
        People whose age was not, in one age group. [persons]
    """

    known: Population
    unknown: Population


def read(
    path: Path,
    *,
    code: str,
    name: str,
    year: int,
    credit: str,
    report: Report,
) -> Census | None:
    """Read one census of one municipality.

    Parameters
    ----------
    path
        CSV in the layout of :func:`futuremap.sources.municipal.read_municipal`, with a column
        ``unknown`` for people of unknown age.
    code, name
        The municipality; its code becomes the only zone.
    year
        Year of the census.
    credit
        Key of the credit line.
    report
        Takes the problems, among them FM309 where the year is missing.

    Returns
    -------
    Census or None
        None if any of the municipality's numbers is in doubt.
    """
    found = read_municipal(path, code=code, name=name, report=report, with_unknown=True)
    if found is None:
        return None
    if year not in found.years:
        years = "、".join(map(str, found.years))
        report.add("FM309", file=path.name, column="year", value=year, name=name, expected=years)
        return None
    y = found.years.index(year)
    cubes = found.persons[y], found.unknown[y][:, np.newaxis]
    known, unknown = (
        Population.build(
            cube[np.newaxis, np.newaxis],
            years=[year],
            zones=[code],
            ages=ages,
            flag=Flag.OBSERVED,
            sources=[credit],
        )
        for cube, ages in zip(cubes, (AGES, ANY_AGE), strict=True)
    )
    return Census(known, unknown)
