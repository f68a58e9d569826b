"""Outlines of municipalities (N03) as they are distributed: GeoJSON, Shapefile, zip, GeoPackage.

国土数値情報 packs a Shapefile and a GeoJSON of a prefecture in one zip. Only the municipality's own
shapes are judged: an island of another town that crosses itself is nothing to us.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import shapely

from futuremap.core.zones import Zones
from futuremap.problems import Report
from futuremap.sources import geopackage, outline, shapefile, vector
from futuremap.sources.features import column, read_features
from futuremap.sources.files import ZIP
from futuremap.sources.outline import CODE, NAME

MARKS = (geopackage.MAGIC, shapefile.SHAPE_MAGIC, ZIP)


def read(
    path: Path,
    *,
    code: str,
    plane_zone: int,
    name: str,
    credit: str,
    report: Report,
) -> Zones | None:
    """Read the outline of one municipality as one zone, whatever the format.

    Parameters
    ----------
    path
        GeoJSON, .shp (with its parts beside it), a zip of one, or GeoPackage, with the columns
        N03_007 (code) and N03_004 (name).
    code, plane_zone, name, credit
        As for :func:`futuremap.sources.outline.read`.
    report
        Takes the problems of that reader or of :func:`futuremap.sources.features.read_features`,
        FM201, FM525, FM529, FM530, FM574 and FM575.

    Returns
    -------
    Zones or None
        One zone, the union of all shapes of the code; None if any of them is in doubt.
    """
    if not _starts_with_mark(path):
        return outline.read(
            path, code=code, plane_zone=plane_zone, name=name, credit=credit, report=report
        )
    features = read_features(path, report=report)
    codes = None if features is None else column(features, CODE, report=report)
    if features is None or codes is None:
        return None
    ours = features.only(np.array([text.zfill(5) == code for text in vector.texts(codes)], bool))
    if not len(ours.geometry):
        features.note(report, "FM525", column=CODE, value=code)
        return None
    named = vector.texts(ours.fields.get(NAME, ours.fields[CODE]))
    title = next((text for text in named if text and text != code), name)
    shapes = vector.areas(ours, np.full(len(named), title, dtype=object), report=report)
    if shapes is None:
        return None
    return Zones.build(
        [code],
        np.array([shapely.union_all(shapes)], dtype=object),
        names=[title],
        parents=[code],
        kind="municipality",
        plane_zone=plane_zone,
        notes=(ours.system.note(),),
        sources=[credit],
    )


def _starts_with_mark(path: Path) -> bool:
    if not path.is_file():  # a pipe would never end
        return False
    try:
        with path.open("rb") as stream:
            return stream.read(16).startswith(MARKS)
    except OSError:
        return False  # which the other reader says
