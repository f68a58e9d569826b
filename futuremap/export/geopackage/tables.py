"""Theme tables: what one table of a GeoPackage holds, one row a feature, all years in columns."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import shapely

from futuremap.core.fields import describe, field
from futuremap.core.layer import Layer
from futuremap.errors import ExportError
from futuremap.export.tabular import whole_years

GEOPACKAGE_VERSION = "1.3"  # QGIS 3.22 warns of files of 1.4
GEOMETRY = "geom"
SYNTHETIC = "合成データ"
# names that SQL and file systems take as they are; the prefixes belong to GeoPackage itself
TABLE_NAME = re.compile(r"(?!gpkg_|rtree_|sqlite_|layer_styles)[a-z][a-z0-9_]{0,59}")


@dataclass(frozen=True)
class ThemeTable:
    """The layers of one theme: its states are styles of one table.

    Parameters
    ----------
    layers
        Layers that share a theme and its features, in the order given.
    """

    layers: tuple[Layer, ...]

    @property
    def name(self) -> str:
        """Name of the table."""
        return self.layers[0].theme

    @property
    def identifier(self) -> str:
        """Title in Japanese."""
        first = self.layers[0]
        mark = f"［{SYNTHETIC}］" if first.synthetic else ""
        return f"{mark}{first.place.ja} {first.title.ja}"

    @property
    def description(self) -> str:
        """Notes and credits in Japanese, one a line."""
        sources = [f"出典：{credit.line()}" for layer in self.layers for credit in layer.credits]
        mark = [f"{SYNTHETIC}を含みます。"] if self.layers[0].synthetic else []
        return "\n".join(dict.fromkeys([*mark, *theme_notes(self.layers), *sources]))

    @property
    def geometry_type(self) -> str:
        """Type of every shape of the table."""
        return "Point" if self.layers[0].kind == "facility" else "MultiPolygon"

    @property
    def marks(self) -> bool:
        """Whether a state leaves out features that have a shape, so that a column must say so."""
        located = self.layers[0].features.geometry.notna().to_numpy()
        return any(bool((located & ~layer.shown).any()) for layer in self.layers)

    def rows(self) -> gpd.GeoDataFrame:
        """Features as they are written: zone id first, then all columns, then the marks."""
        frame = self.layers[0].features
        shapes = frame.geometry.to_numpy()
        rows = whole_years(pd.DataFrame(frame.drop(columns=frame.geometry.name)))
        rows = rows.reset_index(names="zone")
        if self.marks:
            for layer in self.layers:
                rows[mark_column(layer)] = layer.shown.astype(np.int32)
        if self.geometry_type == "MultiPolygon":
            shapes = np.array([_multi(shape) for shape in shapes], dtype=object)
        return gpd.GeoDataFrame(rows, geometry=shapes, crs=frame.crs)

    def aliases(self) -> dict[str, str]:
        """Japanese name of every column except the key and the shape."""
        columns = self.layers[0].features.columns.drop("geometry")
        names = {"zone": field("zone").label()}
        for column in columns:
            entry, year = describe(column)
            names[column] = entry.label(year=year)
        if self.marks:
            names |= {mark_column(layer): f"{layer.heading()}の図に表示" for layer in self.layers}
        return names


def theme_notes(layers: Sequence[Layer]) -> list[str]:
    """Japanese notes of the states of a theme; one that not all share names its state."""
    notes = [(layer, note.ja) for layer in layers for note in layer.notes]
    shared = {note for _, note in notes if all(note in {n.ja for n in x.notes} for x in layers)}
    lines = (note if note in shared else f"{layer.heading()}：{note}" for layer, note in notes)
    return list(dict.fromkeys(lines))


def mark_column(layer: Layer) -> str:
    """Column that says whether a layer draws a feature."""
    return f"shown_{layer.state}_{layer.year}"


def theme_tables(layers: Sequence[Layer]) -> list[ThemeTable]:
    """Layers gathered by theme, in the order in which the themes first appear.

    Raises
    ------
    ExportError
        If there is no layer, the name of a theme is not plain ASCII, or the layers of a theme
        do not share their features, apart from places.
    """
    if not layers:
        raise ExportError("there is no layer to write")
    themes: dict[str, list[Layer]] = {}
    for layer in layers:
        themes.setdefault(layer.theme, []).append(layer)
    for theme, states in themes.items():
        if not TABLE_NAME.fullmatch(theme):
            raise ExportError(f"{theme!r} cannot be the name of a table")
        if not all(_same(layer, states[0]) for layer in states):
            raise ExportError(f"the layers of {theme} do not share their features")
        if len({(layer.state, layer.year) for layer in states}) < len(states):
            raise ExportError(f"the theme {theme} has a state and year twice")
    return [ThemeTable(tuple(states)) for states in themes.values()]


def _same(layer: Layer, first: Layer) -> bool:
    # facilities that move stand elsewhere in the future; a table has one place for each
    one, other = layer.features, first.features
    if one is other:
        return True
    return bool(one.drop(columns="geometry").equals(other.drop(columns="geometry")))


def write_rows(table: ThemeTable, path: Path) -> None:
    """Write the features of a theme into a new or an existing GeoPackage."""
    pyogrio.write_dataframe(
        table.rows(),
        path,
        layer=table.name,
        driver="GPKG",
        geometry_type=table.geometry_type,
        use_arrow=True,
        dataset_options={"VERSION": GEOPACKAGE_VERSION},
        layer_options={
            "FID": "fid",
            "GEOMETRY_NAME": GEOMETRY,
            "SPATIAL_INDEX": "YES",
            "IDENTIFIER": table.identifier,
            "DESCRIPTION": table.description,
        },
    )


def _multi(shape: shapely.Geometry | None) -> shapely.Geometry | None:
    return shapely.MultiPolygon([shape]) if isinstance(shape, shapely.Polygon) else shape
