"""Backtest of small areas on a register's months: what was projected beside what came.

``--register`` is a table of months × areas (columns month, region, m00, f00 … m85p, f85p), as
``population_201811_202311.csv.gz``. Only months within ``--fit`` and the launch month are used
to project. Ours starts from the latest of them, because that is what it is for: if the fit reaches
beyond the launch, fit and target overlap, which is said, and the table shows the simple methods
from the same month too, and ours without the months after the launch.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from proof import Checks, log

from futuremap.core.ages import AgeGroups
from futuremap.errors import FuturemapError
from futuremap.projection.benchmarks import benchmarks
from futuremap.projection.scoring import score, signed_error
from futuremap.projection.small_area import project_small_areas

SEXES = "mf"
CELL = re.compile(r"([mf])(\d{2,3})p?$")
SMALLEST, LARGER = 50, 200  # persons at the launch
CLASSES = (0, 50, 200, 1_000, np.inf)
HORIZONS = (1.0, 2.0, 3.0)
SHORTEST_FIT = 1.0  # years
STEP = 0.5  # years between inner launches
NEAR = 0.1  # years that a missing month may be replaced from
OVERLAPPING = (("mape_50", 4.7), ("median_ape_50", 2.4), ("mape_200", 3.3))
APART = (("mape_50", 8.3),)


class Register(NamedTuple):
    """Persons ``(T, Z, S, A)``, NaN where a cell is blank, and totals ``(T, Z)``."""

    persons: NDArray[np.float64]
    totals: NDArray[np.float64]
    months: list[str]
    zones: list[str]
    ages: AgeGroups

    @property
    def times(self) -> NDArray[np.float64]:
        """Dates as fractional years ``(T,)``."""
        return np.array([year_of(month) for month in self.months])


def year_of(month: str) -> float:
    """Fractional year of ``YYYY-MM``."""
    year, number = month.split("-")
    return int(year) + (int(number) - 1) / 12


def read(path: Path) -> Register:
    """Read a register; repeated rows are dropped, areas missing in a month are blank there."""
    frame = pd.read_csv(path, dtype=str)
    repeated = frame.duplicated(["month", "region"], keep="last")
    if repeated.any():
        log(f"{int(repeated.sum())} repeated rows dropped")
    frame = frame[~repeated]
    found = {name: CELL.match(name) for name in frame.columns}
    lower = sorted({int(match[2]) for match in found.values() if match})
    by_place = {(match[1], int(match[2])): name for name, match in found.items() if match}
    months = sorted(frame["month"].unique())
    zones = list(dict.fromkeys(frame["region"]))
    index = pd.MultiIndex.from_product([months, zones], names=["month", "region"])
    frame = frame.set_index(["month", "region"]).reindex(index)
    columns = [by_place[sex, age] for sex in SEXES for age in lower]
    cells = frame[columns].apply(pd.to_numeric, errors="coerce").to_numpy(dtype=np.float64)
    persons = cells.reshape(len(months), len(zones), len(SEXES), len(lower))
    totals = persons.sum(axis=(2, 3))
    if "total" in frame:
        stated = pd.to_numeric(frame["total"], errors="coerce").to_numpy(dtype=np.float64)
        totals = np.where(np.isnan(totals), stated.reshape(totals.shape), totals)
    return Register(persons, totals, months, zones, AgeGroups(tuple(lower)))


def fill(persons: NDArray[np.float64], times: NDArray[np.float64]) -> NDArray[np.float64]:
    """Blank cells from the months around them; a zone that is always blank is empty."""
    blank = np.isnan(persons)
    if not blank.any():
        return persons
    filled = persons.copy()
    for cell in np.argwhere(blank.any(axis=0)):
        series = filled[(slice(None), *cell)]
        known = ~np.isnan(series)
        series[:] = np.interp(times, times[known], series[known]) if known.any() else 0.0
    log(f"{int(blank.sum())} blank cells filled from the months around them")
    return filled


def arguments(given: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--register", type=Path, required=True)
    parser.add_argument("--fit", nargs=2, default=["2018-11", "2023-11"], metavar="MONTH")
    parser.add_argument("--launch", default="2020-11", metavar="MONTH")
    parser.add_argument("--target", default="2025-11", metavar="MONTH")
    parser.add_argument("--json", action="store_true", help="accepted; JSON is always printed")
    return parser.parse_args(given)


def used_months(register: Register, options: argparse.Namespace) -> list[int]:
    """Positions of the months within the fit, and of the launch."""
    first, last = options.fit
    if last >= options.target:
        raise SystemExit(f"the fit ends in {last}, not before the target {options.target}")
    return [
        i
        for i, month in enumerate(register.months)
        if first <= month <= last or month == options.launch
    ]


def project_all(
    register: Register,
    options: argparse.Namespace,
) -> dict[str, NDArray[np.float64]]:
    """Every method's cells at the target, ours first."""
    used = used_months(register, options)
    times = register.times[used]
    log(f"months used: {len(used)}, {register.months[used[0]]} to {register.months[used[-1]]}")
    stocks = fill(register.persons[used], times)
    note_jumps(stocks, [register.months[i] for i in used])
    target, one_parent = year_of(options.target), np.zeros(len(register.zones), dtype=np.intp)
    shared = {"ages": register.ages, "parent_of": one_parent, "target_time": target}
    launch = used.index(register.months.index(options.launch))
    fit = [k for k, i in enumerate(used) if options.fit[0] <= register.months[i] <= options.fit[1]]
    rivals = benchmarks(
        stocks[fit], times[fit], launch=stocks[launch], launch_time=times[launch], **shared
    )
    projected = {"small_area": project_small_areas(stocks, times, **shared).persons, **rivals}
    if launch < len(stocks) - 1:
        # what the months after the launch are worth: the same methods from the last of them, and
        # ours without them
        latest = benchmarks(
            stocks[fit], times[fit], launch=stocks[-1], launch_time=times[-1], **shared
        )
        projected |= {f"{name}_from_last_month": cells for name, cells in latest.items()}
        if launch > 0:
            ours = project_small_areas(stocks[: launch + 1], times[: launch + 1], **shared)
            projected["small_area_up_to_launch"] = ours.persons
    return projected


