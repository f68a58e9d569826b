"""Staff by the cohort kernel, what they are needed for, and how alike municipalities are."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from futuremap.core.ages import AgeGroups
from futuremap.core.flows import imbalance
from futuremap.core.population import Population
from futuremap.errors import LabelError
from futuremap.indicators.staff import StaffRow, staff_now, staff_rates, staff_table
from futuremap.indicators.workload import Task, distances, persons_needed, profiles, task_hours
from futuremap.projection.by_component import project_components


def row(item, first, last, value, *, year=None, group="civil", sex="both"):
    return StaffRow(group, item, sex, first, last, year, value)


def run(rows, start, end):
    base = staff_now(rows, year=start)
    return project_components(
        base, staff_rates(rows, years=range(start + 1, end + 1)), steps=end - start
    )


def test_a_worked_example():
    """Twenty of 58 and 59 retire at 60; two are hired a year at 25; a tenth of the young leave."""
    rows = [
        row("staff", 58, 59, 20.0), row("staff", 25, 25, 4.0), row("hire", 25, 25, 2.0),
        row("leave", 20, 30, 0.1), row("retire", 60, 60, 60.0),
    ]  # fmt: skip
    found = run(rows, 2024, 2027)
    totals = found.population.totals()[:, 0]
    # 2025: ten of 59 go, ten of 58 stay; 4 of 25 become 3.6, two come
    assert totals[:3] == pytest.approx([24, 10 + 3.6 + 2, 3.24 + 1.8 + 2])
    assert found.flows.signed("births").sum() == 0
    assert imbalance(found.population, found.flows) < 1e-9


def test_retirement_that_rises_keeps_those_who_would_have_gone():
    rows = [
        row("staff", 58, 58, 10.0),
        row("retire", 60, 60, 60.0),
        row("retire", 61, 61, 61.0, year=2026),
    ]
    # 60 in 2026, when the age is 61: one year more
    assert run(rows, 2024, 2028).population.totals()[:, 0].tolist() == [10, 10, 10, 0, 0]


def test_rows_of_a_year_take_over_by_group_and_sex():
    rows = [
        row("staff", 30, 30, 10.0, sex="male"), row("staff", 30, 30, 10.0, sex="female"),
        row("leave", 18, 60, 0.0, sex="male"), row("leave", 18, 60, 0.5, year=2026, sex="male"),
    ]  # fmt: skip
    persons = run(rows, 2024, 2026).population.persons.sum(axis=3)[:, 0]
    assert persons.tolist() == [[10, 10], [10, 10], [5, 10]]


def test_farmers_work_beyond_seventy_and_groups_stay_apart():
    rows = [
        row("staff", 75, 75, 3.0, group="farm"),
        row("staff", 30, 30, 1.0),
        row("retire", 60, 60, 60.0),
    ]
    assert run(rows, 2024, 2034).population.totals()[-1].tolist() == [3, 1]


@settings(max_examples=20, deadline=None)
@given(st.floats(0, 0.5), st.floats(0, 20), st.integers(60, 69))
def test_the_account_of_staff_is_exact(leave, hired, age):
    rows = [
        row("staff", 20, 69, 100.0), row("leave", 15, 80, leave), row("hire", 22, 40, hired),
        row("retire", age, age, float(age)),
    ]  # fmt: skip
    found = run(rows, 2024, 2034)
    assert imbalance(found.population, found.flows) < 1e-9
    assert found.population.persons[1:, :, :, age:].sum() == 0


def test_tables_say_gap_and_refuse_other_shapes():
    people = staff_now([row("staff", 30, 30, 5.0)], year=2024)
    assert staff_table(people, np.array([[7.5]])).column("staff_gap", 2024).tolist() == [-2.5]
    with pytest.raises(LabelError):
        staff_table(people, np.array([[1.0, 2.0]]))


YEARS = np.array([2020, 2030])


def test_hours_by_hand():
    assert task_hours(
        Task("a", "", "", "deaths_per_year", 0.5, 4.0), np.array([10.0, 20.0]), years=YEARS
    ).tolist() == [20, 40]
    grown = task_hours(Task("b", "", "", "", 100.0, 2.0, growth=0.01), None, years=YEARS)
    assert grown == pytest.approx([200, 200 * 1.01**10])
    with pytest.raises(LabelError):
        task_hours(Task("c", "", "", "deaths_per_year", 1.0, 1.0), None, years=YEARS)


def test_needs_add_up_over_tasks():
    tasks = [Task("a", "civil", "", "", 90.0, 20.0), Task("b", "civil", "", "population", 0.1, 9.0)]
    need = persons_needed(tasks, {"population": np.array([2000.0, 1000.0])}, years=YEARS,
                          groups=["civil"], hours_per_person=1800.0)  # fmt: skip
    assert need[:, 0] == pytest.approx([(1800 + 1800) / 1800, (1800 + 900) / 1800])


def test_likeness_is_a_distance():
    rng = np.random.default_rng(1)
    apart = distances(rng.uniform(size=(6, 4)))
    assert np.allclose(apart, apart.T)
    assert (np.diag(apart) == 0).all()
    assert (apart[:, :, None] <= apart[:, None, :] + apart.T[None] + 1e-12).all()
    # a column in which all are alike says nothing
    assert (distances(np.ones((3, 2))) == 0).all()


def test_profiles_take_households_where_they_are_known():
    people = Population.build(
        [[[[1.0, 5.0, 2.0, 2.0]] * 2]], years=[2020], zones=["a"], ages=AgeGroups((0, 15, 65, 75))
    )
    assert profiles(people, np.array([[8.0]]))[0, 0].tolist() == [0.1, 0.4, 0.2, 0.5, 2.5]
