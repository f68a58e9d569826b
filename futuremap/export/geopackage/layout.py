"""A print layout: a page of A4, lying or standing, with map, legend, scale bar and credits."""

from __future__ import annotations

import math
import uuid
from collections.abc import Sequence
from typing import NamedTuple
from xml.etree import ElementTree as ET

from futuremap.export.geopackage.xml import add

Box = tuple[float, float, float, float]  # left, top, width and height on the page; mm


class _Page(NamedTuple):
    # where everything stands on a page
    size: tuple[float, float]
    title: Box
    map: Box
    legends: tuple[Box, ...]
    scale: Box
    north: Box
    notes: Box
    credits: Box


LYING = _Page(
    size=(297.0, 210.0),
    title=(10.0, 6.0, 277.0, 13.0),
    map=(10.0, 22.0, 198.0, 150.0),
    legends=((212.0, 22.0, 75.0, 120.0),),
    scale=(212.0, 158.0, 58.0, 12.0),
    north=(273.0, 154.0, 14.0, 14.0),
    notes=(10.0, 175.0, 137.0, 31.0),
    credits=(150.0, 175.0, 137.0, 31.0),
)
STANDING = _Page(
    size=(210.0, 297.0),
    title=(10.0, 6.0, 190.0, 13.0),
    map=(10.0, 21.0, 190.0, 172.0),
    legends=((10.0, 195.0, 64.0, 66.0), (77.0, 195.0, 64.0, 66.0)),
    scale=(146.0, 216.0, 54.0, 12.0),
    north=(178.0, 197.0, 14.0, 14.0),
    notes=(10.0, 263.0, 93.0, 30.0),
    credits=(107.0, 263.0, 93.0, 30.0),
)
MARGIN = 1.04  # of the map around what it shows
FONT = "Noto Sans CJK JP"  # another Japanese one where it is missing
TYPE_SIZES = (6.5, 6.0, 5.5, 5.0, 4.5, 4.0, 3.5, 3.0)  # points, of the foot
POINT_MM, LEADING = 0.3528, 1.5
SEGMENTS, SEGMENT_MM = 2, 23.0  # of the scale bar, and the length of a segment at most
ROUND = (1.0, 2.0, 5.0)
KILO = 1000.0
# how QGIS numbers its kinds of items
MAP_ITEM, LABEL_ITEM, LEGEND_ITEM, SCALE_ITEM, PAGE_ITEM = (
    "65639", "65641", "65642", "65646", "65638",
)  # fmt: skip
LEFT, CENTRE, TOP, BOTTOM, MIDDLE = "1", "4", "32", "64", "128"  # Qt's alignments
NAMESPACE = uuid.UUID("6f1c8f52-2f0f-5b6e-9a39-6d2f4a1c9b10")


class LegendEntry(NamedTuple):
    """A layer in the legend.

    layer, name
        Its id, and what the legend calls it, lines parted by `WRAP`.
    is_area
        Whether it stands in the second legend, where a page has two.
    """

    layer: str
    name: str
    is_area: bool


class Sheet(NamedTuple):
    """What a page says.

    key
        Text by which its parts get their ids, the same for the same page.
    name, title
        Name in QGIS's menu, and heading.
    extent
        West, south, east and north of what must be seen, in the project's system.
    metres
        Whether those are metres.
    legend
        Layers of the legend.
    notes, credits
        Lines at the foot.
    """

    key: str
    name: str
    title: str
    extent: Box
    metres: bool
    legend: Sequence[LegendEntry]
    notes: Sequence[str]
    credits: Sequence[str]


WRAP = "｜"


def add_layout(parent: ET.Element, sheet: Sheet) -> None:
    """Put the page into the layouts of a project."""
    page = page_of(sheet.extent)
    layout = add(
        add(parent, "Layouts"),
        "Layout",
        {"name": sheet.name, "units": "mm", "printResolution": "300", "worldFileMap": ""},
    )
    _page(layout, sheet, page)
    _label(layout, sheet, "title", page.title, sheet.title, size=15)
    _map(layout, sheet, page)
    for place, entries in enumerate(_columns(sheet.legend, len(page.legends))):
        _legend(layout, sheet, place, page.legends[place], entries)
    if sheet.metres:
        _scale_bar(layout, sheet, page)
        _label(layout, sheet, "north", page.north, "▲\n北", size=11, align=(CENTRE, MIDDLE))
    for name, box, lines in (
        ("notes", page.notes, sheet.notes),
        ("credits", page.credits, sheet.credits),
    ):
        _label(layout, sheet, name, box, "\n".join(lines), size=fitting_size(lines, box))
    add(layout, "Atlas", {"enabled": "0", "coverageLayer": "", "hideCoverage": "0"})


