"""How fast the KML writer is, and how safe: beside simplekml and GDAL's LIBKML, in one process.

    python scripts/bench/kml.py --json [--prisms 100000] [--rounds 5] [--names 1000000]
                                       [--tiles 8x10]

Times are CPU times of one thread, medians over rounds in which everything takes its turn. The
product makes a whole document from the layer and writes it into a file as it does into a KMZ:
prisms of five corners with a name, four attributes, one of ten styles, and the balloon that
readers see. The rivals write the same content, and get the text of the balloons ready made (how
they fare without any balloon is printed too). simplekml runs on a tenth of the prisms, and is
extrapolated linearly, which flatters it. LIBKML gets everything through Arrow, geometry with
heights, and no styles, since it has none in common.
Memory is the peak of the resident set above what the process held with the layer in memory, in
a process of its own. `--names` sends generated names of every plane through the writer and
counts what a strict parser does not read back as it was meant. `--tiles` writes a prefecture of
so many tiles of 1,600 cells of 250 m (now, future and change, on four meshes) as a super-overlay
by the product's own function, and reads back what stands in the tiles; the time of the linter,
which reads every file before it is published, is told apart.
"""

# ruff: noqa: E402 - pools of threads are sized when their libraries are imported

from __future__ import annotations

import os

for pool in ("OMP_NUM", "OPENBLAS_NUM", "MKL_NUM"):
    os.environ[f"{pool}_THREADS"] = "1"

import argparse
import re
import statistics
import subprocess
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Sequence
from html import unescape
from pathlib import Path
from time import process_time

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import shapely
import simplekml

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from kml_names import COLUMNS, HUES, country, failures, make_names
from kml_prefecture import prefecture
from proof import Checks, log

from futuremap.export.kml import EARTH_PRO, write_overlay
from futuremap.export.kml.document import document
from futuremap.export.kml.kmz import LEVEL
from futuremap.export.kml.lint import lint
from futuremap.export.kml.lint_document import Document
from futuremap.export.kml.writer import Part

TENTH = 10
MIB = 2**20
NAMES_AT_ONCE = 50_000


def write(part: Part, path: Path) -> None:
    """The product's document, uncompressed."""
    with path.open("wb") as stream:
        stream.writelines(document([part], EARTH_PRO, legend="files/legend.png"))


def balloons(path: Path) -> list[str]:
    """Text of the balloons as written."""
    found = re.findall("<description>(.*?)</description><styleUrl>", path.read_text("utf-8"))
    return [unescape(text) for text in found]


def by_simplekml(part: Part, path: Path, texts: Sequence[str] | None) -> None:
    """Names, attributes, shared styles and prisms, and balloons if their texts are given."""
    features = part.layer.features.iloc[part.rows]
    kml, styles = simplekml.Kml(), []
    for hue in HUES:
        style = simplekml.Style()
        style.polystyle.color = f"ff{hue[5:7]}{hue[3:5]}{hue[1:3]}"
        style.polystyle.outline = 0
        styles.append(style)
    values = zip(*(features[column].tolist() for column in COLUMNS), strict=True)
    names, shapes = features["name"].tolist(), features.geometry.tolist()
    rows = zip(names, shapes, part.heights().tolist(), part.classes().tolist(), values, strict=True)
    for name, shape, height, entry, row in rows:
        corners = [(x, y, height) for x, y in shape.exterior.coords]
        made = kml.newpolygon(name=name, outerboundaryis=corners)
        made.extrude, made.altitudemode = 1, simplekml.AltitudeMode.relativetoground
        made.style = styles[entry]
        if texts is not None:
            made.description = texts[len(kml.features) - 1]
        for column, value in zip(COLUMNS, row, strict=True):
            made.extendeddata.newdata(column, f"{value:.1f}")
    kml.save(str(path), format=False)


def for_libkml(part: Part, texts: Sequence[str]) -> gpd.GeoDataFrame:
    """The frame that LIBKML is given: heights as third coordinate, its own columns for prisms."""
    features = part.layer.features.iloc[part.rows]
    corners, owner = shapely.get_coordinates(features.geometry.to_numpy(), return_index=True)
    raised = np.column_stack([corners, part.heights()[owner]]).reshape(len(features), -1, 3)
    columns = {column: features[column].round(1) for column in COLUMNS}
    plain = {
        "Name": features["name"],
        "description": texts,
        "altitudeMode": "relativeToGround",
        "extrude": 1,
    }
    frame = pd.DataFrame({**plain, **columns})
    return gpd.GeoDataFrame(frame, geometry=shapely.polygons(raised), crs=4326)


