"""Time our reading of an e-Stat small-area table beside pyarrow's own reading of the same file.

The file is made up (合成データ) in the true layout: CP932, CRLF, two heading rows, 230,000 rows of
73 columns, one row in twenty suppressed. pyarrow reads it as text and numbers as it guesses; we
also tell zero, suppressed and faulty cells apart. Runs alternate and the fastest of each counts.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.csv as arrow_csv

from futuremap.problems import Report
from futuremap.sources import estat_small_area, estat_table

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from proof import Checks, log

LIMIT = 2.0
LEADING = ["KEY_CODE", "HYOSYO", "CITYNAME", "NAME", "HTKSYORI", "HTKSAKI", "GASSAN"]
COLUMNS = 73
AGES = 16  # 0-4 … 70-74, 75 and over
BLOCKS = 199  # of a municipality, which has a row of its own
SUPPRESSED_EVERY = 20
WIDE = str.maketrans("0123456789", "０１２３４５６７８９")


def labels() -> list[str]:
    """Labels of 60 columns as published, and of six that readers pass over."""
    spans = [f"{age}～{age + 4}歳".translate(WIDE) for age in range(0, 75, 5)]
    spans += ["１５歳未満", "１５～６４歳", "６５歳以上", "７５歳以上"]
    named = []
    for sex, total in (("総数", "総数"), ("男", "男の総数"), ("女", "女の総数")):
        named += [f"{total}、年齢「不詳」含む", *(f"{sex}{span}" for span in spans)]
    return named + [f"予備{i}" for i in range(COLUMNS - len(LEADING) - len(named))]


def make(path: Path, rows: int) -> None:
    """Write the file; municipalities are the sums of their blocks."""
    random = np.random.default_rng(20201001)
    named = labels()
    codes = [*LEADING, *(f"T001082{i:03d}" for i in range(1, len(named) + 1))]
    towns = rows // (BLOCKS + 1)
    with path.open("w", encoding="cp932", newline="") as out:
        out.write(",".join(codes) + "\r\n" + "," * len(LEADING) + ",".join(named) + "\r\n")
        for town in range(towns):
            ages = random.lognormal(1.7, 1.0, (BLOCKS, 2, AGES)).astype(int)
            out.writelines(lines_of(f"{town + 1000:05d}", ages))


def lines_of(town: str, ages: np.ndarray) -> list[str]:
    """A municipality and its blocks; each suppressed one is counted in the one before."""
    totals = ages.sum(axis=2)
    shown = ages.copy()
    hidden = np.arange(1, len(ages), SUPPRESSED_EVERY)
    shown[hidden - 1] += ages[hidden]
    lines = [line(town, "1", ("0", "", ""), totals.sum(axis=0), ages.sum(axis=0), hide=False)]
    for block in range(len(ages)):
        notes = ("0", "", "")
        if block in hidden:
            notes = ("2", f"{town}{block:04d}", "")
        elif block + 1 in hidden:
            notes = ("1", "", f"{town}{block + 2:04d}")
        key = f"{town}{block + 1:04d}"
        lines.append(line(key, "2", notes, totals[block], shown[block], hide=block in hidden))
    return lines


def line(
    key: str,
    level: str,
    notes: tuple[str, str, str],
    totals: np.ndarray,
    ages: np.ndarray,
    *,
    hide: bool,
) -> str:
    """One row, "-" for nobody and X for what is suppressed."""
    cells: list[int | str] = []
    for total, of_sex in ((totals.sum(), ages.sum(axis=0)), *zip(totals, ages, strict=True)):
        broad = [of_sex[:3].sum(), of_sex[3:13].sum(), of_sex[13:].sum(), of_sex[15]]
        detail = [*of_sex[:15].tolist(), *map(int, broad)]
        cells += [int(total), *(["X"] * len(detail) if hide else detail)]
    cells += [0] * (COLUMNS - len(LEADING) - len(cells))
    shown = ("-" if cell == 0 else str(cell) for cell in cells)
    return ",".join([key, level, "合成市", "合成町１丁目", *notes, *shown]) + "\r\n"


def ours(path: Path) -> np.ndarray:
    """All 66 columns of counts, every cell understood."""
    report = Report()
    table = estat_table.read(path, report=report)
    if table is None:
        raise SystemExit("\n".join(report.lines()))
    every = np.ones(len(table), dtype=bool)
    return table.persons(range(len(LEADING), len(table.labels)), rows=every, report=report)


def reader(path: Path) -> float:
    """People in the small areas as the reader gives them back."""
    report = Report()
    found = estat_small_area.read(path, year=2020, municipality=None, credit="x", report=report)
    if found is None:
        raise SystemExit("\n".join(report.lines()))
    return float(found.published.totals.totals().sum())


def theirs(path: Path) -> float:
    """Read as pyarrow does by itself, second heading row left out."""
    options = arrow_csv.ReadOptions(encoding="cp932", skip_rows_after_names=1)
    return float(arrow_csv.read_csv(path, read_options=options).num_rows)


def timed(run: Callable[[Path], object], path: Path) -> float:
    """Seconds of one run."""
    start = time.perf_counter()
    run(path)
    return time.perf_counter() - start


def main() -> None:
    """Make the file, read it in turn, compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=230_000)
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    best: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "tblT001082C00.txt"
        make(path, arguments.rows)
        log(f"合成データ / made up: {path.stat().st_size / 2**20:.0f} MiB")
        runs = {"pyarrow": theirs, "ours": ours, "whole reader": reader}
        for _ in range(arguments.rounds):
            for name, run in runs.items():
                best[name] = min(best.get(name, np.inf), timed(run, path))
        counts = ours(path)
        rows, people = counts.shape[1], reader(path)
        towns = rows // (BLOCKS + 1)
    for name, seconds in best.items():
        log(f"{name}: {seconds:.3f} s, {seconds / best['pyarrow']:.2f} of pyarrow")
    checks = Checks()
    checks.add("reading time / pyarrow's own", best["ours"] / best["pyarrow"], "<=", LIMIT, "ratio")
    checks.add("rows read", rows, "==", towns * (BLOCKS + 1), "rows")
    checks.add(
        "people in areas twice in the first column", 2 * people, "==", counts[0].sum(), "persons"
    )
    checks.print(seconds=best, synthetic="合成データ")


if __name__ == "__main__":
    main()
