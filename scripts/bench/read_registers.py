"""Time and totals of the registers of 高松市: 60 months in one CSV and six workbooks.

    .venv/bin/python scripts/bench/read_registers.py --data DIR

DIR holds takamatsu_opendata/ (population_201811_202311.csv.gz and population_raw/). Every
workbook is read as it was published; those whose month is in the CSV must hold the same
people. The last line of stdout is JSON (DESIGN §8).
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from proof import Checks, log

from futuremap.problems import Report
from futuremap.sources import register, register_series
from futuremap.sources.register_series import RegisterSeries

SECONDS = 15.0
TOWN = {"municipality": "37201", "plane_zone": 4, "credit": "takamatsu_opendata"}
WORKBOOKS = {
    "201811": 428_276, "202009": 426_157, "202304": 419_628, "202311": 419_894,
    "202401": 419_626, "202404": 417_963,
}  # fmt: skip
NAMES_FROM = "202311"


def main() -> None:
    """Read all of them, compare them and print the checks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    folder = parser.parse_args().data / "takamatsu_opendata"
    checks = Checks()
    begin = time.perf_counter()
    report = Report()
    series = register_series.read(
        folder / "population_201811_202311.csv.gz",
        municipality="37201",
        credit="takamatsu_opendata",
        report=report,
    )
    workbooks = {month: read(folder, month, report) for month in WORKBOOKS}
    seconds = time.perf_counter() - begin
    months = 0 if series is None else len(series.months)
    missing = [problem.value for problem in report.problems if problem.code == "FM323"]
    checks.add("months of the joined register", months, "==", 60, "months")
    checks.add("months told as missing: 2021-02", float(missing == ["2021-02"]), "==", 1, "0/1")
    for month, people in workbooks.items():
        total = None if people is None else float(people.population.totals().sum())
        zones = None if people is None else len(people.population.zones)
        checks.add(f"{month}: people", total, "==", WORKBOOKS[month], "persons")
        checks.add(f"{month}: areas", zones, "==", 235, "areas")
        if series is not None and people is not None and label(month) in series.months:
            checks.add(f"{month}: cells unlike the CSV", unlike(series, people, month), "==", 0, "")
    checks.add("errors", len(report.errors), "==", 0, "problems")
    checks.add("time to read them all", seconds, "<=", SECONDS, "s")
    checks.print()


def label(month: str) -> str:
    """The month as the CSV writes it."""
    return f"{month[:4]}-{month[4:]}"


def read(folder: Path, month: str, report: Report) -> register.Register | None:
    """One workbook; the garbled names of 202304 are restored from another month."""
    raw = folder / "population_raw"
    names = None
    if month == "202304":
        names = register.names_by_number(raw / f"0066_{NAMES_FROM}.xlsx", report=report)
    path = raw / f"0066_{month}.xlsx"
    people = register.read(path, year=int(month[:4]), report=report, names=names, **TOWN)
    log(f"{path.name}: {0 if people is None else len(people.zones.ids)} areas")
    return people if people is not None and people.population is not None else None


def unlike(series: RegisterSeries, people: register.Register, month: str) -> int:
    """Count of cells and names in which a workbook differs from the joined CSV."""
    joined = series.at(label(month))
    names = sum(a != b for a, b in zip(series.names.values(), people.zones.names, strict=True))
    return int(np.sum(joined.persons != people.population.persons)) + names


if __name__ == "__main__":
    main()