def by_libkml(frame: gpd.GeoDataFrame, path: Path) -> None:
    """GDAL's writer, through Arrow."""
    pyogrio.write_dataframe(frame, path, driver="LIBKML", layer="prisms", use_arrow=True)


def sound(path: Path) -> None:
    """The product's linter, which has to find nothing."""
    if findings := lint(path, profile=EARTH_PRO):
        raise SystemExit(f"{path.name}: {findings[0]}")


def read_whole(path: Path) -> None:
    """The linter as it reads what is not sound, element by element."""
    with path.open("rb") as stream:
        Document(path.name, EARTH_PRO).read(stream)


def cpu(run: Callable[[], object]) -> float:
    """CPU seconds of a call."""
    start = process_time()
    run()
    return process_time() - start


def deflate(path: Path, level: int) -> int:
    """Size of a file in a KMZ."""
    packer, size = zlib.compressobj(level, zlib.DEFLATED, -15), 0
    with path.open("rb") as stream:
        while piece := stream.read(MIB):
            size += len(packer.compress(piece))
    return size + len(packer.flush())


def measure(part: Part, rounds: int, folder: Path) -> list[dict[str, float]]:
    """Rounds of the product, the compressor, and both rivals."""
    tenth = Part(part.layer, part.rows[: len(part.rows) // TENTH])
    ours, theirs, seen = folder / "ours.kml", folder / "theirs.kml", []
    write(part, ours)
    texts = balloons(ours)
    frame = for_libkml(part, texts)
    bare = frame.drop(columns="description")
    runs = {
        "write": lambda: write(part, ours),
        "deflate": lambda: deflate(ours, LEVEL),
        "again": lambda: write(part, ours),
        "lint": lambda: sound(ours),
        "lint_whole": lambda: read_whole(ours),
        "simplekml": lambda: by_simplekml(tenth, theirs, texts),
        "libkml": lambda: by_libkml(frame, theirs),
        "simplekml_bare": lambda: by_simplekml(tenth, theirs, None),
        "libkml_bare": lambda: by_libkml(bare, theirs),
    }
    for i in range(rounds):
        one = {}
        for name, run in runs.items():
            theirs.unlink(missing_ok=True)
            one[name] = cpu(run) * (TENTH if name.startswith("simplekml") else 1)
        one |= {f"{name}/write": one[name] / one["write"] for name in runs if "ml" in name}
        one["lint_whole/lint"] = one["lint_whole"] / one["lint"]
        one["again/write"] = one["again"] / one["write"]
        one["prisms/s"] = len(part.rows) / one["write"]
        one["deflate_mb/s"] = ours.stat().st_size / 1e6 / one["deflate"]
        seen.append(one)
        log(f"round {i + 1}: " + ", ".join(f"{k} {v:.4g}" for k, v in one.items()))
    return seen


def levels(path: Path) -> dict[int, dict[str, float]]:
    """Rate and ratio of every level of zlib."""
    size, found = path.stat().st_size, {}
    for level in (1, 2, 3, 4, 6, 9):
        seconds = cpu(lambda: deflate(path, level))  # noqa: B023 - called at once
        found[level] = {"mb/s": size / 1e6 / seconds, "ratio": size / deflate(path, level)}
    return found


def print_peak(prisms: int) -> None:
    """Peak of the resident set while writing, above what was held before. [bytes]"""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "peak.kml"
        write(country(100), path)
        part = country(prisms)
        # the mark is set back, so that what the making of the layer took does not hide anything
        Path("/proc/self/clear_refs").write_text("5")
        before = resident("VmRSS")
        write(part, path)
        print(resident("VmHWM") - before)


def resident(key: str) -> int:
    """A size of this process. [bytes]"""
    found = re.search(rf"^{key}:\s+(\d+) kB", Path("/proc/self/status").read_text(), re.MULTILINE)
    return int(found[1]) * 1024 if found else 0


def peak(prisms: int) -> float:
    """The peak in a process of its own. [MiB]"""
    command = [sys.executable, __file__, "--peak", str(prisms)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(done.stdout) / MIB


PLACEMARK = re.compile(
    r"<Placemark[^>]*><name>(\d+)</name>.*?"
    r'<Data name="population_2020"><value>([^<]*)</value>.*?</Placemark>'
)


def tiles(high: int, wide: int, folder: Path) -> dict[str, float]:
    """A prefecture as a super-overlay: how long it takes, and what stands in its tiles."""
    meshes = prefecture(high, wide)
    cells = len(meshes[0][0].features)
    start = process_time()
    (path,) = write_overlay(meshes, folder, profile=EARTH_PRO)
    whole = process_time() - start
    checked = cpu(lambda: lint(path, profile=EARTH_PRO))
    most, people = 0, {}
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        for name in names:
            if name.startswith("tiles/now/"):
                found = PLACEMARK.findall(archive.read(name).decode("utf-8"))
                most = max(most, len(found))
                people |= {code: float(count) for code, count in found}
    return {
        "cells": cells, "tiles": len(names) - 2, "kmz_mb": path.stat().st_size / 1e6,
        "write_s": whole - checked, "check_s": checked, "most_cells": most,
        "wrong_parents": wrong_parents(people), "prisms": sum(
            int(layer.shown.sum()) for states in meshes for layer in states
        ),
    }  # fmt: skip


def wrong_parents(people: dict[str, float]) -> int:
    """Larger cells whose people, as written, are not those of their cells, to the rounding."""
    wrong = 0
    for digits, child in ((6, 8), (8, 9), (9, 10)):
        sums: dict[str, float] = {}
        counts: dict[str, int] = {}
        for code, count in people.items():
            if len(code) == child:
                sums[code[:digits]] = sums.get(code[:digits], 0.0) + count
                counts[code[:digits]] = counts.get(code[:digits], 0) + 1
        for code, count in people.items():
            if len(code) == digits:
                # each written number is off by up to 0.05, a cell left out by up to 0.5
                room = {6: 100, 8: 4, 9: 4}[digits] - counts.get(code, 0)
                slack = 0.05 * (counts.get(code, 0) + 1) + 0.5 * room + 1e-6
                wrong += abs(count - sums.get(code, 0.0)) > slack
    return wrong


def main() -> None:
    """Measure, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--prisms", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--names", type=int, default=5_000, help="generated names to write")
    parser.add_argument("--tiles", default="8x10", help="tiles of 10 km: 8x10 are 128,000 cells")
    parser.add_argument("--json", action="store_true", help="print the checks (always done)")
    parser.add_argument("--peak", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.peak:
        print_peak(given.peak)
        return
    checks = Checks()
    memory = peak(given.prisms)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rounds = measure(country(given.prisms), given.rounds, folder)
        sizes = {"kml_mb": (folder / "ours.kml").stat().st_size / 1e6}
        packed = levels(folder / "ours.kml")
    median = {key: statistics.median(one[key] for one in rounds) for key in rounds[0]}
    checks.add("prisms written", median["prisms/s"], ">=", 100_000, "prisms / CPU s")
    checks.add("memory above the layer", memory, "<=", 30, "MiB")
    checks.add("faster than simplekml", median["simplekml/write"], ">=", 30, "x")
    checks.add("faster than LIBKML", median["libkml/write"], ">=", 8, "x")
    checks.add("quick beside whole reading", median["lint_whole/lint"], ">=", 1.5, "x")
    checks.add("compression", median["deflate_mb/s"], ">=", 100, "MB / CPU s")
    with tempfile.TemporaryDirectory() as name:
        high, wide = (int(side) for side in given.tiles.split("x"))
        overlay = tiles(high, wide, Path(name))
        log(f"tiles: {overlay}")
    size = f"CPU s for {overlay['cells']:,} cells in three states"
    checks.add("super-overlay written", overlay["write_s"], "<=", 20, size)
    checks.add("super-overlay written and checked", overlay["write_s"] + overlay["check_s"],
               "<=", 60, size)  # fmt: skip
    checks.add("cells of the fullest tile", overlay["most_cells"], "<=", 1_600, "prisms")
    checks.add("parents unlike the sum of their cells", overlay["wrong_parents"], "==", 0, "cells")
    bad = 0
    for start in range(0, given.names, NAMES_AT_ONCE):
        bad += failures(make_names(min(NAMES_AT_ONCE, given.names - start), seed=start))
        log(f"names: {min(start + NAMES_AT_ONCE, given.names):,} written, {bad} failures")
    checks.add("names that did not come back", bad, "==", 0, f"of {given.names:,}")
    checks.print(
        prisms=given.prisms, corners=5, attributes=len(COLUMNS), styles=len(HUES), threads=1,
        medians=median, level=LEVEL, zlib=zlib.ZLIB_RUNTIME_VERSION, levels=packed, **sizes,
        again_over_write=[round(one["again/write"], 3) for one in rounds],
        simplekml=f"format=False, {given.prisms // TENTH:,} prisms times {TENTH}",
        libkml=f"GDAL {pyogrio.__gdal_version_string__}, use_arrow, no styles",
        overlay=overlay, memory="VmHWM minus VmRSS before, in a process of its own",
        load=os.getloadavg(),
    )  # fmt: skip


if __name__ == "__main__":
    main()
