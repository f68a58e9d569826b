"""Which official tables and shapes of town blocks found in a folder make a run, by town."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from futuremap.config.model import INTERVAL
from futuremap.sources.recognised import Kind, Recognised


class BlockPeople(NamedTuple):
    """People of a town by block, and where its blocks are.

    people
        Which file gives its people, by year; empty if no two years are five apart.
    months
        The month of each year, of registers joined in one file.
    blocks
        Where its blocks are in the base year; None if no file says it.
    past_blocks
        Where they were in other years, if a file says it.
    ages
        Censuses of the municipality that go on where its people by block end.
    """

    people: dict[int, Recognised]
    months: dict[int, str]
    blocks: Recognised | None
    past_blocks: dict[int, Recognised]
    ages: Recognised | None


NOBODY = BlockPeople({}, {}, None, {}, None)


def usable(files: Iterable[Recognised], *kinds: Kind) -> list[Recognised]:
    """The files of some kinds that nothing is known against."""
    return [file for file in files if file.kind in kinds and file.usable]


def has_town(file: Recognised, code: str) -> bool:
    """Whether a file speaks of a municipality."""
    return any(town.code == code for town in file.clues.towns)


def years_of_small_areas(files: Sequence[Recognised], code: str) -> set[int]:
    """Years from which a town can start by small areas of e-Stat."""
    years = _small_areas(files, code).keys()
    return {year for year in years if year - INTERVAL in years}


def years_of_series(files: Sequence[Recognised], *, alone: bool) -> set[int]:
    """Years from which a town can start by joined registers, if one month says where it is.

    Joined registers do not say of which town they are: it must be the only one.
    """
    pairs = [_months(file) for file in usable(files, "register_series")] if alone else []
    return {year for months in pairs for year in months if _paired(months, year)}


def by_small_areas(files: Sequence[Recognised], code: str, base: int) -> BlockPeople:
    """People of e-Stat's small areas in the base year and five years before.

    Parameters
    ----------
    files
        What was recognised.
    code
        The municipality.
    base
        The base year.
    """
    found = _small_areas(files, code)
    wanted = (base - INTERVAL, base)
    if not set(wanted) <= found.keys():
        return NOBODY
    shapes = [file for file in usable(files, "boundary") if has_town(file, code)]
    of_year = {year: file for file in shapes[::-1] for year in file.years}
    nearest = sorted(shapes, key=lambda file: min((abs(y - base) for y in file.years), default=9))
    past = {year: of_year[year] for year in wanted[:1] if year in of_year and base in of_year}
    census = [file for file in usable(files, "census") if has_town(file, code)]
    ages = next((file for file in census if set(wanted) <= set(file.years)), None)
    people = {year: found[year] for year in wanted}
    return BlockPeople(people, {}, next(iter(nearest), None), past, ages)


def by_series(files: Sequence[Recognised], located: Sequence[Recognised], base: int) -> BlockPeople:
    """People of joined registers in the same month of the base year and five years before.

    Parameters
    ----------
    files
        What was recognised.
    located
        Registers of one month with the points of their areas, of the same town.
    base
        The base year.
    """
    for file in usable(files, "register_series"):
        months = _paired(_months(file), base)
        if months and located:
            near = min(located, key=lambda one: min(abs(year - base) for year in one.years))
            return BlockPeople(dict.fromkeys(months, file), months, near, {}, None)
    return NOBODY


def _small_areas(files: Sequence[Recognised], code: str) -> dict[int, Recognised]:
    listed = [file for file in usable(files, "estat_small_area") if has_town(file, code)]
    return {year: file for file in listed[::-1] for year in file.years}


def _months(file: Recognised) -> dict[int, list[str]]:
    months: dict[int, list[str]] = {}
    for month in file.clues.months:
        months.setdefault(int(month[:4]), []).append(month)
    return months


def _paired(months: dict[int, list[str]], base: int) -> dict[int, str]:
    """The latest month of the base year that the year five years before also has."""
    early = {month[5:] for month in months.get(base - INTERVAL, [])}
    shared = [month for month in months.get(base, []) if month[5:] in early]
    if not shared:
        return {}
    latest = max(shared)
    return {base - INTERVAL: f"{base - INTERVAL}{latest[4:]}", base: latest}
