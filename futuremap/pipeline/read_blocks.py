"""Where town blocks are: areas or points of their own, found by the codes or names of people."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

from futuremap.base.placement import check_areas, check_blocks
from futuremap.base.thiessen import thiessen
from futuremap.config import Municipality, Project
from futuremap.config.model import BlocksFile
from futuremap.core.population import Population
from futuremap.core.zones import Zones
from futuremap.errors import LabelError
from futuremap.pipeline.read_common import note_unverified, place_of
from futuremap.problems import Report
from futuremap.sources import boundary, cells, public_facilities, register, vector

SHOWN = 3  # names in a problem
NEW_EDITION = 2016  # censuses after this year come as r2ka, those before as h27ka


class Shapes(NamedTuple):
    """Blocks with areas or points, before they are compared with people.

    zones
        As their file calls them.
    stated
        People that the file states for each, NaN where it does not ``(Z,)``. [persons]
    entry
        Their table in the project file.
    sheet, lines
        Where points stand in their file.
    """

    zones: Zones
    stated: NDArray[np.float64]
    entry: BlocksFile
    sheet: str = ""
    lines: Mapping[str, int] = {}


class Counts(NamedTuple):
    """People by block, before it is known where the blocks are.

    people
        In one year.
    names
        Name of each block.
    file, sheet, lines
        Where they stand.
    """

    people: Population
    names: Mapping[str, str]
    file: str
    sheet: str = ""
    lines: Mapping[str, int] = {}


class Blocks(NamedTuple):
    """People of one year with the places in which they live.

    people
        By block; None if they could not be read.
    zones
        The same blocks in the same order: areas, points, or without any shape; None where the
        municipality is the only zone, or nothing could be read.
    """

    people: Population | None
    zones: Zones | None


def read_shapes(
    project: Project,
    town: Municipality,
    entry: BlocksFile,
    year: int,
    area: Zones | None,
    report: Report,
) -> Shapes | None:
    """Read the blocks' areas or points.

    Parameters
    ----------
    project, town, entry
        The project, the municipality, and its ``[municipality.blocks]``.
    year
        Year of the people who live in them.
    area
        The municipality's outline, if it could be read.
    report
        Takes the problems of the readers, and FM010.
    """
    path, place = project.path(entry.file), place_of(town, area)
    if entry.format == "estat_boundary":
        edition = "h27ka" if year < NEW_EDITION else "r2ka"
        note_unverified(boundary.VERIFIED, edition, file=entry.file, report=report)
        found = boundary.read(path, town=place, credit=entry.credit, report=report)
        return None if found.zones is None else _shapes(found.zones, entry, found.persons)
    if entry.format == "vector":
        layout = vector.Layout(entry.key, name=entry.name, parent=entry.parent, layer=entry.layer)
        zones = vector.read(
            path, layout, town=place, kind="town_block", credit=entry.credit, report=report
        )
        return None if zones is None else _shapes(zones, entry)
    if entry.format == "points":
        return _points(project, entry, place, report)
    listed = register.read(
        path,
        year=year,
        municipality=town.code,
        plane_zone=town.plane_zone,
        credit=entry.credit,
        report=report,
        corrections={fix.zone: (fix.lat, fix.lon) for fix in town.point_correction},
    )
    if listed is None or listed.population is None:
        return None
    return _shapes(listed.zones, entry)._replace(sheet=listed.sheet, lines=listed.lines)


def _shapes(
    zones: Zones,
    entry: BlocksFile,
    stated: NDArray[np.float64] | None = None,
) -> Shapes:
    return Shapes(zones, np.full(len(zones), np.nan) if stated is None else stated, entry)


def _points(
    project: Project,
    entry: BlocksFile,
    place: vector.Town,
    report: Report,
) -> Shapes | None:
    # a list of places is read as facilities are; the column of the key is their name
    named = {entry.key: "name", entry.latitude: "latitude", entry.longitude: "longitude"}
    listed = public_facilities.read(
        project.path(entry.file),
        facility_class="block",
        town=place,
        credit=entry.credit,
        base_year=project.project.base_year,
        report=report,
        mapping={heading: name for heading, name in named.items() if heading},
    )
    if listed is None:
        return None
    names = [cells.heading(name) for name in listed.located.names]
    twice = sorted({name for name in names if names.count(name) > 1})
    for name in twice:
        report.add("FM019", file=entry.file, column=entry.key, value=name, name=name)
    if twice:
        return None
    zones = Zones.build(
        names,
        listed.located.geometry,
        names=names,
        parents=[place.code] * len(names),
        kind="town_block",
        plane_zone=place.plane_zone,
        sources=[entry.credit],
    )
    return _shapes(zones, entry)


def place_people(
    counts: Counts,
    shapes: Shapes,
    *,
    area: Zones | None,
    report: Report,
) -> Blocks:
    """Put people and the shapes of their blocks together.

    Parameters
    ----------
    counts
        People of one year.
    shapes
        Areas or points of that year.
    area
        The outline; points are given the ground that is nearest to them in it.
    report
        Takes FM013 to FM016, FM019, FM444, for points FM523 and FM443, for areas FM579 to
        FM582.

    Returns
    -------
    Blocks
        Without blocks that have neither people nor a shape; nothing if any is in doubt.
    """
    before = len(report.errors)
    row_of = _rows(counts, shapes, report)
    if row_of is None:
        return Blocks(None, None)
    _note_people_without_shape(counts, shapes, row_of, report)
    _note_shapes_without_people(shapes, row_of, report)
    ids = [zone for zone in counts.people.zones if zone in row_of]
    rows = [row_of[zone] for zone in ids]
    zones = Zones.build(
        ids,
        shapes.zones.geometry[rows],
        names=[counts.names.get(zone, "") or shapes.zones.names[row_of[zone]] for zone in ids],
        parents=shapes.zones.frame["parent"].to_numpy(dtype=object)[rows],
        kind="town_block",
        plane_zone=shapes.zones.plane_zone,
        notes=shapes.zones.notes,
        sources=(*shapes.zones.sources, *counts.people.sources),
    )
    if len(report.errors) > before or area is None:
        return Blocks(None, None)
    people = counts.people.only(ids)
    if shapes.entry.format not in ("points", "register"):
        check_areas(zones, area, file=shapes.entry.file, report=report)
        return Blocks(None, None) if len(report.errors) > before else Blocks(people, zones)
    lines = {zone: shapes.lines[shapes.zones.ids[row_of[zone]]] for zone in ids if shapes.lines}
    check_blocks(
        zones, area, file=shapes.entry.file, sheet=shapes.sheet, lines=lines, report=report
    )
    if len(report.errors) > before:
        return Blocks(None, None)
    return Blocks(people, _around(zones, area, counts, report))


def in_areas(blocks: Zones, area: Zones) -> Zones:
    """Blocks as areas: points get the ground that is nearest to them (Thiessen).

    Parameters
    ----------
    blocks
        All points, or all areas.
    area
        The outline of the municipality.

    Raises
    ------
    LabelError
        As :func:`futuremap.base.thiessen.thiessen`.
    """
    kinds = shapely.get_type_id(blocks.geometry)
    is_points = bool((kinds == shapely.GeometryType.POINT).any())
    return thiessen(blocks, area) if is_points else blocks


def _around(points: Zones, area: Zones, counts: Counts, report: Report) -> Zones | None:
    try:
        return in_areas(points, area)
    except LabelError as error:
        report.add("FM443", file=counts.file, year=counts.people.years[0], reason=error)
        return None


def _rows(counts: Counts, shapes: Shapes, report: Report) -> dict[str, int] | None:
    """Row of each block's shape; None if none has any, or a name stands twice."""
    zones, people = shapes.zones, counts.people
    if shapes.entry.join == "code":
        place = {code: row for row, code in enumerate(zones.ids)}
        found = {zone: place[zone] for zone in people.zones if zone in place}
    else:
        ours = [cells.key(counts.names.get(zone, zone)) for zone in people.zones]
        theirs = [cells.key(name) for name in zones.names]
        doubtful = _note_twice(
            ours, set(theirs), counts.file, report, lambda i: counts.lines.get(people.zones[i])
        )
        doubtful |= _note_twice(theirs, set(ours), shapes.entry.file, report, lambda i: i + 1)
        if doubtful:
            return None
        place = {name: row for row, name in enumerate(theirs)}
        keys = zip(people.zones, ours, strict=True)
        found = {zone: place[name] for zone, name in keys if name in place}
    if found:
        return found
    seen = people.zones[0] if shapes.entry.join == "code" else counts.names.get(people.zones[0], "")
    shown = zones.ids[0] if shapes.entry.join == "code" else zones.names[0]
    report.add("FM444", file=shapes.entry.file, column=shapes.entry.key, value=shown, expected=seen)
    return None


