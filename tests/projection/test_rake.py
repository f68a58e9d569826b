"""Raking by totals, by sex and age and by both; the ladder; two levels."""

import numpy as np
import pytest

from futuremap.errors import SolveError
from futuremap.projection.controls import nest
from futuremap.projection.rake import Controls, rake_zones

STARTS = np.array([0, 3])


def people(seed=0, zones=7, ages=5):
    return np.random.default_rng(seed).gamma(1.0, 20.0, (zones, 2, ages))


def sums(persons):
    return np.add.reduceat(persons, STARTS, axis=0)


def test_sexes_and_ages_are_met_and_parents_without_a_control_left_alone():
    persons = people()
    before = persons.copy()
    wanted = sums(people(1))
    wanted[1] = np.nan
    raked = rake_zones(persons, parent_starts=STARTS, sex_age=wanted)
    np.testing.assert_allclose(sums(persons)[0], wanted[0], rtol=1e-13)
    np.testing.assert_array_equal(persons[3:], before[3:])
    np.testing.assert_allclose(raked.factor[0], wanted[0] / sums(before)[0])
    assert (raked.factor[1] == 1).all()
    assert raked.total_factor[0] == pytest.approx(wanted[0].sum() / before[:3].sum())
    assert raked.total_factor[1] == 1
    assert (raked.placed == 0).all()


def test_a_total_beside_some_ages_is_taken_up_by_the_others():
    persons = people()
    wanted = np.full((2, 2, 5), np.nan)
    wanted[:, :, 4] = 10.0
    rake_zones(persons, np.array([500.0, np.nan]), parent_starts=STARTS, sex_age=wanted)
    assert persons[:3].sum() == pytest.approx(500, rel=1e-12)
    np.testing.assert_allclose(sums(persons)[:, :, 4], 10)


def test_zone_totals_and_ages_together():
    persons, truth = people(), people(1)
    zone_totals = truth.sum(axis=(1, 2))
    zone_totals[5] = np.nan
    rake_zones(persons, parent_starts=STARTS, sex_age=sums(truth), zone_totals=zone_totals)
    np.testing.assert_allclose(sums(persons), sums(truth), rtol=1e-9)
    np.testing.assert_allclose(persons.sum(axis=(1, 2)), truth.sum(axis=(1, 2)), rtol=1e-9)


def test_a_total_and_zone_totals_keep_the_parents_ages():
    persons = people()
    before = sums(persons)[0]
    rake_zones(
        persons,
        np.array([before.sum(), np.nan]),
        parent_starts=STARTS,
        zone_totals=np.array([30.0] + [np.nan] * 6),
    )
    assert persons[0].sum() == pytest.approx(30)
    np.testing.assert_allclose(sums(persons)[0], before, rtol=1e-9)


def test_each_rung_of_the_ladder_is_taken_in_turn_and_logged():
    persons = people()
    persons[:3, 0, 2] = 0  # no men of this age: they go where the women are
    persons[:3, :, 3] = 0  # nobody of this age: they go where people are
    wanted = np.full((2, 2, 5), np.nan)
    wanted[0, 0, 2], wanted[0, 1, 3] = 6.0, 9.0
    before = persons.copy()
    raked = rake_zones(persons, parent_starts=STARTS, sex_age=wanted)
    assert raked.placed.tolist() == [[6, 9, 0, 0], [0, 0, 0, 0]]
    np.testing.assert_allclose(persons[:3, 0, 2], 6 * before[:3, 1, 2] / before[:3, 1, 2].sum())
    everybody = before[:3].sum(axis=(1, 2))
    np.testing.assert_allclose(persons[:3, 1, 3], 9 * everybody / everybody.sum())
    assert raked.factor[0, 0, 2] == 1


def test_a_parent_that_died_out_fills_where_people_lived():
    persons = np.zeros((7, 2, 5))
    launch = np.ones_like(persons)
    launch[1] = 0
    wanted = np.full((2, 2, 5), np.nan)
    wanted[0, 0, 2] = 6.0
    raked = rake_zones(persons, parent_starts=STARTS, sex_age=wanted, launch=launch)
    assert persons[:3, 0, 2].tolist() == [3, 0, 3]
    assert raked.placed[0].tolist() == [0, 0, 6, 0]
    assert raked.total_factor.tolist() == [1, 1]


