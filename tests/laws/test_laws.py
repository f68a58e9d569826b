"""Laws that hold for any population, drawn by hypothesis."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from futuremap.core.ages import AgeGroups
from futuremap.core.crosswalk import from_pairs, gather
from futuremap.core.flows import imbalance
from futuremap.core.population import Population
from futuremap.projection.project import project
from futuremap.projection.rates import from_two_dates

AGES = AgeGroups.five_year(open_age=85)


def population(cube, year):
    ids = [f"z{i}" for i in range(len(cube))]
    return Population.build(cube[None], years=[year], zones=ids, ages=AGES)


@st.composite
def cubes(draw, zones):
    """Counts from crowded to nearly empty, with empty zones among them."""
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    mean = draw(st.sampled_from([0.02, 0.5, 5.0, 200.0]))
    people = random.poisson(random.gamma(0.5, 2 * mean, (zones, 2, len(AGES))))
    people[random.random(zones) < draw(st.sampled_from([0.0, 0.4]))] = 0
    return people.astype(float)


@st.composite
def two_dates(draw):
    past, base = draw(cubes(6)), draw(cubes(6))
    base[0, 1, 4] += 1  # somebody can have children, and somebody has
    base[0, 0, 0] += 1
    base[:, 1, 0] = base[:, 0, 0]  # as many girls as boys: rates refuse absurd sex ratios
    return population(past, 2018), population(base, 2023)


@settings(max_examples=60, deadline=None)
@given(two_dates())
def test_the_account_balances_and_nothing_is_negative(dates):
    past, base = dates
    parents = ["a"] * 6
    result = project(base, from_two_dates(past, base, parents=parents), steps=6)
    assert imbalance(result.population, result.flows) < 1e-9
    assert (result.population.persons >= 0).all()


@settings(max_examples=60, deadline=None)
@given(two_dates(), st.lists(st.floats(1.0, 1e6), min_size=3, max_size=3))
def test_controls_are_met_exactly(dates, wanted):
    past, base = dates
    rates = from_two_dates(past, base, parents=["a"] * 6)
    totals = np.array([np.nan, *wanted])[:, None]
    free = project(base, rates, steps=3).population.totals().sum(axis=1)
    if (free[1:] <= 0).any():
        return
    result = project(base, rates, steps=3, totals=totals)
    np.testing.assert_allclose(result.population.totals().sum(axis=1)[1:], wanted, rtol=1e-9)
    assert imbalance(result.population, result.flows) < 1e-9


@settings(max_examples=60, deadline=None)
@given(cubes(5), cubes(5), arrays(float, (3, 5), elements=st.floats(0, 1)), st.floats(0, 10))
def test_gather_is_linear(one, other, weights, factor):
    target, source = np.nonzero(weights)
    walk = from_pairs(
        target,
        source,
        weights[target, source],
        targets=["x", "y", "z"],
        sources=[f"z{i}" for i in range(5)],
        rule="any",
    )
    both = gather(population(one + factor * other, 2020), walk).persons
    apart = [gather(population(cube, 2020), walk).persons for cube in (one, other)]
    np.testing.assert_allclose(both, apart[0] + factor * apart[1], rtol=1e-9, atol=1e-9)
