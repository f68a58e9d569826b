"""One reader on one input: whether it gave something, or said in both languages what is wrong."""

from __future__ import annotations

import contextlib
import json
import mmap
import os
import shutil
import struct
import sys
import traceback
import warnings
import zlib
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT)]

try:
    import atheris
except ImportError:
    atheris = None

MOST_FINDINGS = 20
# names of readers that differ from another only in their options
SAME = {"mapped_unnamed", "mapped_sheet", "mapped_zones", "vector_refuse", "vector_parent"}
# more clean files that are given to the one who says what a file is
TOLD = ("register", "register_series", "census", "facilities", "parks", "mapped",
        "estat_small_area", "estat_mesh", "life_table", "wpp", "boundary", "districts",
        "ksj_mesh")  # fmt: skip
PARTS = (".shp", ".shx", ".dbf", ".prj", ".cpg")


def wants_coverage() -> bool:
    """Whether the code of the readers is to be watched by atheris in this process."""
    return atheris is not None and bool(os.environ.get("FUZZ_COVERAGE"))


def load() -> dict[str, Any]:
    """Readers with their clean files, by name; instrumented if coverage is wanted."""
    context: Any = contextlib.nullcontext()
    if wants_coverage():
        context = atheris.instrument_imports(include=["futuremap.sources"])
    with context:
        from tests.catalogue import clean  # noqa: PLC0415

    added = {f"recognise_{name}": clean.READERS[name]._replace(read=clean.told) for name in TOLD}
    return clean.READERS | added


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


class Harness:
    """One reader on changed copies of its clean file."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name, self.folder = name, folder
        self.reader = load()[name]
        self.path = self.reader.make(folder / f"clean{self.reader.ending}")
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
            where = f"{Path(ours[-1].filename).name}:{ours[-1].name}"
            self._keep(f"{type(error).__name__} at {where}", str(error), part)
        finally:
            if part != self.path:
                part.write_bytes(self.seeds[part])

    def _read(self) -> None:
        from futuremap.problems import Report, catalogue  # noqa: PLC0415 - after the readers

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
            texts = catalogue()[problem.code]
            for part in ("title", "expected", "why", "fix"):
                for lang in ("ja", "en"):
                    texts[f"{part}_{lang}"].format_map(details)

    def _keep(self, kind: str, text: str, part: Path) -> None:
        if kind not in self.findings and len(self.findings) < MOST_FINDINGS:
            kept = self.folder / f"finding-{number_of(kind)}{part.suffix}"
            shutil.copy(part, kept)
            self.findings[kind] = {"kind": kind, "text": text[:300], "input": kept.name}
            found = json.dumps(list(self.findings.values()), ensure_ascii=False)
            (self.folder / "findings.json").write_text(found, encoding="utf-8")


def number_of(kind: str) -> str:
    """Eight digits by which the files of a finding are called."""
    return f"{zlib.crc32(kind.encode()):08x}"
