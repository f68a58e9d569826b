"""Single years: conserved, never negative, and the school grades that follow."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from futuremap.core.ages import AgeGroups
from futuremap.errors import DemographyError, LabelError
from futuremap.projection.single_years import (
    merge_ages,
    nursery_classes,
    school_grades,
    split_ages,
    stationary_tail,
)

AGES = AgeGroups.five_year(open_age=85)
COUNTS = arrays(np.float64, (4, 2, 18), elements=st.floats(0, 1e6))


@given(COUNTS)
def test_every_group_keeps_its_people(persons):
    single = split_ages(persons, AGES)
    assert single.shape == (4, 2, 105)
    assert single.min() >= 0
    scale = np.maximum(1.0, persons.sum(axis=-1, keepdims=True))
    assert (np.abs(merge_ages(single, AGES) - persons) <= 1e-12 * scale).all()


@given(COUNTS, st.permutations(range(4)))
def test_zones_do_not_matter_to_each_other(persons, order):
    assert np.array_equal(split_ages(persons[order], AGES), split_ages(persons, AGES)[order])


def test_years_and_zones_may_stand_before():
    persons = np.random.default_rng(1).uniform(0, 50, (3, 5, 2, 18))
    assert np.allclose(split_ages(persons, AGES)[2, 4], split_ages(persons[2, 4], AGES))


def test_a_straight_line_comes_back():
    truth = np.repeat((200.0 - np.arange(85))[None], 2, axis=0)
    groups = np.concatenate([truth.reshape(2, 17, 5).sum(axis=2), np.full((2, 1), 100.0)], axis=1)
    single = split_ages(groups, AGES)
    assert np.abs(single[:, 5:80] / truth[:, 5:80] - 1).max() < 0.01


def test_empty_groups_stay_empty():
    persons = np.zeros((2, 18))
    persons[:, 4] = 50.0
    single = split_ages(persons, AGES)
    assert single[:, 20:25].sum() == pytest.approx(100)
    assert np.count_nonzero(single) == 10


def test_the_tail_is_a_model_or_given():
    persons = np.ones((2, 18))
    by_model = split_ages(persons, AGES)[:, 85:]
    assert (np.diff(by_model[:, :-1], axis=1) < 0).all()
    assert by_model[1, 10] > by_model[0, 10]  # women grow older
    given_tail = split_ages(persons, AGES, last_age=87, tail=np.array([2.0, 1.0, 1.0]))
    assert given_tail[0, 85:].tolist() == [0.5, 0.25, 0.25]
    assert stationary_tail(85, 104).shape == (2, 20)


def test_the_tail_agrees_with_the_life_table():
    # 5Lx of UN WPP 2024, Japan 2020–25, from 85–89 on
    men, women = np.add.reduceat(stationary_tail(85, 104), [0, 5, 10, 15], axis=1)
    assert men / men.sum() == pytest.approx(
        np.array([189720, 91335, 26325, 3981]) / 311361, abs=0.02
    )
    assert women / women.sum() == pytest.approx(
        np.array([310583, 198000, 81955, 18532]) / 609069, abs=0.02
    )


def test_widths_may_differ_and_one_group_is_even():
    ages = AgeGroups((0, 1, 5, 10))
    persons = np.array([[1.0, 8.0, 10.0, 3.0]] * 2)
    assert np.allclose(merge_ages(split_ages(persons, ages, last_age=12), ages), persons)
    even = split_ages(np.array([[10.0, 1.0]] * 2), AgeGroups((0, 5)), last_age=5)
    assert even[0, :5].tolist() == [2.0] * 5


@pytest.mark.parametrize("bad", [-1.0, np.nan, np.inf])
def test_impossible_counts_are_refused(bad):
    persons = np.ones((1, 2, 18))
    persons[0, 1, 3] = bad
    with pytest.raises(DemographyError, match=r"\(0, 1, 3\)"):
        split_ages(persons, AGES)


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(LabelError, match="18 age groups"):
        split_ages(np.ones((2, 17)), AGES)
    with pytest.raises(LabelError, match="end at 80"):
        split_ages(np.ones((2, 18)), AGES, last_age=80)
    with pytest.raises(LabelError, match="tail"):
        split_ages(np.ones((2, 18)), AGES, tail=np.ones(3))
    with pytest.raises(DemographyError, match="tail"):
        split_ages(np.ones((2, 18)), AGES, tail=np.zeros(20))
    with pytest.raises(LabelError, match="do not reach"):
        merge_ages(np.ones(50), AGES)


def test_grades_by_date():
    single = np.zeros(20)
    single[6], single[7] = 120.0, 60.0
    assert school_grades(single, months_after_april=0)[0] == 120  # 1 April
    assert school_grades(single, months_after_april=1)[0] == pytest.approx(115)  # 1 May
    assert school_grades(single, months_after_april=6)[0] == 90  # 1 October
    assert len(school_grades(single, months_after_april=6)) == 9


@given(st.floats(0, 11.99))
def test_children_are_in_one_class_each(months):
    single = np.full((2, 30), 12.0)
    classes = nursery_classes(single, months_after_april=months)
    pupils = school_grades(single, months_after_april=months)
    # from birth to the end of 中3: fifteen cohorts and those born since April
    assert classes.sum() + pupils.sum() == pytest.approx(2 * 12 * (15 + months / 12))


def test_dates_and_ages_out_of_reach_are_refused():
    with pytest.raises(DemographyError, match="another school year"):
        school_grades(np.ones(20), months_after_april=12)
    with pytest.raises(LabelError, match="do not reach"):
        school_grades(np.ones(15), months_after_april=0)
