"""How fast people are weighed: 高松市 as the demo has it, and all small areas of Japan at once.

python scripts/bench/indicators.py --json [--zones 217000]

The city: every indicator that comes with the program, both variants, by block and municipality,
with intervals, from a finished projection. The country: made-up people of 2 sexes and 21 age
groups in 7 years, weighed by every indicator in one pass; memory is what the pass needs at its
peak beyond its input and its result, of which a cube of zones, ages and indicators would be many
times. Times are CPU times, medians of three.
"""

# ruff: noqa: E402 - pools of threads are sized when their libraries are imported

from __future__ import annotations

import os

for pool in ("OMP_NUM", "OPENBLAS_NUM", "MKL_NUM", "NUMBA_NUM"):
    os.environ[f"{pool}_THREADS"] = "1"

import argparse
import statistics
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from time import process_time

import numpy as np

for folder in (1, 0):
    sys.path.insert(0, str(Path(__file__).resolve().parents[folder]))

from proof import Checks, log

import futuremap as fm
from futuremap.core.ages import AgeGroups
from futuremap.core.population import Population
from futuremap.indicators.make_rates import Setting, person_rates
from futuremap.indicators.weigh import weighed
from futuremap.pipeline.read_indicators import sourced
from futuremap.pipeline.uncertainty import uncertainty
from futuremap.pipeline.weighing import weigh_all
from futuremap.projection.single_years import age_shares

ROUNDS = 3
YEARS = tuple(range(2020, 2055, 5))
MIB = 2**20


def timed(run: Callable[[], object]) -> float:
    """Median CPU time. [s]"""
    times = []
    for _ in range(ROUNDS):
        start = process_time()
        run()
        times.append(process_time() - start)
    return statistics.median(times)


def city(checks: Checks) -> None:
    """高松市 by block and as a whole."""
    prepared = fm.open_project(fm.example("takamatsu"))
    outcome = fm.run(prepared)
    people = outcome.projection.population
    setting = prepared.project.indicators.model_copy(update={"on": ["block", "municipality"]})
    some = prepared._replace(project=prepared.project.model_copy(update={"indicators": setting}))
    spread = uncertainty(people, ["37201"] * len(people.zones), seed=1)

    def weigh() -> object:
        return weigh_all(some, outcome.towns, people=people, flows=outcome.projection.flows,
                         spread=spread)  # fmt: skip

    found = weigh_all(some, outcome.towns, people=people, flows=outcome.projection.flows,
                      spread=spread)  # fmt: skip
    if found is None:
        raise AssertionError("the demo wants indicators")
    shape = found.of("block")[0].table.data["value"].shape
    log(f"{shape[0]} indicators, {shape[1]} years, {shape[2]} blocks, and the trend variant")
    checks.add("blocks of Takamatsu", shape[2], "==", 235, "zones")
    checks.add("years", shape[1], "==", 7, "years")
    checks.add("all indicators of Takamatsu, with intervals", timed(weigh), "<=", 5.0, "s")
    by_block = found.of("block")[0].table.data["value"].values[: shape[0] - 3]
    whole = found.of("municipality")[0].table.data["value"].values[: shape[0] - 3]
    off = np.nanmax(np.abs(by_block.sum(axis=2) / whole[:, :, 0] - 1)[:, 1:])
    checks.add("blocks over municipality, largest difference", float(off), "<=", 1e-9, "ratio")


def country(checks: Checks, zones: int) -> None:
    """Every small area of Japan in one pass."""
    ages = AgeGroups.five_year(open_age=100)
    rng = np.random.default_rng(0)
    cube = rng.gamma(1.5, 8.0, (len(YEARS), zones, 2, len(ages)))
    people = Population.build(cube, years=YEARS, zones=[str(i) for i in range(zones)], ages=ages)
    inputs = sourced()
    shares = age_shares(people.persons.sum(axis=1), ages)
    setting = Setting(YEARS, "", 6.0, np.ones((2, shares.shape[-1])), {})
    rates = person_rates(inputs.rows, inputs.catalogue, setting).rates
    log(f"{zones:,} zones, {len(YEARS)} years, {len(rates.names)} indicators")
    seconds = timed(lambda: weighed(people, rates, shares=shares))
    tracemalloc.start()
    result = weighed(people, rates, shares=shares)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    beyond = (peak - result.nbytes) / MIB
    dense = result.nbytes * 2 * len(ages) / MIB
    checks.add("small areas of Japan", zones, ">=", 217_000, "zones")
    checks.add("one pass", seconds, "<=", 10.0, "s")
    checks.add("memory beyond input and result", beyond, "<=", dense / 100, "MiB")
    parts = [
        weighed(people.only(people.zones[i::7]), rates, shares=shares).sum(axis=2) for i in range(7)
    ]
    off = np.abs(np.sum(parts, axis=0) / result.sum(axis=2) - 1).max()
    checks.add("parts over the whole, largest difference", float(off), "<=", 1e-9, "ratio")


def main() -> None:
    """Measure, and print one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--zones", type=int, default=217_000)
    asked = parser.parse_args()
    checks = Checks()
    city(checks)
    country(checks, asked.zones)
    checks.print()


if __name__ == "__main__":
    main()
