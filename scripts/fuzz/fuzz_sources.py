"""Fuzz every reader of files: no uncaught exception, no crash, no hang, nothing left unsaid.

Each reader gets changed copies of a small clean file, in processes of its own with a limit of
time for each input and of memory. Readers of text are led by coverage where atheris is installed
(extra ``fuzz``), with our own mutations and libFuzzer's; workbooks, shapefiles, GeoPackages and
rasters get our mutations, as atheris sees nothing of GDAL or SQLite. What says what a file is
(``recognise_…``) calls the same readers on trial, and gets a tenth of the inputs.

    .venv/bin/python scripts/fuzz/fuzz_sources.py --state fuzz-state
    .venv/bin/python scripts/fuzz/fuzz_sources.py --state fuzz-state --table
    .venv/bin/python scripts/fuzz/fuzz_sources.py --state fuzz-state --replay

Counts, corpora and findings stay in the folder ``--state``, where a later run goes on with other
seeds; ``results.json`` there holds the figures. What is soonest done comes first, after a short
session of each reader. ``--replay`` takes away the findings that no longer are any.

An input is sound if the reader gives something back or says at least one error, and if every
text of every problem is complete in both languages.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).resolve().parent)]

import fuzz_worker  # noqa: E402 - beside this script
from fuzz_harness import (  # noqa: E402
    MOST_FINDINGS,
    SAME,
    Counter,
    atheris,
    load,
    number_of,
)

FIRST, SESSION, BATCH = 5_000, 100_000, 1_000  # inputs: first, text, packed
SPARE = 60.0  # seconds that a worker may take beyond those it was given
TENTH = "recognise_"  # begins the names of those that get a tenth of the inputs
_COVERAGE = re.compile(r"cov: (\d+) ft: (\d+) corp: (\d+)")


class Account:
    """What is known of one reader, in a folder of its own; `wanted` are the inputs it shall see."""

    def __init__(self, state: Path, name: str, *, packed: bool, wanted: int) -> None:
        self.name, self.packed, self.folder = name, packed, state / name
        self.wanted = wanted
        self.kept = self.folder / "findings"
        self.kept.mkdir(parents=True, exist_ok=True)
        told = self.folder / "tally.json"
        self.tally: dict[str, Any] = {"inputs": 0, "seconds": 0.0, "sessions": 0}
        if told.exists():
            self.tally = json.loads(told.read_text(encoding="utf-8"))

    @property
    def findings(self) -> list[dict[str, str]]:
        """What was found and has not been mended since."""
        return [json.loads(p.read_text(encoding="utf-8")) for p in sorted(self.kept.glob("*.json"))]

    @property
    def rate(self) -> float:
        """Inputs a second, with the start of the processes; infinite if not known."""
        seconds: float = self.tally["seconds"]
        return self.tally["inputs"] / seconds if seconds else float("inf")

    @property
    def seconds_left(self) -> float:
        """Time that the inputs still wanted will take."""
        return (self.wanted - self.tally["inputs"]) / self.rate

    def session(self, *, runs: int, seconds: float) -> int:
        """Run a worker once, and say how many inputs it saw."""
        corpus, started = self.folder / "corpus", time.monotonic()
        with tempfile.TemporaryDirectory(dir=_fast()) as scratch:
            folder = Path(scratch)
            known = 0
            if corpus.is_dir():
                shutil.copytree(corpus, folder / "corpus")
                known = sum(1 for _ in corpus.iterdir())  # which are read again, and not counted
            code, said = _worker(
                self.name,
                folder,
                runs=runs + known,
                seconds=seconds,
                seed=self.tally["sessions"],
            )
            seen = max(Counter(folder / "count").value - known, 0)
            self._take_findings(folder, code, said)
            if (folder / "corpus").is_dir():
                shutil.copytree(folder / "corpus", corpus, dirs_exist_ok=True)
        self._note(seen, said, seconds=time.monotonic() - started)
        return seen

    def _take_findings(self, folder: Path, code: int, said: str) -> None:
        noted = folder / "findings.json"
        found = json.loads(noted.read_text(encoding="utf-8")) if noted.exists() else []
        if code:
            culprit = next(folder.glob("clean.*"), folder / "count")
            found.append({"kind": _ended(code, said), "text": said[-300:], "input": culprit.name})
        for one in found:
            number, source = number_of(one["kind"]), folder / one["input"]
            kept = self.kept / f"{number}{source.suffix}"
            if kept.exists():
                continue
            for part in folder.glob("clean.*"):  # all of them, as a shapefile is read whole
                shutil.copy(part, self.kept / f"{number}-{part.name}")
            shutil.copy(source, kept)
            text = json.dumps(one | {"input": kept.name}, ensure_ascii=False)
            (self.kept / f"{number}.json").write_text(text, encoding="utf-8")

    def _note(self, seen: int, said: str, *, seconds: float) -> None:
        self.tally["inputs"] += seen
        self.tally["seconds"] += seconds
        self.tally["sessions"] += 1
        for cov, features, corpus in _COVERAGE.findall(said)[-1:]:
            self.tally |= {"edges": int(cov), "features": int(features), "corpus": int(corpus)}
        for cov in re.findall(r"INITED cov: (\d+)", said)[:1]:
            self.tally.setdefault("edges_of_clean_file", int(cov))
        _write(self.folder / "tally.json", self.tally)

    def replay(self) -> int:
        """Read the inputs of all findings again; those that went well are taken away."""
        mended = 0
        for one in self.findings:
            kept = self.kept / one["input"]
            with tempfile.TemporaryDirectory(dir=_fast()) as scratch:
                folder = Path(scratch)
                code, _ = _worker(self.name, folder, runs=1, seconds=SPARE, seed=0, again=kept)
                if code or (folder / "findings.json").exists():
                    continue
            mended += 1
            for path in self.kept.glob(f"{kept.stem}*"):
                path.unlink()
        return mended

    def figures(self) -> dict[str, Any]:
        """The reader's part of the results."""
        findings = self.findings
        kinds = [one["kind"] for one in findings]
        hangs = sum(kind == "hang" for kind in kinds)
        crashes = sum(kind.startswith(("crash", "worker")) for kind in kinds)
        found = {"exceptions": len(kinds) - hangs - crashes, "crashes": crashes, "hangs": hangs}
        rate = round(self.rate) if self.tally["seconds"] else 0
        named = {"reader": self.name, "packed": self.packed, "per_second": rate}
        return named | self.tally | found | {"findings": findings}


