"""The verb project with controls by total, by sex and age, by zone, and on two levels."""

import numpy as np
import pytest

from futuremap.core.ages import AgeGroups
from futuremap.core.flows import imbalance
from futuremap.core.population import Flag, Population
from futuremap.core.rates import Rates
from futuremap.errors import LabelError, SolveError
from futuremap.projection.kernel import step
from futuremap.projection.project import Upper, project
from futuremap.projection.rates import FERTILE_FROM, FERTILE_TO, from_two_dates

AGES = AgeGroups.five_year(open_age=85)
CODES = ["34204"] * 12 + ["34205"] * 8 + ["14384"] * 10
STARTS = np.array([0, 12, 20])


@pytest.fixture(scope="module")
def given():
    rng = np.random.default_rng(4)
    cubes = rng.poisson(rng.gamma(2.0, 15.0, (2, 30, 2, len(AGES)))).astype(float)
    cubes[:, :, 1, 0] = cubes[:, :, 0, 0]
    ids = [f"z{i:02d}" for i in range(30)]
    past, base = (
        Population.build(cube[None], years=[year], zones=ids, ages=AGES)
        for year, cube in zip((2018, 2023), cubes, strict=True)
    )
    return base, from_two_dates(past, base, parents=CODES)


def by_parent(result):
    return np.add.reduceat(result.population.persons, STARTS, axis=1)


def test_the_verb_is_the_step_repeated(given):
    base, rates = given
    result = project(base, rates, steps=3)
    people, shared = base.persons[0], rates["parent_cohort_change_ratio"][rates.parent_of]
    births = rates["parent_child_woman_ratio"][rates.parent_of]
    for t in range(3):
        left = float(rates["persistence"]) ** t
        people = step(
            people,
            shared + left * (rates["cohort_change_ratio"] - shared),
            child_woman_ratio=births + left * (rates["child_woman_ratio"] - births),
            sex_ratio_0_4=rates["sex_ratio_0_4"][rates.parent_of],
            fertile=AGES.between(FERTILE_FROM, FERTILE_TO),
            launch=base.persons[0],
        ).persons
        np.testing.assert_allclose(result.population.persons[t + 1], people, rtol=1e-12)
    assert result.factor is None
    assert (result.flows.signed("control_adjustment") == 0).all()


def test_sexes_and_ages_are_met_and_every_factor_kept(given):
    base, rates = given
    free = project(base, rates, steps=2)
    wanted = by_parent(free) * 0.9
    wanted[:, 1] = np.nan
    result = project(base, rates, steps=2, sex_age=wanted)
    np.testing.assert_allclose(by_parent(result)[1:, [0, 2]], wanted[1:, [0, 2]], rtol=1e-12)
    assert imbalance(result.population, result.flows) < 1e-9
    np.testing.assert_allclose(result.factor[1, [0, 2]], 0.9)
    assert (result.factor[:, 1] == 1).all()
    factors = result.controls.column("control_factor", 2028)
    np.testing.assert_allclose(factors, [0.9, 1, 0.9])
    raked = (result.population.flag & Flag.RAKED > 0)[1]
    assert raked[:12].all()
    assert not raked[12:20].any()


def test_a_known_zone_and_its_parent_are_both_met(given):
    base, rates = given
    totals = np.full((3, 3), np.nan)
    totals[1:, 0] = 9000.0
    zones = np.full((3, 30), np.nan)
    zones[1:, 4] = 2000.0
    result = project(base, rates, steps=2, totals=totals, zone_totals=zones)
    np.testing.assert_allclose(result.population.totals()[1:, 4], 2000, rtol=1e-9)
    np.testing.assert_allclose(by_parent(result)[1:, 0].sum(axis=(1, 2)), 9000, rtol=1e-9)
    assert imbalance(result.population, result.flows) < 1e-9


def test_two_levels_are_met_from_the_top(given):
    base, rates = given
    free = by_parent(project(base, rates, steps=2))
    prefectures = np.add.reduceat(free, [0, 2], axis=1) * 1.1
    totals = np.full((3, 3), np.nan)
    totals[1:, 0] = 7000.0
    upper = Upper(("34", "14"), np.array([0, 2]), sex_age=prefectures)
    result = project(base, rates, steps=2, totals=totals, upper=upper)
    above = np.add.reduceat(by_parent(result), [0, 2], axis=1)
    np.testing.assert_allclose(above[1:], prefectures[1:], rtol=1e-9)
    assert result.upper_factor.shape == (3, 2)
    # the town without a total of its own is scaled like the one with
    town = by_parent(result)[1, 0].sum()
    assert town == pytest.approx(7000 * result.upper_factor[1, 0])


