"""What all reading of a project's files shares."""

from __future__ import annotations

from futuremap.config import Municipality, Project
from futuremap.core.credits import register as register_of_credits
from futuremap.core.population import Flag, Population, mark
from futuremap.core.zones import Zones
from futuremap.problems import Report
from futuremap.sources.features import Bounds
from futuremap.sources.vector import Town as Place


def honest(project: Project, population: Population | None) -> Population | None:
    """Mark made-up numbers: they are not observed ones.

    Parameters
    ----------
    project
        Says which credits are of made-up data; unknown ones were reported with its file.
    population
        People, if they could be read.
    """
    if population is None:
        return None
    known = register_of_credits() | project.own_credits()
    made_up = any(known[key].synthetic for key in population.sources if key in known)
    return mark(population, Flag.SYNTHETIC) if made_up else population


def place_of(entry: Municipality, area: Zones | None) -> Place:
    """The municipality as readers of shapes want it."""
    near: Bounds | None = None
    if area is not None:
        west, south, east, north = (float(edge) for edge in area.frame.total_bounds)
        near = (west, south, east, north)
    return Place(entry.code, entry.plane_zone, near)


def note_unverified(
    verified: bool | tuple[str, ...],
    reader: str,
    *,
    file: str,
    report: Report,
) -> None:
    """Say of a reader that no real file was ever read with it (FM010).

    Parameters
    ----------
    verified
        What the reader says of itself: everything, nothing, or the layouts that were tried.
    reader
        The layout that is read.
    file
        The file.
    report
        Takes the warning.
    """
    sure = verified if isinstance(verified, bool) else reader in verified
    if not sure:
        report.add("FM010", file=file, value=reader, reader=reader)
