"""Everything read and checked, before anything is computed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from futuremap.base.placement import check_blocks, check_facilities, check_plane
from futuremap.base.thiessen import thiessen
from futuremap.config import Municipality, Project
from futuremap.config.model import PopulationFile
from futuremap.core.facilities import Facilities, join_facilities
from futuremap.core.layer import Text
from futuremap.core.population import Population
from futuremap.core.zones import Zones
from futuremap.problems import Report
from futuremap.projection.controls import Basis, register_ratio
from futuremap.sources import controls, facilities, outline, register

Progress = Callable[[str], None]
FAR_FROM_CONTROL = 0.05  # register and control total further apart than this are reported


class Town(NamedTuple):
    """One municipality, ready to run.

    code, name
        The municipality.
    outline, blocks
        Its boundary and its town blocks as polygons.
    past, base
        People by block in the two years.
    controls
        Published totals, and how they bind.
    facilities
        Its facilities, and the names of their classes.
    """

    code: str
    name: Text
    outline: Zones
    blocks: Zones
    past: Population
    base: Population
    controls: Population | None
    basis: Basis
    facilities: Facilities | None
    class_names: dict[str, str]


class Prepared(NamedTuple):
    """A project whose input has been read and found right.

    project
        The project file.
    towns
        Its municipalities, sorted by code.
    inputs
        Every file read with its credit key.
    report
        Warnings; there are no errors.
    """

    project: Project
    towns: tuple[Town, ...]
    inputs: tuple[tuple[Path, str], ...]
    report: Report


class _Read(NamedTuple):
    entry: Municipality
    base: register.Register | None
    past: Population | None
    outline: Zones | None
    controls: Population | None
    facilities: list[Facilities]


def prepare(project: Project, *, report: Report, progress: Progress) -> Prepared:
    """Read all inputs of a project and refuse them together if anything is wrong.

    Parameters
    ----------
    project
        The project file.
    report
        Collects what is found.
    progress
        Is told what is being read.

    Raises
    ------
    InputRefused
        If there is any error, after everything was read.
    """
    found = [_read(project, entry, report, progress) for entry in project.municipality]
    report.raise_if_errors()
    towns = sorted((_town(read) for read in found), key=lambda town: town.code)
    _compare_with_controls(project, towns, report)
    return Prepared(project, tuple(towns), tuple(_inputs(project)), report)


def _read(project: Project, entry: Municipality, report: Report, progress: Progress) -> _Read:
    progress(f"{entry.name}：人口 / population")
    base_file = entry.population_of(project.project.base_year)
    base = None if base_file is None else _read_base(project, entry, base_file, report)
    past = _read_past(project, entry, base.zones if base else None, report)
    progress(f"{entry.name}：境界・総数・施設 / outline, totals, facilities")
    area = outline.read(
        project.path(entry.outline.file),
        code=entry.code,
        plane_zone=entry.plane_zone,
        name=entry.name,
        credit=entry.outline.credit,
        report=report,
    )
    if area is not None:
        check_plane(area, file=project.file.name, report=report)
    if base is not None and base_file is not None and area is not None:
        check_blocks(base.zones, area, file=base_file.file, report=report)
    return _Read(
        entry,
        base,
        past,
        area,
        _read_controls(project, entry, report),
        _read_facilities(project, entry, area, report),
    )


def _read_base(
    project: Project,
    entry: Municipality,
    file: PopulationFile,
    report: Report,
) -> register.Register | None:
    return register.read(
        project.path(file.file),
        year=file.year,
        municipality=entry.code,
        plane_zone=entry.plane_zone,
        credit=file.credit,
        report=report,
        corrections={fix.zone: (fix.lat, fix.lon) for fix in entry.point_correction},
    )


def _read_past(
    project: Project,
    entry: Municipality,
    zones: Zones | None,
    report: Report,
) -> Population | None:
    file = entry.population_of(project.past_year)
    if file is None:
        return None
    return register.read_year(
        project.path(file.file),
        year=file.year,
        ids_by_name=dict(zip(zones.names, zones.ids, strict=True)) if zones else None,
        credit=file.credit,
        report=report,
    )


def _read_controls(project: Project, entry: Municipality, report: Report) -> Population | None:
    if entry.control is None:
        return None
    read = controls.read(
        project.path(entry.control.file),
        code=entry.code,
        name=entry.name,
        credit=entry.control.credit,
        report=report,
    )
    base, end = project.years
    reaches = read is None or end <= base or (base < max(read.years) and min(read.years) <= end)
    if read is not None and not reaches:
        shown = f"{min(read.years)}～{max(read.years)}"
        expected = f"{base + 1}～{end}"
        report.add("FM432", file=entry.control.file, value=shown, expected=expected)
    return read


def _read_facilities(
    project: Project,
    entry: Municipality,
    area: Zones | None,
    report: Report,
) -> list[Facilities]:
    lists = []
    for listed in entry.facilities:
        read = facilities.read(
            project.path(listed.file),
            facility_class=listed.facility_class,
            municipality=entry.code,
            plane_zone=entry.plane_zone,
            credit=listed.credit,
            base_year=project.project.base_year,
            report=report,
        )
        if read is None:
            continue
        if area is not None:
            check_facilities(read, area, file=listed.file, report=report)
        lists.append(read)
    return lists


def _town(read: _Read) -> Town:
    entry = read.entry
    population = read.base.population if read.base else None
    if read.base is None or population is None or read.past is None or read.outline is None:
        # readers say why they give nothing, so an accepted input has all three
        raise AssertionError(f"{entry.code} was accepted without its files")
    return Town(
        entry.code,
        Text(entry.name, entry.name_en or entry.name),
        read.outline,
        thiessen(read.base.zones, read.outline),
        read.past,
        population,
        read.controls,
        entry.control.basis if entry.control else "level",
        join_facilities(read.facilities) if read.facilities else None,
        {listed.facility_class: listed.name for listed in entry.facilities},
    )


def _compare_with_controls(project: Project, towns: list[Town], report: Report) -> None:
    for town in towns:
        if town.controls is None:
            continue
        base_total = float(town.base.totals().sum())
        ratio = register_ratio(base_total, town.controls, project.project.base_year)
        if abs(ratio - 1) > FAR_FROM_CONTROL:
            report.add("FM421", file=project.file.name, value=f"{ratio:.3f}",
                       percent=f"{100 * (ratio - 1):+.1f}")  # fmt: skip


def _inputs(project: Project) -> list[tuple[Path, str]]:
    files: list[tuple[Path, str]] = []
    for entry in project.municipality:
        years = {project.past_year, project.project.base_year}
        files += [
            (project.path(one.file), one.credit) for one in entry.population if one.year in years
        ]
        files.append((project.path(entry.outline.file), entry.outline.credit))
        if entry.control is not None:
            files.append((project.path(entry.control.file), entry.control.credit))
        files += [(project.path(one.file), one.credit) for one in entry.facilities]
    return sorted(set(files))
