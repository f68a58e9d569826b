"""Life tables against published values, their survival ratios, and trends."""

import numpy as np
import pytest

from futuremap.core.ages import AgeGroups
from futuremap.errors import DemographyError, LabelError, SolveError
from futuremap.projection.life_table import (
    life_table,
    separation_factors,
    single_year_survival,
    split_open_mortality,
    survival_ratios,
)
from futuremap.projection.trends import brass_to_e0, improved, improvement_pace, taper

LOWER = np.array([0, 1, *range(5, 101, 5)])
# Japan 2020–2025, UN WPP 2024 (CC BY 3.0 IGO): men
MEN = np.array([
    0.00178023, 0.00015581, 7.028e-05, 8.617e-05, 0.00025559, 0.00046334, 0.00047696, 0.00056992,
    0.0007447, 0.00109199, 0.00177478, 0.00294476, 0.0047331, 0.00763717, 0.012422, 0.0202752,
    0.0328632, 0.0582851, 0.107958, 0.191138, 0.313439, 0.477735,
])  # fmt: skip
JAPAN = np.stack([MEN, MEN * 0.8])


def test_japan_is_as_published():
    table = life_table(JAPAN, lower=LOWER)
    assert table.ex[0, 0] == pytest.approx(81.57, abs=0.02)
    assert table.ex[0, 14] == pytest.approx(19.91, abs=0.02)  # at 65
    survival = survival_ratios(table, AgeGroups.five_year(open_age=95))
    assert not survival.pooled
    assert survival.ratio[0, 0] == pytest.approx(0.99798, abs=2e-4)
    assert survival.ratio[0, 14] == pytest.approx(0.92296, abs=5e-4)  # 65–69 to 70–74
    assert survival.ratio[0, 20] == pytest.approx(0.13137, abs=2e-3)  # 95+ to 100+


def test_the_stationary_population_stays():
    table = life_table(JAPAN, lower=LOWER)
    for open_age in (85, 95, 100):
        ages = AgeGroups.five_year(open_age=open_age)
        ratio = survival_ratios(table, ages).ratio
        tx = table.Tx[:, [LOWER.tolist().index(a) for a in ages.lower]]
        stock = np.append(tx[:, :-1] - tx[:, 1:], tx[:, -1:], axis=1)
        later = np.append(ratio[:, :1] * 5, stock * ratio[:, 1:], axis=1)
        later[:, -2] += later[:, -1]
        np.testing.assert_allclose(later[:, :-1], stock, rtol=1e-12)


def test_a_table_that_stops_at_the_open_age_pools_and_says_so():
    survival = survival_ratios(life_table(JAPAN, lower=LOWER), AgeGroups.five_year(open_age=100))
    assert survival.pooled
    np.testing.assert_array_equal(survival.ratio[:, -1], survival.ratio[:, -2])


def test_separation_factors_of_infants_turn_constant():
    high = np.array([[0.2, 0.02, 0.1], [0.2, 0.02, 0.1]])
    assert separation_factors(high, lower=np.array([0, 1, 5]))[:, :2].tolist() == [
        [0.33, 1.352],
        [0.35, 1.361],
    ]
    none = separation_factors(np.where(LOWER < 100, 0.0, 0.5) * np.ones((2, 1)), lower=LOWER)
    assert np.isfinite(none).all()


def test_death_rates_without_sense_are_refused_with_their_age():
    for wrong in (-0.1, np.nan):
        mx = JAPAN.copy()
        mx[1, 4] = wrong
        with pytest.raises(DemographyError, match="age 15"):
            life_table(mx, lower=LOWER)
    mx = JAPAN.copy()
    mx[0, -1] = 0.0
    with pytest.raises(DemographyError, match="age 100"):
        life_table(mx, lower=LOWER)
    with pytest.raises(LabelError, match="no group from age 3"):
        survival_ratios(life_table(JAPAN, lower=LOWER), AgeGroups((0, 3, 6)))


def test_certain_death_leaves_somebody_for_the_open_group():
    mx = JAPAN.copy()
    mx[:, -2] = 50.0
    table = life_table(mx, lower=LOWER)
    assert (table.qx[:, -2] == 0.999).all()
    assert np.isfinite(table.ex).all()


def test_single_years_multiply_to_five_and_do_not_drift():
    table = life_table(JAPAN, lower=LOWER)
    single = single_year_survival(table, open_age=95).ratio
    five = survival_ratios(table, AgeGroups.five_year(open_age=95)).ratio
    lived = np.cumprod(single[:, :96], axis=1)  # single years lived, 0 … 95
    groups = lived[:, :95].reshape(2, 19, 5).sum(axis=2)
    np.testing.assert_allclose(groups[:, 1:] / groups[:, :-1], five[:, 1:19], rtol=1e-9)
    assert ((single > 0) & (single < 1)).all()
    # five small steps lose as many of the 70–74s as one large step
    stock = np.zeros(101)
    stock[70:75] = lived[0, 70:75]
    for _ in range(5):
        stock[1:96] = stock[:95] * single[0, 1:96]
        stock[0] = 0.0
    assert stock[75:80].sum() / groups[0, 14] == pytest.approx(five[0, 15], rel=1e-9)
    with pytest.raises(LabelError, match="no bound"):
        single_year_survival(table, open_age=100)


def test_an_open_group_is_split_without_changing_how_long_it_lives():
    short = np.array([0, 1, *range(5, 86, 5)])
    mx = np.concatenate([JAPAN[:, :18], np.array([[0.15], [0.12]])], axis=1)
    longer = split_open_mortality(mx, lower=short, to=LOWER)
    table = life_table(longer, lower=LOWER)
    np.testing.assert_allclose(table.ex[:, 18], [1 / 0.15, 1 / 0.12])
    assert (np.diff(longer[:, 17:], axis=1) > 0).all()
    with pytest.raises(LabelError, match="do not begin"):
        split_open_mortality(mx, lower=short, to=LOWER[1:])
    with pytest.raises(DemographyError, match="exceed"):
        split_open_mortality(np.minimum(mx, 0.05), lower=short, to=LOWER)


def test_brass_reaches_its_target_and_moves_all_ages_the_same_way():
    table = life_table(JAPAN, lower=LOWER)
    better = brass_to_e0(table, np.array([85.0, 90.0]))
    np.testing.assert_allclose(better.ex[:, 0], [85.0, 90.0])
    assert (better.lx[:, 1:] >= table.lx[:, 1:]).all()
    same = brass_to_e0(table, table.ex[:, 0])
    np.testing.assert_allclose(same.lx, table.lx, rtol=1e-6)
    with pytest.raises(SolveError, match="300"):
        brass_to_e0(table, np.array([300.0, 85.0]))


def test_a_constant_pace_goes_on_as_it_was():
    pace = improvement_pace(JAPAN * 1.1, JAPAN, years=5)
    np.testing.assert_allclose(improved(JAPAN, pace, years=np.array([5]))[0], JAPAN / 1.1)
    with pytest.raises(DemographyError, match="no pace"):
        improvement_pace(JAPAN * 0, JAPAN, years=5)


def test_a_taper_ends_at_its_target_and_stays():
    path = taper(np.array([[0.4, -0.2]]), np.zeros((1, 2)), steps=4, until=2)
    np.testing.assert_allclose(path[:, 0], [[0.4, -0.2], [0.2, -0.1], [0, 0], [0, 0]])
    with pytest.raises(DemographyError, match="at least one step"):
        taper(np.ones(1), 0.0, steps=3, until=0)
