"""How fast the GeoPackage writer is, and how little memory it takes: beside pyogrio itself.

    python scripts/bench/io.py --json [--zones 217000] [--rounds 5]

The table is that of a whole country: 217,000 polygons of 40 corners and 79 columns (id, name and
seven indicators in eleven years). The product writes the file that users get: features with
spatial index, styles, Japanese names, metadata, embedded projects, and the check that opens it
again (integrity, foreign keys, counts). pyogrio writes the same frame with ``use_arrow=True`` and
nothing else. Both take turns in one process; each figure is the median of the rounds' ratios, once
of CPU time and once of wall time. Threads are not held back on either side.
Memory is the peak of the resident set while writing, in a process of its own, over what the frame
itself takes there (the frame is counted in both: 1 is a writer that needs nothing).
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyogrio
import shapely

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from proof import Checks, log

from futuremap.core.classes import AGEING_RATE
from futuremap.core.credits import Credit
from futuremap.core.fields import column
from futuremap.core.layer import Layer, State, Text, View
from futuremap.export.geopackage import write_geopackage

CORNERS = 40
YEARS = tuple(range(2020, 2071, 5))
INDICATORS = (
    "population", "population_0_14", "population_15_64", "population_65_over",
    "population_75_over", "ageing_rate", "density",
)  # fmt: skip
CREDIT = Credit("made_up", "乱数", "random numbers", licence="CC0", synthetic=True)
TITLE = Text("全国", "All of Japan")


def country(zones: int, seed: int = 1) -> gpd.GeoDataFrame:
    """Small areas scattered over Japan, as the features of a theme."""
    draws = np.random.default_rng(seed)
    angles = np.linspace(0, 2 * np.pi, CORNERS, endpoint=False)
    middles = draws.uniform([128, 31], [145, 45], (zones, 1, 2))
    corners = middles + 0.002 * np.stack([np.cos(angles), np.sin(angles)], axis=-1)
    ids = [f"{i:011d}" for i in range(zones)]
    values = {
        column(name, year): draws.gamma(2, 10 if name == "ageing_rate" else 100, zones)
        for name in INDICATORS
        for year in YEARS
    }
    return gpd.GeoDataFrame(
        {"name": [f"{i}丁目" for i in range(zones)], **values},
        index=ids,
        geometry=shapely.polygons(corners),
        crs=6668,
    )


def states(features: gpd.GeoDataFrame) -> list[Layer]:
    """Now and the future of the theme."""
    named: dict[State, int] = {"now": YEARS[0], "future": YEARS[-1]}
    return [
        Layer(
            theme="town_blocks",
            title=Text("町丁別の人口密度と高齢化率", "Density and ageing by town block"),
            place=TITLE,
            kind="town_block",
            state=state,
            year=year,
            base_year=YEARS[0],
            features=features,
            height=column("density", year),
            colour=column("ageing_rate", year),
            classes=AGEING_RATE,
            metres_per_unit=5.0,
            shown=np.ones(len(features), dtype=np.bool_),
            balloon=(column("population", year), column("ageing_rate", year)),
            notes=(),
            credits=(CREDIT,),
            view=View(136.5, 38.0, 2e6),
        )
        for state, year in named.items()
    ]


def write(layers: list[Layer], path: Path) -> None:
    """The product's file: one row a zone, as the rival's."""
    write_geopackage(layers, path, title=TITLE, metadata={}, by_year=False)


def by_pyogrio(features: gpd.GeoDataFrame, path: Path) -> None:
    """The frame through pyogrio and Arrow."""
    pyogrio.write_dataframe(
        features.reset_index(names="zone"), path, layer="zones", driver="GPKG", use_arrow=True
    )


def timed(run: Callable[[], None]) -> tuple[float, float]:
    """CPU and wall time of a call. [s]"""
    gc.collect()
    cpu, wall = time.process_time(), time.perf_counter()
    run()
    return time.process_time() - cpu, time.perf_counter() - wall


def measure(features: gpd.GeoDataFrame, rounds: int, folder: Path) -> list[dict[str, float]]:
    """Times of every round, and their ratios."""
    layers, seen = states(features), []
    ours, theirs = folder / "ours.gpkg", folder / "theirs.gpkg"
    runs = {"write": lambda: write(layers, ours), "pyogrio": lambda: by_pyogrio(features, theirs)}
    for i in range(rounds):
        one = {}
        for name in runs if i % 2 else reversed(runs):
            for path in (ours, theirs):
                path.unlink(missing_ok=True)
            one[f"{name}_cpu"], one[f"{name}_wall"] = timed(runs[name])
        one |= {f"ratio_{kind}": one[f"write_{kind}"] / one[f"pyogrio_{kind}"]
                for kind in ("cpu", "wall")}  # fmt: skip
        seen.append(one)
        log(f"round {i + 1}: " + ", ".join(f"{key} {value:.3f}" for key, value in one.items()))
    return seen


def print_memory(zones: int, *, theirs: bool) -> None:
    """Peak of the resident set over the frame's size, in this process."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "memory.gpkg"
        few = country(100)
        write(states(few), path)
        before = settled()
        features = country(zones)
        frame = settled() - before
        layers = states(features)
        # the mark is set back, so that what the making of the frame took does not hide anything
        Path("/proc/self/clear_refs").write_text("5")
        by_pyogrio(features, path) if theirs else write(layers, path)
        peak = resident("VmHWM") - before
    print(peak / frame, frame)


def settled() -> int:
    """Size of the resident set once what is free has gone back to the system. [bytes]"""
    gc.collect()
    if sys.platform == "linux":
        ctypes.CDLL("libc.so.6").malloc_trim(0)
    return resident("VmRSS")


def resident(key: str) -> int:
    """A size of this process. [bytes]"""
    found = re.search(rf"^{key}:\s+(\d+) kB", Path("/proc/self/status").read_text(), re.MULTILINE)
    return int(found[1]) * 1024 if found else 0


def memory(zones: int, whose: str) -> tuple[float, float]:
    """Peak over frame, and the frame's size in MB, in a process of its own."""
    command = [sys.executable, __file__, "--zones", str(zones), "--memory", whose]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    ratio, frame = done.stdout.split()
    return float(ratio), float(frame) / 1e6


def main() -> None:
    """Measure, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--zones", type=int, default=217_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="print the checks (always done)")
    parser.add_argument("--memory", choices=("ours", "theirs"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.memory:
        print_memory(given.zones, theirs=given.memory == "theirs")
        return
    checks = Checks()
    ratio, frame = memory(given.zones, "ours")
    rival, _ = memory(given.zones, "theirs")
    features = country(given.zones)
    with tempfile.TemporaryDirectory() as name:
        rounds = measure(features, given.rounds, Path(name))
    median = {key: statistics.median(one[key] for one in rounds) for key in rounds[0]}
    columns = len(features.columns)  # the shape is no column, the id is one
    checks.add("columns written", columns, "==", 79, "columns")
    checks.add("CPU time over pyogrio's", median["ratio_cpu"], "<=", 1.1, "x")
    checks.add("wall time over pyogrio's", median["ratio_wall"], "<=", 1.1, "x")
    checks.add("peak memory over the frame", ratio, "<=", 2.0, "x")
    checks.print(
        zones=given.zones, corners=CORNERS, medians=median, frame_mb=frame,
        pyogrio_memory=rival, pyogrio=pyogrio.__version__, gdal=pyogrio.__gdal_version_string__,
        ratios=[round(one["ratio_cpu"], 3) for one in rounds], load=os.getloadavg(),
    )  # fmt: skip


if __name__ == "__main__":
    main()
