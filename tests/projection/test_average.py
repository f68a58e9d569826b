"""Weights learnt from earlier launches, and the averages they make."""

from __future__ import annotations

import numpy as np
import pytest

from futuremap.core.ages import AgeGroups
from futuremap.errors import LabelError
from futuremap.projection.average import Evidence, Weights, average, learn

AGES = AgeGroups.five_year(open_age=70)
CAME = np.full((4, 2, len(AGES)), 100.0)
OLD = AGES.at_least(65)


def past(step=1, **factors):
    return Evidence(step, {name: CAME * factor for name, factor in factors.items()}, CAME)


def test_weights_add_to_one_and_the_better_method_has_more():
    weights = learn([past(a=1.01, b=1.03)], ages=AGES, candidates=[["a", "b"]])

    np.testing.assert_allclose(weights.shares.sum(axis=2), 1)
    np.testing.assert_allclose(weights.shares[0, :, 0], 3**4 / (3**4 + 1), rtol=1e-6)


def test_power_zero_and_no_evidence_are_the_plain_mean():
    even = learn([past(a=1.01, b=1.5)], ages=AGES, candidates=[["a", "b"]], power=0)
    unknown = learn([past(a=1.01, b=1.5)], ages=AGES, candidates=[["a", "b"], ["a", "b"]])

    np.testing.assert_allclose(even.shares, 0.5)
    np.testing.assert_allclose(unknown.shares[1], 0.5)


def test_a_perfect_method_takes_all_without_dividing_by_zero():
    weights = learn([past(a=1.0, b=1.5)], ages=AGES, candidates=[["a", "b"]])

    np.testing.assert_allclose(weights.shares[0, :, 0], 1.0)


def test_bands_have_weights_of_their_own():
    young, old = CAME.copy(), CAME.copy()
    young[..., OLD] *= 1.2  # right about the young only
    old[..., : OLD.start] *= 1.2
    weights = learn(
        [Evidence(1, {"young": young, "old": old}, CAME)],
        ages=AGES,
        candidates=[["young", "old"]],
    )

    mean = average(
        {"young": np.stack([CAME, young]), "old": np.stack([CAME, old])},
        weights,
        ages=AGES,
    )

    np.testing.assert_allclose(mean, np.stack([CAME, CAME]))


def test_steps_may_have_other_methods_and_the_last_serves_the_rest():
    weights = learn([], ages=AGES, candidates=[["a", "b"], ["b"]])
    paths = {"a": np.stack([CAME] * 4), "b": np.stack([CAME, CAME * 2, CAME * 3, CAME * 4])}

    mean = average(paths, weights, ages=AGES)

    assert mean[:, 0, 0, 0].tolist() == [100.0, 150.0, 300.0, 400.0]


def test_an_average_lies_between_its_methods():
    rng = np.random.default_rng(1)
    paths = {name: rng.uniform(0, 9, (3, *CAME.shape)) for name in "abc"}
    for path in paths.values():
        path[0] = CAME
    weights = learn([past(a=1.1, b=0.95, c=1.02)], ages=AGES, candidates=[["a", "b", "c"]])

    mean = average(paths, weights, ages=AGES)

    stacked = np.stack(list(paths.values()))
    assert (mean <= stacked.max(axis=0) + 1e-9).all()
    assert (mean >= stacked.min(axis=0) - 1e-9).all()


def test_areas_with_hardly_anybody_have_no_say():
    came = CAME.copy()
    came[0] = 0.1
    wrong = came.copy()
    wrong[0] = 1e6
    weights = learn(
        [Evidence(1, {"wrong": wrong, "right": came * 1.0001}, came)],
        ages=AGES,
        candidates=[["wrong", "right"]],
    )

    assert weights.shares[0, 0, 0] > 0.99


def test_nobody_to_be_scored_gives_the_plain_mean():
    nobody = Evidence(1, {"a": CAME, "b": CAME}, np.zeros_like(CAME))

    np.testing.assert_allclose(
        learn([nobody], ages=AGES, candidates=[["a", "b"]]).shares,
        0.5,
    )


def test_missing_methods_are_named():
    weights = Weights(("a", "b"), (0,), np.full((1, 1, 2), 0.5))

    with pytest.raises(LabelError, match="no path of \\['b'\\]"):
        average({"a": np.stack([CAME])}, weights, ages=AGES)
    with pytest.raises(LabelError, match="differ in shape"):
        average({"a": np.stack([CAME]), "b": np.stack([CAME] * 2)}, weights, ages=AGES)
    with pytest.raises(LabelError, match="lacks \\['c'\\]"):
        learn([past(a=1.0)], ages=AGES, candidates=[["a", "c"]])
