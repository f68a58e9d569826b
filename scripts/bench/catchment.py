"""How fast and how exact reach is: beside geopandas, PySAL access and shapely, in one process.

    python scripts/bench/catchment.py --json [--zones 217000] [--facilities 60000]

Made-up data: points that cluster in towns all over Japan, town by town as area codes run, and
polygons of 40 corners that share their borders and leave no gap. Times are CPU times of one
thread, medians over rounds in which everything takes its turn. Rivals get what helps them:
geopandas its points in a plane system beforehand, access the pairs (measured on 21 columns and
scaled to all), shapely valid polygons and the shortcut for those wholly in the circle. Memory is
what a run in a process of its own needs at its peak beyond its input.

"geopandas sjoin and groupby" joins facilities with a table of zones and their columns and groups
by facility. Who joins without the columns and takes their rows afterwards needs less CPU; that
is measured as well and printed, without a limit.
"""

# ruff: noqa: E402 - pools of threads are sized when their libraries are imported

from __future__ import annotations

import os

for pool in ("OMP_NUM", "OPENBLAS_NUM", "MKL_NUM", "NUMBA_NUM"):
    os.environ[f"{pool}_THREADS"] = "1"

import argparse
import ctypes
import logging
import re
import statistics
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from time import process_time

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

for folder in (1, 0):
    sys.path.insert(0, str(Path(__file__).resolve().parents[folder]))

from proof import Checks, log

from futuremap.catchment.disc import shares_inside
from futuremap.catchment.pairs import Pairs, near
from futuremap.core.crosswalk import from_pairs
from futuremap.core.zones import Zones

Floats = NDArray[np.float64]
RADIUS = 800.0
COLUMNS = 147  # 7 years of 21 age groups
SHOWN_TO_ACCESS = 21
TOWNS = 1_900
# one plane for all of Japan, as a user of geopandas would choose it; lengths err by up to 0.5 %
PLANE = "+proj=lcc +lat_1=33 +lat_2=43 +lat_0=38 +lon_0=137 +ellps=GRS80 +units=m"
SIDE = 450.0  # of a polygon: 0.2025 km² [m]
PER_SIDE = 10  # edges
SAME_BUT_FOR_THE_PLANE = 0.01
SAME = 1e-6  # sums of float32, if that is asked for
KIB = 1024
OURS, GEOPANDAS = "ours, pairs and product", "geopandas sjoin and groupby"
EXACT, SHAPELY = "ours, exact weights", "shapely, 64 corners a circle"
ACCESS = f"access, {SHOWN_TO_ACCESS} columns, pairs given"


