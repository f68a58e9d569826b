"""How fast the ratio engine is: beside the memory's bandwidth, polars and pandas, in one process.

    python scripts/bench/engine.py --json [--zones 217000] [--parents 1900] [--steps 10]

Times are CPU times of one thread, medians over rounds in which everything takes its turn, so
that what else the machine does hits all alike. The bound is the time that one core needs to
read the base and the ratios once and to write the trajectory once, at the bandwidth of a
STREAM triad (numba, one thread) of the same round. Ratios differ in every step.
"""

# ruff: noqa: E402 - pools of threads are sized when their libraries are imported

from __future__ import annotations

import os

for pool in ("OMP_NUM", "OPENBLAS_NUM", "MKL_NUM", "NUMBA_NUM", "POLARS_MAX"):
    os.environ[f"{pool}_THREADS"] = "1"

import argparse
import resource
import statistics
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter, process_time

import numpy as np
import pandas as pd
import polars as pl
from numba import njit
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from proof import Checks, log

from futuremap.projection.march import Ratios, march
from futuremap.projection.rake import Controls

SEXES, AGES, FERTILE = 2, 21, slice(3, 10)
SEX_RATIO = 1.05
TRIAD = 20_000_000  # numbers an array, far more than a cache holds
SAME = 1e-9
KIB = 1024
ZONES_PER_PARENT = 114


