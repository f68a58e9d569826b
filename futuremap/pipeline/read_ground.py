"""The altitude of a municipality's ground, for level roofs on maps."""

from __future__ import annotations

from futuremap.config import Project
from futuremap.core.terrain import Terrain
from futuremap.core.zones import Zones
from futuremap.pipeline.read_common import note_unverified
from futuremap.problems import Report
from futuremap.sources import elevation


def read_ground(
    project: Project,
    number: int,
    area: Zones | None,
    report: Report,
) -> Terrain | None:
    """Read the raster of altitudes of a municipality, if it gives one.

    Parameters
    ----------
    project, number
        The project, and which of its municipalities.
    area
        Its outline, if it could be read.
    report
        Takes the problems of :func:`futuremap.sources.elevation.read`.
    """
    given = project.municipality[number].ground
    if given is None or area is None:
        return None
    note_unverified(elevation.VERIFIED, "標高のラスタ", file=given.file, report=report)
    return elevation.read(project.path(given.file), area, credit=given.credit, report=report)
