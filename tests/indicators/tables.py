"""Rate tables for tests: rows in a few letters, read as the program reads them."""

import csv
from importlib.resources import files

import numpy as np

from futuremap.indicators.catalogue import catalogue
from futuremap.indicators.make_rates import Setting, person_rates
from futuremap.indicators.rate_rows import COLUMNS, rate_rows
from futuremap.problems import Report

TABLES = files("futuremap.indicators") / "tables"
CATALOGUE = catalogue((TABLES / "catalogue.csv").read_text(encoding="utf-8"))
WIDTH = 105


def cell_rows(text):
    """Cells of lines such as ``inpatients,,,both,0,,10,percent`` with source, year and licence."""
    said = {"year": "2020", "source": "test", "licence": "test"}
    rows = []
    for line, one in enumerate(csv.reader(text.strip().splitlines()), start=2):
        rows.append(
            (line, dict.fromkeys(COLUMNS, "") | said | dict(zip(COLUMNS, one, strict=False)))
        )
    return rows


def read(text, *, own=True):
    report = Report()
    rows = rate_rows(cell_rows(text), file="own.csv", catalogue=CATALOGUE, report=report, own=own)
    return rows, report


def made(text, *, years=(2020,), area="37201", months=0.0, base=None, trends=None, more=()):
    rows, report = read(text)
    assert not report.problems, list(report.lines())
    base = np.ones((2, WIDTH)) if base is None else base
    setting = Setting(tuple(years), area, months, base, trends or {})
    return person_rates([*rows, *more], CATALOGUE, setting)


def of(found, name):
    """Rates of one field ``(Y, S, W)``."""
    return found.rates.rates[found.rates.names.index(name)]
