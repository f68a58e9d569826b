"""Projects 現況 and 将来 that stand in the GeoPackage itself, and beside it as QGZ files."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from typing import Literal, NamedTuple
from xml.etree import ElementTree as ET

import numpy as np
import pyproj

from futuremap.core.credits import SYNTHETIC, Credit
from futuremap.core.layer import Text
from futuremap.core.zones import GEOGRAPHIC, plane_epsg
from futuremap.export.geopackage.drawing import Drawing
from futuremap.export.geopackage.layout import WRAP, LegendEntry, Sheet, add_layout
from futuremap.export.geopackage.style import add_style, has_labels
from futuremap.export.geopackage.tables import FeatureTable
from futuremap.export.geopackage.xml import QGIS_VERSION, add, document, reference_system

ZIP_TIME = (1980, 1, 1, 0, 0, 0)  # same input, same bytes
FEW_RINGS = 60  # in a state; more would hide each other and what lies below
SPARE = 0.03  # of the extent around what is shown
ANIMATED = "1"  # the temporal controller's mode in which a slider goes through the years
GEOMETRIES = {"Point": "Point", "MultiPolygon": "Polygon"}
States = Literal["now", "future", "change"]
NAMES: dict[States, str] = {"now": "現況", "future": "将来", "change": "増減"}
MOST_HEADINGS = 2  # in a project's title; what more there is stands in the tree of layers
BY_YEAR, CHANGE = "各年（時間コントローラー用）", "増減"


class Scenario(NamedTuple):
    """What a file shows the future of: an ASCII name and a title."""

    name: str
    title: Text


class Contents(NamedTuple):
    """What the projects of a file share.

    file
        Name of the GeoPackage.
    tables
        Its tables, in the order in which they lie on each other.
    title
        Title of the whole.
    scenario
        Whose future it is, if it is that of one scenario.
    plane_zone
        Plane rectangular zone of the map; degrees where there is none for all of it.
    years
        First and last year, and the years from one to the next.
    credits
        Credits of the data.
    """

    file: str
    tables: Sequence[FeatureTable]
    title: Text
    scenario: Scenario | None
    plane_zone: int | None
    years: tuple[int, int, int]
    credits: Sequence[Credit]

    @property
    def epsg(self) -> int:
        """Reference system of the map."""
        return GEOGRAPHIC if self.plane_zone is None else plane_epsg(self.plane_zone)


class Embedded(NamedTuple):
    """A project: its name in QGIS, its state, and the bytes of its QGZ file."""

    name: str
    state: States
    content: bytes


class _MapLayer(NamedTuple):
    # a table in one drawing, as a project holds it
    table: FeatureTable
    drawing: Drawing
    visible: bool
    group: str

    @property
    def key(self) -> str:
        # ids of ten characters or fewer are thrown away by QGIS
        return f"futuremap_{self.table.name}_{self.drawing.state or 'outline'}"

    @property
    def title(self) -> str:
        heading = f"　{self.drawing.heading}" if self.drawing.state else ""
        return f"{self.table.title}{heading}"


def projects(contents: Contents) -> list[Embedded]:
    """The projects of a file: now and the future, or the change where it holds nothing else."""
    held = {drawing.state for table in contents.tables for drawing in table.drawings}
    if held & {"now", "future"}:
        held.discard("change")
    return [
        Embedded(name, state, _zipped(_document(contents, state), state))
        for state, name in NAMES.items()
        if state in held
    ]


def _zipped(text: str, state: str) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo(f"{state}.qgs", ZIP_TIME), text.encode("utf-8"),
                         zipfile.ZIP_DEFLATED)  # fmt: skip
    return held.getvalue()


def _document(contents: Contents, state: States) -> str:
    layers = _layers(contents.tables, state)
    visible = [layer for layer in layers if layer.visible]
    extent = _extent([layer.table for layer in visible] or list(contents.tables), contents.epsg)
    title = _title(contents, layers, state)
    root = ET.Element("qgis", {"version": QGIS_VERSION, "projectname": title})
    add(root, "homePath", {"path": ""})
    add(root, "title", text=title)
    reference_system(add(root, "projectCrs"), contents.epsg)
    _tree(root, layers, contents.file)
    _relations(root, layers)
    _canvas(root, extent, contents.epsg)
    held = add(root, "projectlayers")
    for layer in layers:
        _map_layer(held, layer, contents.file)
    order = add(root, "layerorder")
    for layer in layers:
        add(order, "layer", {"id": layer.key})
    _properties(root, contents)
    notes = list(dict.fromkeys(note for layer in visible for note in layer.drawing.notes))
    sources = [f"出典：{credit.line()}" for credit in contents.credits]
    _about(root, title, [*notes, *sources])
    sheet = Sheet(
        key=f"{contents.file}/{state}",
        name=f"A4 {NAMES[state]}",
        title=title,
        extent=extent,
        metres=contents.plane_zone is not None,
        legend=[
            LegendEntry(x.key, _legend_name(x), x.drawing.shape in ("area", "outline"))
            for x in visible
        ],
        notes=notes,
        credits=sources,
    )
    add_layout(root, sheet)
    _view(root, extent, contents.epsg)
    _time(root, contents)
    return document(root)


def _layers(tables: Sequence[FeatureTable], state: States) -> list[_MapLayer]:
    """Layers from top to bottom: points, rings, boundary, areas; then changes and years."""
    shown, changes, by_year = [], [], []
    areas = 0
    for table in tables:
        for drawing in table.drawings:
            if drawing.state in (state, ""):
                areas += drawing.shape == "area"
                visible = areas <= 1 or drawing.shape != "area"
                if drawing.shape == "ring":
                    visible = table.located <= FEW_RINGS * len(table.drawings)
                shown.append(_MapLayer(table, drawing, visible, ""))
            elif drawing.state == "change":
                changes.append(_MapLayer(table, drawing, False, CHANGE))  # noqa: FBT003
            elif drawing.state == "years":
                by_year.append(_MapLayer(table, drawing, False, BY_YEAR))  # noqa: FBT003
    order = ("circle", "ring", "outline", "area")
    shown.sort(key=lambda layer: order.index(layer.drawing.shape))
    return [*shown, *(changes if state == "future" else []), *by_year]


def _title(contents: Contents, layers: Sequence[_MapLayer], state: States) -> str:
    said = [x.drawing.heading for x in layers if x.drawing.state == state and not x.group]
    headings = list(dict.fromkeys(said))  # those of several scenarios, or one
    more = f"ほか{len(headings) - MOST_HEADINGS}" if len(headings) > MOST_HEADINGS else ""
    heading = "・".join([*headings[:MOST_HEADINGS], *filter(None, [more])])
    mark = f"［{SYNTHETIC[0]}］" if any(c.synthetic for c in contents.credits) else ""
    scenario = contents.scenario if state == "future" else None
    which = f"　{scenario.title.ja}" if scenario is not None else ""
    return f"{mark}{contents.title.ja}　{heading}{which}"


def _legend_name(layer: _MapLayer) -> str:
    colour = f"{WRAP}色：{layer.drawing.colour_label}" if layer.drawing.colour else ""
    return f"{layer.table.title}{colour}"


def _source(layer: _MapLayer, file: str) -> str:
    return f"./{file}|layername={layer.table.name}"


def _tree(root: ET.Element, layers: Sequence[_MapLayer], file: str) -> None:
    tree = add(root, "layer-tree-group")
    groups: dict[str, ET.Element] = {"": tree}
    for layer in layers:
        if layer.group not in groups:
            about = {"name": layer.group, "checked": "Qt::Checked", "expanded": "0"}
            groups[layer.group] = add(tree, "layer-tree-group", about)
        about = {"id": layer.key, "name": layer.title, "providerKey": "ogr"}
        state = {"checked": "Qt::Checked" if layer.visible else "Qt::Unchecked"}
        more = {"source": _source(layer, file), "expanded": str(int(layer.visible))}
        add(groups[layer.group], "layer-tree-layer", about | state | more)


def _relations(root: ET.Element, layers: Sequence[_MapLayer]) -> None:
    """In the form of a feature its rows of all years are listed."""
    relations = add(root, "relations")
    wide = {x.table.name: x for x in layers if not x.group}
    for layer in layers:
        owner = wide.get(layer.table.name.removesuffix("_by_year"))
        if layer.drawing.state != "years" or owner is None:
            continue
        about = {"id": f"{layer.key}_of", "name": f"{layer.table.title}（各年）"}
        ends = {"referencingLayer": layer.key, "referencedLayer": owner.key}
        relation = add(relations, "relation", about | ends | {"strength": "Association"})
        add(relation, "fieldRef", {"referencingField": "zone", "referencedField": "zone"})


def _map_layer(parent: ET.Element, layer: _MapLayer, file: str) -> None:
    table = layer.table
    about = {"type": "vector", "geometry": GEOMETRIES[table.geometry_type]}
    labels = {"labelsEnabled": str(int(has_labels(layer.drawing)))}
    item = add(parent, "maplayer", about | labels | {"wkbType": table.geometry_type})
    if np.isfinite(table.bounds).all():
        _corners(add(item, "extent"), table.bounds)
    add(item, "id", text=layer.key)
    add(item, "datasource", text=_source(layer, file))
    add(item, "layername", text=layer.title)
    reference_system(add(item, "srs"), GEOGRAPHIC)
    metadata = add(item, "resourceMetadata")
    add(metadata, "type", text="dataset")
    add(metadata, "title", text=table.identifier)
    add(metadata, "abstract", text=table.description)
    add(item, "provider", {"encoding": "UTF-8"}, text="ogr")
    add_style(item, layer.drawing, table)


def _corners(parent: ET.Element, extent: tuple[float, float, float, float]) -> None:
    for name, value in zip(("xmin", "ymin", "xmax", "ymax"), extent, strict=True):
        add(parent, name, text=repr(value))


def _extent(tables: Sequence[FeatureTable], epsg: int) -> tuple[float, float, float, float]:
    """What the tables cover, in a reference system."""
    corners = np.array([table.bounds for table in tables], dtype=np.float64)
    known = corners[np.isfinite(corners).all(axis=1)]
    if not len(known):
        return (122.0, 20.0, 154.0, 46.0)  # Japan, where nothing has a place
    west, south = known[:, :2].min(axis=0).tolist()
    east, north = known[:, 2:].max(axis=0).tolist()
    plane = pyproj.Transformer.from_crs(GEOGRAPHIC, epsg, always_xy=True)
    west, south, east, north = plane.transform_bounds(west, south, east, north)
    spare = max(east - west, north - south, 1e-3) * SPARE
    return west - spare, south - spare, east + spare, north + spare


def _canvas(root: ET.Element, extent: tuple[float, float, float, float], epsg: int) -> None:
    canvas = add(root, "mapcanvas", {"name": "theMapCanvas", "annotationsVisible": "1"})
    add(canvas, "units", text="degrees" if epsg == GEOGRAPHIC else "meters")
    _corners(add(canvas, "extent"), extent)
    add(canvas, "rotation", text="0")
    reference_system(add(canvas, "destinationsrs"), epsg)


def _view(root: ET.Element, extent: tuple[float, float, float, float], epsg: int) -> None:
    bounds = dict(zip(("xmin", "ymin", "xmax", "ymax"), map(repr, extent), strict=True))
    settings = add(root, "ProjectViewSettings", {"UseProjectScales": "0", "rotation": "0"})
    reference_system(add(settings, "DefaultViewExtent", bounds), epsg)


def _properties(root: ET.Element, contents: Contents) -> None:
    begin, end = _range(contents)
    values = {
        "SpatialRefSys": {"ProjectionsEnabled": ("int", "1")},
        "Paths": {"Absolute": ("bool", "false")},
        "TemporalControllerWidget": {
            "NavigationMode": ("int", ANIMATED),
            "StartDateTime": ("QString", begin),
            "EndDateTime": ("QString", end),
        },
    }
    properties = add(root, "properties")
    for group, entries in values.items():
        held = add(properties, group)
        for name, (kind, value) in entries.items():
            add(held, name, {"type": kind}, text=value)


def _range(contents: Contents) -> tuple[str, str]:
    first, last, step = contents.years
    return f"{first}-01-01T00:00:00Z", f"{last + step}-01-01T00:00:00Z"


def _time(root: ET.Element, contents: Contents) -> None:
    begin, end = _range(contents)
    step = {"timeStep": str(contents.years[2]), "timeStepUnit": "y"}
    about = {"frameRate": "1", "cumulativeTemporalRange": "0"}
    moments = add(add(root, "ProjectTimeSettings", step | about), "TemporalRange")
    add(moments, "start", text=begin)
    add(moments, "end", text=end)


def _about(root: ET.Element, title: str, lines: Sequence[str]) -> None:
    metadata = add(root, "projectMetadata")
    add(metadata, "title", text=title)
    add(metadata, "abstract", text="\n".join(lines))
    add(metadata, "author", text="futuremap")