def page_of(extent: Box) -> _Page:
    """The page on which an extent is shown larger.

    Examples
    --------
    >>> page_of((0.0, 0.0, 10.0, 30.0)).size
    (210.0, 297.0)
    """
    return min((LYING, STANDING), key=lambda page: _width(extent, page) / page.map[2])


def fitting_size(lines: Sequence[str], box: Box) -> float:
    """The largest size of type at which lines fit a box, each letter a square. [points]

    Examples
    --------
    >>> box = (0.0, 0.0, 93.0, 30.0)
    >>> fitting_size(["出典" * 9], box), fitting_size(["出典" * 90] * 4, box)
    (6.5, 4.0)
    """
    _, _, width, height = box
    for size in TYPE_SIZES:
        letters = int(width / (size * POINT_MM))
        count = sum(math.ceil(len(line) / letters) for line in lines)
        if count * size * POINT_MM * LEADING <= height:
            return size
    return TYPE_SIZES[-1]


def extent_of_page(extent: Box, page: _Page) -> Box:
    """The smallest extent of a page's map that shows all of another, and a margin.

    Examples
    --------
    >>> [round(edge, 1) for edge in extent_of_page((0.0, 0.0, 190.0, 75.0), LYING)]
    [-3.8, -37.3, 193.8, 112.3]
    """
    west, south, east, north = extent
    width = _width(extent, page)
    height = width * page.map[3] / page.map[2]
    x, y = (west + east) / 2, (south + north) / 2
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2


def _width(extent: Box, page: _Page) -> float:
    west, south, east, north = extent
    return max((east - west) * MARGIN, (north - south) * MARGIN * page.map[2] / page.map[3])


def _page(layout: ET.Element, sheet: Sheet, page: _Page) -> None:
    pages = add(layout, "PageCollection")
    symbol = {"type": "fill", "name": "", "alpha": "1"}
    add(add(pages, "symbol", symbol), "layer", {"class": "SimpleFill", "enabled": "1", "pass": "0"})
    _item(pages, sheet, "page", PAGE_ITEM, (0.0, 0.0, *page.size))


def _item(
    parent: ET.Element,
    sheet: Sheet,
    name: str,
    kind: str,
    box: Box,
    **more: str,
) -> ET.Element:
    left, top, width, height = box
    about = {
        "type": kind,
        "id": name,
        "uuid": _uuid(sheet, name),
        "templateUuid": _uuid(sheet, name),
        "position": f"{left:g},{top:g},mm",
        "positionOnPage": f"{left:g},{top:g},mm",
        "size": f"{width:g},{height:g},mm",
        "referencePoint": "0",
        "visibility": "1",
        "opacity": "1",
        "zValue": str(len(parent)),
        "background": "false",
        "frame": "false",
    }
    return add(parent, "LayoutItem", about | more)


def _uuid(sheet: Sheet, name: str) -> str:
    return f"{{{uuid.uuid5(NAMESPACE, f'{sheet.key}/{name}')}}}"


def _map(layout: ET.Element, sheet: Sheet, page: _Page) -> None:
    item = _item(layout, sheet, "map", MAP_ITEM, page.map, frame="true", background="true",
                 drawCanvasItems="true", keepLayerSet="false", followPreset="false",
                 mapRotation="0", isTemporal="0")  # fmt: skip
    west, south, east, north = extent_of_page(sheet.extent, page)
    bounds = {"xmin": west, "ymin": south, "xmax": east, "ymax": north}
    add(item, "Extent", {name: repr(value) for name, value in bounds.items()})
    add(item, "LayerSet")


