"""Road graphs from files: GraphML as OSMnx writes it, OpenStreetMap's PBF, and line layers.

GraphML is read in one pass that keeps only what is asked of it; document types, entities and
whatever else could make a small file large are refused.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import shapely
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser
from numpy.typing import NDArray

from futuremap.core.network import Network
from futuremap.problems import Report
from futuremap.sources import crs, graph_lines, graph_osm
from futuremap.sources.features import Bounds
from futuremap.sources.files import GZIP, read_bytes
from futuremap.sources.graph_lines import LineLayout
from futuremap.sources.limits import CHUNK, Refused

VERIFIED = True
KNOWN_AS = "GraphML（OSMnx）"
MAX_NODES = 2_000_000
MAX_EDGES = 4_000_000
KEPT = (*graph_osm.TAGS, "length", "geometry")  # of the values of an edge
Floats = NDArray[np.float64]
Positions = NDArray[np.intp]


class RawGraph(NamedTuple):
    """A graph as it stands in a GraphML.

    crs
        What it says about its coordinate system.
    directed
        Whether an edge leads one way only.
    nodes
        Position of each node by id.
    east, north
        Texts of the coordinates of nodes ``(N,)``.
    node_line
        Line of each node in the file ``(N,)``.
    start, end
        Ids of the nodes of edges ``(E,)``.
    line
        Line of each edge in the file ``(E,)``.
    values
        Texts of :data:`KEPT` by name, empty where there is none ``(E,)``.
    """

    crs: str
    directed: bool
    nodes: dict[str, int]
    east: list[str]
    north: list[str]
    node_line: array[int]
    start: list[str]
    end: list[str]
    line: array[int]
    values: dict[str, list[str]]


def read(
    path: Path,
    *,
    credit: str,
    report: Report,
    layout: LineLayout | None = None,
    near: Bounds | None = None,
) -> Network | None:
    """Read a road graph; the first bytes decide what it is, never the name.

    Parameters
    ----------
    path
        GraphML (also with a .gz around it), .osm.pbf, or lines as GeoPackage, Shapefile or
        GeoJSON.
    credit
        Key of the credit line.
    report
        Takes FM628 to FM633, FM101, FM102, FM104, FM105, FM201, FM574 and FM540 to FM549.
    layout
        Columns of a line layer.
    near
        West, south, east, north of the municipality in degrees, if known.

    Returns
    -------
    Network or None
        None if anything in the file is wrong.
    """
    try:
        with path.open("rb") as stream:
            first = stream.read(64)
    except OSError as error:
        report.add("FM101", file=path.name, value=error.strerror)
        return None
    if graph_lines.is_pbf(first):
        return graph_lines.read_pbf(path, credit=credit, report=report, near=near)
    if first.startswith(GZIP) or first.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        return read_graphml(path, credit=credit, report=report, near=near)
    chosen = layout or LineLayout()
    return graph_lines.read_lines(path, chosen, credit=credit, report=report, near=near)


def read_graphml(
    path: Path,
    *,
    credit: str,
    report: Report,
    near: Bounds | None = None,
) -> Network | None:
    """Read a GraphML of OSMnx.

    Parameters
    ----------
    path
        The file, with or without a .gz around it.
    credit
        Key of the credit line.
    report
        Takes FM628 (no coordinates), FM629 (an edge leads to no node), FM630 (a number is
        none), FM631 (lengths were missing), FM632 (a word says nothing), FM101, FM102, FM104,
        FM105, FM574 and FM540 to FM543.
    near
        West, south, east, north of the municipality in degrees, if known.

    Returns
    -------
    Network or None
        First the nodes of the file in their order, then the bends of its edges, so that a
        point finds the street where it runs. One-way streets hold for cars only.
    """
    try:
        raw = parse(read_bytes(path))
        system = crs.parse(raw.crs, file=path.name)
        return _checked(raw, system, path.name, credit=credit, report=report, near=near)
    except Refused as refused:
        refused.note(report, file=path.name)
        return None


def parse(body: bytes) -> RawGraph:
    """Nodes and edges of a GraphML with the values that a road graph needs.

    Raises
    ------
    Refused
        FM102 if it is no GraphML, or one with entities; FM104 if it is too large; FM105 if it
        has no nodes or edges; FM628 if a node stands twice.

    Examples
    --------
    >>> tiny = parse(
    ...     b'<graphml><key id="d0" attr.name="x"/><graph edgedefault="directed"><node id="7">'
    ...     b'<data key="d0">133.0</data></node><edge source="7" target="7"/></graph></graphml>'
    ... )
    >>> tiny.nodes, tiny.east, tiny.start, tiny.directed
    ({'7': 0}, ['133.0'], ['7'], True)
    """
    target = _Target()
    parser = DefusedXMLParser(target=target, forbid_dtd=True)
    target.line = lambda: int(parser.parser.CurrentLineNumber)
    try:
        for first in range(0, len(body), CHUNK):
            parser.feed(body[first : first + CHUNK])
        parser.close()
    except Refused:
        raise
    except DefusedXmlException as error:
        reason = "XML の中に DOCTYPE か ENTITY があります / its XML declares entities"
        raise Refused.format(KNOWN_AS, reason, line=target.line()) from error
    except Exception as error:  # whatever broken XML sets off inside its parser
        reason = f"XML が壊れているか途中で切れています / the XML is broken or cut off ({error})"
        raise Refused.format(KNOWN_AS, reason, line=target.line()) from error
    if not target.is_graphml:
        reason = "GraphML ではない XML です / it is XML, but not GraphML"
        raise Refused.format(KNOWN_AS, reason)
    graph = target.graph
    if not graph.nodes or not graph.start:
        raise Refused("FM105")
    return graph._replace(crs=target.crs, directed=target.directed)


class _Target:
    """Takes the events of the XML parser."""

    def __init__(self) -> None:
        lists: dict[str, list[str]] = {name: [] for name in KEPT}
        self.graph = RawGraph(
            crs="", directed=True, nodes={}, east=[], north=[], node_line=array("q"),
            start=[], end=[], line=array("q"), values=lists,
        )  # fmt: skip
        self.crs, self.directed, self.is_graphml = "", True, False
        self.line: Callable[[], int] = lambda: 0
        self._names: dict[str, str] = {}
        self._inside, self._key = "", ""
        self._text: list[str] = []

    def start(self, tag: str, attributes: dict[str, Any]) -> None:
        """Begin an element."""
        name = tag.rpartition("}")[2]
        graph = self.graph
        if name == "data":
            self._key, self._text = self._names.get(attributes.get("key", ""), ""), []
        elif name == "node":
            self._inside = name
            self._new_node(attributes.get("id", ""))
        elif name == "edge":
            self._inside = name
            if len(graph.start) == MAX_EDGES:
                raise Refused("FM104", expected=f"≤ {MAX_EDGES:,} 辺/edges")
            graph.start.append(attributes.get("source", ""))
            graph.end.append(attributes.get("target", ""))
            graph.line.append(self.line())
            for column in graph.values.values():
                column.append("")
        elif name == "key":
            self._names[attributes.get("id", "")] = attributes.get("attr.name", "")
        elif name == "graph":
            self.directed = attributes.get("edgedefault", "directed") != "undirected"
        self.is_graphml |= name == "graphml"

    def _new_node(self, identity: str) -> None:
        graph = self.graph
        if len(graph.east) == MAX_NODES:
            raise Refused("FM104", expected=f"≤ {MAX_NODES:,} 節点/nodes")
        if identity in graph.nodes:
            reason = "同じ番号の節点が2つあります / two nodes have the same id"
            raise Refused("FM628", line=self.line(), value=identity, reason=reason)
        graph.nodes[identity] = len(graph.east)
        graph.east.append("")
        graph.north.append("")
        graph.node_line.append(self.line())

    def data(self, text: str) -> None:
        """Take a part of a text."""
        if self._key:
            self._text.append(text)

    def end(self, tag: str) -> None:
        """End an element."""
        name = tag.rpartition("}")[2]
        if name == "data" and self._key:
            text = "".join(self._text).strip()
            if self._inside == "edge" and self._key in self.graph.values:
                self.graph.values[self._key][-1] = text
            elif self._inside == "node" and self._key in {"x", "y"}:
                (self.graph.east if self._key == "x" else self.graph.north)[-1] = text
            elif not self._inside and self._key == "crs":
                self.crs = text
            self._key = ""
        elif name in {"node", "edge"}:
            self._inside = ""


def _checked(
    raw: RawGraph,
    system: crs.System,
    file: str,
    *,
    credit: str,
    report: Report,
    near: Bounds | None,
) -> Network | None:
    before = len(report.errors)
    for texts, column in ((raw.east, "x"), (raw.north, "y")):
        for row in [row for row, text in enumerate(texts) if not text]:
            reason = f"{column} がありません / {column} is missing"
            report.add("FM628", file=file, line=raw.node_line[row], column=column, reason=reason)
    east, north = (
        _numbers(texts, raw.node_line, column=column, lowest=-np.inf, file=file, report=report)
        for texts, column in ((raw.east, "x"), (raw.north, "y"))
    )
    length = _numbers(
        raw.values["length"], raw.line, column="length", lowest=0.0, file=file, report=report
    )
    for row, ends in enumerate(zip(raw.start, raw.end, strict=True)):
        for identity in ends:
            if identity not in raw.nodes:
                report.add("FM629", file=file, line=raw.line[row], value=identity)
    if len(report.errors) > before:
        return None
    points = shapely.points(east, north)
    crs.check_place(crs.to_degrees(points, system), points, system, near=near)
    if (missing := np.isnan(length)).any():
        report.add("FM631", file=file, value=int(missing.sum()), count=len(missing))
    said = graph_osm.words(
        {name: np.array(raw.values[name], dtype=object) for name in graph_osm.TAGS}
    )
    for value, often in sorted(said.unread.items()):
        report.add("FM632", file=file, value=value, count=often)
    return _network(raw, said, np.column_stack([east, north]), length, system, credit)


def _numbers(
    texts: list[str],
    lines: array[int],
    *,
    column: str,
    lowest: float,
    file: str,
    report: Report,
) -> Floats:
    # NaN where there is no text
    found = np.full(len(texts), np.nan)
    for row, text in enumerate(texts):
        if not text:
            continue
        try:
            found[row] = float(text)
        except ValueError:
            found[row] = np.inf
        if not lowest <= found[row] < np.inf or not text.isascii():
            report.add("FM630", file=file, line=lines[row], column=column, value=text)
    return found


def _network(
    raw: RawGraph,
    said: graph_osm.Words,
    places: Floats,
    length: Floats,
    system: crs.System,
    credit: str,
) -> Network:
    ends = [np.array([raw.nodes[identity] for identity in side]) for side in (raw.start, raw.end)]
    geometry = np.array(raw.values["geometry"], dtype=object)
    geometry[geometry == ""] = None
    bent = _bent(places, ends[0], ends[1], shapely.from_wkt(geometry, on_invalid="ignore"))
    longitude, latitude = crs.degrees_of(bent.places[:, 0].copy(), bent.places[:, 1].copy(), system)
    ground = graph_osm.on_ellipsoid(longitude, latitude, bent.start, bent.end)
    edge = bent.edge
    whole = np.bincount(edge, weights=ground, minlength=len(length))
    pieces = np.bincount(edge, minlength=len(length))
    # the edge's own length, over its pieces as they lie on the ground
    share = np.divide(ground, whole[edge], out=1 / pieces[edge], where=whole[edge] > 0)
    length = np.where(np.isnan(length), whole, length)[edge] * share
    both = not raw.directed  # else the other direction is an edge of its own, where it is open
    forward = np.stack([said.on_foot, said.by_car & (said.one_way >= 0)])
    backward = np.stack(
        [
            said.on_foot & (both | (said.one_way != 0)),
            said.by_car & ((both & (said.one_way == 0)) | (said.one_way < 0)),
        ]
    )
    ways = graph_osm.Ways(
        bent.start, bent.end, length, forward[:, edge], backward[:, edge],
        said.kind[edge], said.speed[edge],
    )  # fmt: skip
    return graph_osm.to_network(longitude, latitude, ways, credit=credit)


class _Bent(NamedTuple):
    # straight pieces of edges in the order of the edges, and all nodes with the bends behind
    places: Floats
    start: Positions
    end: Positions
    edge: Positions


def _bent(places: Floats, start: Positions, end: Positions, geometry: NDArray[np.object_]) -> _Bent:
    count = len(start)
    lines = geometry.copy()
    fits = shapely.get_type_id(lines) == shapely.GeometryType.LINESTRING
    fits &= np.isfinite(shapely.bounds(lines)).all(axis=1)
    lines[~fits] = None
    first = shapely.get_coordinates(shapely.get_point(lines[fits], 0))
    from_start = ((first - places[start[fits]]) ** 2).sum(axis=1)
    from_end = ((first - places[end[fits]]) ** 2).sum(axis=1)
    turned = np.flatnonzero(fits)[from_end < from_start]
    lines[turned] = shapely.reverse(lines[turned])
    corners, owner = shapely.get_coordinates(lines, return_index=True)
    inner = np.zeros(len(owner), dtype=bool)
    inner[1:-1] = (owner[:-2] == owner[1:-1]) & (owner[2:] == owner[1:-1])
    corners, owner = corners[inner], owner[inner].astype(np.intp)
    # both directions of a street bend at the same nodes; other streets never share them
    key = [np.minimum(start, end)[owner], np.maximum(start, end)[owner], *corners.T]
    bends, node = np.unique(np.stack(key, axis=1), axis=0, return_inverse=True)
    edge = np.concatenate([np.arange(count), owner, np.arange(count)])
    step = np.concatenate([np.zeros(count), np.ones(len(owner)), np.full(count, 2)])
    order = np.lexsort((np.arange(len(edge)), step, edge))
    path = np.concatenate([start, len(places) + node, end])[order]
    edge = edge[order]
    along = edge[:-1] == edge[1:]
    return _Bent(
        np.concatenate([places, bends[:, 2:]]), path[:-1][along], path[1:][along], edge[1:][along]
    )