def _note_twice(
    names: list[str],
    wanted: set[str],
    file: str,
    report: Report,
    line: Callable[[int], int | None],
) -> bool:
    first: set[str] = set()
    twice = False
    for i, name in enumerate(names):
        if name in first and name in wanted:
            report.add("FM019", file=file, line=line(i), value=name, name=name)
            twice = True
        first.add(name)
    return twice


def _note_people_without_shape(
    counts: Counts,
    shapes: Shapes,
    row_of: Mapping[str, int],
    report: Report,
) -> None:
    empty = []
    totals = counts.people.totals()[0].tolist()
    for zone, persons in zip(counts.people.zones, totals, strict=True):
        if zone in row_of:
            continue
        name = counts.names.get(zone) or zone
        if persons == 0:
            empty.append(name)
            continue
        report.add(
            "FM013",
            file=counts.file,
            sheet=counts.sheet,
            line=counts.lines.get(zone),
            value=zone,
            name=name,
            persons=f"{persons:,.0f}",
            expected=f"{shapes.entry.file}: {zone if shapes.entry.join == 'code' else name}",
        )
    if empty:
        _count("FM014", counts.file, empty, report)


def _note_shapes_without_people(
    shapes: Shapes,
    row_of: Mapping[str, int],
    report: Report,
) -> None:
    taken = set(row_of.values())
    left = [row for row in range(len(shapes.zones)) if row not in taken]
    ids, names = shapes.zones.ids, shapes.zones.names  # read once: both are made anew each time
    for row in left:
        if shapes.stated[row] > 0:
            persons = f"{shapes.stated[row]:,.0f}"
            report.add("FM015", file=shapes.entry.file, value=ids[row], name=names[row],
                       persons=persons, expected=ids[row])  # fmt: skip
    others = [names[row] for row in left if not shapes.stated[row] > 0]
    if others:
        _count("FM016", shapes.entry.file, others, report)


def _count(code: str, file: str, names: list[str], report: Report) -> None:
    shown = "、".join(names[:SHOWN])
    report.add(code, file=file, value=len(names), count=len(names), names=shown)
