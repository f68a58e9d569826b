"""Tables of a GeoPackage: what one holds and how it is drawn; the theme tables, a row a feature."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from futuremap.core.credits import SYNTHETIC, Credit
from futuremap.core.fields import Field, describe, field
from futuremap.core.layer import Layer
from futuremap.errors import ExportError
from futuremap.export.geopackage.drawing import (
    Drawing,
    first_of,
    mark_column,
    state_drawing,
)

GEOMETRY = "geom"
BATCH = 16_384  # rows in memory at a time as they are written
# names that SQL and file systems take as they are; the prefixes belong to GeoPackage and QGIS
TABLE_NAME = re.compile(r"(?!gpkg_|rtree_|sqlite_|layer_styles|qgis_)[a-z][a-z0-9_]{0,59}")
Place = Literal["Point", "MultiPolygon"]


class Column(NamedTuple):
    """A column of a table.

    alias
        Japanese name with year and unit.
    definition
        How the number is made.
    type
        Type as Arrow knows it.
    """

    alias: str
    definition: str
    type: pa.DataType


@dataclass(frozen=True)
class FeatureTable:
    """One table of features.

    Parameters
    ----------
    name, title
        Name in SQL, and title without the place.
    identifier, description
        Title with the place, and notes and credits, in Japanese.
    geometry_type
        Type of every shape.
    columns
        Every column but the key and the shape, in order.
    drawings
        The styles; the first is the one that applies when the table is opened.
    rows, located
        Rows, and how many of them have a shape.
    bounds
        West, south, east and north of all shapes. [degrees]
    frames
        Gives the rows, part by part, with the columns and a geometry.
    period
        Columns in which a row begins and ends to hold; empty if it always does.
    """

    name: str
    title: str
    identifier: str
    description: str
    geometry_type: Place
    columns: Mapping[str, Column]
    drawings: tuple[Drawing, ...]
    rows: int
    located: int
    bounds: tuple[float, float, float, float]
    frames: Callable[[], Iterator[gpd.GeoDataFrame]]
    period: tuple[str, str] | tuple[()] = ()


def theme_tables(layers: Sequence[Layer]) -> list[FeatureTable]:
    """A table a theme, in the order in which the themes first appear; its states are styles.

    Raises
    ------
    ExportError
        If there is no layer, the name of a theme is not plain ASCII, or the layers of a theme
        do not share their features, apart from places.
    """
    return [_theme_table(states) for states in themes_of(layers)]


def themes_of(layers: Sequence[Layer]) -> list[list[Layer]]:
    """Layers gathered by theme.

    Raises
    ------
    ExportError
        As :func:`theme_tables`.
    """
    if not layers:
        raise ExportError("there is no layer to write")
    themes: dict[str, list[Layer]] = {}
    for layer in layers:
        themes.setdefault(layer.theme, []).append(layer)
    for theme, states in themes.items():
        if not TABLE_NAME.fullmatch(theme):
            raise ExportError(f"{theme!r} cannot be the name of a table", code="FM720")
        if not all(_same(layer, states[0]) for layer in states):
            raise ExportError(f"the layers of {theme} do not share their features")
        if len({(layer.state, layer.year) for layer in states}) < len(states):
            raise ExportError(f"the theme {theme} has a state and year twice")
    return list(themes.values())


def _same(layer: Layer, first: Layer) -> bool:
    # facilities that move stand elsewhere in the future; a table has one place for each
    one, other = layer.features, first.features
    if one is other:
        return True
    return bool(one.drop(columns="geometry").equals(other.drop(columns="geometry")))


def _theme_table(layers: list[Layer]) -> FeatureTable:
    first, features = layers[0], layers[0].features
    shaped = has_shape(features)
    marked = any(bool((shaped & ~layer.shown).any()) for layer in layers)
    columns = {"zone": text_column("zone"), **data_columns(features)}
    if marked:
        shown = field("shown").definition_ja
        columns |= {
            mark_column(layer): Column(f"{layer.heading()}の図に表示", shown, pa.int32())
            for layer in layers
        }
    opened = first_of(layers)
    order = [opened, *(layer for layer in layers if layer is not opened)]

    def frames() -> Iterator[gpd.GeoDataFrame]:
        for start in range(0, len(features), BATCH):
            part = features.iloc[start : start + BATCH]
            marks = {mark_column(x): x.shown[start : start + BATCH] for x in layers if marked}
            yield part.assign(zone=part.index, **marks)

    return FeatureTable(
        name=first.theme,
        title=first.title.ja,
        identifier=title_of(layers),
        description=description_of(layers, theme_notes(layers)),
        geometry_type=place_of(first),
        columns=columns,
        drawings=tuple(state_drawing(layer, layers, marked=marked) for layer in order),
        rows=len(features),
        located=int(shaped.sum()),
        bounds=bounds_of(features),
        frames=frames,
    )


def told_apart(tables: Sequence[FeatureTable]) -> list[FeatureTable]:
    """The same tables, no two of one title and no two columns of a table of one name.

    GeoPackage wants both; what comes second is told apart by its name in SQL.
    """
    seen: set[str] = set()
    apart = []
    for table in tables:
        title = _other(table.identifier, table.name, seen)
        aliases: set[str] = set()
        columns = {
            name: about._replace(alias=_other(about.alias, name, aliases))
            for name, about in table.columns.items()
        }
        apart.append(replace(table, identifier=title, columns=columns))
    return apart


def _other(text: str, name: str, seen: set[str]) -> str:
    found = f"{text}（{name}）" if text in seen else text
    seen.add(found)
    return found


def data_columns(features: gpd.GeoDataFrame) -> dict[str, Column]:
    """The columns of features but their shape, as the data dictionary describes them."""
    return {
        name: named_column(name, type_of(name, features[name]))
        for name in features.columns
        if name != features.geometry.name
    }


def named_column(name: str, kind: pa.DataType) -> Column:
    """A column as the data dictionary describes it."""
    entry, year = describe(name)
    return Column(entry.label(year=year), definition_of(entry), kind)


def text_column(name: str) -> Column:
    """A column of text."""
    return named_column(name, pa.string())


def definition_of(entry: Field) -> str:
    """How a number is made, in Japanese, and its English name."""
    return f"{entry.definition_ja}（{entry.label('en')}）"


def type_of(name: str, values: pd.Series) -> pa.DataType:
    """Type in which a column is written: years are whole numbers, if all of them are."""
    if not pd.api.types.is_numeric_dtype(values.dtype):
        return pa.string()
    if describe(name)[0].unit == "year" and (values.dropna() % 1 == 0).all():
        return pa.int64()
    return pa.float64() if pd.api.types.is_float_dtype(values.dtype) else pa.int64()


def title_of(layers: Sequence[Layer]) -> str:
    """Title of a theme in Japanese."""
    first = layers[0]
    return f"{synthetic_mark(first.credits)}{first.place.ja} {first.title.ja}"


def synthetic_mark(credits: Sequence[Credit]) -> str:  # noqa: A002
    """The mark that stands before a title if any of the data are made up."""
    return f"［{SYNTHETIC[0]}］" if any(credit.synthetic for credit in credits) else ""


def description_of(layers: Sequence[Layer], notes: Sequence[str]) -> str:
    """Notes and credits in Japanese, one a line."""
    return described([credit for layer in layers for credit in layer.credits], notes)


def described(credits: Sequence[Credit], notes: Sequence[str]) -> str:  # noqa: A002
    """Notes and credits in Japanese, one a line."""
    mark = [f"{SYNTHETIC[0]}を含みます。"] if synthetic_mark(credits) else []
    sources = [f"出典：{credit.line()}" for credit in credits]
    return "\n".join(dict.fromkeys([*mark, *notes, *sources]))


def theme_notes(layers: Sequence[Layer]) -> list[str]:
    """Japanese notes of the states of a theme; one that not all share names its state."""
    notes = [(layer, note.ja) for layer in layers for note in layer.notes]
    shared = set(shared_notes(layers))
    lines = (note if note in shared else f"{layer.heading()}：{note}" for layer, note in notes)
    return list(dict.fromkeys(lines))


def shared_notes(layers: Sequence[Layer]) -> list[str]:
    """Japanese notes that all states of a theme share."""
    others = [{note.ja for note in layer.notes} for layer in layers]
    notes = [note.ja for note in layers[0].notes]
    return [note for note in dict.fromkeys(notes) if all(note in other for other in others)]


def place_of(layer: Layer) -> Place:
    """Type of the shapes of a theme."""
    return "Point" if layer.kind == "facility" else "MultiPolygon"


def has_shape(features: gpd.GeoDataFrame) -> NDArray[np.bool_]:
    """Which features have a shape ``(N,)``."""
    return np.asarray(~(features.geometry.isna() | features.geometry.is_empty))


def bounds_of(features: gpd.GeoDataFrame) -> tuple[float, float, float, float]:
    """West, south, east and north of all shapes; NaN if there is none. [degrees]"""
    west, south, east, north = features.total_bounds.tolist()
    return west, south, east, north
