"""The people of one municipality in every year of its project, whatever their files are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from futuremap.base.placement import check_blocks, check_corrections
from futuremap.base.suppressed import restore
from futuremap.base.unknown_age import spread
from futuremap.config import Municipality, Project
from futuremap.config.model import BlocksFile, PopulationFile
from futuremap.core.ages import AgeGroups
from futuremap.core.population import Population
from futuremap.core.zones import Zones
from futuremap.errors import DemographyError, LabelError
from futuremap.pipeline.read_ages import in_older_ages, municipal
from futuremap.pipeline.read_blocks import Blocks, Counts, place_people, read_shapes
from futuremap.pipeline.read_common import honest, note_unverified
from futuremap.problems import Report
from futuremap.sources import estat_small_area, mapped, register, register_series

_POINT = ("location", "latitude", "longitude")
PLACES = {heading for heading, name in register.HEADINGS.items() if name in _POINT} | {
    "point_correction"
}
FIRST_OPEN = 65  # years; ages that end below say too little of births and deaths


class _Reading(NamedTuple):
    project: Project
    number: int
    area: Zones | None
    report: Report

    @property
    def town(self) -> Municipality:
        return self.project.municipality[self.number]

    @property
    def files(self) -> list[PopulationFile]:
        # years in another format than the first were reported with the project file
        listed = self.town.population
        return [file for file in listed if file.format == listed[0].format]

    @property
    def base(self) -> PopulationFile | None:
        year = self.project.project.base_year
        return next((file for file in self.files if file.year == year), None)

    def path(self, file: PopulationFile) -> Path:
        return self.project.path(file.file)


def read_population(
    project: Project,
    number: int,
    area: Zones | None,
    report: Report,
) -> dict[int, Blocks]:
    """Read all years of a municipality.

    Parameters
    ----------
    project, number
        The project, and which of its municipalities.
    area
        The outline, if it could be read.
    report
        Takes every problem of the files, and FM010, FM012, FM017, FM443, FM468, FM469.

    Returns
    -------
    dict
        By year; without people where any number, name or place of theirs is in doubt.
    """
    reading = _Reading(project, number, area, report)
    nothing = {file.year: Blocks(None, None) for file in reading.town.population}
    if reading.files[0].format == "register":
        return nothing | _registers(reading)
    if reading.files[0].format == "census":
        return nothing | {file.year: _census(reading, file) for file in reading.files}
    return nothing | _others(reading)


def _census(reading: _Reading, file: PopulationFile) -> Blocks:
    found = municipal(
        reading.project,
        reading.town,
        file.file,
        year=file.year,
        credit=file.credit,
        report=reading.report,
    )
    return Blocks(honest(reading.project, found), None)


def _registers(reading: _Reading) -> dict[int, Blocks]:
    # the base year gives the blocks and their points, on which the others are read by name
    base, project = reading.base, reading.project
    listed = None if base is None else _register(reading, base)
    points = listed.zones if listed else None
    counted = {}
    for file in reading.files:
        if file is base:
            counted[file.year] = honest(project, listed.population) if listed else None
        else:
            counted[file.year] = _past_register(reading, file, points)
    if base is None or listed is None:
        return {year: Blocks(None, None) for year in counted}
    if reading.town.blocks is not None:
        return _in_their_areas(reading, reading.town.blocks, counted, listed)
    if reading.area is not None:
        check_blocks(
            listed.zones,
            reading.area,
            file=base.file,
            sheet=listed.sheet,
            lines=listed.lines,
            report=reading.report,
        )
    return {year: Blocks(people, points) for year, people in counted.items()}


def _in_their_areas(
    reading: _Reading,
    entry: BlocksFile,
    counted: dict[int, Population | None],
    listed: register.Register,
) -> dict[int, Blocks]:
    nothing = {year: Blocks(None, None) for year in counted}
    base = reading.base
    people = None if base is None else counted[base.year]
    if people is None or base is None:
        return nothing
    names = dict(zip(listed.zones.ids, listed.zones.names, strict=True))
    found = Counts(people, names, base.file, listed.sheet, listed.lines)
    placed = _placed(reading, found, entry, base.year)
    years = {base.year: placed}
    for year, others in counted.items():
        if others is None:
            years[year] = Blocks(None, None)
        elif year != base.year:
            years[year] = _as_base(found._replace(people=others), placed.zones, reading.town)
    return years


def _register(reading: _Reading, file: PopulationFile) -> register.Register | None:
    town = reading.town
    report = Report()
    found = register.read(
        reading.path(file),
        year=file.year,
        municipality=town.code,
        plane_zone=town.plane_zone,
        credit=file.credit,
        report=report,
        corrections={fix.zone: (fix.lat, fix.lon) for fix in town.point_correction},
        names=_sound_names(reading, file),
    )
    for problem in report.problems:
        # points that are not used need not be right, nor be there
        if town.blocks is None or problem.column not in PLACES:
            reading.report.add(
                problem.code,
                file=problem.file,
                sheet=problem.sheet,
                line=problem.line,
                column=problem.column,
                value=problem.value,
                **dict(problem.detail),
            )
    if found is not None and town.blocks is None:
        _check_corrections(reading, found.zones)
    return found


def _check_corrections(reading: _Reading, points: Zones) -> None:
    lines = {
        fix.zone: reading.project.line(
            "municipality", reading.number, "point_correction", i, "zone"
        )
        for i, fix in enumerate(reading.town.point_correction)
    }
    check_corrections(points, lines, file=reading.project.file.name, report=reading.report)


def _past_register(
    reading: _Reading,
    file: PopulationFile,
    points: Zones | None,
) -> Population | None:
    found = register.read_year(
        reading.path(file),
        year=file.year,
        ids_by_name=dict(zip(points.names, points.ids, strict=True)) if points else None,
        credit=file.credit,
        report=reading.report,
        names=_sound_names(reading, file),
        municipality=reading.town.code,
    )
    return honest(reading.project, found)


def _sound_names(reading: _Reading, file: PopulationFile) -> dict[str, str] | None:
    if file.names_from is None:
        return None
    return register.names_by_number(reading.project.path(file.names_from), report=reading.report)


def _others(reading: _Reading) -> dict[int, Blocks]:
    # people by code or name, and the areas or points in which they live from another file
    counts = {file.year: _counts(reading, file) for file in reading.files}
    files = {file.year: file for file in reading.files}
    common = reading.town.blocks
    base_year = reading.project.project.base_year
    years: dict[int, Blocks] = {}
    for year in sorted(counts, key=lambda year: (year != base_year, year)):
        found, own = counts[year], files[year].blocks
        entry = own or (common if year == base_year else None)
        base = years.get(base_year)
        if found is None:
            years[year] = Blocks(None, None)
        elif entry is not None:
            years[year] = _placed(reading, found, entry, year)
        else:
            years[year] = _as_base(found, None if base is None else base.zones, reading.town)
    return years


def _placed(reading: _Reading, found: Counts, entry: BlocksFile, year: int) -> Blocks:
    shapes = read_shapes(reading.project, reading.town, entry, year, reading.area, reading.report)
    if shapes is None:
        return Blocks(None, None)
    if entry.format == "register":
        _check_corrections(reading, shapes.zones)
    return place_people(found, shapes, area=reading.area, report=reading.report)


def _as_base(found: Counts, base: Zones | None, town: Municipality) -> Blocks:
    """People of a year without areas of its own: the base year's, or none where they differ."""
    ids = found.people.zones
    nobody = dict(zip(ids, (found.people.totals()[0] == 0).tolist(), strict=True))
    if base is not None and set(base.ids) <= set(ids):
        further = set(ids) - set(base.ids)
        if all(nobody[zone] for zone in further):  # left out of the base year for the same reason
            return Blocks(found.people.only(base.ids), base)
    zones = Zones.build(
        ids,
        np.full(len(ids), None, dtype=object),
        names=[found.names.get(zone) or zone for zone in ids],
        parents=[town.code] * len(ids),
        kind="town_block",
        plane_zone=town.plane_zone,
        sources=found.people.sources,
    )
    return Blocks(found.people, zones)