def note_jumps(stocks: NDArray[np.float64], months: list[str]) -> None:
    """Say where the whole register jumps: a correction is not a trend."""
    totals = stocks.sum(axis=(1, 2, 3))
    change = np.diff(totals)
    usual = 1.4826 * np.median(np.abs(change - np.median(change)))
    for i in np.flatnonzero(np.abs(change - np.median(change)) > 8 * max(usual, 1.0)):
        log(f"the register changes by {change[i]:+.0f} from {months[i]} to {months[i + 1]}")


def table(
    projected: dict[str, NDArray[np.float64]],
    register: Register,
    options: argparse.Namespace,
) -> dict[str, dict[str, float]]:
    """Figures of every method, areas by their size at the launch. [%]"""
    target = register.months.index(options.target)
    actual, came = register.persons[target], register.totals[target]
    size = register.totals[register.months.index(options.launch)]
    whole = ~np.isnan(actual).any(axis=(1, 2)) & ~np.isnan(size)
    counted = ~np.isnan(came) & ~np.isnan(size)
    figures = {}
    for name, cells in projected.items():
        row: dict[str, float] = {}
        for limit in (SMALLEST, LARGER):
            some = counted & (size >= limit)
            found = score(cells[some].sum(axis=(1, 2)), came[some])
            row[f"areas_{limit}"] = found.areas
            row[f"mape_{limit}"] = 100 * found.mape
            row[f"median_ape_{limit}"] = 100 * found.median_ape
            row[f"p90_ape_{limit}"] = 100 * found.p90_ape
            row[f"weighted_ape_{limit}"] = 100 * found.weighted_ape
            row[f"bias_{limit}"] = 100 * found.bias
        some = whole & (size >= SMALLEST)
        row["age_sex_wmape_50"] = 100 * score(cells[some], actual[some]).age_sex_wmape
        figures[name] = row
        log(f"{name:20s} " + "  ".join(f"{key} {value:.2f}" for key, value in row.items()))
    return figures


