"""Oracles that need no files: Preston's box, the Leslie eigenvector, a twin in plain Python."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))

import oracles
from proof import Checks

from futuremap.projection.component import ComponentRates, Convention


def test_preston_sweden_to_a_person_in_every_cell():
    checks = Checks()
    oracles.preston(checks)
    assert [check["ok"] for check in checks.checks] == [True, True]


def test_iterating_ends_in_the_leslie_eigenvector_where_there_is_one():
    checks = Checks()
    oracles.leslie(checks)
    assert [check["ok"] for check in checks.checks] == [True] * 3


def test_nobody_dominates_where_nobody_is_born():
    none = ComponentRates(np.ones((1, 2, 5)), np.ones(1), asfr=np.zeros((1, 4)))
    assert oracles.dominant(oracles.leslie_matrix(none, 4)[:3, :3]) is None


@pytest.mark.parametrize("timing", ["end", "half"])
@pytest.mark.parametrize("ages", ["event", "reached"])
@pytest.mark.parametrize("fertility", ["asfr", "child_woman_ratio"])
@pytest.mark.parametrize("seed", range(4))
def test_the_kernel_agrees_with_its_plain_twin(timing, ages, fertility, seed):
    convention = Convention(timing, ages)
    assert oracles.twin_gap(seed, fertility=fertility, convention=convention) < 1e-9


def test_cohorts_of_single_years_repeat_their_last_rate():
    assert oracles.by_cohort(np.array([1.0, 2.0])).tolist() == [1.0, 2.0, 2.0]


def test_checks_come_out_as_one_line_of_json(capsys):
    checks = Checks()
    oracles.preston(checks)
    checks.print()
    last = capsys.readouterr().out.strip().splitlines()[-1]
    assert {check["op"] for check in json.loads(last)["checks"]} == {"<="}
