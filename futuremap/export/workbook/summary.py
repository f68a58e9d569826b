"""The first sheet: the key numbers with their intervals, and people by year as a chart."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from futuremap.core.credits import SYNTHETIC
from futuremap.core.fields import Field, field
from futuremap.core.layer import Text
from futuremap.core.table import Table
from futuremap.export.brief import SYNTHETIC_NOTE, Brief
from futuremap.export.workbook.numbers import INDICATORS, Lines
from futuremap.export.workbook.sheet import PALE, Book, Column, Sheet, number_format

SUMMARY = "概要"
KEY = (
    "population",
    "population_change",
    "change_rate",
    "population_0_14",
    "population_15_64",
    "population_65_over",
    "population_75_over",
    "ageing_rate",
    "people_covered",
    "coverage_rate",
)
WIDTHS = (14, 36, 10, 13, 13, 15, 15)
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000")
MOST_LINES = len(COLOURS)  # more cannot be told apart
MOST_BANDS = 3  # towns whose intervals are drawn too
ALARM = "#8c1020"


def write_summary(book: Book, brief: Brief) -> Sheet:
    """Write the sheet; its chart comes with :func:`chart_people`, once its numbers are placed."""
    sheet = book.sheet(SUMMARY, landscape=False)
    sheet.widths(WIDTHS)
    sheet.words(brief.title.ja, bold=True, size=18)
    sheet.words(brief.title.en, colour=PALE)
    if brief.synthetic:
        mark = f"{SYNTHETIC[0]}：{SYNTHETIC_NOTE.ja} / {SYNTHETIC_NOTE.en}"
        sheet.words(mark, bold=True, colour=ALARM)
    sheet.words(brief.summary.ja)
    sheet.words(brief.summary.en, colour=PALE)
    sheet.skip()
    sheet.heading(Text("主な数字", "Key numbers"))
    sheet.words(
        "区間は、過去の推計の誤差からみて80％の確率で収まる範囲です。/ Intervals hold 80 %.",
        colour=PALE,
    )
    sheet.table(_key_numbers(brief))
    sheet.skip()
    for check in brief.checks:
        sheet.words(check.ja)
    return sheet


def chart_people(book: Book, sheet: Sheet, lines: Lines, brief: Brief) -> None:
    """Draw people by year with the ends of their intervals."""
    sheet.skip()
    chart = book.workbook.add_chart({"type": "line"})
    towns = brief.municipal.zones[:MOST_LINES]
    for colour, town in zip(COLOURS, towns, strict=False):
        drawn = [("value", "solid", 2.25)]
        if len(towns) <= MOST_BANDS:
            drawn += [("low", "dash", 1.0), ("high", "dash", 1.0)]
        for bound, dash, width in drawn:
            row = lines.rows.get((town, "population", bound))
            if row is None:
                continue
            tail = {"value": "", "low": "（80％区間の下限）", "high": "（80％区間の上限）"}[bound]
            chart.add_series(
                {
                    "name": brief.names[town].ja + tail,
                    "categories": [INDICATORS, lines.head, lines.first, lines.head, lines.last],
                    "values": [INDICATORS, row, lines.first, row, lines.last],
                    "line": {"color": colour, "dash_type": dash, "width": width},
                    "marker": {
                        "type": "circle" if bound == "value" else "none",
                        "size": 5,
                        "fill": {"color": colour},
                        "border": {"color": colour},
                    },
                },
            )
    mark = f"［{brief.mark}］" if brief.mark else ""
    chart.set_title({"name": f"{mark}人口（人）", "name_font": {"size": 12}})
    chart.set_y_axis({"num_format": "#,##0", "major_gridlines": {"visible": True}})
    chart.set_legend({"position": "bottom"})
    chart.set_size({"width": 820, "height": 420})
    sheet.worksheet.insert_chart(sheet.row, 0, chart, {"object_position": 2})


def _key_numbers(brief: Brief) -> list[Column]:
    table, (base, future) = brief.municipal, brief.years
    rows = [
        (zone, field(name))
        for zone in table.zones
        for name in KEY
        if name in table.indicators and np.isfinite(_at(table, name, future, zone))
    ]
    formats = [number_format(_decimals(entry)) for _, entry in rows]

    def numbers(heading: Text, values: Sequence[float]) -> Column:
        return Column(heading, values, formats)

    bounds = (
        ("low", Text(f"{future}年 80％区間の下限", f"{future} low")),
        ("high", Text(f"{future}年 80％区間の上限", f"{future} high")),
    )
    return [
        Column(Text("市区町村", "Municipality"), [brief.names[zone].ja for zone, _ in rows]),
        Column(Text("指標", "Indicator"), [entry.name_ja for _, entry in rows]),
        Column(Text("単位", "Unit"), [entry.unit_ja for _, entry in rows]),
        numbers(
            Text(f"{base}年（現況）", f"{base} (now)"),
            [_shown(table, entry, base, zone) for zone, entry in rows],
        ),
        numbers(
            Text(f"{future}年（将来）", f"{future} (future)"),
            [_shown(table, entry, future, zone) for zone, entry in rows],
        ),
        *(
            numbers(heading, [_bound(table, entry, future, zone, bound) for zone, entry in rows])
            for bound, heading in bounds
        ),
    ]


def _at(table: Table, name: str, year: int, zone: str) -> float:
    return float(table.column(name, year)[table.zones.index(zone)])


def _shown(table: Table, entry: Field, year: int, zone: str) -> float:
    if entry.name in {"population_change", "change_rate"} and year == table.years[0]:
        return float("nan")  # no change against itself
    return float(entry.export(table.column(entry.name, year))[table.zones.index(zone)])


def _bound(table: Table, entry: Field, year: int, zone: str, bound: str) -> float:
    if entry.name not in table.with_interval:
        return float("nan")
    pair = table.intervals()[entry.name]
    values = pair[0 if bound == "low" else 1][table.years.index(year)]
    return float(entry.export(values)[table.zones.index(zone)])


def _decimals(entry: Field) -> int:
    # parts of persons say nothing of a whole town
    return 0 if entry.unit == "persons" else entry.decimals
