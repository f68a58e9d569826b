"""Rates from two dates, their shrinkage, and the projection made with them."""

import numpy as np
import pytest

from futuremap.core.ages import AgeGroups
from futuremap.core.flows import imbalance
from futuremap.core.population import Flag, Population, mark
from futuremap.errors import DemographyError, LabelError, SolveError
from futuremap.projection.controls import control_totals, rake
from futuremap.projection.project import project
from futuremap.projection.rates import from_two_dates
from futuremap.projection.shrinkage import shrink

AGES = AgeGroups.five_year(open_age=85)


def two_dates(zones=40, seed=0, scale=60.0):
    rng = np.random.default_rng(seed)
    past = rng.poisson(rng.gamma(2.0, scale, (zones, 1, 1)) * np.ones((1, 2, len(AGES))) / 4)
    base = np.zeros_like(past)
    base[..., 1:] = past[..., :-1]
    base[..., -1] += past[..., -1]
    base = rng.binomial(base, 0.9)
    base[..., 0] = rng.poisson(past[..., 0] + 1)
    ids = [f"z{i:03d}" for i in range(zones)]
    return [
        Population.build(cube[None], years=[year], zones=ids, ages=AGES)
        for year, cube in ((2018, past), (2023, base))
    ]


def parents(population, split=0.5):
    first = int(len(population.zones) * split)
    return ["37201"] * first + ["37202"] * (len(population.zones) - first)


def test_projection_is_finite_flagged_and_balances():
    past, base = two_dates()
    rates = from_two_dates(past, base, parents=parents(base))
    result = project(base, rates, steps=6)
    assert result.population.years == (2023, 2028, 2033, 2038, 2043, 2048, 2053)
    assert imbalance(result.population, result.flows) < 1e-9
    assert (result.population.flag[0] == Flag.OBSERVED).all()
    assert (result.population.flag[1:] == (Flag.PROJECTED | Flag.SHRUNK)).all()


def test_what_was_made_up_stays_marked():
    past, base = two_dates()
    base = mark(base, Flag.SYNTHETIC)
    later = project(base, from_two_dates(past, base, parents=parents(base)), steps=2).population
    assert (later.flag & Flag.SYNTHETIC > 0).all()
    assert (later.flag & Flag.OBSERVED == 0).all()
    assert (later.imputed_share == 1).all()


def test_without_shrinkage_the_first_step_repeats_the_past_exactly():
    past, base = two_dates(zones=1)
    rates = from_two_dates(past, base, parents=["37201"])
    again = project(past, rates, steps=1).population.persons[1]
    np.testing.assert_allclose(again[:, :, 1:], base.persons[0][:, :, 1:], rtol=1e-12, atol=1e-9)


def test_controls_are_met_and_flagged_and_other_parents_left_alone():
    past, base = two_dates()
    rates = from_two_dates(past, base, parents=parents(base))
    totals = np.full((3, 2), np.nan)
    totals[1:, 0] = [5000.0, 4000.0]
    result = project(base, rates, steps=2, totals=totals)
    by_zone = result.population.totals()
    np.testing.assert_allclose(by_zone[1:, :20].sum(axis=1), [5000, 4000], rtol=1e-12)
    assert imbalance(result.population, result.flows) < 1e-9
    assert (result.population.flag[1:, :20] & Flag.RAKED > 0).all()
    assert (result.population.flag[1:, 20:] & Flag.RAKED == 0).all()
    free = project(base, rates, steps=2).population.totals()
    np.testing.assert_allclose(by_zone[:, 20:], free[:, 20:], rtol=1e-14)


def test_zone_order_does_not_matter():
    past, base = two_dates()
    order = np.random.default_rng(3).permutation(len(base.zones))
    ids = [base.zones[i] for i in order]
    straight = from_two_dates(past, base, parents=["37201"] * len(ids))
    turned = from_two_dates(past.only(ids), base.only(ids), parents=["37201"] * len(ids))
    a = project(base, straight, steps=6).population.only(ids)
    b = project(base.only(ids), turned, steps=6).population
    np.testing.assert_allclose(a.persons, b.persons, rtol=1e-9)


