"""The path of a method as a projection: the account balances, totals are met."""

import numpy as np
import pytest

from futuremap.core.ages import AgeGroups
from futuremap.core.flows import imbalance
from futuremap.core.population import Flag, Population
from futuremap.core.rates import Rates
from futuremap.errors import LabelError
from futuremap.projection.path import follow

AGES = AgeGroups((0, 5, 10))
RATES = Rates.build(
    {"imputed": np.zeros((2, 2, 3))},
    zones=["a", "b", "c"],
    parents=["37201", "37202"],
    parent_of=np.array([0, 0, 1]),
    ages=AGES,
    interval=5,
)


def base(seed=0):
    people = np.random.default_rng(seed).uniform(1, 9, (1, 3, 2, 3))
    return Population.build(people, years=[2020], zones=["a", "b", "c"], ages=AGES)


def path(steps=3, seed=1):
    later = np.random.default_rng(seed).uniform(0, 9, (steps, 3, 2, 3))
    return np.concatenate([base().persons, later])


def test_the_account_balances_with_and_without_totals():
    totals = np.full((4, 2), np.nan)
    totals[1:3, 0] = 40.0, 35.0
    for given in (None, totals):
        done = follow(base(), path(), rates=RATES, totals=given)
        assert imbalance(done.population, done.flows) < 1e-12


def test_totals_are_met_and_other_parents_left_alone():
    totals = np.full((4, 2), np.nan)
    totals[2, 0] = 40.0
    done = follow(base(), path(), rates=RATES, totals=totals)
    assert done.population.totals()[2, :2].sum() == pytest.approx(40, rel=1e-12)
    assert np.allclose(done.population.persons[:, 2], path()[:, 2])
    assert done.population.flag[2, 0] & Flag.RAKED
    assert not done.population.flag[2, 2] & Flag.RAKED
    # what was moved at one step is the level from which the next one starts
    moved = done.population.totals()[3, 0] / done.population.totals()[2, 0]
    assert moved == pytest.approx(path()[3, 0].sum() / path()[2, 0].sum())


def test_shapes_that_do_not_match_are_refused():
    with pytest.raises(LabelError, match="path"):
        follow(base(), path()[:, :2], rates=RATES)
    with pytest.raises(LabelError, match="share their zones"):
        follow(base().only(["a", "c", "b"]), path(), rates=RATES)


def test_who_goes_through_a_borrowed_ratio_is_imputed():
    imputed = np.zeros((2, 2, 3))
    imputed[0, 1, 0] = 1.0
    rates = Rates.build(
        {"imputed": imputed}, zones=RATES.zones, parents=RATES.parents,
        parent_of=RATES.parent_of, ages=AGES, interval=5,
    )  # fmt: skip
    made = follow(base(), path(), rates=rates).population
    assert made.flag[1, 0] & Flag.IMPUTED
    assert not made.flag[1, 2] & Flag.IMPUTED
    assert 0 < made.imputed_share[1, 0] < 1
