"""Whether rates can be made from two dates, and totals be met: said before anything is computed."""

from __future__ import annotations

import numpy as np

from futuremap.core.population import SEXES, Population
from futuremap.problems import Report

FEMALE = SEXES.index("female")
MOTHERS_FROM, MOTHERS_TO = 15, 50


def check_people(
    past: Population | None,
    base: Population | None,
    *,
    name: str,
    report: Report,
) -> None:
    """Refuse a municipality without people, mothers or children; note ages that were empty.

    Parameters
    ----------
    past, base
        People by zone in the two years, if they could be read. [persons]
    name
        The municipality.
    report
        Takes FM436 and the warning FM438.
    """
    if past is not None:
        by_age = past.persons.sum(axis=(0, 1))
        empty = int((by_age == 0).sum())
        if by_age.sum() == 0:
            _lacks(report, past, name, ("人", "people"))
        elif empty:
            report.add("FM438", value=empty, name=name, count=empty)
    if base is None:
        return
    by_age = base.persons.sum(axis=(0, 1))
    if by_age[FEMALE, base.ages.between(MOTHERS_FROM, MOTHERS_TO)].sum() == 0:
        _lacks(report, base, name, ("15～49歳の女性", "women aged 15-49"))
    if by_age[:, 0].sum() == 0:
        _lacks(report, base, name, ("0～4歳の子ども", "children aged 0-4"))


def _lacks(report: Report, people: Population, name: str, who: tuple[str, str]) -> None:
    year = people.years[0]
    report.add("FM436", value=0, name=name, year=year, lacking_ja=who[0], lacking_en=who[1])


def check_controls(
    controls: Population,
    *,
    name: str,
    file: str,
    base_year: int | None,
    report: Report,
) -> None:
    """Refuse totals of nothing (FM437), and growth without its base year (FM435).

    Parameters
    ----------
    controls
        Published totals of one municipality. [persons]
    name, file
        The municipality, and the file of the totals.
    base_year
        Year from which growth is followed; None where totals are met as they are.
    report
        Takes the problems.
    """
    totals = controls.totals()[:, 0]
    for y in np.flatnonzero(totals <= 0):
        year = controls.years[y]
        report.add("FM437", file=file, column="total", value=totals[y], name=name, year=year)
    first, last = min(controls.years), max(controls.years)
    if base_year is not None and not first <= base_year <= last:
        shown = f"{first}～{last}"
        report.add("FM435", file=file, value=shown, name=name, base_year=base_year)
