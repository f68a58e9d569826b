"""Differences on a baseline: linear newcomers, changed rates, and an account that balances."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from futuremap.core.ages import AgeGroups
from futuremap.core.rates import Rates
from futuremap.errors import DemographyError, LabelError
from futuremap.projection.beyond import (
    Change,
    Course,
    advance,
    carry,
    fewer_deaths,
    fewer_losses,
    follow_change,
    realised,
    step_of,
    survival,
)

AGES = AgeGroups.five_year(open_age=85)
A, H, N = len(AGES), 4, 5
FERTILE = slice(3, 10)


def course(random, parents=2):
    change = random.uniform(0.3, 1.4, (H, parents, 2, A))
    change[..., -2] = change[..., -1]
    return Course(
        change,
        random.uniform(0, 0.4, (H, parents)),
        random.uniform(0.4, 0.6, (H, parents)),
        FERTILE,
    )


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0, 20))
def test_newcomers_are_linear(seed, factor):
    random = np.random.default_rng(seed)
    way = course(random)
    one, other = random.uniform(0, 3, (2, H, N, 3, 2, A))
    parent = np.array([0, 1, 1])
    both = carry(one + factor * other, way, parent=parent)
    apart = [carry(arrivals, way, parent=parent) for arrivals in (one, other)]
    for name in ("persons", "in_migrants"):
        a, b, c = (getattr(part, name) for part in (both, *apart))
        np.testing.assert_allclose(a, b + factor * c, rtol=1e-10, atol=1e-9)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_everybody_who_comes_is_in_the_flows_once(seed):
    random = np.random.default_rng(seed)
    arrivals = random.uniform(0, 3, (H, N, 3, 2, A))
    came = carry(arrivals, course(random), parent=np.array([0, 1, 1]))
    np.testing.assert_allclose(came.in_migrants.sum(axis=(1, 3)), arrivals.sum(axis=(1, 2, 4)))


def test_who_comes_at_the_end_of_a_step_is_of_the_age_of_then():
    still = Course(np.ones((1, 1, 2, A)), np.full((1, 1), 0.3), np.full((1, 1), 0.5), FERTILE)
    arrivals = np.zeros((1, N, 1, 2, A))
    arrivals[0, -1, 0, 1, 6] = 10.0
    came = carry(arrivals, still, parent=np.array([0]))
    assert came.persons[1, 0, 1, 6] == 10.0
    assert came.persons[1].sum() == 10.0  # no time was left for children


def test_a_full_step_is_the_kernels_step():
    from futuremap.projection.kernel import step

    random = np.random.default_rng(3)
    way = course(random, parents=1)
    people = random.uniform(0, 9, (4, 2, A))
    there = step_of(way, 0, np.zeros(4, dtype=int))
    wanted = step(
        people,
        there.change,
        child_woman_ratio=there.child_woman_ratio,
        sex_ratio_0_4=there.boys / (1 - there.boys),
        fertile=FERTILE,
    ).persons
    np.testing.assert_allclose(advance(people, there, share=1.0), wanted, rtol=1e-12)


def test_ratios_above_one_bring_nobody():
    way = Course(np.full((1, 1, 2, A), 1.5), np.zeros((1, 1)), np.full((1, 1), 0.5), FERTILE)
    assert step_of(way, 0, np.zeros(1, dtype=int)).change.max() == 1.0


def path(random, zones=3):
    people = random.uniform(0, 50, (H + 1, zones, 2, A))
    people[:, 0, :, 5] = 0.0
    return people


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_no_change_is_the_baseline_to_the_bit(seed):
    people = path(np.random.default_rng(seed))
    kept = follow_change(people, Change.none(H, 3, A), fertile=FERTILE)
    assert (people * kept.share == people).all()
    assert not kept.cleared.any()


def test_a_change_moves_up_with_its_cohort():
    people = path(np.random.default_rng(1))
    change = Change.none(H, 3, A)
    change.change[1, 2, 1, 4] = 0.5
    share = follow_change(people, change, fertile=FERTILE).share
    assert [share[t, 2, 1, 3 + t] for t in range(2, H + 1)] == [0.5, 0.5, 0.5]
    assert (share[:, :2] == 1).all()
    children = share[2, 2, 0, 0]
    assert 0 < children < 1  # fewer women have fewer children


def test_the_open_group_is_mixed_as_people_are():
    people = np.full((2, 1, 2, A), 10.0)
    change = Change.none(1, 1, A)
    change.change[0, 0, :, -1] = 0.5
    assert follow_change(people, change, fertile=FERTILE).share[1, 0, 0, -1] == 0.75


def test_clearances_take_so_many_and_no_more():
    people = np.full((3, 1, 2, A), 1.0)
    change = Change.none(2, 1, A)
    change.clear[0] = 9.0
    kept = follow_change(people, change, fertile=FERTILE)
    assert kept.cleared[0].sum() == pytest.approx(9.0)
    assert (people[1] * kept.share[1]).sum() == pytest.approx(2 * A - 9.0)
    change.clear[0] = 2 * A + 1.0
    with pytest.raises(DemographyError, match="must go"):
        follow_change(people, change, fertile=FERTILE)


def rates(zones):
    return Rates.build(
        {
            "parent_cohort_change_ratio": np.full((1, 2, A), 0.9),
            "parent_child_woman_ratio": [0.2],
            "sex_ratio_0_4": [1.05],
        },
        zones=zones,
        parents=["p"],
        parent_of=np.zeros(len(zones), dtype=int),
        ages=AGES,
        interval=5,
    )


def test_the_realised_course_reproduces_the_municipality():
    people = path(np.random.default_rng(5))
    way = realised(people, rates(["a", "b", "c"]))
    town = people.sum(axis=1)
    for t in range(H):
        moved = town[t] * way.change[t, 0]
        np.testing.assert_allclose(town[t + 1, :, 1:-1], moved[:, :-2])
        np.testing.assert_allclose(town[t + 1, :, -1], moved[:, -2:].sum(axis=1))
        women = town[t + 1, 1, FERTILE].sum()
        assert way.child_woman_ratio[t, 0] * women == pytest.approx(town[t + 1, :, 0].sum())


def test_ages_without_anybody_take_the_municipalitys_rates():
    people = np.zeros((2, 1, 2, A))
    people[:, :, 1, 6] = 5.0
    way = realised(people, rates(["a"]))
    assert way.change[0, 0, 0, 0] == 0.9
    assert way.child_woman_ratio[0, 0] == 0.0
    with pytest.raises(LabelError):
        realised(people, rates(["a", "b"]))


def test_half_the_losses_and_half_the_deaths():
    alive = survival(AGES)
    change = alive[None, None] * 0.6  # four in ten leave on balance
    change[..., 4] = alive[:, 4] * 1.2
    way = Course(change, np.zeros((1, 1)), np.zeros((1, 1)), FERTILE)
    factor = fewer_losses(way, alive, factor=0.5)
    np.testing.assert_allclose((change * factor / alive)[..., 5], 0.8)
    np.testing.assert_allclose(factor[..., 4], 1.0)  # who gains stays as it is
    np.testing.assert_allclose(alive * fewer_deaths(alive, factor=0.5), 1 - (1 - alive) / 2)
    assert (np.diff(alive[:, 8:], axis=1) < 0).all()
