"""Small broken relatives of the bundled files, one fault each."""

import csv
import datetime as dt
import functools
from pathlib import Path

import openpyxl

from futuremap.sources import register

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures" / "geo" / "takamatsu"
RIGHT_POINT = {"松島町３丁目": (34.337316, 134.069335)}
TOWN = {"municipality": "37201", "plane_zone": 4, "credit": "takamatsu_opendata"}


def found(report):
    """What was noted, as (code, line, column), in order of place."""
    places = [(p.code, p.line, p.column) for p in report.problems]
    return sorted(places, key=lambda place: (place[1] or 0, place[0], place[2]))


@functools.cache
def sheet(path):
    """All cells of the first sheet, read the ordinary way."""
    return [tuple(row) for row in openpyxl.load_workbook(path).worksheets[0].values]


def as_text(cell):
    return "" if cell is None else str(cell)


def register_rows(count=8, *, file="register_202311.xlsx"):
    """Headings and the first areas of a bundled register, as texts."""
    return [[as_text(cell) for cell in row] for row in sheet(FIXTURES / file)[: count + 1]]


def put(rows, row, heading, value):
    """The table with one other cell; rows count from 1 below the headings."""
    changed = [list(cells) for cells in rows]
    changed[row][rows[0].index(heading)] = value
    return changed


def write_csv(path, rows, encoding="utf-8"):
    with path.open("w", encoding=encoding, newline="") as out:
        csv.writer(out).writerows(rows)
    return path


def write_xlsx(path, rows, title="表"):
    book = openpyxl.Workbook()
    book.active.title = title
    for row in rows:
        book.active.append([cell if isinstance(cell, dt.date) or cell else None for cell in row])
    book.save(path)
    return path


def read_base(path, report, **more):
    return register.read(path, year=2023, report=report, **TOWN, **more)


def ids_by_name(found_register):
    zones = found_register.zones
    return dict(zip(zones.names, zones.ids, strict=True))
