"""XML as QGIS writes it: elements, option maps, properties by expression, reference systems."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from xml.etree import ElementTree as ET

import pyproj

from futuremap.export.text import clean

DOCTYPE = "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"
QGIS_VERSION = "3.22.0"  # the oldest that reads this
EXPRESSION = "3"  # kind of a data-defined property


def add(
    parent: ET.Element,
    tag: str,
    attributes: Mapping[str, str] | None = None,
    *,
    text: str | None = None,
) -> ET.Element:
    """A child with attributes and text that XML can hold."""
    given = {key: clean(value) for key, value in (attributes or {}).items()}
    child = ET.SubElement(parent, tag, given)
    if text is not None:
        child.text = clean(text)
    return child


def options(parent: ET.Element, values: Mapping[str, str]) -> None:
    """Settings of a symbol layer."""
    held = add(parent, "Option", {"type": "Map"})
    for name, value in values.items():
        add(held, "Option", {"type": "QString", "name": name, "value": value})


def data_defined(parent: ET.Element, tag: str, rules: Mapping[str, str]) -> None:
    """Properties that QGIS works out for each feature."""
    collection = add(add(parent, tag), "Option", {"type": "Map"})
    add(collection, "Option", {"type": "QString", "name": "name", "value": ""})
    properties = add(collection, "Option", {"type": "Map", "name": "properties"})
    for name, rule in rules.items():
        entry = add(properties, "Option", {"type": "Map", "name": name})
        add(entry, "Option", {"type": "bool", "name": "active", "value": "true"})
        add(entry, "Option", {"type": "QString", "name": "expression", "value": rule})
        add(entry, "Option", {"type": "int", "name": "type", "value": EXPRESSION})
    add(collection, "Option", {"type": "QString", "name": "type", "value": "collection"})


def rgba(colour: str, alpha: int = 255) -> str:
    """A colour as QGIS writes it.

    Examples
    --------
    >>> rgba("#fde725")
    '253,231,37,255'
    """
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"{red},{green},{blue},{alpha}"


def reference_system(parent: ET.Element, epsg: int) -> None:
    """A reference system in full: QGIS 3.22 does not take a project's by its number alone."""
    crs = _crs(epsg)
    system = add(parent, "spatialrefsys")
    add(system, "wkt", text=crs.to_wkt())
    add(system, "srid", text=str(epsg))
    add(system, "authid", text=f"EPSG:{epsg}")
    add(system, "description", text=crs.name)
    add(system, "geographicflag", text=str(crs.is_geographic).lower())


@cache
def _crs(epsg: int) -> pyproj.CRS:
    return pyproj.CRS.from_epsg(epsg)


def document(root: ET.Element) -> str:
    """The text of a style or project file."""
    return DOCTYPE + ET.tostring(root, encoding="unicode") + "\n"
