"""Laws of the ratio engine, for both engines, over populations drawn by hypothesis."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from futuremap.errors import SolveError
from futuremap.projection.march import Own, Ratios, march
from futuremap.projection.rake import Controls

AGES, FERTILE = 6, slice(2, 4)
ENGINES = ["numpy", "numba"]
CLOSE = {"rtol": 1e-9, "atol": 1e-9}


@st.composite
def countries(draw, *, shared=True):
    """Three parents of one to five zones, some empty, with ratios down to 0."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    sizes = [draw(st.integers(1, 5)) for _ in range(3)]
    zones = sum(sizes)
    people = rng.gamma(0.5, draw(st.sampled_from([0.01, 1.0, 300.0])), (zones, 2, AGES))
    people[rng.random(zones) < draw(st.sampled_from([0.0, 0.4]))] = 0
    ratio = rng.uniform(0, 1.6, (3, 2, AGES)) * (rng.random((3, 2, AGES)) > 0.1)
    starts = np.cumsum([0, *sizes[:-1]])
    ratios = Ratios(ratio, rng.uniform(0, 0.5, 3), rng.uniform(0.9, 1.1, 3), FERTILE, starts)
    if not shared:
        own = Own(rng.uniform(0, 1.6, people.shape), rng.uniform(0, 0.5, zones), 0.7)
        ratios = ratios._replace(own=own, additive=draw(st.booleans()))
    return people, ratios


def leslie(ratio, births, sex_ratio):
    """The step as a matrix on men, then women."""
    boys = sex_ratio / (1 + sex_ratio)
    matrix = np.zeros((2 * AGES, 2 * AGES))
    for sex in range(2):
        for age in range(AGES):
            matrix[sex * AGES + min(age + 1, AGES - 1), sex * AGES + age] = ratio[sex, age]
    women = matrix[AGES + FERTILE.start : AGES + FERTILE.stop].sum(axis=0)
    matrix[0] += births * boys * women
    matrix[AGES] += births * (1 - boys) * women
    return matrix


@pytest.mark.parametrize("engine", ENGINES)
@settings(max_examples=40, deadline=None)
@given(country=countries())
def test_gather_then_project_is_project_then_gather(engine, country):
    people, ratios = country
    later = march(people, ratios, steps=4, engine=engine).persons
    together = np.add.reduceat(people, ratios.parent_starts, axis=0)
    alone = ratios._replace(parent_starts=np.arange(3))
    parents = march(together, alone, steps=4, engine=engine).persons
    gathered = np.add.reduceat(later, ratios.parent_starts, axis=1)
    np.testing.assert_allclose(gathered, parents, **CLOSE)


@pytest.mark.parametrize("engine", ENGINES)
@settings(max_examples=40, deadline=None)
@given(country=countries(), factor=st.floats(0, 10), seed=st.integers(0, 1000))
def test_linear_in_the_population(engine, country, factor, seed):
    people, ratios = country
    others = np.random.default_rng(seed).gamma(1.0, 5.0, people.shape)
    one, other, both = (
        march(given, ratios, steps=3, engine=engine).persons
        for given in (people, others, people + factor * others)
    )
    np.testing.assert_allclose(both, one + factor * other, **CLOSE)


@pytest.mark.parametrize("engine", ENGINES)
@settings(max_examples=40, deadline=None)
@given(country=countries(shared=False), seed=st.integers(0, 1000))
def test_zone_order_does_not_matter(engine, country, seed):
    people, ratios = country
    rng = np.random.default_rng(seed)
    ends = [*ratios.parent_starts[1:], len(people)]
    turned = np.concatenate(
        [rng.permutation(np.arange(a, b)) for a, b in zip(ratios.parent_starts, ends, strict=True)]
    )
    own = Own(
        ratios.own.cohort_change_ratio[turned],
        ratios.own.child_woman_ratio[turned],
        ratios.own.persistence,
    )
    totals = np.full((3, 3), np.nan)
    totals[:, 0] = 50.0 if people[: ends[0]].sum() > 0 else 0.0
    straight, other = outcomes(
        [(people, ratios), (people[turned], ratios._replace(own=own))],
        controls=Controls(totals),
        engine=engine,
    )
    if straight is not None and other is not None:
        np.testing.assert_allclose(straight[:, turned], other, **CLOSE)
    else:
        assert straight is other


