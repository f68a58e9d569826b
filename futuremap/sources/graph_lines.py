"""Road graphs from lines: 国土数値情報 or any other line layer, and OpenStreetMap's PBF. 未検証.

No real file of either was at hand. Every corner of a line becomes a node. Lines meet where
they share a corner, or where one ends within 0.1 m of a corner of another; lines that merely
cross do not meet, as bridges don't.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyogrio
import pyogrio.raw
import pyproj
import shapely
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from futuremap.core.network import Network
from futuremap.problems import Report
from futuremap.sources import crs, graph_osm
from futuremap.sources.features import Bounds, Features, column, read_features
from futuremap.sources.limits import Refused
from futuremap.sources.vector import TYPE_NAMES, texts

VERIFIED = False
TOUCHING = 0.1  # ends so near to a corner meet it [m]
LINES = (1, 2, 5)  # shapely's numbers of lines, rings and multi-lines
PBF_MAGIC = b"\x0a\x09OSMHeader"  # after the length of the first header, in 4 bytes
KNOWN_AS = "OpenStreetMap PBF"
MAX_PBF = 256 * 2**20  # bytes; a prefecture has some 60 MB
_TAG = re.compile(r'"((?:[^"\\]|\\.)*)"=>"((?:[^"\\]|\\.)*)"')
_TO_SPACE = pyproj.Transformer.from_pipeline(
    "+proj=pipeline +step +proj=unitconvert +xy_in=deg +xy_out=rad +step +proj=cart +ellps=GRS80"
)


@dataclass(frozen=True)
class LineLayout:
    """Which columns of a line layer say what; all may be empty.

    Parameters
    ----------
    kind
        Column of the kind of road, in OpenStreetMap's words where rules are to follow from it.
    oneway
        Column that says where cars may go only one way (yes, -1, F, T …).
    maxspeed
        Column of speed limits.
    layer
        Layer of a GeoPackage, or shapefile of a zip, if it has several.
    """

    kind: str = ""
    oneway: str = ""
    maxspeed: str = ""
    layer: str = ""


def is_pbf(first: bytes) -> bool:
    """Whether a file with these first bytes is an OpenStreetMap PBF.

    Examples
    --------
    >>> is_pbf(bytes((0, 0, 0, 13)) + PBF_MAGIC), is_pbf(b"PK")
    (True, False)
    """
    return first[4 : 4 + len(PBF_MAGIC)] == PBF_MAGIC


def read_lines(
    path: Path,
    layout: LineLayout,
    *,
    credit: str,
    report: Report,
    near: Bounds | None = None,
) -> Network | None:
    """Read a line layer as a road graph.

    Parameters
    ----------
    path
        GeoPackage, Shapefile (or a zip of one) or GeoJSON of lines.
    layout
        Its columns.
    credit
        Key of the credit line.
    report
        Takes FM201, FM632, FM633 and the problems of
        :func:`futuremap.sources.features.read_features`.
    near
        West, south, east, north of the municipality in degrees, if known.

    Returns
    -------
    Network or None
        None if a column is missing or a shape is not a line.
    """
    features = read_features(path, report=report, layer=layout.layer, near=near)
    if features is None:
        return None
    named = {"highway": layout.kind, "oneway": layout.oneway, "maxspeed": layout.maxspeed}
    found = {tag: column(features, name, report=report) for tag, name in named.items() if name}
    tags = {tag: texts(values) for tag, values in found.items() if values is not None}
    if len(tags) < len(found) or not _all_lines(features, report):
        return None
    return _network(features, tags, credit=credit, report=report)


def read_pbf(
    path: Path,
    *,
    credit: str,
    report: Report,
    near: Bounds | None = None,
) -> Network | None:
    """Read the roads of an OpenStreetMap extract, by GDAL.

    Parameters
    ----------
    path
        The .osm.pbf file.
    credit
        Key of the credit line.
    report
        Takes FM101, FM102, FM104, FM105 and FM632.
    near
        West, south, east, north in degrees: roads that lie outside are left out.

    Returns
    -------
    Network or None
        None if the file cannot be read or has no roads.
    """
    try:
        roads, tags = _through_gdal(path, near)
    except Refused as refused:
        refused.note(report, file=path.name)
        return None
    except OSError as error:
        report.add("FM101", file=path.name, value=error.strerror)
        return None
    return _network(roads, tags, credit=credit, report=report)


def _through_gdal(
    path: Path, near: Bounds | None
) -> tuple[Features, dict[str, NDArray[np.object_]]]:
    with path.open("rb") as stream:
        if not is_pbf(stream.read(16)):
            reason = "中身が PBF ではありません / its first bytes are not those of a PBF"
            raise Refused.format(KNOWN_AS, reason)
    if path.stat().st_size > MAX_PBF:
        raise Refused("FM104", expected=f"≤ {MAX_PBF // 2**20} MiB")
    if "OSM" not in pyogrio.list_drivers(read=True):
        reason = "この GDAL は PBF を読めません。GeoPackage に変えてください / this GDAL has no OSM"
        raise Refused.format(KNOWN_AS, reason)
    with tempfile.TemporaryDirectory() as folder:
        # with this name and these bytes no other driver of GDAL can take the file
        alone = Path(folder) / "roads.osm.pbf"
        shutil.copyfile(path, alone)
        try:
            _, _, shapes, values = pyogrio.raw.read(
                alone, layer="lines", columns=["highway", "other_tags"],
                where="highway IS NOT NULL", bbox=near,
            )  # fmt: skip
        except Exception as error:  # whatever a broken file sets off inside GDAL
            reason = f"PBF が壊れています / the PBF is broken ({type(error).__name__})"
            raise Refused.format(KNOWN_AS, reason) from error
    if not len(shapes):
        raise Refused("FM105", sheet="lines")
    lines = np.asarray(shapely.from_wkb(shapes, on_invalid="ignore"), dtype=object)
    kinds, others = values
    rows = [dict(_TAG.findall(str(text or ""))) for text in others]
    tags = {
        name: np.array([row.get(name, "") for row in rows], dtype=object)
        for name in graph_osm.TAGS[1:]
    }
    numbers = np.arange(1, len(lines) + 1)
    roads = Features(path.name, "lines", {}, lines, crs.from_epsg(4326), numbers)
    return roads, {"highway": kinds.astype(object), **tags}


def _all_lines(features: Features, report: Report) -> bool:
    shape_types = shapely.get_type_id(features.geometry)
    bad = ~np.isin(shape_types, LINES) | ~np.isfinite(shapely.bounds(features.geometry)).all(axis=1)
    for row in np.flatnonzero(bad):
        features.note(
            report, "FM633", row=int(row), value=TYPE_NAMES.get(int(shape_types[row]), "なし/none")
        )
    return not bad.any()


def _network(
    features: Features,
    tags: Mapping[str, NDArray[np.object_]],
    *,
    credit: str,
    report: Report,
) -> Network:
    count = len(features.geometry)
    said = graph_osm.words(tags or {"highway": np.full(count, "", dtype=object)})
    for value, often in sorted(said.unread.items()):
        features.note(report, "FM632", value=value, count=often)
    longitude, latitude, start, end, line = _noded(features.geometry)
    forward = np.stack([said.on_foot, said.by_car & (said.one_way >= 0)])[:, line]
    backward = np.stack([said.on_foot, said.by_car & (said.one_way <= 0)])[:, line]
    length = graph_osm.on_ellipsoid(longitude, latitude, start, end)
    ways = graph_osm.Ways(start, end, length, forward, backward, said.kind[line], said.speed[line])
    return graph_osm.to_network(longitude, latitude, ways, credit=credit)


def _noded(
    shapes: NDArray[np.object_],
) -> tuple[
    NDArray[np.float64], NDArray[np.float64], NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]
]:
    # corners as nodes in the order of their coordinates, and the pieces between them by line
    parts, owner = shapely.get_parts(shapes, return_index=True)
    corners, part = shapely.get_coordinates(parts, return_index=True)
    places, node = np.unique(corners, axis=0, return_inverse=True)
    inner = part[:-1] == part[1:]
    is_end = np.ones(len(part), dtype=bool)
    is_end[1:-1] = ~(inner[:-1] & inner[1:])
    node = _touching(places, np.unique(node[is_end]))[node]
    start, end, line = node[:-1][inner], node[1:][inner], owner[part[:-1][inner]]
    piece = start != end
    used, again = np.unique(np.concatenate([start[piece], end[piece]]), return_inverse=True)
    start, end = again.reshape(2, -1)
    longitude, latitude = places[used].T.copy()
    return longitude, latitude, start, end, line[piece]


def _touching(places: NDArray[np.float64], ends: NDArray[np.intp]) -> NDArray[np.intp]:
    # the first of all nodes that an end joins stands for them
    space = np.column_stack(_TO_SPACE.transform(places[:, 0], places[:, 1], np.zeros(len(places))))
    near = cKDTree(space[ends]).sparse_distance_matrix(
        cKDTree(space), TOUCHING, output_type="ndarray"
    )
    pairs = (np.ones(len(near)), (ends[near["i"]], near["j"]))
    joined = sparse.coo_array(pairs, shape=(len(places), len(places)))
    _, label = connected_components(joined, directed=False)
    _, first = np.unique(label, return_index=True)
    return np.asarray(first[label], dtype=np.intp)