def _fast() -> str | None:
    return "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108


def _write(path: Path, told: object) -> None:
    part = path.with_suffix(".part")
    part.write_text(json.dumps(told, ensure_ascii=False, indent=1), encoding="utf-8")
    part.replace(path)  # a reader of the file never sees half of it


def _worker(
    name: str,
    folder: Path,
    *,
    runs: int,
    seconds: float,
    seed: int,
    again: Path | None = None,
) -> tuple[int, str]:
    told = {"--worker": name, "--folder": folder, "--text-runs": runs, "--seconds": seconds,
            "--seed": seed, **({"--again": again.resolve()} if again else {})}  # fmt: skip
    command = [sys.executable, __file__, *(str(word) for pair in told.items() for word in pair)]
    try:
        done = subprocess.run(command, capture_output=True, timeout=seconds + SPARE, check=False)
    except subprocess.TimeoutExpired:
        return -signal.SIGALRM, "the worker did not end"
    return done.returncode, done.stderr.decode("utf-8", "replace")


def _ended(code: int, said: str) -> str:
    if code in {-signal.SIGALRM, 70} or "timeout after" in said:
        return "hang"
    return f"crash ({signal.Signals(-code).name})" if code < 0 else f"worker ended with {code}"


def fuzz(account: Account, *, runs: int, seconds: float) -> None:
    """Run a reader in sessions until it has seen so many inputs in all or the time is up."""
    end = time.monotonic() + seconds
    while account.tally["inputs"] < runs and (left := end - time.monotonic()) > 0:
        size = BATCH if account.packed else SESSION
        seen = account.session(runs=min(size, runs - account.tally["inputs"]), seconds=left)
        if not seen or len(account.findings) >= MOST_FINDINGS:
            break