def inner_errors(register: Register, options: argparse.Namespace) -> list[dict[str, object]]:
    """Signed errors by size class and horizon on windows inside the fit, for intervals."""
    first, last = options.fit
    inside = [i for i, month in enumerate(register.months) if first <= month <= last]
    times = register.times[inside]
    stocks = fill(register.persons[inside], times)
    rows: list[dict[str, object]] = []
    for horizon in HORIZONS:
        found = [
            errors
            for launch in np.arange(times[0] + SHORTEST_FIT, times[-1] - horizon + NEAR, STEP)
            if (errors := one_window(stocks, times, register.ages, (launch, horizon))) is not None
        ]
        if found:
            rows += by_class(np.concatenate(found, axis=1), horizon, windows=len(found))
    return rows


def one_window(
    stocks: NDArray[np.float64],
    times: NDArray[np.float64],
    ages: AgeGroups,
    window: tuple[float, float],
) -> NDArray[np.float64] | None:
    """Size at an inner launch, projected and actual totals ``(3, Z)``."""
    launch, horizon = window
    end = int(np.argmin(np.abs(times - launch)))
    target = int(np.argmin(np.abs(times - launch - horizon)))
    if max(abs(times[end] - launch), abs(times[target] - launch - horizon)) > NEAR:
        return None
    cells = project_small_areas(
        stocks[: end + 1],
        times[: end + 1],
        ages=ages,
        parent_of=np.zeros(stocks.shape[1], dtype=np.intp),
        target_time=float(times[target]),
    ).persons
    return np.array([x.sum(axis=(1, 2)) for x in (stocks[end], cells, stocks[target])])


def by_class(
    found: NDArray[np.float64],
    horizon: float,
    *,
    windows: int,
) -> list[dict[str, object]]:
    """Quantiles of the errors of each class of launch size."""
    rows: list[dict[str, object]] = []
    for low, high in pairwise(CLASSES):
        size, projected, actual = found
        some = (size >= low) & (size < high) & (actual > 0) & (projected > 0)
        if not some.any():
            continue
        signed = signed_error(projected[some], actual[some])
        factor = actual[some] / projected[some]
        rows.append(
            {
                "horizon": horizon,
                "from": low,
                "below": None if np.isinf(high) else high,
                "areas": int(some.sum()),
                "windows": windows,
                "mape": float(np.abs(signed).mean()),
                "signed_10_50_90": np.quantile(signed, [0.1, 0.5, 0.9]).round(5).tolist(),
                "factor_10_50_90": np.quantile(factor, [0.1, 0.5, 0.9]).round(5).tolist(),
            },
        )
    return rows


def main(given: Sequence[str] | None = None) -> None:
    """Project, score, print."""
    options = arguments(given)
    register = read(options.register)
    first, last = (year_of(month) for month in options.fit)
    overlap = max(0.0, last - max(first, year_of(options.launch)))
    starts = max(options.fit[1], options.launch)
    checks = Checks()
    limits = OVERLAPPING if overlap > 0 else APART
    report: dict[str, object] = {
        "fit": options.fit,
        "launch": options.launch,
        "target": options.target,
        "ours_starts_from": starts,
        "overlap": {
            "years": round(overlap, 3),
            "of": round(year_of(options.target) - year_of(options.launch), 3),
        },
    }
    log(f"fit and target overlap by {overlap:.2f} years; ours starts from {starts}")
    missing = {options.launch, options.target} - set(register.months)
    if missing:
        log(f"the register holds no {sorted(missing)}")
    else:
        try:
            report["table"] = table(project_all(register, options), register, options)
        except FuturemapError as error:
            log(f"not measured: {error}")
    report["errors"] = inner_errors(register, options)
    ours = report.get("table", {}).get("small_area", {})
    for name, limit in limits:
        checks.add(name, ours.get(name), "<=", limit, "%")
    checks.print(**report)


if __name__ == "__main__":
    main()
