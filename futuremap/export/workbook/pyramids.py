"""Pyramids now and in the future, as native charts: stacked bars whose males count below zero."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from futuremap.core.layer import Text
from futuremap.core.population import SEXES
from futuremap.export.brief import Brief
from futuremap.export.chart import ticks
from futuremap.export.workbook.sheet import PALE, Book, Column, Sheet

PYRAMIDS = "人口ピラミッド"
BOTH_SIDES = "#,##0;#,##0"  # males stand as negative numbers and are read as positive ones
SIDES = (("male", "男", "Male", "#2c7bb6"), ("female", "女", "Female", "#e08214"))
CHART = (430, 430)  # pixels
CHART_ROWS = 23


def write_pyramids(book: Book, brief: Brief) -> None:
    """Every municipality's pyramid in the base year and in the last one, on one scale."""
    sheet = book.sheet(PYRAMIDS, landscape=False)
    sheet.widths((13, 12, 12, 12, 12, 12, 12))
    sheet.heading(Text("男女・年齢別の人口", "People by sex and age"))
    sheet.words(
        "図のため、男は負の数で入れています（表示は正の数）。/ Males are stored below zero.",
        colour=PALE,
    )
    people = brief.people
    steps = [people.years.index(year) for year in brief.years]
    for zone in brief.municipal.zones:
        counted = people.persons[steps, people.zones.index(zone)]  # (2, S, A)
        sheet.skip()
        sheet.words(brief.names[zone].ja, bold=True, size=12)
        _write_one(book, sheet, brief, zone, counted)


def _write_one(
    book: Book, sheet: Sheet, brief: Brief, zone: str, counted: NDArray[np.float64]
) -> None:
    labels = brief.people.ages.labels()
    columns = [Column(Text("年齢", "Age"), labels)]
    for t, year in enumerate(brief.years):
        for sex, word, english, _ in SIDES:
            sign = -1.0 if sex == "male" else 1.0
            values = sign * counted[t, SEXES.index(sex)]
            heading = Text(f"{year}年 {word}", f"{year} {english}")
            columns.append(Column(heading, values, BOTH_SIDES))
    top = sheet.row + CHART_ROWS
    edge = ticks(0.0, float(counted.max()))[-1]
    for t, year in enumerate(brief.years):
        chart = book.workbook.add_chart({"type": "bar", "subtype": "stacked"})
        for s, (_, word, _, colour) in enumerate(SIDES):
            place = 1 + 2 * t + s
            chart.add_series(
                {
                    "name": word,
                    "categories": [PYRAMIDS, top + 1, 0, top + len(labels), 0],
                    "values": [PYRAMIDS, top + 1, place, top + len(labels), place],
                    "fill": {"color": colour},
                    "gap": 12,
                },
            )
        state = "現況" if t == 0 else "将来"
        mark = f"［{brief.mark}］" if brief.mark else ""
        chart.set_title(
            {
                "name": f"{mark}{brief.names[zone].ja} {state}（{year}年）",
                "name_font": {"size": 11},
                "overlay": False,
            },
        )
        chart.set_y_axis({"label_position": "low", "num_font": {"size": 8}})
        chart.set_x_axis(
            {"num_format": BOTH_SIDES, "min": -edge, "max": edge, "num_font": {"size": 8}},
        )
        chart.set_legend({"position": "bottom"})
        chart.set_size({"width": CHART[0], "height": CHART[1]})
        sheet.worksheet.insert_chart(
            sheet.row, 0, chart, {"x_offset": t * (CHART[0] + 8), "object_position": 2}
        )
    sheet.row = top
    sheet.table(columns)
