"""Sheets of numbers: areas, facilities, indicators by year, and runs side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from futuremap.core.classes import Classes
from futuremap.core.fields import describe, field
from futuremap.core.layer import Layer, Text
from futuremap.core.table import Table
from futuremap.export.brief import Brief, Comparison, Overview
from futuremap.export.tabular import whole_years
from futuremap.export.workbook.sheet import Book, Column, Sheet, field_column, number_format

INDICATORS = "指標"
AREA_SHEETS = {
    "municipality": ("人口（市区町村）", Text("市区町村の人口", "People by municipality")),
    "town_block": ("人口（町丁）", Text("町丁別の人口", "People by town block")),
    "district": ("人口（地区）", Text("地区別の人口", "People by district")),
    "place": ("人口（地区）", Text("地区別の人口", "People by place")),
}
FACILITIES = "施設"
ACCESS = "利用圏カバー率"
DARK = 140  # luminance (0 to 255) under which text is white
NAME_WIDTH, CODE_WIDTH = 24.0, 14.0
# what is listed once, in both years, in all years
AREA_ONCE = ("imputed_share",)
AREA_BOTH = (
    "population_0_14",
    "population_65_over",
    "population_75_over",
    "ageing_rate",
    "density",
)
FACILITY_FIRST = ("facility_class", "kind", "address", "opened", "floor_area", "capacity")
FACILITY_BOTH = (
    "years_in_service",
    "life_left",
    "people_in_reach_0_14",
    "people_in_reach_65_over",
    "load",
    "floor_area_per_head",
    "people_only_here",
)
FACILITY_ONCE = ("reach_outside_share",)
BOUND_WORDS = {
    "value": Text("推計値", "value"),
    "low": Text("80％区間の下限", "low"),
    "high": Text("80％区間の上限", "high"),
}


class Lines(NamedTuple):
    """Where the indicators stand on their sheet.

    head
        Row of the years.
    first, last
        Columns of the first and the last year.
    rows
        Row of every (zone, indicator, bound).
    """

    head: int
    first: int
    last: int
    rows: Mapping[tuple[str, str, str], int]


def write_areas(book: Book, brief: Brief) -> None:
    """People by area and year, a sheet a kind of area; meshes are left to the plain tables."""
    for kind, (name, heading) in AREA_SHEETS.items():
        themes = [theme for theme in brief.areas if theme[0].kind == kind]
        if not themes:
            continue
        frame = _joined(themes)
        columns = [
            *_first_columns(frame, brief),
            *_fields(frame, ["area_ha"]),
            *_main_columns(frame, "population", ("population_change", "change_rate"), brief.years),
            *_fields(frame, _both(AREA_BOTH, brief.years)),
            *_fields(frame, AREA_ONCE),
        ]
        _write_main(book.sheet(name), columns, themes[0], heading)


def write_facilities(book: Book, brief: Brief) -> None:
    """Facilities: age, people in reach now and in the future with the interval, load."""
    if not brief.facilities:
        return
    frame = _joined(brief.facilities)
    columns = [
        *_first_columns(frame, brief),
        *_fields(frame, FACILITY_FIRST),
        *_main_columns(frame, "people_in_reach", ("reach_change", "reach_change_rate"),
                       brief.years),
        *_fields(frame, _both(FACILITY_BOTH, brief.years)),
        *_fields(frame, FACILITY_ONCE),
        *_fields(frame, ["longitude", "latitude"]),
    ]  # fmt: skip
    heading = Text("施設と利用圏人口", "Facilities and people in reach")
    _write_main(book.sheet(FACILITIES), columns, brief.facilities[0], heading)


def write_indicators(book: Book, brief: Brief) -> Lines:
    """Indicators of the municipalities, and coverage by class of facility, a column a year."""
    names = {zone: name.ja for zone, name in brief.names.items()}
    title = Text("市区町村の指標", "Indicators of the municipality")
    lines = _write_lines(book.sheet(INDICATORS), brief.municipal, names, title)
    if brief.access is not None:
        title = Text(
            "施設の種類別の利用圏カバー率と距離", "Coverage and travel by class of facility"
        )
        _write_lines(book.sheet(ACCESS), brief.access, brief.access_names or {}, title)
    return lines


def write_comparison(book: Book, found: Comparison, *, name: str, heading: Text) -> None:
    """Two runs side by side on a sheet: a row a zone and indicator, in every year A, B and B - A.

    Parameters
    ----------
    book
        The workbook.
    found
        Both runs.
    name, heading
        Name of the sheet, and what stands over it.
    """
    first, second, difference = found.tables
    rows = [
        (zone, name)
        for name in first.indicators
        if f"{name}_difference" in difference.indicators
        for zone in first.zones
    ]
    place = {zone: i for i, zone in enumerate(first.zones)}
    formats = [number_format(field(name).decimals) for _, name in rows]
    columns = [
        Column(Text("コード", "Id"), [zone for zone, _ in rows], width=CODE_WIDTH),
        Column(
            Text("区域", "Zone"), [found.zone_names[zone] for zone, _ in rows], width=NAME_WIDTH
        ),
        Column(Text("指標", "Indicator"), [field(n).name_ja for _, n in rows], width=NAME_WIDTH),
        Column(Text("単位", "Unit"), [field(name).unit_ja for _, name in rows], width=9),
    ]
    for year in first.years:
        for words, table, tail in (
            (Text(f"{year}年 A", f"{year} A"), first, ""),
            (Text(f"{year}年 B", f"{year} B"), second, ""),
            (Text(f"{year}年 差 B－A", f"{year} B - A"), difference, "_difference"),
        ):
            shown = {
                name: field(name + tail).export(table.column(name + tail, year))
                for name in dict.fromkeys(name for _, name in rows)
            }
            columns.append(
                Column(words, [shown[name][place[zone]] for zone, name in rows], formats)
            )
    sheet = book.sheet(name)
    sheet.heading(heading)
    sheet.words(f"A：{found.first.ja}　　B：{found.second.ja}")
    sheet.table(columns, main=True, frozen=2)


def write_overview(book: Book, found: Overview, *, name: str) -> None:
    """Many futures side by side on a sheet: a row a place and indicator.

    Parameters
    ----------
    book
        The workbook.
    found
        What is put side by side.
    name
        Name of the sheet.
    """
    fields = [field(one) for _, one in found.rows]
    factor = np.array([one.export(np.ones(1))[0] for one in fields])
    formats = [number_format(0 if one.unit == "persons" else one.decimals) for one in fields]
    columns = [
        Column(Text("区域", "Zone"), [place for place, _ in found.rows], width=NAME_WIDTH),
        Column(Text("指標", "Indicator"), [one.name_ja for one in fields], width=NAME_WIDTH),
        Column(Text("単位", "Unit"), [one.unit_ja for one in fields], width=9),
        *(Column(heading, factor * values, formats, width=16, wrapped=True)
          for heading, values in found.columns),
    ]  # fmt: skip
    sheet = book.sheet(name)
    sheet.heading(found.title)
    sheet.table(columns, main=True, frozen=2)


def _write_main(
    sheet: Sheet, columns: Sequence[Column], layers: tuple[Layer, ...], heading: Text
) -> None:
    sheet.heading(heading)
    first, last = sheet.table(columns, main=True, frozen=2)
    classes = {
        field_label(layer.colour): layer.classes for layer in layers if layer.colour != layer.height
    }
    for place, column in enumerate(columns):
        if column.heading.ja in classes:
            _paint(sheet, (first, place, last, place), classes[column.heading.ja])


def field_label(column: str) -> str:
    """Japanese heading of a column."""
    entry, year = describe(column)
    return entry.label(year=year)


def _paint(sheet: Sheet, place: tuple[int, int, int, int], classes: Classes) -> None:
    """Colour cells by the classes of the map: a value equal to a limit is above it."""
    rules = [(">=", limit, colour) for limit, colour in
             zip(classes.limits, classes.colours[1:], strict=True)][::-1]  # fmt: skip
    rules.append(("<", classes.limits[0], classes.colours[0]))
    sheet.worksheet.conditional_format(*place, {"type": "blanks", "stop_if_true": True})
    for criteria, limit, colour in rules:
        red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
        ink = "#ffffff" if 0.299 * red + 0.587 * green + 0.114 * blue < DARK else "#000000"
        look = sheet.book.workbook.add_format({"bg_color": colour, "font_color": ink})
        sheet.worksheet.conditional_format(
            *place,
            {
                "type": "cell",
                "criteria": criteria,
                "value": limit,
                "format": look,
                "stop_if_true": True,
            },
        )


def _joined(themes: Sequence[tuple[Layer, ...]]) -> pd.DataFrame:
    parts = []
    for theme in themes:
        features: gpd.GeoDataFrame = theme[0].features
        part = whole_years(pd.DataFrame(features.drop(columns=features.geometry.name)))
        points = features.geometry.to_numpy()
        if (shapely.get_type_id(points) <= 0).all():
            part["longitude"], part["latitude"] = shapely.get_x(points), shapely.get_y(points)
        parts.append(part.reset_index(names="zone"))
    return pd.concat(parts, ignore_index=True) if len(parts) > 1 else parts[0]


def _first_columns(frame: pd.DataFrame, brief: Brief) -> list[Column]:
    names = {zone: name.ja for zone, name in brief.names.items()}
    columns = [
        field_column("zone", frame["zone"])._replace(width=CODE_WIDTH),
        field_column("name", frame["name"])._replace(width=NAME_WIDTH),
    ]
    if "parent" in frame and len(set(frame["parent"])) > 1:
        towns = [names.get(code, code) for code in frame["parent"]]
        columns.append(Column(Text("市区町村", "Municipality"), towns))
    if "remark" in frame:
        columns.append(field_column("remark", frame["remark"]))
    return columns


def _main_columns(
    frame: pd.DataFrame, name: str, change: Sequence[str], years: tuple[int, int]
) -> list[Column]:
    """A number in every year, the interval and the change of the last one."""
    by_year = [c for c in frame.columns if describe(c)[0].name == name]
    last = years[1]
    bounds = [
        column._replace(heading=Text(f"{words.ja} {last}年", f"{words.en} {last}"))
        for bound, words in BOUND_WORDS.items()
        if bound != "value"
        for column in _fields(frame, [f"{name}_{bound}_{last}"])
    ]
    return [
        *_fields(frame, by_year),
        *bounds,
        *_fields(frame, [f"{one}_{last}" for one in change]),
    ]


def _both(names: Sequence[str], years: tuple[int, int]) -> list[str]:
    return [f"{name}_{year}" for name in names for year in years]


def _fields(frame: pd.DataFrame, names: Sequence[str]) -> list[Column]:
    columns = []
    for name in names:
        if name in frame and frame[name].notna().any():
            column = field_column(name, frame[name])
            words = name in {"facility_class", "kind", "address"}
            columns.append(column._replace(width=18.0) if words else column)
    return columns


def _write_lines(sheet: Sheet, table: Table, names: Mapping[str, str], title: Text) -> Lines:
    sheet.heading(title)
    cubes = {bound: table.data[bound].values for bound in BOUND_WORDS if bound in table.data}
    keys = [
        (z, i, bound)
        for z in range(len(table.zones))
        for i in range(len(table.indicators))
        for bound in cubes
        if np.isfinite(cubes[bound][i, :, z]).any()
    ]
    entries = [field(table.indicators[i]) for _, i, _ in keys]
    formats = [number_format(entry.decimals) for entry in entries]
    columns = [
        Column(Text("コード", "Id"), [table.zones[z] for z, _, _ in keys], width=CODE_WIDTH),
        Column(
            Text("名称", "Name"),
            [names.get(table.zones[z], table.zones[z]) for z, _, _ in keys],
            width=NAME_WIDTH,
        ),
        Column(Text("指標", "Indicator"), [e.name_ja for e in entries], width=34),
        Column(Text("英名", "In English"), [e.name_en for e in entries], width=30),
        Column(Text("単位", "Unit"), [e.unit_ja for e in entries], width=10),
        Column(Text("種類", "Kind"), [BOUND_WORDS[b].ja for _, _, b in keys], width=14),
    ]
    first = len(columns)
    for t, year in enumerate(table.years):
        values = [
            float(entry.export(cubes[bound][i, t, z]))
            for (z, i, bound), entry in zip(keys, entries, strict=True)
        ]
        columns.append(Column(Text(f"{year}年", str(year)), values, formats))
    top, _ = sheet.table(columns, main=True, frozen=3)
    rows = {
        (table.zones[z], table.indicators[i], bound): top + n
        for n, (z, i, bound) in enumerate(keys)
    }
    return Lines(top - 1, first, first + len(table.years) - 1, rows)