def test_a_contradiction_names_town_and_year(given):
    base, rates = given
    totals = np.full((3, 3), np.nan)
    totals[2, 1] = 1.0
    wanted = by_parent(project(base, rates, steps=2))
    with pytest.raises(SolveError, match="parent 34205 in 2033: its sexes and ages add up"):
        project(base, rates, steps=2, totals=totals, sex_age=wanted)
    with pytest.raises(LabelError, match="controls have shape"):
        project(base, rates, steps=2, totals=totals[1:])
    with pytest.raises(LabelError, match="upper controls have shape"):
        project(base, rates, steps=2, upper=Upper(("34",), np.array([0]), totals[1:, :1]))
    with pytest.raises(LabelError, match="upper zones"):
        project(base, rates, steps=2, upper=Upper(("34",), np.array([0, 2]), totals[:, :1]))


def test_both_engines_give_the_same_projection(given):
    base, rates = given
    totals = np.full((5, 3), np.nan)
    totals[1:, 0] = 5000.0
    plain, fast = (
        project(base, rates, steps=4, totals=totals, engine=engine) for engine in ("numpy", "numba")
    )
    np.testing.assert_allclose(fast.population.persons, plain.population.persons, rtol=1e-12)
    assert imbalance(fast.population, fast.flows) < 1e-9
    for name in plain.flows.names:
        np.testing.assert_allclose(
            fast.flows.signed(name), plain.flows.signed(name), rtol=1e-9, atol=1e-9
        )


def by_component(zones, parents, parent_of):
    ages = AgeGroups((0, 5, 10, 15, 20))
    rng = np.random.default_rng(1)
    asfr = np.zeros((len(zones), 5))
    asfr[:, 3] = 0.08
    rates = Rates.build(
        {
            "survival_ratio": rng.uniform(0.9, 1.0, (len(zones), 2, 5)),
            "birth_survival_ratio": np.full((len(zones), 2), 0.99),
            "sex_ratio_at_birth": np.full(len(zones), 1.05),
            "asfr": asfr,
            "net_migration_rate": rng.uniform(-0.05, 0.05, (len(zones), 2, 5)),
        },
        zones=zones, parents=parents, parent_of=parent_of, ages=ages, interval=5,
    )  # fmt: skip
    people = rng.uniform(10, 90, (1, len(zones), 2, 5))
    return Population.build(people, years=[2020], zones=zones, ages=ages), rates


def test_components_meet_their_totals_and_keep_their_account():
    base, rates = by_component(["a", "b", "c"], ["p", "q"], np.array([0, 0, 1]))
    free = project(base, rates, steps=2)
    assert imbalance(free.population, free.flows) < 1e-9
    assert {"births", "deaths", "in_migrants", "out_migrants"} <= set(free.flows.names)
    totals = np.full((3, 2), np.nan)
    totals[1:, 0] = 700.0
    upper = Upper(("34",), np.array([0]), np.array([[np.nan], [1500.0], [1500.0]]))
    made = project(base, rates, steps=2, totals=totals, upper=upper)
    assert imbalance(made.population, made.flows) < 1e-9
    np.testing.assert_allclose(made.population.totals()[1:].sum(axis=1), 1500.0, rtol=1e-9)
    assert made.controls.column("control_factor", 2025)[0] != 1
    alone = project(base, rates, steps=1, totals=totals[:2])
    assert alone.population.totals()[1, :2].sum() == pytest.approx(700)
    assert alone.population.flag[1, 0] & Flag.RAKED
    assert not alone.population.flag[1, 2] & Flag.RAKED


def test_who_is_moved_by_a_zone_total_is_flagged_and_the_parent_factor_known(given):
    base, rates = given
    zones = np.full((2, 30), np.nan)
    zones[1, 4] = 5000.0
    made = project(base, rates, steps=1, zone_totals=zones)
    assert made.population.totals()[1, 4] == pytest.approx(5000)
    assert made.population.flag[1, 4] & Flag.RAKED
    assert not made.population.flag[1, 5] & Flag.RAKED
    assert made.controls.column("control_factor", 2028)[0] > 1.01
