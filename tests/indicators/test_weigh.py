"""weigh: linear, additive over zones, the same on blocks, meshes and municipalities."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from futuremap.core.ages import AgeGroups
from futuremap.core.crosswalk import from_pairs, gather, to_parents
from futuremap.core.person_rates import PersonRates
from futuremap.core.population import Population
from futuremap.errors import DemographyError, LabelError
from futuremap.indicators.weigh import weigh, weighed
from futuremap.projection.single_years import age_shares

AGES = AgeGroups.five_year(open_age=90)
YEARS = (2020, 2025)


def people(seed=0, zones=12, scale=40.0):
    rng = np.random.default_rng(seed)
    cube = rng.gamma(2.0, scale, (2, zones, 2, len(AGES)))
    return Population.build(cube, years=YEARS, zones=[f"z{i}" for i in range(zones)], ages=AGES)


def rates(seed=1):
    rng = np.random.default_rng(seed)
    cube = rng.uniform(0, 0.3, (2, 2, 105))
    return PersonRates.build({"inpatients": cube, "care_certified": cube[::-1]}, years=YEARS)


def within(population):
    return age_shares(population.persons.sum(axis=1), population.ages)


def test_it_is_the_sum_over_single_years():
    one = people(zones=1)
    shares = within(one)
    single = np.repeat(one.persons[:, 0], np.diff([*AGES.lower, 105]), axis=-1) * shares
    found = weighed(one, rates(), shares=shares)[0, :, 0]
    assert found == pytest.approx((single * rates().rates[0]).sum(axis=(1, 2)), rel=1e-12)


@settings(max_examples=25, deadline=None)
@given(st.floats(0, 10), st.floats(0, 10), st.integers(0, 9))
def test_it_is_linear(a, b, seed):
    one, other = people(seed), people(seed + 100)
    both = Population.build(
        a * one.persons + b * other.persons, years=YEARS, zones=one.zones, ages=AGES
    )
    shares = within(one)
    parts = [weighed(p, rates(), shares=shares) for p in (one, other)]
    whole = weighed(both, rates(), shares=shares)
    assert np.allclose(whole, a * parts[0] + b * parts[1], rtol=1e-12, atol=1e-9)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 50))
def test_gathering_before_or_after_is_the_same(seed):
    rng = np.random.default_rng(seed)
    one = people(seed)
    share = rng.dirichlet(np.ones(5), len(one.zones))  # each block over five cells
    cells, blocks = np.indices((5, len(one.zones)))
    mesh = from_pairs(
        cells.ravel(), blocks.ravel(), share.T.ravel(),
        targets=[f"m{i}" for i in range(5)], sources=one.zones, rule="area",
    )  # fmt: skip
    town = to_parents(one.zones, ["37201"] * len(one.zones))
    shares = within(one)
    by_block = weighed(one, rates(), shares=shares)
    for walk in (mesh, town):
        after = np.stack([(walk.weights @ values.T).T for values in by_block])
        before = weighed(gather(one, walk), rates(), shares=shares)
        assert np.allclose(before, after, rtol=1e-12)
    on_mesh = weighed(gather(one, mesh), rates(), shares=shares).sum(axis=2)
    of_town = weighed(gather(one, town), rates(), shares=shares)[:, :, 0]
    assert np.allclose(on_mesh, of_town, rtol=1e-12)
    assert np.allclose(by_block.sum(axis=2), of_town, rtol=1e-12)


def test_rates_of_groups_that_are_whole_do_not_depend_on_shares():
    one = people()
    steps = np.repeat(np.linspace(0.1, 0.2, len(AGES)), np.diff([*AGES.lower, 105]))
    even = np.broadcast_to(steps, (2, 2, 105))
    flat = PersonRates.build({"inpatients": even}, years=YEARS)
    equal = age_shares(np.ones((2, 2, len(AGES))), AGES)
    assert weighed(one, flat, shares=within(one)) == pytest.approx(weighed(one, flat, shares=equal))


def test_labels_and_numbers_are_checked():
    one = people()
    with pytest.raises(LabelError):
        weigh(one.at(2020), rates(), shares=within(one))
    with pytest.raises(LabelError):
        weigh(one, rates(), shares=within(one)[:, :, :50])
    with pytest.raises(DemographyError):
        PersonRates.build({"inpatients": -np.ones((2, 2, 105))}, years=YEARS)
    with pytest.raises(LabelError):
        PersonRates.build({"no such field": np.ones((2, 2, 105))}, years=YEARS)
    with pytest.raises(LabelError):
        rates().only(["households_projected"])


def test_no_cube_of_zones_ages_and_indicators():
    import tracemalloc

    zones, count = 4000, 40
    cube = np.ones((2, zones, 2, len(AGES)))
    big = Population.build(cube, years=YEARS, zones=[str(i) for i in range(zones)], ages=AGES)
    fields = ["inpatients"] * count
    many = PersonRates(tuple(fields), YEARS, np.ones((count, 2, 2, 105)))
    shares = within(big)
    tracemalloc.start()
    weighed(big, many, shares=shares)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3 * count * len(YEARS) * zones * 8  # the result, not times 38 cells