def test_an_empty_zone_that_must_fill_gets_its_parents_ages():
    persons = people()
    persons[4] = 0
    before = sums(persons)[1]
    zone_totals = np.full(7, np.nan)
    zone_totals[4] = 80.0
    raked = rake_zones(persons, parent_starts=STARTS, zone_totals=zone_totals)
    np.testing.assert_allclose(persons[4], 80 * before / before.sum())
    assert raked.placed.tolist() == [[0, 0, 0, 0], [0, 0, 0, 80]]


def test_a_control_of_zero_empties_a_cell():
    persons = people()
    wanted = sums(persons)
    wanted[1, 0, 0] = 0
    rake_zones(persons, parent_starts=STARTS, sex_age=wanted)
    assert (persons[3:, 0, 0] == 0).all()
    assert np.isfinite(persons).all()


def test_a_trace_of_people_is_nobody():
    persons = people()
    persons[:3, 0, 2] = 1e-320  # as a factor it would overflow
    wanted = np.full((2, 2, 5), np.nan)
    wanted[0, 0, 2] = 6.0
    rake_zones(persons, parent_starts=STARTS, sex_age=wanted)
    assert persons[:3, 0, 2].sum() == pytest.approx(6)


def test_what_cannot_be_met_is_located():
    full, gaps = sums(people()), np.full((2, 2, 5), np.nan)
    gaps[1, 0, 0] = 50.0
    name = {"name_of": lambda p: f"town {p} in 2028", "parent_starts": STARTS}
    with pytest.raises(SolveError, match=r"town 1 in 2028: its sexes and ages add up to .*, its"):
        rake_zones(people(), np.array([np.nan, 1.0]), sex_age=full, **name)
    with pytest.raises(SolveError, match="town 1 in 2028: its sexes"):
        rake_zones(people(), np.array([np.nan, 40.0]), sex_age=gaps, **name)
    with pytest.raises(SolveError, match="town 0 in 2028 is empty and cannot meet its total 5"):
        rake_zones(np.zeros((7, 2, 5)), np.array([5.0, np.nan]), **name)
    with pytest.raises(SolveError, match="town 1 in 2028 is empty and cannot meet 50 of an age"):
        rake_zones(np.zeros((7, 2, 5)), sex_age=gaps, **name)
    with pytest.raises(SolveError, match="town 1 in 2028: controls by totals"):
        rake_zones(people(), np.array([1.0, -1.0]), **name)
    with pytest.raises(SolveError, match="town 0 in 2028: rows add up"):
        rake_zones(people(), sex_age=full, zone_totals=np.full(7, 1e6), **name)


def test_two_levels_agree():
    seed = np.stack([people(i) for i in range(2)])
    own = Controls(
        totals=np.where(np.arange(7) == 6, np.nan, 150.0) * np.ones((2, 1)),
        parents=tuple("abcdefg"),
    )
    upper = Controls(sex_age=np.stack([sums(people(5)), sums(people(6))]), parents=("x", "y"))
    upper.sex_age[0, 1] = np.nan
    nested, factor = nest(own, upper, upper_starts=STARTS, seed=seed)
    np.testing.assert_allclose(sums(nested.sex_age[1]), upper.sex_age[1], rtol=1e-9)
    by_parent = nested.sex_age[1].sum(axis=(1, 2))
    np.testing.assert_allclose(by_parent[:3], by_parent[0])  # equal totals stay equal
    assert by_parent[:3].sum() == pytest.approx(upper.sex_age[1, 0].sum())
    assert factor[1, 0] == pytest.approx(upper.sex_age[1, 0].sum() / 450)
    assert np.isnan(nested.sex_age[0, 3:]).all()  # below an upper zone without a control
    assert nested.totals[0, 3:6].tolist() == [150] * 3
    assert factor[0, 1] == 1
    assert np.isnan(nested.totals[1]).all()


def test_contradictions_of_one_level_and_of_the_upper_one_are_located():
    seed = people()[None]
    names = {"parents": tuple("abcdefg"), "years": (2028,)}
    own = Controls(totals=np.full((1, 7), 1.0), sex_age=seed + 1, **names)
    upper = Controls(totals=np.array([[1.0, 1.0]]), parents=("x", "y"), years=(2028,))
    with pytest.raises(SolveError, match="parent a in 2028"):
        nest(own, upper, upper_starts=STARTS, seed=seed)
    with pytest.raises(SolveError, match="parent x in 2028 is empty"):
        nest(Controls(), upper, upper_starts=STARTS, seed=np.zeros_like(seed))
