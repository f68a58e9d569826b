"""How fast the bounded search on a road graph is, beside scipy's Dijkstra with a limit.

    python scripts/bench/catchment_network.py --json [--nodes 200000] [--facilities 5000]

A grid of streets 60 to 100 m long with 10 % of them removed, 15 minutes on foot (1,200 m). Times
are CPU times of one thread, medians over rounds in which everything takes its turn. scipy's
`dijkstra(limit=…)` in chunks of 50 sources is measured on 200 of all and scaled; on that
sample the pairs and costs of all three must be the same. What numba compiles is not
counted, because it is compiled once; the seconds are stated.
"""

# ruff: noqa: E402 - pools of threads are sized when their libraries are imported

from __future__ import annotations

import os

for pool in ("OMP_NUM", "OPENBLAS_NUM", "MKL_NUM", "NUMBA_NUM"):
    os.environ.setdefault(f"{pool}_THREADS", "1")

import argparse
import statistics
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from time import process_time

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import dijkstra

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from proof import Checks, log

from futuremap.catchment.bounded import Arrival, Engine, search

LIMIT = 1200.0  # 15 minutes at 80 m a minute
SAMPLE, CHUNK = 200, 50
REMOVED = 0.1
TIMES = 5.0  # the figure
MIB = 2**20


class Town:
    """A grid of streets and the nodes at which facilities stand, in the order of a walk."""

    def __init__(self, nodes: int, facilities: int, seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        wide = round(nodes**0.5)
        at = np.arange(wide * wide).reshape(wide, wide)
        pairs = np.concatenate(
            [
                np.stack([at[:, :-1].ravel(), at[:, 1:].ravel()], axis=1),
                np.stack([at[:-1].ravel(), at[1:].ravel()], axis=1),
            ]
        )
        pairs = pairs[rng.random(len(pairs)) >= REMOVED]
        length = rng.uniform(60.0, 100.0, len(pairs))
        both = np.concatenate([pairs, pairs[:, ::-1]])
        shape = (wide * wide, wide * wide)
        triples = (np.concatenate([length, length]), (both[:, 0], both[:, 1]))
        self.graph = sparse.csr_array(sparse.coo_array(triples, shape=shape))
        self.edges = len(pairs)
        node = rng.choice(wide * wide, facilities, replace=False)
        # neighbours beside each other, as within_time orders them
        row, column = node // wide // 30, node % wide // 30
        self.at = node[np.lexsort((node, column, row))]
        self.sample = np.sort(rng.choice(facilities, min(SAMPLE, facilities), replace=False))

    def ours(self, engine: Engine, at: NDArray[np.intp]) -> Arrival:
        """All pairs of facilities at these nodes."""
        seeds = Arrival(np.arange(len(at)), at, np.zeros(len(at)))
        parts = list(search(self.graph, seeds, sources=len(at), limit=LIMIT, engine=engine))
        return Arrival(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))

    def scipy(self) -> Arrival:
        """All pairs of the sample, by scipy alone."""
        parts = []
        at = self.at[self.sample]
        for first in range(0, len(at), CHUNK):
            costs = dijkstra(self.graph, indices=at[first : first + CHUNK], limit=LIMIT)
            source, node = np.nonzero(np.isfinite(costs))
            parts.append(Arrival(source + first, node, costs[source, node]))
        return Arrival(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def measure(
    checks: Checks, rounds: int = 3, *, nodes: int = 200_000, facilities: int = 5_000
) -> None:
    """Add the figures of the network to the checks."""
    town = Town(nodes, facilities)
    log(
        f"network: {town.graph.shape[0]:,} nodes, {town.edges:,} streets, {facilities:,} facilities"
    )
    began = process_time()
    town.ours("numba", town.at[:1])
    log(f"network: compiled in {process_time() - began:.1f} s of CPU, not counted below")
    rival = town.scipy()
    same = all(_same(rival, town.ours(engine, town.at[town.sample])) for engine in ENGINES)
    seconds: dict[str, list[float]] = {"rival": [], "numba": [], "scipy": []}
    pairs = 0
    for _ in range(rounds):
        seconds["rival"].append(_cpu(town.scipy) * facilities / len(town.sample))
        for engine in ENGINES:
            began = process_time()
            pairs = len(town.ours(engine, town.at).node)
            seconds[engine].append(process_time() - began)
    middle = {name: statistics.median(all_rounds) for name, all_rounds in seconds.items()}
    log(f"network: CPU seconds {middle}, {pairs:,} pairs")
    log(f"network: peak of our arrays {_peak(town) / MIB:.0f} MiB (without numba)")
    name = "network: CPU of scipy's bounded Dijkstra over ours"
    checks.add(name, middle["rival"] / middle["numba"], ">=", TIMES, "times")
    without = "network: CPU of scipy's bounded Dijkstra over ours without numba"
    checks.add(without, middle["rival"] / middle["scipy"], ">=", 1.0, "times")
    checks.add("network: same pairs and costs on the sample", float(same), "==", 1.0, "")


ENGINES: tuple[Engine, Engine] = ("numba", "scipy")


def _cpu(work: Callable[[], object]) -> float:
    began = process_time()
    work()
    return process_time() - began


def _same(rival: Arrival, found: Arrival) -> bool:
    order = np.lexsort((found.node, found.source))
    return (
        np.array_equal(rival.source, found.source[order])
        and np.array_equal(rival.node, found.node[order])
        and np.allclose(rival.cost, found.cost[order], rtol=1e-12, atol=0)
    )


def _peak(town: Town) -> int:
    tracemalloc.start()
    town.ours("scipy", town.at)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def main() -> None:
    """Measure and print the checks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="accepted; the last line always is")
    parser.add_argument("--nodes", type=int, default=200_000)
    parser.add_argument("--facilities", type=int, default=5_000)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    checks = Checks()
    measure(checks, given.rounds, nodes=given.nodes, facilities=given.facilities)
    checks.print()


if __name__ == "__main__":
    main()