class Country:
    """Zones with people, and facilities, in clusters."""

    def __init__(self, zones: int, facilities: int, *, dtype: str, seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        east = rng.uniform(130.0, 141.5, TOWNS)
        north = 33.0 + 0.35 * (east - 130.0) + rng.normal(0.0, 0.8, TOWNS)
        size = rng.lognormal(0.0, 1.1, TOWNS)
        size /= size.sum()
        spread = 0.012 + 0.15 * np.sqrt(size)  # [degrees]

        def draw(count: int, kind: str) -> Zones:
            town = np.sort(rng.choice(TOWNS, count, p=size))
            scatter = rng.normal(0.0, 1.0, (2, count)) * spread[town]
            ids = [f"{kind}{i:06d}" for i in range(count)]
            points = shapely.points(east[town] + 1.2 * scatter[0], north[town] + scatter[1])
            return Zones.build(ids, points, names=ids, parents=town.astype(str), kind="place",
                               plane_zone=9)  # fmt: skip

        self.facilities, self.zones = draw(facilities, "f"), draw(zones, "z")
        self.people = rng.gamma(1.0, 20.0, (zones, COLUMNS)).astype(dtype)
        self.ids = self.facilities.ids, self.zones.ids

    def ours(self) -> Floats:
        """Pairs and product."""
        return self.ours_given(near(self.facilities, self.zones, radius=RADIUS))

    def ours_given(self, pairs: Pairs) -> Floats:
        """Product of pairs that are known."""
        walk = from_pairs(
            pairs.facility,
            pairs.place,
            np.ones(len(pairs.place)),
            targets=self.ids[0],
            sources=self.ids[1],
            rule="given",
        )
        return np.asarray(walk.weights.astype(self.people.dtype) @ self.people)


def by_geopandas(country: Country) -> dict[str, Callable[[], pd.DataFrame]]:
    """A spatial join and groupby: the columns joined, or taken by row after the join."""
    names = [f"c{i:03d}" for i in range(COLUMNS)]
    facilities = country.facilities.frame[["geometry"]].to_crs(PLANE)
    zones = country.zones.frame[["geometry"]].to_crs(PLANE)
    people = pd.DataFrame(country.people, index=zones.index, columns=names)
    wide = zones.join(people)

    def joined() -> pd.DataFrame:
        pairs = gpd.sjoin(facilities, wide, predicate="dwithin", distance=RADIUS)
        return pairs[names].groupby(level=0).sum()

    def taken() -> pd.DataFrame:
        pairs = gpd.sjoin(facilities, zones, predicate="dwithin", distance=RADIUS)
        rows = people.take(zones.index.get_indexer(pairs["zone_right"]))
        return rows.groupby(pairs.index.to_numpy()).sum()

    return {GEOPANDAS: joined, "geopandas, rows taken": taken}


def by_access(country: Country, pairs: Pairs) -> Callable[[], pd.DataFrame] | None:
    """PySAL's weighted_catchment on given pairs, or None if it cannot be imported."""
    try:
        from access import Access  # noqa: PLC0415 - a rival that may be missing
    except ImportError as missing:
        log(f"access cannot be measured: {missing}")
        return None
    logging.getLogger("access").setLevel(logging.WARNING)
    names = [f"c{i:03d}" for i in range(SHOWN_TO_ACCESS)]
    given = Access(
        demand_df=pd.DataFrame({"one": 1.0}, index=pd.RangeIndex(len(country.facilities))),
        demand_value="one",
        supply_df=pd.DataFrame(country.people[:, :SHOWN_TO_ACCESS], columns=names),
        supply_value=names,
        cost_df=pd.DataFrame(pairs._asdict()),
        cost_origin="facility",
        cost_dest="place",
        cost_name="distance",
    )

    def run() -> pd.DataFrame:
        with warnings.catch_warnings():  # its own use of pandas is not what is measured
            warnings.simplefilter("ignore")
            return given.weighted_catchment("sum", max_cost=RADIUS, normalize=False)

    return run


def tiling(side: int, seed: int = 0) -> NDArray[np.object_]:
    """Polygons of 40 corners, side by side, with crooked borders that neighbours share."""
    rng = np.random.default_rng(seed)
    grid = np.stack(np.meshgrid(np.arange(side + 1), np.arange(side + 1)), axis=-1)
    corner = grid * SIDE + rng.uniform(-60.0, 60.0, grid.shape)
    steps = np.arange(PER_SIDE)[:, None] / PER_SIDE

    def border(start: Floats, end: Floats) -> Floats:
        points = start[..., None, :] + (end - start)[..., None, :] * steps
        points[..., 1:, :] += rng.uniform(-12.0, 12.0, points[..., 1:, :].shape)
        return points

    def back(line: Floats, end: Floats) -> Floats:
        return np.concatenate([end[..., None, :], line[..., :0:-1, :]], axis=-2)

    eastward = border(corner[:, :-1], corner[:, 1:])
    northward = border(corner[:-1], corner[1:])
    parts = [
        eastward[:-1],
        northward[:, 1:],
        back(eastward[1:], corner[1:, 1:]),
        back(northward[:, :-1], corner[1:, :-1]),
    ]
    rings = np.concatenate(parts, axis=2).reshape(side * side, 4 * PER_SIDE, 2)
    polygons: NDArray[np.object_] = shapely.polygons(shapely.linearrings(rings))
    return polygons


class Tiles:
    """A tiling, and circles that lie inside it."""

    def __init__(self, polygons: int, circles: int) -> None:
        side = round(polygons**0.5)
        self.polygons = tiling(side)
        if not shapely.is_valid(self.polygons).all():
            message = "the made-up tiling is not valid"
            raise AssertionError(message)
        self.size = shapely.area(self.polygons)
        rng = np.random.default_rng(1)
        self.centre = rng.uniform(2_000.0, side * SIDE - 2_000.0, (circles, 2))

    def ours(self) -> Floats:
        """Area of all parts of each circle."""
        part = shares_inside(self.polygons, centre=self.centre, radius=RADIUS)
        return self._sums(part.disc, part.share * self.size[part.polygon])

    def shapely(self, *, shortcut: bool = True) -> Floats:
        """The same by intersections with polygons of 64 corners."""
        discs = shapely.buffer(shapely.points(self.centre), RADIUS, quad_segs=16)
        tree = shapely.STRtree(self.polygons)
        disc, polygon = tree.query(discs, predicate="intersects")
        area = self.size[polygon]
        whole = np.zeros(len(disc), dtype=np.bool_)
        if shortcut:
            shapely.prepare(discs)
            whole = shapely.contains_properly(discs[disc], self.polygons[polygon])
        cut = shapely.intersection(discs[disc[~whole]], self.polygons[polygon[~whole]])
        area[~whole] = shapely.area(cut)
        return self._sums(disc, area)

    def _sums(self, disc: NDArray[np.intp], area: Floats) -> Floats:
        return np.bincount(disc, weights=area, minlength=len(self.centre))


def error(sums: Floats) -> float:
    """Largest error of the parts of a circle, added up, relative to the circle."""
    return float(np.abs(sums / (np.pi * RADIUS**2) - 1).max())


def cpu(run: Callable[[], object]) -> float:
    """CPU seconds of a call."""
    start = process_time()
    run()
    return process_time() - start


def in_turn(runs: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Median CPU seconds of each, over rounds in which all take their turn."""
    seen = []
    for _ in range(rounds):
        seen.append({name: cpu(run) for name, run in runs.items()})
        log(", ".join(f"{name} {seconds:.3g} s" for name, seconds in seen[-1].items()))
    return {name: statistics.median(one[name] for one in seen) for name in runs}


def peaks(given: argparse.Namespace) -> dict[str, float | None]:
    """MB at the peak of one run of each, in a process of its own."""
    command = [sys.executable, __file__]
    for name in ("zones", "facilities", "polygons", "circles", "dtype"):
        command += [f"--{name}", str(getattr(given, name))]
    seen = {}
    for name in (OURS, GEOPANDAS, ACCESS, EXACT, SHAPELY):
        run = subprocess.run(
            [*command, "--peak", name], check=False, capture_output=True, text=True
        )
        seen[name] = float(run.stdout) if run.returncode == 0 else None
        log(f"peak of {name}: {seen[name]} MB beyond its input")
    return seen


def print_peak(given: argparse.Namespace) -> None:
    """MB that a run needs at its peak beyond what is there before (Linux)."""
    run = prepared(given)
    ctypes.CDLL(None).malloc_trim(0)  # what the input left behind is no room for the run
    status = Path("/proc/self/status")
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # forgets the old peak
    before = _status(status.read_text(encoding="ascii"), "VmRSS")
    run()
    print((_status(status.read_text(encoding="ascii"), "VmHWM") - before) / KIB)


def prepared(given: argparse.Namespace) -> Callable[[], object]:
    """The run of a name, with its input made."""
    if given.peak in (EXACT, SHAPELY):
        tiles = Tiles(given.polygons, given.circles)
        return tiles.ours if given.peak == EXACT else tiles.shapely
    country = Country(given.zones, given.facilities, dtype=given.dtype)
    if given.peak == GEOPANDAS:
        return by_geopandas(country)[GEOPANDAS]
    if given.peak == ACCESS:
        pairs = near(country.facilities, country.zones, radius=RADIUS)
        return by_access(country, pairs) or sys.exit(1)
    return country.ours


def _status(text: str, name: str) -> int:
    return int(re.findall(rf"{name}:\s+(\d+) kB", text)[0])


def measure_pairs(checks: Checks, given: argparse.Namespace) -> dict[str, object]:
    """Pairs and product beside geopandas and access."""
    country = Country(given.zones, given.facilities, dtype=given.dtype)
    wanted, pairs = country.ours(), near(country.facilities, country.zones, radius=RADIUS)
    log(f"{len(pairs.place):,} pairs")
    geopandas, access = by_geopandas(country), by_access(country, pairs)
    runs: dict[str, Callable[[], object]] = {
        OURS: country.ours,
        "ours, pairs given": lambda: country.ours_given(pairs),
        **geopandas,
    }
    if access is not None:
        runs[ACCESS] = access
    for name, sums in {name: run() for name, run in geopandas.items()}.items():
        off = abs(float(sums.to_numpy().sum(dtype=float) / wanted.sum(dtype=float)) - 1)
        checks.add(f"{name}: people differ by its plane only", off, "<=", SAME_BUT_FOR_THE_PLANE,
                   "relative")  # fmt: skip
    seconds = in_turn(runs, given.rounds)
    ratio = seconds[OURS] / seconds[GEOPANDAS]
    checks.add("pairs and product, CPU of ours over geopandas sjoin and groupby", ratio, "<=",
               1 / 6, "ratio")  # fmt: skip
    _compare_access(checks, access, seconds, wanted)
    return {"pairs": len(pairs.place), "people_mb": country.people.nbytes / 2**20,
            "pairs_cpu_seconds": seconds}  # fmt: skip


def _compare_access(
    checks: Checks,
    access: Callable[[], pd.DataFrame] | None,
    seconds: dict[str, float],
    wanted: Floats,
) -> None:
    faster = "pairs given, CPU of access weighted_catchment (from 21 columns to 147) over ours"
    same = "access: largest difference of people"
    if access is None:
        checks.add(faster, None, ">=", 100.0, "x")
        checks.add(same, None, "<=", SAME, "relative")
        return
    theirs = access().reindex(range(len(wanted))).fillna(0.0).to_numpy()
    off = np.abs(theirs - wanted[:, :SHOWN_TO_ACCESS]) / np.maximum(1.0, theirs)
    checks.add(same, float(off.max()), "<=", SAME, "relative")
    all_columns = seconds[ACCESS] * COLUMNS / SHOWN_TO_ACCESS
    checks.add(faster, all_columns / seconds["ours, pairs given"], ">=", 100.0, "x")


def measure_exact(checks: Checks, given: argparse.Namespace) -> dict[str, object]:
    """Exact weights beside shapely's intersections."""
    tiles = Tiles(given.polygons, given.circles)
    runs: dict[str, Callable[[], object]] = {
        EXACT: tiles.ours,
        SHAPELY: tiles.shapely,
        "shapely, no shortcut": lambda: tiles.shapely(shortcut=False),
    }
    ours, theirs = error(tiles.ours()), error(tiles.shapely())
    seconds = in_turn(runs, given.rounds)
    rival = min(seconds[SHAPELY], seconds["shapely, no shortcut"])
    checks.add("exact weights, CPU of shapely intersections over ours", rival / seconds[EXACT],
               ">=", 4.0, "x")  # fmt: skip
    checks.add("exact weights, largest error of a circle's sum over pi r^2", ours, "<=", 1e-12,
               "relative")  # fmt: skip
    checks.add("exact weights, error of shapely over ours", theirs / max(ours, np.finfo(float).eps),
               ">=", 1.0, "x")  # fmt: skip
    return {"exact_cpu_seconds": seconds,
            "exact_error": {"ours": ours, "shapely": theirs}}  # fmt: skip


def main() -> None:
    """Measure, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--zones", type=int, default=217_000)
    parser.add_argument("--facilities", type=int, default=60_000)
    parser.add_argument("--polygons", type=int, default=200_704)
    parser.add_argument("--circles", type=int, default=10_000)
    parser.add_argument("--dtype", choices=("float64", "float32"), default="float64")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="print the checks (always done)")
    parser.add_argument("--peak", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.peak:
        print_peak(given)
        return
    checks = Checks()
    memory = peaks(given)
    more = measure_pairs(checks, given) | measure_exact(checks, given)
    import catchment_network  # noqa: PLC0415 - its libraries are not needed above

    catchment_network.measure(checks)
    checks.print(
        zones=given.zones, facilities=given.facilities, columns=COLUMNS, radius_m=RADIUS,
        dtype=given.dtype, threads=1, rounds=given.rounds, polygons=given.polygons,
        circles=given.circles, **more, peak_mb_beyond_input=memory, load=os.getloadavg(),
    )  # fmt: skip


if __name__ == "__main__":
    main()