class Country:
    """Zones of lognormal towns with ratios by step, and controls by sex and age."""

    def __init__(self, zones: int, parents: int, steps: int, seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        sizes = rng.lognormal(0, 1, parents)
        sizes = np.maximum(1, (sizes / sizes.sum() * (zones - parents)).astype(int))
        sizes[-1] += zones - sizes.sum()
        self.steps = steps
        self.base = rng.gamma(1.0, 20.0, (zones, SEXES, AGES))
        starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
        self.parent_of = np.repeat(np.arange(parents), sizes)
        self.ratios = Ratios(
            rng.uniform(0.7, 1.1, (steps, parents, SEXES, AGES)),
            rng.uniform(0.1, 0.2, (steps, parents)),
            np.full(parents, SEX_RATIO),
            FERTILE,
            starts,
        )
        held = np.add.reduceat(self.base, starts, axis=0)
        drift = rng.uniform(0.95, 1.02, (steps, parents, SEXES, AGES)).cumprod(axis=0)
        self.controls = Controls(sex_age=held * drift)
        self.out = np.zeros((steps + 1, zones, SEXES, AGES))  # touched before it is timed
        self.moved: NDArray[np.float64] | None = None
        self.bytes = self.base.nbytes + self.out.nbytes + self.ratios.cohort_change_ratio.nbytes

    def run(self, engine: str, *, raked: bool) -> NDArray[np.float64]:
        """The product's engine."""
        controls = self.controls if raked else None
        return march(self.base, self.ratios, steps=self.steps, controls=controls,
                     out=self.out, engine=engine).persons  # type: ignore[arg-type]  # fmt: skip

    def account(self, engine: str) -> None:
        """The raked run with what controls moved, from which the other flows follow."""
        if self.moved is None:
            self.moved = np.zeros(self.out[1:].shape)
        march(self.base, self.ratios, steps=self.steps, controls=self.controls,
              out=self.out, adjustment=self.moved, engine=engine)  # type: ignore[arg-type]  # fmt: skip


@njit(nogil=True)
def triad(a: NDArray[np.float64], b: NDArray[np.float64], c: NDArray[np.float64]) -> None:
    """STREAM's triad: 24 bytes a number."""
    for i in range(len(a)):
        a[i] = b[i] + 1.5 * c[i]


def long_base(country: Country) -> dict[str, NDArray[np.generic]]:
    """The base as a table with a row a cell."""
    zones = len(country.base)
    return {
        "zone": np.repeat(np.arange(zones, dtype=np.int32), SEXES * AGES),
        "parent": np.repeat(country.parent_of.astype(np.int32), SEXES * AGES),
        "sex": np.tile(np.repeat(np.arange(SEXES, dtype=np.int8), AGES), zones),
        "age": np.tile(np.arange(AGES, dtype=np.int8), zones * SEXES),
        "persons": country.base.ravel().copy(),
    }


def long_rates(country: Country, t: int) -> tuple[dict, dict]:
    """Ratios of a step by parent, sex and age, and child-woman ratios by parent."""
    parents = len(country.ratios.parent_starts)
    shape = (parents, SEXES, AGES)
    parent, sex, age = (index.ravel() for index in np.indices(shape))
    ratio = {"parent": parent.astype(np.int32), "sex": sex.astype(np.int8),
             "age": age.astype(np.int8),
             "ratio": country.ratios.cohort_change_ratio[t].ravel()}  # fmt: skip
    births = {"parent": np.arange(parents, dtype=np.int32),
              "cwr": country.ratios.child_woman_ratio[t]}  # fmt: skip
    return ratio, births


def by_polars(country: Country) -> Callable[[], NDArray[np.float64]]:
    """Long table in polars: a join, an aggregation and the births of each step."""
    keys, rates = ["zone", "parent", "sex", "age"], []
    for t in range(country.steps):
        ratio, births = long_rates(country, t)
        rates.append((pl.DataFrame(ratio), pl.DataFrame(births)))
    start = pl.DataFrame(long_base(country))
    oldest = pl.lit(AGES - 1, pl.Int8)

    def run() -> NDArray[np.float64]:
        people = start
        for ratio, births in rates:
            aged = (
                people.join(ratio, on=["parent", "sex", "age"])
                .with_columns(
                    pl.min_horizontal(pl.col("age") + 1, oldest).cast(pl.Int8).alias("age"),
                    persons=pl.col("persons") * pl.col("ratio"),
                )
                .group_by(keys)
                .agg(pl.col("persons").sum())
            )
            women = pl.col("age").is_between(FERTILE.start, FERTILE.stop - 1)
            fertile = (pl.col("sex") == 1) & women
            born = (
                aged.filter(fertile)
                .group_by("zone", "parent")
                .agg(pl.col("persons").sum())
                .join(births, on="parent")
                .with_columns(both=pl.col("persons") * pl.col("cwr"))
            )
            children = [
                born.select(
                    "zone", "parent", sex=pl.lit(sex, pl.Int8), age=pl.lit(0, pl.Int8),
                    persons=pl.col("both") * share,
                )
                for sex, share in enumerate(shares())
            ]  # fmt: skip
            people = pl.concat([aged, *children])
        ordered = people.sort("zone", "sex", "age")["persons"].to_numpy()
        return ordered.reshape(country.base.shape)

    return run


def by_pandas(country: Country) -> Callable[[], NDArray[np.float64]]:
    """Long table in pandas: a merge, a groupby and the births of each step."""
    rates = [tuple(map(pd.DataFrame, long_rates(country, t))) for t in range(country.steps)]
    start = pd.DataFrame(long_base(country))
    keys = ["zone", "parent", "sex", "age"]

    def run() -> NDArray[np.float64]:
        people = start
        for ratio, births in rates:
            aged = people.merge(ratio, on=["parent", "sex", "age"])
            aged["persons"] *= aged["ratio"]
            aged["age"] = np.minimum(aged["age"] + 1, AGES - 1).astype(np.int8)
            aged = aged.groupby(keys, as_index=False, sort=False)["persons"].sum()
            fertile = (aged["sex"] == 1) & aged["age"].between(FERTILE.start, FERTILE.stop - 1)
            born = aged[fertile].groupby(["zone", "parent"], as_index=False)["persons"].sum()
            born = born.merge(births, on="parent")
            born["persons"] *= born.pop("cwr")
            children = [
                born.assign(sex=np.int8(sex), age=np.int8(0), persons=born["persons"] * share)
                for sex, share in enumerate(shares())
            ]
            people = pd.concat([aged, *children], ignore_index=True)[[*keys, "persons"]]
        ordered = people.sort_values(["zone", "sex", "age"])["persons"].to_numpy()
        return ordered.reshape(country.base.shape)

    return run


def shares() -> tuple[float, float]:
    """Boys and girls among children."""
    boys = SEX_RATIO / (1 + SEX_RATIO)
    return boys, 1 - boys


def cpu(run: Callable[[], object]) -> float:
    """CPU seconds of a call."""
    start = process_time()
    run()
    return process_time() - start


def distance(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Largest difference relative to max(1, value)."""
    return float((np.abs(a - b) / np.maximum(1.0, np.abs(a))).max())


def medians(rounds: list[dict[str, float]], name: str) -> float:
    """Median of a quantity over rounds."""
    return statistics.median(one[name] for one in rounds)


def measure_engine(country: Country, rounds: int) -> list[dict[str, float]]:
    """Rounds of the triad, the engines, and the first of them again (A/A)."""
    arrays = [np.ones(TRIAD) for _ in range(3)]
    triad(*arrays)
    runs = {
        "numpy": lambda: country.run("numpy", raked=False),
        "numpy_raked": lambda: country.run("numpy", raked=True),
        "numba": lambda: country.run("numba", raked=False),
        "numba_raked": lambda: country.run("numba", raked=True),
        "numpy_raked_account": lambda: country.account("numpy"),
        "numba_raked_account": lambda: country.account("numba"),
        "numpy_again": lambda: country.run("numpy", raked=False),
    }
    for run in runs.values():
        run()
    seen = []
    for i in range(rounds):
        # the best of several: a neighbour on the memory bus only ever takes bandwidth away
        bandwidth = max(24 * TRIAD / cpu(lambda: triad(*arrays)) for _ in range(3))
        one = {"triad_gb_s": bandwidth / 1e9, "bound_s": country.bytes / bandwidth}
        one |= {name: cpu(run) for name, run in runs.items()}
        one |= {f"{name}/bound": one[name] / one["bound_s"] for name in runs}
        one["again/numpy"] = one["numpy_again"] / one["numpy"]
        seen.append(one)
        log(f"round {i + 1}: " + ", ".join(f"{k} {v:.4g}" for k, v in one.items()))
    return seen


def measure_rivals(zones: int, steps: int, rounds: int, checks: Checks) -> list[dict[str, float]]:
    """Rounds of polars, pandas and the NumPy engine on the same, smaller country."""
    country = Country(zones, max(1, zones // ZONES_PER_PARENT), steps, seed=1)
    rivals = {"polars": by_polars(country), "pandas": by_pandas(country)}
    wanted = country.run("numpy", raked=False)[-1]
    for name, run in rivals.items():
        checks.add(f"{name} gives the same people", distance(wanted, run()), "<=", SAME, "relative")
    seen = []
    for _ in range(rounds):
        one = {name: cpu(run) for name, run in rivals.items()}
        one["numpy"] = statistics.median(
            cpu(lambda: country.run("numpy", raked=False)) for _ in range(5)
        )
        seen.append(one | {f"{name}/numpy": one[name] / one["numpy"] for name in rivals})
        log(", ".join(f"{k} {v:.4g}" for k, v in seen[-1].items()))
    return seen


def measure_city(rounds: int) -> float:
    """Milliseconds of wall time for 800 zones of two towns, raked, ten steps, no `out`."""
    city = Country(800, 2, steps=10, seed=2)
    times = []
    for _ in range(10 * rounds):
        start = perf_counter()
        march(city.base, city.ratios, steps=10, controls=city.controls)
        times.append(perf_counter() - start)
    return 1e3 * statistics.median(times)


def peak(zones: int, engine: str) -> float:
    """Bytes a zone at the peak of one raked run in a process of its own, beyond its imports."""
    command = [sys.executable, __file__, "--peak", str(zones), "--engine", engine]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(done.stdout) / zones


def print_peak(zones: int, engine: str) -> None:
    """Peak memory above what a small run needs, in bytes."""
    small = Country(1_000, 10, steps=10)
    small.run(engine, raked=True)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    Country(zones, max(1, zones // ZONES_PER_PARENT), steps=10).run(engine, raked=True)
    print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * KIB)


def main() -> None:
    """Measure, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--zones", type=int, default=217_000)
    parser.add_argument("--parents", type=int, default=1_900)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--rival-zones", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", action="store_true", help="print the checks (always done)")
    parser.add_argument("--peak", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--engine", default="numpy", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.peak:
        print_peak(given.peak, given.engine)
        return
    checks = Checks()
    memory = {f"{e} {z}": peak(z, e) for e in ("numpy", "numba") for z in (30_000, 60_000, 120_000)}
    country = Country(given.zones, given.parents, given.steps)
    by_numpy = country.run("numpy", raked=True).copy()
    same = distance(by_numpy, country.run("numba", raked=True))
    parents = np.add.reduceat(by_numpy[1:], country.ratios.parent_starts, axis=1)
    met = distance(country.controls.sex_age, parents)
    del by_numpy, parents
    rounds = measure_engine(country, given.rounds)
    zone_steps = given.zones * given.steps
    per_step = 1e9 * medians(rounds, "numpy") / zone_steps
    del country
    rivals = measure_rivals(given.rival_zones, given.steps, 5, checks)
    checks.add("numpy, projection", medians(rounds, "numpy/bound"), "<=", 6.0, "x bound")
    checks.add("numpy, with raking", medians(rounds, "numpy_raked/bound"), "<=", 13.0, "x bound")
    checks.add("numba, with raking", medians(rounds, "numba_raked/bound"), "<=", 3.0, "x bound")
    checks.add("numba and numpy agree", same, "<=", 1e-12, "relative")
    checks.add("controls met", met, "<=", SAME, "relative")
    checks.add("faster than pandas", medians(rivals, "pandas/numpy"), ">=", 100.0, "x")
    checks.add("faster than polars", medians(rivals, "polars/numpy"), ">=", 50.0, "x")
    checks.add("800 zones with raking", measure_city(given.rounds), "<=", 5.0, "ms")
    for engine in ("numpy", "numba"):
        sizes = [memory[f"{engine} {z}"] for z in (30_000, 60_000, 120_000)]
        ratio = max(sizes) / min(sizes)
        checks.add(f"{engine}, memory a zone alike at 3 sizes", ratio, "<=", 1.2, "max/min")
    checks.print(
        zones=given.zones, parents=given.parents, steps=given.steps, threads=1, dtype="float64",
        triad="numba, one thread, best of 3 in each round",
        rivals=f"polars, pandas, numpy on {given.rival_zones} zones x {given.steps} steps, unraked",
        median_seconds={name: medians(rounds, name) for name in rounds[0]},
        rival_seconds={name: medians(rivals, name) for name in rivals[0]},
        again_over_numpy=[round(one["again/numpy"], 3) for one in rounds],
        numpy_ns_per_zone_step=per_step, peak_bytes_per_zone=memory, load=os.getloadavg(),
    )  # fmt: skip


if __name__ == "__main__":
    main()