def _counts(reading: _Reading, file: PopulationFile) -> Counts | None:
    readers: dict[str, Callable[[_Reading, PopulationFile], Counts | None]] = {
        "estat_small_area": _small_areas,
        "mapped": _mapped,
        "register_series": _month,
    }
    try:
        found = readers[file.format](reading, file)
        if found is None or not _in_steps(found, reading.report):
            return None
        people = in_older_ages(reading.project, reading.town, file, found.people, reading.report)
    except (DemographyError, LabelError) as error:
        reading.report.add("FM443", file=file.file, year=file.year, reason=error)
        return None
    known = honest(reading.project, people)
    return None if known is None else found._replace(people=known)


def _small_areas(reading: _Reading, file: PopulationFile) -> Counts | None:
    note_unverified(
        estat_small_area.VERIFIED, "e-Stat 小地域", file=file.file, report=reading.report
    )
    areas = estat_small_area.read(
        reading.path(file),
        year=file.year,
        municipality=reading.town.code,
        credit=file.credit,
        report=reading.report,
    )
    if areas is None:
        return None
    totals, details, merged = areas.published
    restored = restore(totals, details, merged=merged)
    people = spread(restored.known, restored.unknown, parents=areas.parents)
    names = dict(zip(people.zones, areas.names, strict=True))
    # those of other municipalities only helped to restore what was merged with them
    own = [zone for zone in people.zones if zone.startswith(reading.town.code)]
    names = {zone: names[zone] for zone in own}
    return Counts(people.only(own), names, file.file, lines=areas.lines)


def _mapped(reading: _Reading, file: PopulationFile) -> Counts | None:
    if file.mapping is None:
        return None  # the project file was reported
    found = mapped.read(
        reading.path(file),
        mapping=file.mapping.table(file.year),
        credit=file.credit,
        report=reading.report,
    )
    if found is None or found.population is None:
        return None
    if file.year not in found.population.years:
        years = "、".join(map(str, found.population.years))
        reading.report.add("FM309", file=file.file, sheet=found.sheet, value=file.year,
                           name=reading.town.name, expected=years)  # fmt: skip
        return None
    people = found.population.at(file.year)
    if found.unknown is not None:
        parents = [reading.town.code] * len(people.zones)
        people = spread(people, found.unknown.at(file.year), parents=parents)
    return Counts(people, found.names, file.file, found.sheet, found.lines)


def _month(reading: _Reading, file: PopulationFile) -> Counts | None:
    # all months of a file are read together: their areas are those of the first
    if file.month is None:
        return None  # the project file was reported
    months = {
        other.month
        for other in reading.town.population
        if other.file == file.file and other.month is not None
    }
    found = register_series.read(
        reading.path(file),
        municipality=reading.town.code,
        credit=file.credit,
        report=reading.report,
        months=months,
    )
    return None if found is None else Counts(found.at(file.month), found.names, file.file)


def _in_steps(found: Counts, report: Report) -> bool:
    ages = found.people.ages
    if ages.open_age >= FIRST_OPEN and ages == AgeGroups.five_year(open_age=ages.open_age):
        return True
    shown = ", ".join(map(str, ages.lower[:8]))
    report.add("FM012", file=found.file, sheet=found.sheet, value=shown, found=f"{shown} …")
    return False