def test_an_empty_zone_stays_empty_and_makes_no_nan():
    past, base = two_dates()
    cube = base.persons[0].copy()
    cube[3] = 0
    base = Population.build(cube[None], years=[2023], zones=base.zones, ages=AGES)
    rates = from_two_dates(past, base, parents=parents(base))
    assert np.isfinite(project(base, rates, steps=6).population.persons).all()


def test_an_age_that_was_empty_borrows_its_ratio_and_says_so():
    past, base = two_dates(zones=3)
    cube = past.persons.copy()
    cube[:, :, 0, 4] = 0  # no men of 20–24 five years ago, but some now
    past = Population.build(cube, years=[2018], zones=past.zones, ages=AGES)
    rates = from_two_dates(past, base, parents=["a"] * 3)
    assert rates["imputed"][0, 0, 4] == 1
    assert rates["imputed"].sum() == 1
    women = rates["parent_cohort_change_ratio"][0, 1, 4]
    assert rates["parent_cohort_change_ratio"][0, 0, 4] == pytest.approx(women)
    later = project(base, rates, steps=2).population
    assert (later.persons[1, :, 0, 5] > 0).all()
    assert (later.flag[1:] & Flag.IMPUTED > 0).all()
    assert (later.imputed_share[1] > 0).all()
    assert (later.imputed_share[1] < 0.2).all()
    plain = project(base, from_two_dates(*two_dates(zones=3), parents=["a"] * 3), steps=2)
    assert (plain.population.flag & Flag.IMPUTED == 0).all()


def test_faults_are_named():
    past, base = two_dates()
    with pytest.raises(LabelError, match="years apart"):
        from_two_dates(base, base, parents=parents(base))
    with pytest.raises(LabelError, match="together by parent"):
        from_two_dates(past, base, parents=["b", "a"] * 20)
    men = base.persons.copy()
    men[:, :, 1] = 0
    only_men = Population.build(men, years=[2023], zones=base.zones, ages=AGES)
    with pytest.raises(DemographyError, match="37201"):
        from_two_dates(past, only_men, parents=parents(base))


def test_shrinkage_recovers_the_spread_and_pools_without_spread():
    rng = np.random.default_rng(5)
    exposure = rng.uniform(5, 400, 300)
    same = rng.binomial(exposure.astype(int), 0.6).astype(float)
    pooled = shrink(same, exposure.astype(int).astype(float), noise=0.4)
    assert pooled.weight[exposure > 300].mean() < 0.2
    truth = rng.normal(0.8, 0.2, 300)
    spread = shrink(exposure * truth, exposure, noise=0.4)
    assert spread.weight[exposure > 300].mean() > 0.95
    error_raw = np.abs(exposure * truth / exposure - truth).mean()
    assert error_raw < 1e-12


def test_shrunk_ratio_beats_raw_and_pooled_on_noisy_areas():
    rng = np.random.default_rng(11)
    exposure = rng.gamma(1.0, 60.0, 2000) + 1
    truth = rng.gamma(0.8 / 0.02, 0.02, 2000)
    outcome = rng.poisson(exposure * truth * 1.0).astype(float)
    shrunk = shrink(outcome, exposure, noise=1.0)

    def error(ratio):
        return float((exposure * np.abs(ratio - truth)).sum())

    assert error(shrunk.ratio) < 0.9 * min(error(outcome / exposure), error(shrunk.parent))


def test_a_control_is_never_used_past_its_years_nor_in_the_base_year():
    controls = Population.build(
        np.array([100.0, 90.0]).reshape(2, 1, 1, 1) * np.array([[[[0.5], [0.5]]]]),
        years=[2020, 2030],
        zones=["37201"],
        ages=AgeGroups((0,)),
    )
    years = [2023, 2028, 2033]
    level = control_totals(controls, years=years, base_totals=np.array([200.0]))
    assert np.isnan(level[[0, 2]]).all()
    assert level[1, 0] == pytest.approx(92)
    growth = control_totals(controls, years=years, base_totals=np.array([200.0]), basis="growth")
    assert growth[1, 0] == pytest.approx(200 * 92 / 97)


def test_an_empty_parent_cannot_meet_a_total():
    with pytest.raises(SolveError, match="empty"):
        rake(np.zeros((2, 2, 3)), np.array([5.0]), parent_starts=np.array([0]))
