"""Fuzz every reader of files: no uncaught exception, no crash, no hang, nothing left unsaid.

Each reader gets changed copies of a small clean file. Text readers run inside the process, with
coverage from atheris where it is installed (extra ``fuzz``) and with our own deterministic
mutations otherwise; workbooks, shapefiles, GeoPackages and rasters run in subprocesses, many
inputs each, as a crash inside GDAL or SQLite would take the process along.

    .venv/bin/python scripts/fuzz/fuzz_sources.py --text-runs 1000000 --packed-runs 10000

An input is sound if the reader gives something back or says at least one error, and if every
text of every problem is complete in both languages. The input of a finding is kept in ``--keep``.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import mmap
import os
import random
import resource
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(Path(__file__).resolve().parent)]

import mutate  # noqa: E402 - beside this script

try:
    import atheris
except ImportError:
    atheris = None

HANG = 10.0  # seconds for one input
MEMORY = 2 * 2**30  # bytes of address space of a worker; numpy's libraries alone reserve half
BATCH = 1_000  # inputs to a subprocess of the packed readers
MOST_FINDINGS = 20
# names of readers that differ from another only in their options
SAME = {"mapped_unnamed", "mapped_sheet", "mapped_zones", "vector_refuse", "vector_parent"}
PARTS = (".shp", ".shx", ".dbf", ".prj", ".cpg")


class Tally(NamedTuple):
    """What a worker did."""

    inputs: int
    findings: list[dict[str, str]]
    seconds: float


class Harness:
    """One reader on changed copies of its clean file."""

    def __init__(self, name: str, folder: Path) -> None:
        clean, catalogue = _load()
        self.name, self.folder = name, folder
        self.reader, self.catalogue = clean.READERS[name], catalogue
        self.path = clean.clean(name, folder)
        beside = sorted(folder.glob(f"{self.path.stem}.*"))
        self.parts = [p for p in beside if p == self.path or p.suffix in PARTS]
        self.seeds = {part: part.read_bytes() for part in self.parts}
        self.findings: dict[str, dict[str, str]] = {}

    def run(self, body: bytes, part: Path | None = None) -> None:
        """Read one input; what is wrong with how that went is kept."""
        part = part or self.path
        part.write_bytes(body)
        try:
            self._read()
        except Exception as error:  # noqa: BLE001 - these are what is looked for
            frames = traceback.extract_tb(error.__traceback__)
            ours = [f for f in frames if "futuremap" in f.filename] or frames
            where = f"{Path(ours[-1].filename).name}:{ours[-1].lineno}"
            self._keep(f"{type(error).__name__} at {where}", str(error), part)
        finally:
            if part != self.path:
                part.write_bytes(self.seeds[part])

    def _read(self) -> None:
        from futuremap.problems import Report  # noqa: PLC0415 - after atheris has been set up

        report = Report()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = self.reader.read(self.path, report)
        if found is None and not report.errors:
            raise AssertionError("nothing was read, and nothing was said")
        for problem in report.problems:
            details = dict(problem.detail) | {
                "value": problem.value, "column": problem.column, "file": problem.file,
            }  # fmt: skip
            texts = self.catalogue()[problem.code]
            for part in ("title", "expected", "why", "fix"):
                for lang in ("ja", "en"):
                    texts[f"{part}_{lang}"].format_map(details)

    def _keep(self, kind: str, text: str, part: Path) -> None:
        if kind not in self.findings and len(self.findings) < MOST_FINDINGS:
            number = zlib.crc32(kind.encode())
            kept = self.folder / f"finding-{number:08x}{part.suffix}"
            shutil.copy(part, kept)
            self.findings[kind] = {"kind": kind, "text": text[:300], "input": kept.name}
            found = json.dumps(list(self.findings.values()), ensure_ascii=False)
            (self.folder / "findings.json").write_text(found, encoding="utf-8")


def _load() -> tuple[Any, Any]:
    """Clean files and problem texts; instrumented for coverage under atheris."""
    if atheris is None or not os.environ.get("FUZZ_COVERAGE"):
        context: Any = contextlib.nullcontext()
    else:
        context = atheris.instrument_imports(include=["futuremap.sources"])
    with context:
        from futuremap.problems import catalogue  # noqa: PLC0415
        from tests.catalogue import clean  # noqa: PLC0415
    return clean, catalogue


class Counter:
    """A count that outlives the process that keeps it."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            path.write_bytes(bytes(8))
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), 8)

    def add(self) -> None:
        """One more."""
        struct.pack_into("<Q", self._map, 0, self.value + 1)

    @property
    def value(self) -> int:
        """The count."""
        found: int = struct.unpack_from("<Q", self._map, 0)[0]
        return found