def fuzz_all(accounts: Sequence[Account], *, seconds: float, state: Path) -> None:
    """Run all readers, those that are soonest done first, after a short session of each."""
    for account in accounts:
        if not account.tally["sessions"]:
            first = BATCH if account.packed else FIRST
            fuzz(account, runs=min(first, account.wanted), seconds=seconds)
            _tell(account, accounts, state)
    for account in sorted(accounts, key=lambda account: account.seconds_left):
        end, runs = time.monotonic() + seconds, account.tally["inputs"]
        while runs <= account.tally["inputs"] < account.wanted:  # else out of time, or broken
            runs = min(account.tally["inputs"] + SESSION, account.wanted)
            fuzz(account, runs=runs, seconds=end - time.monotonic())
            _tell(account, accounts, state)


def _tell(account: Account, accounts: Sequence[Account], state: Path) -> None:
    print(_line(account.figures()), file=sys.stderr, flush=True)
    for one in account.findings:
        print(f"  {one['kind']}: {one['text']} [{one['input']}]", file=sys.stderr, flush=True)
    _write(state / "results.json", [one.figures() for one in accounts])


def _line(of: dict[str, Any]) -> str:
    found = f"{of['exceptions']} exceptions, {of['crashes']} crashes, {of['hangs']} hangs"
    new = f"{of.get('edges_of_clean_file', 0)} -> {of.get('edges', 0)} edges"
    return f"{of['reader']:32s} {of['inputs']:>9,} inputs {of['per_second']:>6,}/s  {found}  {new}"


def checks_of(account: Account) -> list[dict[str, Any]]:
    """Two lines of the proof for a reader."""
    inputs, wanted, count = account.tally["inputs"], account.wanted, len(account.findings)
    return [
        {"name": f"{account.name}: inputs", "value": inputs, "op": ">=", "limit": wanted,
         "unit": "inputs", "ok": inputs >= wanted},
        {"name": f"{account.name}: exceptions, crashes, hangs", "value": count, "op": "==",
         "limit": 0, "unit": "findings", "ok": count == 0},
    ]  # fmt: skip


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--state", type=Path, default=Path("fuzz-state"))
    parser.add_argument("--reader", action="append", help="one reader; may be given again")
    parser.add_argument("--text-runs", type=int, default=1_000_000)
    parser.add_argument("--packed-runs", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=7_200.0, help="at most, for each reader")
    parser.add_argument("--plain", action="store_true", help="without the coverage of atheris")
    parser.add_argument("--table", action="store_true", help="print the figures so far")
    parser.add_argument("--replay", action="store_true", help="look at the findings again")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--again", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--seed", type=int, default=0, help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> None:
    """Fuzz all readers, or those named, and print the figures as JSON on the last line."""
    given = _arguments()
    if given.worker and given.again:
        fuzz_worker.replay(given.worker, given.folder, given.again)
        return
    if given.worker:
        fuzz_worker.work(
            given.worker, given.folder, runs=given.text_runs, seconds=given.seconds, seed=given.seed
        )
        return
    readers = load()
    names = given.reader or sorted(readers, key=lambda name: name in SAME)
    accounts = []
    for name in names:
        packed = readers[name].kind != "text"
        runs = given.packed_runs if packed else given.text_runs
        runs //= 10 if name.startswith(TENTH) else 1
        accounts.append(Account(given.state, name, packed=packed, wanted=runs))
    if given.replay:
        for account in accounts:
            account.replay()
    if given.table or given.replay:
        for account in accounts:
            print(_line(account.figures()), file=sys.stderr)
            for one in account.findings:
                print(f"  {one['kind']}: {one['text']} [{one['input']}]", file=sys.stderr)
    else:
        if atheris is not None and not given.plain:
            os.environ["FUZZ_COVERAGE"] = "1"  # of the workers
        fuzz_all(accounts, seconds=given.seconds, state=given.state)
    proof = [check for one in accounts for check in checks_of(one)]
    print(json.dumps({"checks": proof}, ensure_ascii=False))


if __name__ == "__main__":
    main()
