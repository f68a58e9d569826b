"""Scenarios and backcasts of a project, measured against the limits of their issue.

Usage: ``python scripts/bench/scenarios.py [PROJECT]`` (the bundled 高松市 by default).
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from proof import Checks, log

import futuremap as fm
from futuremap.backcast.entries import entries_of
from futuremap.backcast.goals import goals_of
from futuremap.backcast.pose import Pose, posed
from futuremap.backcast.solve import solve
from futuremap.config.scenario import Scenario
from futuremap.core.flows import imbalance
from futuremap.pipeline.deliver_scenarios import deliver_scenarios
from futuremap.pipeline.difference import grounds
from futuremap.pipeline.run import Outcome
from futuremap.pipeline.scenarios import Comparison, play

BUNDLES = (("family_30s", 1.0), ("single_20s", 0.5), ("couple_60s", 0.6))
MILLIONTH = 1e-6


def best_of(call: Callable[[], object], *, repeats: int = 3) -> float:
    """Least CPU time of several calls. [s]"""
    times = []
    for _ in range(repeats):
        start = time.process_time()
        call()
        times.append(time.process_time() - start)
    return min(times)


def cpu() -> float:
    """CPU time of this process, and of those that it started and that have ended. [s]"""
    return sum(os.times()[:4])


def ten(outcome: Outcome) -> list[Scenario]:
    """Ten scenarios: four of facilities, six of people."""
    table = outcome.towns[0].town.facilities.table
    centres = table.index[table["facility_class"] == "community_center"].tolist()
    zones = outcome.towns[0].town.blocks.ids
    said = [
        {"event": [{"facility": centres[i], "year": 2035, "event": "merge",
                    "into": centres[i + 1]}]}
        for i in (0, 2, 4)
    ]  # fmt: skip
    said.append({"reach": [{"class": "middle_school", "radius_m": 1500.0}]})
    said += [
        {"people": [{"bundle": "family_30s", "per_year": 100.0}]},
        {"people": [{"bundle": "single_20s", "per_year": 5.0, "zones": list(zones[:20])}]},
        {"people": [{"bundle": "couple_60s", "per_year": 20.0, "to_year": 2040}]},
        {"fertility": [{"factor": 1.2}]},
        {"migration": [{"net_loss_factor": 0.5, "age_from": 20, "age_to": 29}]},
        {"housing": [{"zone": zones[3], "year": 2030, "dwellings": 120.0, "household_size": 2.4}]},
    ]
    return [Scenario.model_validate({"name": f"案{i}", **one}) for i, one in enumerate(said)]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("project", nargs="?", default=str(fm.example("takamatsu")))
    parser.add_argument("--json", action="store_true", help="print the checks (always done)")
    given = parser.parse_args()
    checks = Checks()
    start, wall = time.process_time(), time.perf_counter()
    prepared = fm.open_project(given.project)
    outcome = fm.run(prepared)
    first, wall = time.process_time() - start, time.perf_counter() - wall
    again = best_of(lambda: fm.run(prepared), repeats=2)
    log(f"read and run: {first:.2f} s, run again: {again:.2f} s of CPU")
    _facilities(checks, outcome, again)
    _ten(checks, outcome, before=wall)
    _backcast(checks, outcome)
    _exact(checks, outcome)
    checks.print()


def _facilities(checks: Checks, outcome: Outcome, whole: float) -> None:
    merge = ten(outcome)[0]
    play(outcome, "merge", merge)
    cost = best_of(lambda: play(outcome, "merge", merge), repeats=5)
    checks.add("facility_scenario_share_of_run", cost / whole, "<=", 0.1, "ratio of CPU")


def _ten(checks: Checks, outcome: Outcome, *, before: float) -> None:
    scenarios = ten(outcome)
    with tempfile.TemporaryDirectory() as folder:
        wall, start, own = time.perf_counter(), cpu(), time.process_time()
        played = tuple(play(outcome, f"s{i}", one) for i, one in enumerate(scenarios))
        ran = cpu() - start
        deliver_scenarios(Comparison(outcome, played), Path(folder), workbook=False)
        whole, own = cpu() - start, time.process_time() - own
        wall = time.perf_counter() - wall
    log(
        f"ten scenarios: {ran:.1f} s to run, {whole:.1f} s of CPU in all, {own:.1f} s of it here; "
        f"by the clock {wall:.1f} s, after {before:.1f} s to read and to run the baseline; "
        f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    )
    checks.add("ten_scenarios_with_exports", whole, "<=", 30.0, "s of CPU")
    checks.add("read_run_and_ten_scenarios", before + wall, "<=", 30.0, "s by the clock")


def _backcast(checks: Checks, outcome: Outcome) -> None:
    zones = outcome.towns[0].town.blocks.ids
    year = outcome.prepared.project.years[1]
    targets = [
        {"indicator": "population_0_14", "zone": zone, "year": year, "keep": 0.6} for zone in zones
    ]
    levers = [
        {"bundle": name, "max": 200.0, "by_zone": True, "by_step": True, "cost": cost}
        for name, cost in BUNDLES
    ]

    def once() -> None:
        wanted, pulled = entries_of(outcome.prepared, targets, levers)
        goals = tuple(goals_of(outcome, wanted))
        made = posed(Pose(grounds(outcome), goals, tuple(pulled), None))
        found = solve(made.problem)
        log(f"{made.problem.rows.shape[0]} targets, {made.problem.rows.shape[1]} levers, "
            f"cost {found.cost:.3f}")  # fmt: skip

    wall = time.perf_counter()
    once()
    wall = time.perf_counter() - wall
    checks.add("blocks_bundles_steps_solved", wall, "<=", 5.0, "s by the clock")
    answer = fm.what_would_it_take(outcome, targets=targets, levers=levers)
    proof = answer.proof
    checks.add("worst_margin", None if proof is None else proof.worst, ">=", -MILLIONTH, "relative")
    fails = None if proof is None else float(proof.less_fails is True)
    checks.add("one_percent_less_fails", fails, "==", 1.0, "yes")
    error = None if proof is None else proof.response_error
    checks.add("responses_against_the_run", error, "<=", 1e-9, "relative")


def _exact(checks: Checks, outcome: Outcome) -> None:
    nothing = Scenario.model_validate({"name": "x", "fertility": [{"factor": 1.0}]})
    found = play(outcome, "x", nothing).outcome
    gap = np.abs(found.projection.population.persons - outcome.projection.population.persons).max()
    checks.add("zero_difference", float(gap), "==", 0.0, "persons")
    same = float(found.municipal.data.equals(outcome.municipal.data))
    checks.add("zero_difference_tables", same, "==", 1.0, "yes")
    worst = max(
        imbalance(one.projection.population, one.projection.flows)
        for one in (play(outcome, "x", setting).outcome for setting in ten(outcome))
    )
    checks.add("account_imbalance", worst, "<=", 1e-9, "relative")


if __name__ == "__main__":
    main()
