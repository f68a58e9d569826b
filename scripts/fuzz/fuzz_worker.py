"""Many inputs for one reader, here in this process, which a crash or a hang ends."""

from __future__ import annotations

import gc
import random
import resource
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import mutate
from fuzz_harness import Counter, Harness, atheris, wants_coverage

HANG = 10.0  # seconds for one input
MEMORY = 2 * 2**30  # bytes of address space of a worker; numpy's libraries alone reserve half
WATCHED = 2 * MEMORY  # of one whose memory is watched: threads of pyarrow reserve the rest of it
RESIDENT = 1_024  # MiB that a watched worker may come to hold
SMALL = 2_048  # bytes of an input, if the clean file is not longer itself
GARBAGE = 50_000  # objects after which the youngest are looked through
OF_LIBFUZZER, OF_CLEAN = 0.2, 0.35  # share of inputs made by libFuzzer, and from the clean file


def work(name: str, folder: Path, *, runs: int, seconds: float, seed: int) -> None:
    """Run one reader on many inputs."""
    resource.setrlimit(resource.RLIMIT_AS, (WATCHED, WATCHED))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    harness, counter = Harness(name, folder), Counter(folder / "count")
    watched = wants_coverage() and harness.reader.kind == "text"
    if not watched:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    gc.freeze()  # libraries are not looked through again after every input
    gc.set_threshold(GARBAGE, 20, 20)

    def one(body: bytes, part: Path | None = None) -> None:
        counter.add()
        harness.run(body, part)

    if watched:
        _with_coverage(harness, one, runs=runs, seconds=seconds, seed=seed)
        return
    _without(harness, one, runs=runs, seconds=seconds, seed=seed)


def replay(name: str, folder: Path, kept: Path) -> None:
    """Run one reader on one input that was a finding."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    harness = Harness(name, folder)
    part = next((part for part in harness.parts if part.suffix == kept.suffix), harness.path)
    signal.setitimer(signal.ITIMER_REAL, HANG)
    harness.run(kept.read_bytes(), part)


def _without(
    harness: Harness,
    one: Callable[[bytes, Path], None],
    *,
    runs: int,
    seconds: float,
    seed: int,
) -> None:
    end, packed = time.monotonic() + seconds, harness.reader.kind != "text"
    rng = random.Random(f"{harness.name} {seed}")  # noqa: S311 - inputs, not secrets
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
    *,
    runs: int,
    seconds: float,
    seed: int,
) -> None:
    corpus = harness.folder / "corpus"
    corpus.mkdir(exist_ok=True)
    clean = harness.seeds[harness.path]
    (corpus / "clean").write_bytes(clean)

    def mutated(body: bytes, most: int, number: int) -> bytes:
        rng = random.Random(number)  # noqa: S311
        kind = rng.random()
        if kind < OF_LIBFUZZER:  # for what ours do not think of
            found: bytes = atheris.Mutate(body, most)
            return found
        # what led to something new is often far from sound, so the clean file comes again too
        start = clean if kind < OF_LIBFUZZER + OF_CLEAN else body
        return mutate.text(start, rng)[:most]

    longest = max(SMALL, len(clean) * 5 // 4)
    # libFuzzer asks for the highest peak ever, which Linux hands on from who started the process
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1_024
    options = [f"-runs={runs}", f"-max_total_time={int(seconds) + 1}", f"-seed={seed + 1}",
               f"-timeout={int(HANG)}", f"-rss_limit_mb={before + RESIDENT}", f"-max_len={longest}",
               "-print_final_stats=1", f"-artifact_prefix={harness.folder}/"]  # fmt: skip
    atheris.Setup([sys.argv[0], *options, str(corpus)], one, custom_mutator=mutated)
    atheris.Fuzz()
