"""The programs: equal to brute force on small cases, and a conflict that cannot be smaller."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from futuremap.backcast.solve import Problem, best, conflict, solve


def random_problem(random, *, levers=3, rows=3, whole=False):
    gain = random.uniform(-0.3, 2.0, (rows, levers))
    high = random.integers(1, 7, levers).astype(float)
    least = gain @ (high * random.uniform(0.1, 0.8, levers)) * random.uniform(0.2, 1.2, rows)
    cost = random.uniform(0.5, 3.0, levers)
    return Problem(gain, least, cost, np.zeros(levers), high, np.full(levers, whole))


def vertices(problem):
    """Every corner of the feasible set, by solving each choice of binding rows and bounds."""
    levers = len(problem.cost)
    sides = [(row, value) for row, value in zip(problem.rows, problem.least, strict=True)]
    for j in range(levers):
        unit = np.eye(levers)[j]
        sides += [(unit, problem.low[j]), (unit, problem.high[j])]
    for chosen in itertools.combinations(sides, levers):
        matrix = np.array([side[0] for side in chosen])
        if abs(np.linalg.det(matrix)) < 1e-9:
            continue
        point = np.linalg.solve(matrix, np.array([side[1] for side in chosen]))
        inside = (point >= problem.low - 1e-9).all() and (point <= problem.high + 1e-9).all()
        if inside and (problem.rows @ point >= problem.least - 1e-9).all():
            yield point


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_the_linear_program_is_the_cheapest_corner(seed):
    problem = random_problem(np.random.default_rng(seed))
    corners = list(vertices(problem))
    found = solve(problem)
    assert (found.effort is None) == (not corners)
    if corners:
        cheapest = min(float(problem.cost @ corner) for corner in corners)
        assert found.cost == pytest.approx(cheapest, abs=1e-7)
        assert (problem.rows @ found.effort >= problem.least - 1e-6).all()


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_the_integer_program_is_the_cheapest_point_of_the_grid(seed):
    problem = random_problem(np.random.default_rng(seed), whole=True)
    grid = itertools.product(*(range(int(high) + 1) for high in problem.high))
    costs = [
        float(problem.cost @ np.array(point))
        for point in grid
        if (problem.rows @ np.array(point) >= problem.least - 1e-9).all()
    ]
    found = solve(problem)
    assert (found.effort is None) == (not costs)
    if costs:
        assert found.cost == pytest.approx(min(costs), abs=1e-7)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_a_conflict_cannot_be_met_and_every_part_of_it_can(seed):
    random = np.random.default_rng(seed)
    problem = random_problem(random, rows=5)
    problem = problem._replace(least=problem.least + random.uniform(0, 6, 5))
    if solve(problem).effort is not None:
        return
    found = conflict(problem)

    def part(rows):
        return problem._replace(rows=problem.rows[rows], least=problem.least[rows])

    assert solve(part(found)).effort is None
    alone = [row for row in found if solve(part([row])).effort is None]
    if alone:
        assert alone == found  # each of them is out of reach by itself
        return
    for row in found:
        assert solve(part([other for other in found if other != row])).effort is not None


def test_prices_say_what_one_more_would_cost():
    problem = Problem(
        np.array([[2.0, 1.0], [0.0, 1.0]]), np.array([6.0, 1.0]), np.array([3.0, 1.0]),
        np.zeros(2), np.array([10.0, 2.0]), np.zeros(2, dtype=bool),
    )  # fmt: skip
    found = solve(problem)
    more = solve(problem._replace(least=problem.least + np.array([0.1, 0.0])))
    assert found.price[0] == pytest.approx((more.cost - found.cost) / 0.1)
    assert found.binding.tolist() == [True, False]
    assert best(problem).tolist() == [22.0, 2.0]


def test_nothing_asked_is_nothing_done():
    problem = Problem(
        np.empty((0, 1)), np.empty(0), np.ones(1), np.zeros(1), np.ones(1), np.zeros(1, dtype=bool)
    )
    assert solve(problem).effort.tolist() == [0.0]
