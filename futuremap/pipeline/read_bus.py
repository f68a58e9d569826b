"""Bus lines and stops of a municipality, laid over its roads."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import shapely

from futuremap.catchment.bus import FROM_LINE, with_bus
from futuremap.config import Project
from futuremap.config.reach import BusFile
from futuremap.core.network import Network
from futuremap.core.zones import Zones
from futuremap.pipeline.read_common import note_unverified, place_of
from futuremap.problems import Report
from futuremap.sources import facilities, graph, graph_lines
from futuremap.sources.features import read_features
from futuremap.sources.vector import Town as Place

TABLES = (".csv", ".txt", ".tsv", ".gz", ".xlsx")  # everything else is looked at for shapes
STOP = "bus_stop"
SHOWN = 3  # names in a message


def read_bus(
    project: Project,
    number: int,
    *,
    roads: Network | None,
    area: Zones | None,
    report: Report,
) -> Network | None:
    """Read the ``[municipality.bus]`` of a municipality.

    Parameters
    ----------
    project, number
        The project, and which of its municipalities.
    roads
        Its roads, if they could be read.
    area
        Its outline, if it could be read.
    report
        Takes the problems of the readers, FM010, FM111, FM676 and FM677.

    Returns
    -------
    Network or None
        Roads and buses; None without them, or if anything in their files is wrong.
    """
    entry = project.municipality[number]
    if entry.bus is None:
        return None
    place = place_of(entry, area)
    note_unverified(graph_lines.VERIFIED, "バス路線の線", file=entry.bus.lines, report=report)
    lines = graph.read(
        project.path(entry.bus.lines),
        credit=entry.bus.credit,
        report=report,
        layout=graph_lines.LineLayout(layer=entry.bus.lines_layer),
        near=place.near,
    )
    stops = _stops(project.path(entry.bus.stops), entry.bus, place, report)
    if lines is None or stops is None or roads is None:
        return None
    found = with_bus(roads, lines, stops, speed=entry.bus.speed_kmh, wait=entry.bus.wait_minutes)
    served = len(stops) - len(found.far)
    if served == len(stops) > 0:
        return found.network
    names = dict(zip(stops.ids, stops.names, strict=True))
    report.add(
        "FM676" if served else "FM677",
        file=entry.bus.stops,
        value="、".join(names[stop] for stop in found.far[:SHOWN]),
        count=len(found.far),
        all=len(stops),
        limit=f"{FROM_LINE:g}",
    )
    return found.network if served else None


def _stops(path: Path, entry: BusFile, place: Place, report: Report) -> Zones | None:
    if path.suffix.lower() in TABLES:
        listed = facilities.read(
            path,
            facility_class=STOP,
            municipality=place.code,
            plane_zone=place.plane_zone,
            credit=entry.credit,
            base_year=9999,  # a stop has no year of opening
            report=report,
        )
        return None if listed is None else listed.located
    features = read_features(path, report=report, layer=entry.stops_layer, near=place.near)
    if features is None:
        return None
    known = ~(shapely.is_missing(features.geometry) | shapely.is_empty(features.geometry))
    if not known.all():
        report.add("FM111", file=entry.stops, value=int((~known).sum()), count=int((~known).sum()))
    points = shapely.centroid(features.geometry[known])
    ids = [f"{STOP}-{row + 1:05d}" for row in np.flatnonzero(known)]
    return Zones.build(
        ids,
        points,
        names=ids,
        parents=[place.code] * len(ids),
        kind="place",
        plane_zone=place.plane_zone,
        sources=[entry.credit],
    )