def _label(
    layout: ET.Element,
    sheet: Sheet,
    name: str,
    box: Box,
    text: str,
    *,
    size: float,
    align: tuple[str, str] = (LEFT, TOP),
) -> None:
    halign, valign = align
    item = _item(layout, sheet, name, LABEL_ITEM, box, labelText=text, htmlState="0",
                 halign=halign, valign=valign, marginX="0", marginY="0")  # fmt: skip
    _font(item, "LabelFont", size)
    add(item, "FontColor", {"red": "30", "green": "30", "blue": "30", "alpha": "255"})


def _font(parent: ET.Element, tag: str, size: float) -> None:
    add(parent, tag, {"description": f"{FONT},{size:g},-1,5,50,0,0,0,0,0", "style": ""})


def _columns(entries: Sequence[LegendEntry], count: int) -> list[list[LegendEntry]]:
    """The entries of each legend: as many as a page has room for, none of them empty."""
    if count == 1:
        return [list(entries)]
    parted = [[entry for entry in entries if entry.is_area is which] for which in (False, True)]
    return [column for column in parted if column]


def _legend(
    layout: ET.Element,
    sheet: Sheet,
    place: int,
    box: Box,
    entries: Sequence[LegendEntry],
) -> None:
    title = "　" if place else "凡例"  # a blank one keeps the second level with the first
    item = _item(layout, sheet, f"legend {place + 1}", LEGEND_ITEM, box,
                 title=title, map_uuid=_uuid(sheet, "map"), resizeToContents="1",
                 legendFilterByAtlas="0", columnCount="1", wrapChar=WRAP, symbolWidth="6",
                 symbolHeight="4", boxSpace="1", columnSpace="2", lineSpacing="1",
                 fontColor="#1e1e1e", titleAlignment="1", symbolAlignment="1")  # fmt: skip
    styles = add(item, "styles")
    sizes = {"title": 12.0, "group": 9.0, "subgroup": 9.0, "symbol": 8.5, "symbolLabel": 8.5}
    space = {"title": {"Bottom": "2"}, "symbol": {"Top": "1"}, "symbolLabel": {"Left": "2"}}
    for part, size in sizes.items():
        # the name of a layer has two lines, which QGIS sets too low
        gaps = space.get(part, {"Top": "2", "Bottom": "1"})
        about = {f"margin{side}": width for side, width in gaps.items()}
        style = add(styles, "style", {"name": part, "alignment": "1", **about})
        _font(style, "styleFont", size)
    tree = add(item, "layer-tree-group")
    for entry in entries:
        about = {"id": entry.layer, "name": entry.name, "checked": "Qt::Checked", "expanded": "1"}
        node = add(tree, "layer-tree-layer", about)
        titled = add(add(node, "customproperties"), "Option", {"type": "Map"})
        for key, value in (("cached_name", entry.name), ("legend/title-label", entry.name)):
            add(titled, "Option", {"type": "QString", "name": key, "value": value})


def _scale_bar(layout: ET.Element, sheet: Sheet, page: _Page) -> None:
    west, _, east, _ = extent_of_page(sheet.extent, page)
    metres = round_down((east - west) * SEGMENT_MM / page.map[2])
    unit, name, scale = ("km", "km", KILO) if metres >= KILO else ("meters", "m", 1.0)
    item = _item(layout, sheet, "scale", SCALE_ITEM, page.scale,
                 mapUuid=_uuid(sheet, "map"), style="Single Box", unitType=unit, unitLabel=name,
                 numUnitsPerSegment=f"{metres / scale:g}", numMapUnitsPerScaleBarUnit="1",
                 numSegments=str(SEGMENTS), numSegmentsLeft="0", height="2.5",
                 segmentSizeMode="0", alignment="0", labelBarSpace="1.5", boxContentSpace="1",
                 outlineWidth="0.2")  # fmt: skip
    style = {"fontFamily": FONT, "fontSize": "8.5", "fontSizeUnit": "Point"}
    add(item, "text-style", style | {"textColor": "30,30,30,255"})


def round_down(value: float) -> float:
    """The largest of 1, 2 and 5 times a power of ten that is not above a value.

    Examples
    --------
    >>> round_down(7300.0), round_down(0.3)
    (5000.0, 0.2)
    """
    power = 10.0 ** math.floor(math.log10(value))
    return max(step * power for step in ROUND if step * power <= value * (1 + 1e-9))
