"""Backtest over all municipalities given: every method beside IPSS 2018, and our intervals.

    python scripts/backtest/municipal.py --data DIR [--launch 2015] --json

DIR is laid out as municipality_census_ipss2018. A launch sees no census after its own year; the
weights of averages and the intervals are made from launches whose targets had been counted by
then. Every year with a census before it is a launch, and errors ten to thirty years on are means
over all launches with a known target, 2020 among them. So are the coverages that are checked: each
launch's intervals are calibrated on targets counted by its own year, and its own coverage stands
in the JSON beside the mean. 福島県 is projected with the rest but not scored. People of unknown
age are spread over ages, in the base by sex and municipality, in the target of 2020 over its three
age groups.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from proof import Checks, log

from futuremap.core.ages import AgeGroups
from futuremap.core.zones import by_parent
from futuremap.projection.average import Evidence, Weights, average, learn
from futuremap.projection.intervals import SIZES, Tried, calibrate
from futuremap.projection.methods import FIRST_STEP, LATER_STEPS, METHODS, History
from futuremap.projection.scoring import coverage, score

Numbers = NDArray[np.float64]
AGES = AgeGroups.five_year(open_age=90)
CELLS = [f"a{age:02d}" for age in AGES.lower[:-1]] + ["a90p"]
STEP, LAST = 5, 2020
LAST_BY_AGE = 2015
OLD = AGES.at_least(65)
NOT_TESTED = "07"  # 福島県: whole towns were evacuated in 2011, and IPSS projects no municipality
SUCCESSOR = {"40305": "40231"}  # 那珂川町 became 那珂川市 in 2018
AVERAGE, IPSS, BOTH, NO_CHANGE = "average", "ipss2018", "average_with_ipss2018", "no_change"
CLASS_NAMES = ("under_5000", "5000_20000", "20000_100000", "over_100000")
LONG_LIMITS = {10: (0.82, 0.90), 20: (0.70, 0.75), 30: (0.60, 0.75)}  # of raw, of capped


class Data(NamedTuple):
    """What was counted and what IPSS projected, municipalities in order of their codes.

    census
        By year ``(Z, S, A)``. [persons]
    totals, old
        All and 65+ by year, 2020 among them ``(Z,)``. [persons]
    ipss
        IPSS 2018 for 2020 ``(Z, S, A)``, NaN where it has none. [persons]
    parent_of
        Position of the prefecture ``(Z,)``.
    tested
        Whether a municipality is scored ``(Z,)``.
    """

    census: dict[int, Numbers]
    totals: dict[int, Numbers]
    old: dict[int, Numbers]
    ipss: Numbers
    parent_of: NDArray[np.intp]
    tested: NDArray[np.bool_]


class Launch(NamedTuple):
    """Paths of all methods and of the average from one year, and the weights."""

    paths: dict[str, Numbers]
    weights: Weights


def cube(frame: pd.DataFrame, codes: list[str], years: list[int]) -> Numbers:
    """Cells of a long table ``(Y, Z, S, A)``, unknown ages spread; NaN where there is no row."""
    index = pd.MultiIndex.from_product([years, codes, ["M", "F"]], names=["year", "code", "sex"])
    rows = frame.set_index(["year", "code", "sex"]).reindex(index)
    cells = rows[CELLS].to_numpy(dtype=np.float64)
    if "unknown" in rows:
        known = cells.sum(axis=1)
        unknown = rows["unknown"].fillna(0.0).to_numpy(dtype=np.float64)
        cells *= 1 + np.divide(unknown, known, out=np.zeros_like(known), where=known > 0)[:, None]
    return cells.reshape(len(years), len(codes), 2, len(CELLS))


def read(folder: Path) -> Data:
    """Read a folder; whatever municipalities it holds."""
    text = {"code": str, "sex": str}
    counted = pd.read_csv(folder / "census_1980_2015_city.csv.gz", dtype=text)
    projected = pd.read_csv(folder / "ipss2018_2015_2045_city.csv.gz", dtype=text)
    codes = sorted(set(counted["code"]))
    years = list(range(int(counted["year"].min()), LAST_BY_AGE + 1, STEP))
    stocks = cube(counted, codes, years)
    whole = ~np.isnan(stocks).any(axis=(0, 2, 3))
    if not whole.all():
        missing = [code for code, ok in zip(codes, whole, strict=True) if not ok]
        log(f"left out, a census is missing: {missing}")
        codes, stocks = [c for c in codes if c not in missing], stocks[:, whole]
    target = read_2020(folder / "census_2020_total_3age.csv", codes)
    census = dict(zip(years, stocks, strict=True))
    totals = {year: stock.sum(axis=(1, 2)) for year, stock in census.items()}
    old = {year: stock[..., OLD].sum(axis=(1, 2)) for year, stock in census.items()}
    totals[LAST], old[LAST] = target.sum(axis=1), target[:, 2]
    tested = np.array([not code.startswith(NOT_TESTED) for code in codes])
    tested &= ~np.isnan(target).any(axis=1)
    ipss = cube(projected, codes, [LAST])[0]
    without = tested & np.isnan(ipss).any(axis=(1, 2))
    if without.any():
        log(f"not scored, IPSS has none: {[codes[i] for i in np.flatnonzero(without)]}")
    tested &= ~without
    _, parent_of = by_parent([code[:2] for code in codes])
    log(f"{len(codes)} municipalities, {int(tested.sum())} scored")
    return Data(census, totals, old, ipss, parent_of, tested)


def read_2020(path: Path, codes: list[str]) -> Numbers:
    """Three ages of 2020 ``(Z, 3)``; those of unknown age, all less the three, spread."""
    table = pd.read_csv(path, dtype=str, encoding="utf-8-sig").set_index("JCODE")
    columns = ["U14", "A15.64", "O65", "ALL"]
    found = table[columns].replace({",": ""}, regex=True).apply(pd.to_numeric, errors="coerce")
    found = found[~found.index.duplicated()]
    names = [code if code in found.index else SUCCESSOR.get(code, code) for code in codes]
    values = found.reindex(names).to_numpy(dtype=np.float64)
    known = values[:, :3].sum(axis=1, keepdims=True)
    spread = np.divide(values[:, 3:], known, out=np.ones_like(known), where=known > 0)
    return np.asarray(values[:, :3] * spread)


def launches(data: Data, last: int) -> dict[int, Launch]:
    """Every launch up to `last`, each with weights from those before it."""
    first = min(data.census)
    found: dict[int, Launch] = {}
    for year in range(first + STEP, last + 1, STEP):
        times = np.arange(first, year + 1, STEP, dtype=np.float64)
        stocks = np.stack([data.census[int(t)] for t in times])
        history = History(stocks, times, AGES, data.parent_of)
        steps = max(1, (LAST - year) // STEP)
        # learnt_average is what is done here launch by launch, without the areas not tested
        single = {name: one for name, one in METHODS.items() if name != "learnt_average"}
        paths = {name: method(history, steps=steps) for name, method in single.items()}
        weights = weights_at(data, found, year, steps)
        paths[AVERAGE] = average(paths, weights, ages=AGES)
        paths[NO_CHANGE] = np.repeat(stocks[-1:], steps + 1, axis=0)
        found[year] = Launch(paths, weights)
        log(f"launched {year}")
    return found


def weights_at(data: Data, earlier: dict[int, Launch], year: int, steps: int) -> Weights:
    """Weights from launches and targets up to a year."""
    evidence = [
        Evidence(
            step,
            {name: launch.paths[name][step][data.tested] for name in (*FIRST_STEP, *LATER_STEPS)},
            data.census[past + STEP * step][data.tested],
        )
        for past, launch in earlier.items()
        for step in range(1, (year - past) // STEP + 1)
    ]
    return learn(evidence, ages=AGES, candidates=[FIRST_STEP, *[LATER_STEPS] * (steps - 1)])


def mape(data: Data, path: Numbers, year: int, *, old: bool = False) -> float:
    """Mean absolute error of totals, or of 65+, over the municipalities scored. [%]"""
    had = path[..., OLD] if old else path
    came = data.old[year] if old else data.totals[year]
    return 100 * score(had.sum(axis=(1, 2))[data.tested], came[data.tested]).mape


def long_run(data: Data, found: dict[int, Launch], name: str, years: int) -> list[float]:
    """Errors of totals at a horizon, by launch. [%]"""
    return [
        mape(data, launch.paths[name][years // STEP], year + years)
        for year, launch in found.items()
        if year + years <= LAST
    ]


def table(data: Data, found: dict[int, Launch], launch: int) -> dict[str, dict[str, float]]:
    """Errors of every method: one step from `launch`, and means over launches further on."""
    target = launch + STEP
    at_five = {name: path[1] for name, path in found[launch].paths.items()}
    if target == LAST and launch == LAST_BY_AGE:
        at_five[IPSS] = data.ipss
        at_five[BOTH] = (data.ipss + at_five[AVERAGE]) / 2
    rows = {}
    for name, path in at_five.items():
        row = {"total_5": mape(data, path, target), "65plus_5": mape(data, path, target, old=True)}
        if name in found[launch].paths:
            for years in LONG_LIMITS:
                errors = long_run(data, found, name, years)
                if errors:
                    row[f"total_{years}"] = float(np.mean(errors))
        rows[name] = row
        log(f"{name:28}" + "".join(f"  {key} {value:7.3f}" for key, value in row.items()))
    return rows


def tried(data: Data, found: dict[int, Launch], launch: int, years: int) -> Tried:
    """Totals of the average from one launch, and what came."""
    chosen = data.tested
    projected = found[launch].paths[AVERAGE][years // STEP].sum(axis=(1, 2))
    size, came = data.totals[launch], data.totals[launch + years]
    return Tried(launch, years, size[chosen], projected[chosen], came[chosen])


def covered(data: Data, found: dict[int, Launch], launch: int, years: int) -> dict[str, float]:
    """Coverage by size class of intervals calibrated on launches before one. [%]"""
    past = [tried(data, found, year, years) for year in found if year + years <= launch]
    if not past:
        return {}
    now = tried(data, found, launch, years)
    low, high = calibrate(past).interval(now.projected, now.size, years)
    bounds = [*SIZES, np.inf]
    share = {"all": 100 * coverage(low, high, now.actual)}
    for name, least, below in zip(CLASS_NAMES, bounds[:-1], bounds[1:], strict=True):
        chosen = (now.size >= least) & (now.size < below)
        if chosen.any():
            share[name] = 100 * coverage(low[chosen], high[chosen], now.actual[chosen])
    return share


def coverages(data: Data, found: dict[int, Launch], years: int) -> dict[int, dict[str, float]]:
    """Coverage at every launch that has earlier ones to be calibrated on."""
    possible = {year: covered(data, found, year, years) for year in found if year + years <= LAST}
    return {year: share for year, share in possible.items() if share}


def mean_coverage(by_launch: dict[int, dict[str, float]]) -> dict[str, float]:
    """Mean over launches of the coverage of each class that had a municipality. [%]"""
    mean = {}
    for name in ("all", *CLASS_NAMES):
        known = [share[name] for share in by_launch.values() if name in share]
        if known:
            mean[name] = float(np.mean(known))
    return mean


def check_ipss(checks: Checks, rows: dict[str, dict[str, float]]) -> None:
    """Five years on, beside IPSS."""
    limits = {(AVERAGE, "total_5"): 1.0, (BOTH, "total_5"): 0.97}
    limits |= {(AVERAGE, "65plus_5"): 1.0, (BOTH, "65plus_5"): 0.95}
    for (name, figure), limit in limits.items():
        known = IPSS in rows and figure in rows.get(name, {})
        ratio = rows[name][figure] / rows[IPSS][figure] if known else None
        checks.add(f"{figure}_mape_{name}_over_ipss2018", ratio, "<=", limit, "ratio")


def check_long_run(checks: Checks, rows: dict[str, dict[str, float]]) -> None:
    """Ten to thirty years on, beside raw and capped ratios."""
    for years, limits in LONG_LIMITS.items():
        for rival, limit in zip(("raw", "capped"), limits, strict=True):
            figure = f"total_{years}"
            known = figure in rows.get(AVERAGE, {})
            ratio = rows[AVERAGE][figure] / rows[rival][figure] if known else None
            checks.add(f"{figure}_mape_average_over_{rival}", ratio, "<=", limit, "ratio")


def check_intervals(checks: Checks, years: int, share: dict[str, float]) -> None:
    """Coverage from both sides; a class without a municipality is not measured."""
    for name in ("all", *CLASS_NAMES):
        value = share.get(name)
        least, most = (77.0, 85.0) if name == "all" else (74.0, 87.0)
        checks.add(f"coverage_{years}_years_{name}_least", value, ">=", least, "%")
        checks.add(f"coverage_{years}_years_{name}_most", value, "<=", most, "%")


def bad_cells(found: dict[int, Launch]) -> int:
    """Count of projected cells that are not a number of people, over all methods and launches."""
    paths = [path for launch in found.values() for path in launch.paths.values()]
    return int(sum((~np.isfinite(path) | (path < 0)).sum() for path in paths))


def main() -> None:
    """Run the backtest and print its checks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--launch", type=int, default=LAST_BY_AGE)
    parser.add_argument("--json", action="store_true", help="kept for the form; always JSON")
    options = parser.parse_args()
    data = read(options.data)
    found = launches(data, options.launch)
    launched = options.launch in found
    if not launched:
        log(f"launch {options.launch}: the censuses do not reach it, or there is none before")
    rows = table(data, found, options.launch) if launched else {}
    checks = Checks()
    if IPSS not in rows:
        log(f"launch {options.launch}: IPSS 2018 was launched in {LAST_BY_AGE}, not compared")
    check_ipss(checks, rows)
    check_long_run(checks, rows)
    checks.add("cells_not_finite_or_negative", bad_cells(found), "==", 0, "cells")
    intervals = {years: coverages(data, found, years) for years in (5, 10)}
    for years, by_launch in intervals.items():
        for launch, share in by_launch.items():
            log(f"coverage {years} years from {launch}: {share}")
        check_intervals(checks, years, mean_coverage(by_launch))
    weights = found[options.launch].weights if launched else None
    checks.print(
        table=rows,
        coverage=intervals,
        weights=None
        if weights is None
        else {"names": weights.names, "bands": weights.bands, "shares": weights.shares.tolist()},
    )


if __name__ == "__main__":
    main()