@pytest.mark.parametrize("engine", ENGINES)
@settings(max_examples=40, deadline=None)
@given(country=countries(shared=False), share=st.floats(0.01, 0.99))
def test_splitting_a_zone_does_not_matter(engine, country, share):
    people, ratios = country
    split = np.concatenate([people[:1] * share, people[:1] * (1 - share), people[1:]])
    twice = np.concatenate([[0, 0], np.arange(1, len(people))])
    own = ratios.own._replace(
        cohort_change_ratio=ratios.own.cohort_change_ratio[twice],
        child_woman_ratio=ratios.own.child_woman_ratio[twice],
    )
    starts = ratios.parent_starts + (np.arange(3) > 0)
    whole, parts = outcomes(
        [(people, ratios), (split, ratios._replace(own=own, parent_starts=starts))],
        controls=None,
        engine=engine,
    )
    np.testing.assert_allclose(parts[:, 0] + parts[:, 1], whole[:, 0], **CLOSE)
    np.testing.assert_allclose(parts[:, 2:], whole[:, 1:], **CLOSE)


@pytest.mark.parametrize("engine", ENGINES)
@settings(max_examples=40, deadline=None)
@given(country=countries())
def test_closed_and_immortal_stays_constant(engine, country):
    people, ratios = country
    still = ratios._replace(
        cohort_change_ratio=np.ones((3, 2, AGES)),
        child_woman_ratio=np.zeros(3),
    )
    later = march(people, still, steps=5, engine=engine).persons
    zones = people.sum(axis=(1, 2))
    np.testing.assert_allclose(later.sum(axis=(2, 3)), np.tile(zones, (6, 1)))


@pytest.mark.parametrize("engine", ENGINES)
@settings(max_examples=60, deadline=None)
@given(country=countries(shared=False), seed=st.integers(0, 1000), own=st.booleans())
def test_controls_are_met_or_the_error_is_located(engine, country, seed, own):
    people, ratios = country
    rng = np.random.default_rng(seed)
    wanted = rng.gamma(0.5, 40.0, (3, 3, 2, AGES)) * (rng.random((3, 3, 2, AGES)) > 0.2)
    wanted[rng.random((3, 3)) < 0.3] = np.nan
    if not own:
        ratios = ratios._replace(own=None, additive=False)
    (later,) = outcomes([(people, ratios)], controls=Controls(sex_age=wanted), engine=engine)
    if later is None:
        return
    have = np.add.reduceat(later[1:], ratios.parent_starts, axis=1)
    bound = ~np.isnan(wanted)
    gap = np.abs(have - wanted)[bound] / np.maximum(1.0, wanted[bound])
    assert gap.max(initial=0.0) <= 1e-9
    assert np.isfinite(later).all()
    assert (later >= 0).all()


@pytest.mark.parametrize("engine", ENGINES)
@settings(max_examples=40, deadline=None)
@given(country=countries())
def test_two_steps_are_the_matrix_squared(engine, country):
    people, ratios = country
    later = march(people, ratios, steps=2, engine=engine).persons[2]
    ends = [*ratios.parent_starts[1:], len(people)]
    for p, (a, b) in enumerate(zip(ratios.parent_starts, ends, strict=True)):
        matrix = leslie(
            ratios.cohort_change_ratio[p], ratios.child_woman_ratio[p], ratios.sex_ratio_0_4[p]
        )
        expected = people[a:b].reshape(b - a, -1) @ (matrix @ matrix).T
        np.testing.assert_allclose(later[a:b].reshape(b - a, -1), expected, **CLOSE)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("empty", [-1, -2])
@settings(max_examples=30, deadline=None)
@given(country=countries())
def test_the_open_group_takes_each_of_its_two_origins(engine, empty, country):
    people, ratios = country
    people[..., empty] = 0
    other = -3 - empty
    later = march(people, ratios, steps=1, engine=engine).persons[1]
    sizes = np.diff(np.append(ratios.parent_starts, len(people)))
    ratio = np.repeat(ratios.cohort_change_ratio, sizes, axis=0)
    np.testing.assert_allclose(later[..., -1], (people * ratio)[..., other], **CLOSE)


def outcomes(cases, *, controls, engine):
    """Trajectories, or None where a located error came."""
    made = []
    for people, ratios in cases:
        try:
            made.append(march(people, ratios, steps=3, controls=controls, engine=engine).persons)
        except SolveError as refused:
            if not str(refused).startswith("parent "):
                raise
            made.append(None)
    return made
