"""Make ``futuremap/projection/tables/errors.csv``: how far past projections were from what came.

Town blocks come from a register's months (1 to 3 years ahead), municipalities from the censuses
(5 to 30 years). Blocks further ahead were not measured: their errors are drawn out as those of
the smallest municipalities grow, and the row says so. Usage::

    python scripts/make_error_table.py --census DIR --register FILE
"""

from __future__ import annotations

import argparse
import csv
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parent / "backtest"))

import municipal
import small_area
from proof import log

from futuremap.projection.intervals import ErrorTable, Tried, calibrate

TARGET = Path(__file__).resolve().parents[1] / "futuremap" / "projection" / "tables" / "errors.csv"
METHOD = "damped"  # of municipalities; the average that is learnt from launches errs less
BLOCKS = (0.0, 50.0, 200.0, 1_000.0)  # persons at launch
TOWNS = (0.0, 5_000.0, 20_000.0, 100_000.0)
NEAR_YEARS, FAR_YEARS = (1.0, 2.0, 3.0), (5.0, 10.0, 15.0, 20.0, 25.0, 30.0)
SHORTEST_FIT, STEP = 1.0, 0.5  # years


def blocks(path: Path) -> list[Tried]:
    """Launches inside the register's months."""
    register = small_area.read(path)
    stocks = small_area.fill(register.persons, register.times)
    found = []
    for years in NEAR_YEARS:
        first, last = register.times[0] + SHORTEST_FIT, register.times[-1] - years
        for launch in np.arange(first, last + small_area.NEAR, STEP):
            made = small_area.one_window(stocks, register.times, register.ages, (launch, years))
            if made is not None:
                size, projected, actual = made
                found.append(Tried(float(launch), years, size, projected, actual))
    return found


def towns(folder: Path) -> list[Tried]:
    """Launches of the censuses."""
    data = municipal.read(folder)
    found = municipal.launches(data, municipal.LAST - municipal.STEP)
    return [
        Tried(
            launch,
            years,
            data.totals[launch][data.tested],
            one.paths[METHOD][int(years) // municipal.STEP].sum(axis=(1, 2))[data.tested],
            data.totals[launch + int(years)][data.tested],
        )
        for launch, one in found.items()
        for years in FAR_YEARS
        if launch + years <= municipal.LAST
    ]


def rows(near: ErrorTable, far: ErrorTable) -> list[dict[str, object]]:
    """Every horizon with every size; what was not measured is drawn out and says so."""
    made = []
    small = {name: _column(getattr(far, name), 0) for name in ("low", "high")}
    for years in (*NEAR_YEARS, *FAR_YEARS):
        for c, size in enumerate((*BLOCKS, *TOWNS[1:])):
            is_block, is_near = size < TOWNS[1], years <= NEAR_YEARS[-1]
            bounds = {}
            for name in ("low", "high"):
                if is_block and is_near:
                    bounds[name] = getattr(near, name)[NEAR_YEARS.index(years), c]
                elif is_block:
                    last = getattr(near, name)[-1, c]
                    growth = small[name](years) / small[name](NEAR_YEARS[-1])
                    bounds[name] = last * growth
                else:
                    town = TOWNS.index(size)
                    bounds[name] = _column(getattr(far, name), town)(years)
            measured = is_block == is_near
            count = near.counts[NEAR_YEARS.index(years), c] if is_block and is_near else 0
            if measured and not is_block:
                count = far.counts[FAR_YEARS.index(years), TOWNS.index(size)]
            made.append(
                {
                    "years": f"{years:g}",
                    "size": f"{size:g}",
                    "low": f"{bounds['low']:.5f}",
                    "high": f"{bounds['high']:.5f}",
                    "areas": int(count),
                    "basis": "measured" if measured else "drawn out",
                },
            )
    return made


def _column(values: NDArray[np.float64], place: int):  # noqa: ANN202 - a line over years
    known = np.concatenate([[0.0], values[:, place]])
    return lambda years: float(np.interp(years, (0.0, *FAR_YEARS), known))


def main() -> None:
    """Write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--census", type=Path, required=True, help="municipality_census_ipss2018")
    parser.add_argument("--register", type=Path, required=True, help="months × blocks")
    given = parser.parse_args()
    near = calibrate(blocks(given.register), sizes=BLOCKS)
    far = calibrate(towns(given.census), sizes=TOWNS)
    made = rows(near, far)
    TARGET.parent.mkdir(exist_ok=True)
    with TARGET.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(made[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(made)
    log(f"{len(made)} rows in {TARGET.name}")


if __name__ == "__main__":
    main()
