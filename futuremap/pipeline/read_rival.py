"""Other people's projections of a municipality: totals to meet, or to compare with."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from futuremap.config import Municipality, Project
from futuremap.config.model import ControlFile
from futuremap.config.official import RivalFile
from futuremap.core.ages import AgeGroups
from futuremap.core.population import SEXES, Flag, Population
from futuremap.pipeline.read_common import note_unverified
from futuremap.problems import Report
from futuremap.sources import controls, ipss, ksj_mesh

ANY_AGE = AgeGroups((0,))


class Rival(NamedTuple):
    """Another projection.

    name
        As the project file calls it.
    people
        The municipality in its years. [persons]
    """

    name: str
    people: Population


def read_totals(
    project: Project,
    town: Municipality,
    entry: ControlFile | RivalFile,
    report: Report,
) -> Population | None:
    """Read the projection of a municipality, whatever its file is.

    Parameters
    ----------
    project, town, entry
        The project, the municipality, and the table that names the file.
    report
        Takes the problems of the readers, and FM010.

    Returns
    -------
    Population or None
        The municipality as the only zone; of meshes only totals, in one age group. None if any
        number is in doubt.
    """
    path = project.path(entry.file)
    if entry.format == "ksj_mesh":
        note_unverified(ksj_mesh.VERIFIED, "国土数値情報 メッシュ別将来推計人口",
                        file=entry.file, report=report)  # fmt: skip
        found = ksj_mesh.read(
            path, codes=(town.code,), credit=entry.credit, report=report, layer=entry.layer
        )
        return None if found is None else _in_all(found, town)
    if entry.format == "ipss_workbook":
        note_unverified(ipss.VERIFIED, "社人研 ブック", file=entry.file, report=report)
    reader = ipss.read if entry.format == "ipss_workbook" else controls.read
    return reader(path, code=town.code, name=town.name, credit=entry.credit, report=report)


def _in_all(meshes: ksj_mesh.MeshProjection, town: Municipality) -> Population:
    # the meshes do not tell the sexes apart and only totals are used, so each has a half
    totals = meshes.totals.sum(axis=1)
    persons = np.broadcast_to(
        (totals / len(SEXES))[:, np.newaxis, np.newaxis, np.newaxis],
        (len(totals), 1, len(SEXES), 1),
    )
    return Population.build(
        persons,
        years=meshes.years,
        zones=[town.code],
        ages=ANY_AGE,
        flag=Flag.PROJECTED,
        sources=meshes.sources,
    )


def read_rivals(project: Project, number: int, report: Report) -> list[Rival]:
    """Read all rivals of a municipality.

    Parameters
    ----------
    project, number
        The project, and which of its municipalities.
    report
        Takes the problems of the readers, and FM467 for one that ends before our first step or
        begins after the last.
    """
    rivals = []
    for j, entry in enumerate(project.municipality[number].rival):
        people = read_totals(project, project.municipality[number], entry, report)
        if people is None:
            continue
        years = project.projected_years[1:]
        if not any(min(people.years) <= year <= max(people.years) for year in years):
            line = project.line("municipality", number, "rival", j, "file")
            shown = f"{min(people.years)}～{max(people.years)}"
            report.add("FM467", file=project.file.name, line=line, value=shown, name=entry.name,
                       expected=f"{years[0]}～{years[-1]}")  # fmt: skip
        rivals.append(Rival(entry.name, people))
    return rivals
