"""Where people stand in their town blocks: rasters, buildings and addresses of a project."""

from __future__ import annotations

from typing import NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from futuremap.base.dwelling import Places, share
from futuremap.catchment.stand import Standing, stand_on
from futuremap.config import Project
from futuremap.config.official import DwellingFile
from futuremap.core.crosswalk import Crosswalk
from futuremap.core.zones import GEOGRAPHIC, Zones, plane_epsg
from futuremap.pipeline.read_common import place_of
from futuremap.problems import Report
from futuremap.sources import cells, raster
from futuremap.sources.cells import Reason
from futuremap.sources.columns import Columns, find_columns
from futuremap.sources.facilities import HEADINGS
from futuremap.sources.features import Features, column, read_features
from futuremap.sources.files import read_table

TABLES = (".csv", ".txt", ".tsv", ".gz", ".xlsx")  # everything else is looked at for shapes
MADE_OF = {"points": "points", "buildings": "buildings"}


class Found(NamedTuple):
    """Where people stand in the blocks of a municipality.

    on_mesh
        Blocks to the meshes of the project's level.
    standing
        Blocks to the places themselves, for what lies within reach.
    """

    on_mesh: Crosswalk
    standing: Standing


def read_dwelling(
    project: Project,
    number: int,
    blocks: Zones,
    report: Report,
) -> Found | None:
    """Share the blocks of a municipality out as its ``[municipality.dwelling]`` says.

    Parameters
    ----------
    project, number
        The project, and which of its municipalities.
    blocks
        Its town blocks as areas.
    report
        Takes the problems of the readers, FM111 to FM113, and FM474 with the blocks that fell
        back to their area.

    Returns
    -------
    Found or None
        None where the project says nothing of dwellings, or they are in doubt.
    """
    entry = project.municipality[number].dwelling
    if entry is None:
        return None
    before = len(report.errors)
    if entry.format == "raster":
        places, made_of = _of_raster(project, entry, blocks, report)
    else:
        places, made_of = _of_places(project, number, entry, report), MADE_OF[entry.format]
    if places is None or len(report.errors) > before:
        return None
    found = share(
        blocks, project.mesh.level, places=places, made_of=made_of, report=report, file=entry.file
    )
    if found.by_area.all():
        line = project.line("municipality", number, "dwelling", "file")
        report.add("FM113", file=entry.file, line=line, value=len(places.weight),
                   blocks=len(blocks))  # fmt: skip
        return None
    standing = stand_on(
        blocks,
        longitude=places.longitude,
        latitude=places.latitude,
        weight=places.weight,
        sources=places.sources,
    )
    return Found(found.crosswalk, standing)


def _of_raster(
    project: Project,
    entry: DwellingFile,
    blocks: Zones,
    report: Report,
) -> tuple[Places | None, str]:
    classes = entry.weights()
    found = raster.read(
        project.path(entry.file), blocks, report=report, band=entry.band, classes=classes
    )
    made_of = "a raster of weights"
    if classes is not None:
        made_of = "land use of the classes " + ", ".join(map(str, sorted(classes)))
    if found is None:
        return None, made_of
    return (
        Places(found.longitude, found.latitude, found.weight, found.zone, found.size,
               (entry.credit,)),
        made_of,
    )  # fmt: skip


def _of_places(
    project: Project,
    number: int,
    entry: DwellingFile,
    report: Report,
) -> Places | None:
    path, town = project.path(entry.file), project.municipality[number]
    if path.suffix.lower() in TABLES:
        return _of_table(project, entry, report)
    features = read_features(path, report=report, layer=entry.layer, near=place_of(town, None).near)
    if features is None:
        return None
    known = ~(shapely.is_missing(features.geometry) | shapely.is_empty(features.geometry))
    _note_unplaced(entry, int((~known).sum()), report)
    features = features.only(known)
    weight = _weights(features, entry, town.plane_zone, report)
    if weight is None:
        return None
    middle = shapely.centroid(features.geometry)
    return Places(shapely.get_x(middle), shapely.get_y(middle), weight, sources=(entry.credit,))


def _weights(
    features: Features,
    entry: DwellingFile,
    plane_zone: int,
    report: Report,
) -> NDArray[np.float64] | None:
    if entry.weight:
        raw = column(features, entry.weight, report=report)
        if raw is None:
            return None
        found = pd.to_numeric(pd.Series(raw, dtype=object), errors="coerce").to_numpy(
            np.float64, copy=True
        )
        for row in np.flatnonzero(~np.isfinite(found) | (found < 0)).tolist():
            value = cells.amount(raw[row])
            if isinstance(value, Reason):
                features.note(report, "FM112", row=row, column=entry.weight, value=raw[row])
                value = 0.0
            found[row] = value
        return np.asarray(found)
    ones = np.ones(len(features.geometry))
    if entry.format == "points":
        return ones
    plane = gpd.GeoSeries(features.geometry, crs=GEOGRAPHIC).to_crs(plane_epsg(plane_zone))
    ground = np.asarray(shapely.area(plane.to_numpy()), dtype=np.float64)
    return ground if (ground > 0).any() else ones  # buildings may be given as points


def _of_table(project: Project, entry: DwellingFile, report: Report) -> Places | None:
    named = {entry.latitude: "latitude", entry.longitude: "longitude"}
    headings = {heading: name for heading, name in named.items() if heading} or {
        heading: name for heading, name in HEADINGS.items() if name in ("latitude", "longitude")
    }
    wanted = ["latitude", "longitude"]
    if entry.weight:
        headings[entry.weight] = "weight"
        wanted.append("weight")
    table = read_table(project.path(entry.file), report=report, known=headings)
    if table is None:
        return None
    columns = find_columns(table, headings, required=wanted, report=report)
    if not columns.complete:
        return None
    points = {row: _point(columns, row) for row in range(len(columns))}
    rows = [row for row, point in points.items() if point is not None]
    _note_unplaced(entry, len(points) - len(rows), report)
    places = np.array([points[row] for row in rows], dtype=np.float64).reshape(-1, 2)
    weight = np.array([_weight(columns, row) if entry.weight else 1.0 for row in rows])
    return Places(places[:, 1], places[:, 0], weight, sources=(entry.credit,))


def _point(columns: Columns, row: int) -> tuple[float, float] | None:
    """Latitude and longitude; None where the row has none, or they were refused."""
    latitude, longitude = columns.coordinate(row, "latitude"), columns.coordinate(row, "longitude")
    if latitude is None or longitude is None or np.isnan([latitude, longitude]).any():
        return None
    point = (latitude, longitude)
    return point if columns.in_japan(row, "latitude", point, name="") else None


def _weight(columns: Columns, row: int) -> float:
    value = cells.amount(columns.raw(row, "weight"))
    if isinstance(value, Reason):
        columns.note("FM112", row, "weight")
        return 0.0
    return value


def _note_unplaced(entry: DwellingFile, count: int, report: Report) -> None:
    if count:
        report.add("FM111", file=entry.file, value=count, count=count)
