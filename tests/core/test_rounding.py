"""Whole persons: sums kept, nobody erased on average, order and process irrelevant."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from futuremap.core.rounding import round_persons
from futuremap.errors import DemographyError, LabelError

IDS = [f"37201-{i:03d}" for i in range(8)]
PARENTS = ["37201"] * 3 + ["34204"] * 2 + ["37201"] * 3
CELLS = arrays(np.float64, (8, 2, 3), elements=st.floats(0, 1e6))


def rounded(persons, *, seed=1, order=range(8)):
    picked = list(order)
    return round_persons(
        persons[picked],
        zones=[IDS[i] for i in picked],
        parents=[PARENTS[i] for i in picked],
        seed=seed,
    )


@given(CELLS, st.integers(0, 5))
def test_cells_zones_and_parents_stay_within_one(persons, seed):
    whole = rounded(persons, seed=seed)
    assert whole.dtype == np.int64
    assert whole.min() >= 0
    assert (np.abs(whole - persons) < 1).all()
    assert (np.abs(whole.sum(axis=(1, 2)) - persons.sum(axis=(1, 2))) < 1 + 1e-6).all()
    for parent in set(PARENTS):
        mine = [i for i, name in enumerate(PARENTS) if name == parent]
        assert abs(int(whole[mine].sum()) - persons[mine].sum()) <= 0.5 + 1e-5


@given(CELLS, st.permutations(range(8)))
def test_the_order_of_zones_does_not_matter(persons, order):
    assert np.array_equal(rounded(persons, order=order), rounded(persons)[order])


@given(arrays(np.float64, (8, 2, 3), elements=st.integers(0, 1000)))
def test_whole_numbers_stay(persons):
    assert np.array_equal(rounded(persons), persons)


def test_whole_totals_are_kept_exactly():
    rng = np.random.default_rng(3)
    persons = rng.uniform(0, 3, (500, 2, 18))
    persons *= 12_345 / persons.sum()
    whole = round_persons(persons, zones=[str(i) for i in range(500)], parents=["p"] * 500, seed=9)
    assert whole.sum() == 12_345


def test_small_classes_are_not_erased():
    # largest remainders inside each block would give 0, 0, 1, 2
    persons = np.tile([0.3, 0.3, 0.6, 1.8], (2000, 1))
    whole = round_persons(
        persons, zones=[str(i) for i in range(2000)], parents=["p"] * 2000, seed=4
    )
    assert whole.mean(axis=0) == pytest.approx([0.3, 0.3, 0.6, 1.8], abs=0.02)
    assert (whole.sum(axis=1) == 3).all()  # every zone's total is whole, so it is kept


def test_the_mean_over_seeds_is_the_float():
    persons = np.array([[0.1, 0.7], [1.45, 0.25], [2.5, 1.0]])
    seeds = 4000
    mean = np.mean(
        [
            round_persons(persons, zones=IDS[:3], parents=["p"] * 3, seed=seed)
            for seed in range(seeds)
        ],
        axis=0,
    )
    assert mean == pytest.approx(persons, abs=4 * 0.5 / np.sqrt(seeds))


def test_seeds_and_parents_differ():
    persons = np.full((8, 2, 3), 0.5)
    assert any(
        not np.array_equal(rounded(persons, seed=seed), rounded(persons)) for seed in range(2, 6)
    )


def test_another_process_rounds_alike():
    code = (
        "import numpy as np; from futuremap.core.rounding import round_persons; "
        "print(round_persons(np.full((4, 5), 0.4), zones=list('abcd'), parents=['p'] * 4, "
        "seed=3).tolist())"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code],
            check=True,
            capture_output=True,
            text=True,
            env={"PYTHONHASHSEED": hash_seed},
        ).stdout
        for hash_seed in ("1", "2")
    }
    here = round_persons(np.full((4, 5), 0.4), zones=list("abcd"), parents=["p"] * 4, seed=3)
    assert outputs == {f"{here.tolist()}\n"}


def test_no_zones_is_no_error():
    assert round_persons(np.zeros((0, 2)), zones=[], parents=[], seed=1).shape == (0, 2)


def test_unsound_input_is_refused():
    with pytest.raises(DemographyError, match="zone b"):
        round_persons(np.array([[1.0], [-0.1]]), zones=["a", "b"], parents=["p", "p"], seed=1)
    with pytest.raises(DemographyError, match="zone a: nan"):
        round_persons(np.array([[np.nan]]), zones=["a"], parents=["p"], seed=1)
    with pytest.raises(DemographyError, match="more than"):
        round_persons(np.array([[1e12]]), zones=["a"], parents=["p"], seed=1)
    with pytest.raises(LabelError, match="repeat"):
        round_persons(np.ones((2, 1)), zones=["a", "a"], parents=["p", "p"], seed=1)
    with pytest.raises(LabelError, match="rows"):
        round_persons(np.ones((2, 1)), zones=["a"], parents=["p"], seed=1)
