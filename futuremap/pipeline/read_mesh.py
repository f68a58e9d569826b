"""地域メッシュ統計 of the base year: what the meshes themselves say of the people on them."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray

from futuremap.base.mesh_shares import AT_MOST, EXACT, FREE, Shares, fit, gap, gather_by_age
from futuremap.base.meshes import on_mesh
from futuremap.base.suppressed import restore
from futuremap.base.unknown_age import spread
from futuremap.config import Project
from futuremap.config.official import MeshMarginsFile
from futuremap.core import mesh
from futuremap.core.crosswalk import Crosswalk, gather, to_parents
from futuremap.core.population import Population, join_zones
from futuremap.core.zones import Zones
from futuremap.errors import DemographyError, LabelError
from futuremap.problems import Report
from futuremap.sources import estat_mesh

WHOLE = 0.999  # part of a mesh that blocks must fill for its people to be theirs [ratio]; slivers
WORTH_SAYING = 0.5  # difference of a mesh from what is published of it [persons]
FIRST = 4  # digits of the first mesh, for each of which there is a file


def read_margins(project: Project, number: int, report: Report) -> Population | None:
    """Read the mesh tables of a municipality, suppressed ages restored and unknown ones spread.

    Parameters
    ----------
    project, number
        The project, and which of its municipalities.
    report
        Takes the problems of the reader, FM443, FM464 for a year that is not the base year,
        FM465 for meshes larger than the project's, FM469 for files that differ in ages, and
        FM584 for those that have meshes in common.

    Returns
    -------
    Population or None
        All meshes of the files on the project's level, by sex and broad age; None where the
        project names none, they are of another year, or any number is in doubt.
    """
    entry = project.municipality[number].mesh_margins
    if entry is None:
        return None
    base_year = project.project.base_year
    if entry.year != base_year:
        line = project.line("municipality", number, "mesh_margins", "year")
        report.add("FM464", file=project.file.name, line=line, value=entry.year,
                   base_year=base_year)  # fmt: skip
        return None
    read = [_read(project, entry, file, report) for file in entry.files]
    parts = [part for part in read if part is not None]
    if len(parts) < len(entry.files):
        return None
    seen: dict[str, str] = {}
    for file, part in zip(entry.files, parts, strict=True):
        if twice := sorted(seen.keys() & set(part.zones)):
            report.add("FM584", file=file, value=twice[0], count=len(twice), other=seen[twice[0]])
            return None
        seen |= dict.fromkeys(part.zones, file)
        if part.ages != parts[0].ages:
            shown = ", ".join(map(str, part.ages.lower))
            expected = ", ".join(map(str, parts[0].ages.lower))
            report.add("FM469", file=file, value=shown, expected=expected)
            return None
    return join_zones(parts)


def _read(
    project: Project,
    entry: MeshMarginsFile,
    file: str,
    report: Report,
) -> Population | None:
    table = estat_mesh.read(project.path(file), year=entry.year, credit=entry.credit, report=report)
    if table is None:
        return None
    wanted = mesh.Level(project.mesh.level)
    codes = np.array(table.published.totals.zones)
    if table.level.span > wanted.span:
        report.add("FM465", file=file, value=table.level, expected=wanted)
        return None
    totals, details, merged = table.published
    try:
        restored = restore(totals, details, merged=merged)
        people = spread(restored.known, restored.unknown, parents=["mesh"] * len(codes))
    except (DemographyError, LabelError) as error:
        report.add("FM443", file=file, year=entry.year, reason=error)
        return None
    if table.level == wanted:
        return people
    return gather(people, to_parents(people.zones, mesh.parent(codes, wanted).tolist()))


def fit_margins(
    project: Project,
    number: int,
    blocks: Zones,
    *,
    people: Population,
    margins: Population,
    dwelling: Crosswalk | None,
    report: Report,
) -> Shares | None:
    """Share blocks over their meshes so that these have what is published of them.

    Parameters
    ----------
    project, number
        The project, and which of its municipalities.
    blocks, people
        Town blocks as areas, and their people in the base year.
    margins
        As :func:`read_margins` gives them. A mesh of theirs that other municipalities share
        bounds the people from above; one that they do not list has nobody.
    dwelling
        Where people stand before the meshes are looked at; by area if None.
    report
        Takes FM114 where no file is of the blocks' first meshes, FM115 where one is missing,
        and FM466 with what is left between meshes and blocks.

    Returns
    -------
    Shares or None
        None if the files are of another place.
    """
    meshed = on_mesh(blocks, project.mesh.level, dwelling=dwelling)
    firsts = {code[:FIRST] for code in margins.zones}
    here = sorted({code[:FIRST] for code in meshed.zones.ids})
    file = "、".join(_files(project, number))
    missing = [code for code in here if code not in firsts]
    if len(missing) == len(here):
        report.add("FM114", file=file, value="、".join(sorted(firsts)[:3]),
                   expected="、".join(here))  # fmt: skip
        return None
    if missing:
        report.add("FM115", file=file, value="、".join(missing), codes="、".join(missing))
    published = _listed(margins, meshed.zones.ids)
    binds = _binds(meshed.zones, blocks, firsts)
    shares = fit(people, meshed.crosswalk, meshes=published, binds=binds)
    left = gap(gather_by_age(people, shares), published, binds)
    if abs(left.worst_by) >= WORTH_SAYING:
        report.add(
            "FM466",
            file=file,
            value=f"{left.missed:,.1f}",
            meshes=left.meshes,
            published=f"{left.published:,.0f}",
            share=f"{100 * left.missed / max(left.published, 1.0):.2f}",
            worst=left.worst,
            worst_by=f"{left.worst_by:+,.1f}",
        )
    return shares


def _files(project: Project, number: int) -> list[str]:
    entry = project.municipality[number].mesh_margins
    return [] if entry is None else entry.files


def _listed(margins: Population, cells: tuple[str, ...]) -> Population:
    """The margins of some cells in their order; nobody where a cell is not listed."""
    position = {zone: row for row, zone in enumerate(margins.zones)}
    rows = np.array([position.get(cell, -1) for cell in cells])
    known = rows >= 0
    persons = np.where(known[:, np.newaxis, np.newaxis], margins.persons[:, rows], 0.0)
    return Population.build(
        persons,
        years=margins.years,
        zones=cells,
        ages=margins.ages,
        flag=np.where(known, margins.flag[:, rows], margins.flag.min()),
        imputed_share=np.where(known, margins.imputed_share[:, rows], 0.0),
        sources=margins.sources,
    )


def _binds(cells: Zones, blocks: Zones, firsts: set[str]) -> NDArray[np.uint8]:
    """How the number of each cell binds: wholly the blocks', shared with others, or unknown."""
    ground = shapely.union_all(blocks.geometry)
    covered = shapely.area(shapely.intersection(cells.geometry, ground))
    whole = covered >= WHOLE * shapely.area(cells.geometry)
    known = np.array([code[:FIRST] in firsts for code in cells.ids])
    return np.where(known, np.where(whole, EXACT, AT_MOST), FREE).astype(np.uint8)