# ---- in the worker ---------------------------------------------------------------------------


def work(name: str, folder: Path, *, runs: int, seconds: float, seed: int) -> None:
    """Run one reader on many inputs, here in this process."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    harness = Harness(name, folder)
    counter, end = Counter(folder / "count"), time.monotonic() + seconds
    packed = harness.reader.kind != "text"

    def one(body: bytes, part: Path | None = None) -> None:
        counter.add()
        harness.run(body, part)

    if atheris is not None and os.environ.get("FUZZ_COVERAGE") and not packed:
        _with_coverage(harness, one, folder, runs=runs, seconds=seconds, seed=seed)
        return
    rng = random.Random(f"{name} {seed}")  # noqa: S311 - inputs, not secrets
    for _ in range(runs):
        if time.monotonic() > end:
            break
        part = rng.choice(harness.parts)
        change = mutate.packed if packed and part.suffix != ".prj" else mutate.text
        body = change(harness.seeds[part], rng)
        signal.setitimer(signal.ITIMER_REAL, HANG)  # whose signal ends the process
        one(body, part)
        signal.setitimer(signal.ITIMER_REAL, 0)


def _with_coverage(
    harness: Harness,
    one: Callable[[bytes], None],
    folder: Path,
    *,
    runs: int,
    seconds: float,
    seed: int,
) -> None:
    corpus = folder / "corpus"
    corpus.mkdir(exist_ok=True)
    (corpus / "seed").write_bytes(harness.seeds[harness.path])

    def mutated(body: bytes, most: int, number: int) -> bytes:
        rng = random.Random(number)  # noqa: S311
        if rng.random() < 0.2:  # noqa: PLR2004 - libFuzzer's own, for what ours do not think of
            found: bytes = atheris.Mutate(body, most)
            return found
        return mutate.text(body, rng)[:most]

    options = [f"-runs={runs}", f"-max_total_time={int(seconds)}", f"-seed={seed + 1}",
               f"-timeout={int(HANG)}", "-max_len=16384", "-verbosity=0",
               f"-artifact_prefix={folder}/"]  # fmt: skip
    atheris.Setup([sys.argv[0], *options, str(corpus)], one, custom_mutator=mutated)
    atheris.Fuzz()


# ---- in the parent ---------------------------------------------------------------------------


def fuzz(name: str, *, runs: int, seconds: float, keep: Path, packed: bool) -> Tally:
    """Run a reader in workers until it has seen enough inputs or the time is up."""
    started, done, seed = time.monotonic(), 0, 0
    findings: dict[str, dict[str, str]] = {}
    while done < runs and (left := seconds - (time.monotonic() - started)) > 0:
        if len(findings) >= MOST_FINDINGS:
            break
        with tempfile.TemporaryDirectory(dir=_fast()) as scratch:
            folder = Path(scratch)
            batch = min(BATCH if packed else runs, runs - done)
            code, said = _worker(name, folder, runs=batch, seconds=left, seed=seed)
            inputs = Counter(folder / "count").value
            noted = folder / "findings.json"
            for one in json.loads(noted.read_text(encoding="utf-8")) if noted.exists() else []:
                findings.setdefault(one["kind"], _kept(one, name, folder, keep))
            if code:
                culprit = next(folder.glob("clean.*"), folder)
                one = {"kind": _ended(code, said), "text": said[-300:], "input": culprit.name}
                findings.setdefault(one["kind"], _kept(one, name, folder, keep))
        done, seed = done + inputs, seed + 1
        if not inputs:
            break
    return Tally(done, list(findings.values()), time.monotonic() - started)


def _fast() -> str | None:
    return "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108


def _worker(name: str, folder: Path, *, runs: int, seconds: float, seed: int) -> tuple[int, str]:
    told = {"--worker": name, "--folder": folder, "--text-runs": runs, "--seconds": seconds,
            "--seed": seed}  # fmt: skip
    command = [sys.executable, __file__, *(str(word) for pair in told.items() for word in pair)]
    try:
        done = subprocess.run(command, capture_output=True, timeout=seconds + 60, check=False)
    except subprocess.TimeoutExpired:
        return -signal.SIGALRM, "the worker did not end"
    return done.returncode, done.stderr.decode("utf-8", "replace")


def _ended(code: int, said: str) -> str:
    if code in {-signal.SIGALRM, 70} or "timeout after" in said:
        return "hang"
    return f"crash ({signal.Signals(-code).name})" if code < 0 else f"worker ended with {code}"


def _kept(one: dict[str, str], name: str, folder: Path, keep: Path) -> dict[str, str]:
    target = keep / name
    target.mkdir(parents=True, exist_ok=True)
    for part in folder.iterdir():  # all parts, as a shapefile is read whole
        if part.is_file() and part.name.startswith((Path(one["input"]).stem, "clean")):
            shutil.copy(part, target / part.name)
    return one | {"input": f"{name}/{one['input']}"}


def checks_of(name: str, tally: Tally, wanted: int) -> list[dict[str, Any]]:
    """Two lines of the proof for a reader."""
    count = len(tally.findings)
    return [
        {"name": f"{name}: inputs", "value": tally.inputs, "op": ">=", "limit": wanted,
         "unit": "inputs", "ok": tally.inputs >= wanted},
        {"name": f"{name}: exceptions, crashes, hangs", "value": count, "op": "==", "limit": 0,
         "unit": "findings", "ok": count == 0},
    ]  # fmt: skip


def main() -> None:
    """Fuzz all readers, or those named, and print the figures as JSON on the last line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reader", action="append", help="one reader; may be given again")
    parser.add_argument("--text-runs", type=int, default=1_000_000)
    parser.add_argument("--packed-runs", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=7_200.0, help="at most, for each reader")
    parser.add_argument("--keep", type=Path, default=Path("fuzz-findings"))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--plain", action="store_true", help="without the coverage of atheris")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.worker:
        work(
            given.worker, given.folder, runs=given.text_runs, seconds=given.seconds, seed=given.seed
        )
        return
    if atheris is not None and not given.plain:
        os.environ["FUZZ_COVERAGE"] = "1"
    clean, _ = _load_plain()
    proof: list[dict[str, Any]] = []
    for name in given.reader or [name for name in clean.READERS if name not in SAME]:
        packed = clean.READERS[name].kind != "text"
        runs = given.packed_runs if packed else given.text_runs
        tally = fuzz(name, runs=runs, seconds=given.seconds, keep=given.keep, packed=packed)
        rate = tally.inputs / max(tally.seconds, 1e-9)
        print(f"{name}: {tally.inputs:,} inputs, {rate:,.0f}/s", file=sys.stderr, flush=True)
        for one in tally.findings:
            print(f"  {one['kind']}: {one['text']} [{one['input']}]", file=sys.stderr, flush=True)
        proof += checks_of(name, tally, runs)
    print(json.dumps({"checks": proof}, ensure_ascii=False))


def _load_plain() -> tuple[Any, Any]:
    # the parent only looks at the list of readers
    coverage = os.environ.pop("FUZZ_COVERAGE", None)
    try:
        return _load()
    finally:
        if coverage:
            os.environ["FUZZ_COVERAGE"] = coverage


if __name__ == "__main__":
    main()
