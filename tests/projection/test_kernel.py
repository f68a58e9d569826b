"""One step by hand, and against a plain loop."""

import numpy as np
import pytest

from futuremap.errors import DemographyError, LabelError
from futuremap.projection import march
from futuremap.projection.kernel import step
from futuremap.projection.rake import Controls


def naive(persons, ratio, cwr, sex_ratio, fertile):
    """The same step, cell by cell."""
    zones, sexes, ages = persons.shape
    later = np.zeros_like(persons)
    for z in range(zones):
        for s in range(sexes):
            for a in range(ages):
                later[z, s, min(a + 1, ages - 1)] += persons[z, s, a] * ratio[z, s, a]
        women = sum(later[z, 1, a] for a in range(*fertile.indices(ages)))
        boys = cwr[z] * women * sex_ratio[z] / (1 + sex_ratio[z])
        later[z, 0, 0] = boys
        later[z, 1, 0] = cwr[z] * women - boys
    return later


def draw(zones=7, ages=18):
    rng = np.random.default_rng(1)
    return (
        rng.gamma(1.0, 50.0, (zones, 2, ages)),
        rng.uniform(0, 1.5, (zones, 2, ages)),
        rng.uniform(0, 0.5, zones),
        rng.uniform(0.9, 1.1, zones),
    )


def test_agrees_with_a_plain_loop_and_balances():
    persons, ratio, cwr, sex_ratio = draw()
    fertile = slice(3, 10)
    result = step(persons, ratio, child_woman_ratio=cwr, sex_ratio_0_4=sex_ratio, fertile=fertile)
    np.testing.assert_allclose(result.persons, naive(persons, ratio, cwr, sex_ratio, fertile))
    aged = np.zeros_like(persons)
    aged[..., 1:] = persons[..., :-1]
    aged[..., -1] += persons[..., -1]
    np.testing.assert_allclose(result.persons, aged + result.births + result.net_change, rtol=1e-12)


@pytest.mark.parametrize("empty", [-1, -2])
def test_open_group_takes_each_of_its_two_origins(empty):
    persons, ratio, cwr, sex_ratio = draw()
    persons[..., empty] = 0
    other = -2 if empty == -1 else -1
    result = step(
        persons, ratio, child_woman_ratio=cwr, sex_ratio_0_4=sex_ratio, fertile=slice(3, 10)
    )
    np.testing.assert_allclose(result.persons[..., -1], (persons * ratio)[..., other])


def test_immortal_and_closed_stays_constant_but_for_births():
    persons, ratio, cwr, sex_ratio = draw()
    result = step(
        persons,
        np.ones_like(ratio),
        child_woman_ratio=cwr * 0,
        sex_ratio_0_4=sex_ratio,
        fertile=slice(3, 10),
    )
    np.testing.assert_allclose(result.persons.sum((1, 2)), persons.sum((1, 2)), rtol=1e-14)


def test_additive_growth_does_not_compound():
    ratio = np.full((1, 2, 18), 2.0)
    people = np.full((1, 2, 18), 10.0)
    arguments = {
        "child_woman_ratio": np.zeros(1),
        "sex_ratio_0_4": np.ones(1),
        "fertile": slice(3, 10),
    }
    launch, cells = people, []
    for _ in range(3):
        people = step(people, ratio, launch=launch, **arguments).persons
        cells.append(people[0, 0, 5])
    assert cells == [20.0, 30.0, 40.0]


def test_children_cannot_bear_children():
    persons, ratio, cwr, sex_ratio = draw()
    with pytest.raises(LabelError, match="no women of the groups"):
        step(persons, ratio, child_woman_ratio=cwr, sex_ratio_0_4=sex_ratio, fertile=slice(0, 4))


@pytest.mark.parametrize("tile", [1, 100, 10**9])
def test_tiles_and_memory_of_the_caller_do_not_matter(tile, monkeypatch):
    persons, ratio, cwr, sex_ratio = draw()
    starts = np.array([0, 2, 3])
    ratios = march.Ratios(ratio[starts], cwr[starts], sex_ratio[starts], slice(3, 10), starts)
    expected = march.march(persons, ratios, steps=3).persons
    monkeypatch.setattr(march, "TILE", tile)
    out, moved = np.full((4, *persons.shape), np.nan), np.full((3, *persons.shape), np.nan)
    made = march.march(persons, ratios, steps=3, out=out, adjustment=moved)
    assert made.persons is out
    np.testing.assert_array_equal(out, expected)
    assert (moved == 0).all()


def test_ratios_by_step_are_taken_in_turn():
    persons, ratio, cwr, sex_ratio = draw()
    dated = np.stack([ratio[:1], ratio[1:2]])
    births = np.stack([cwr[:1], cwr[1:2]])
    ratios = march.Ratios(dated, births, sex_ratio[:1], slice(3, 10), np.array([0]))
    both = march.march(persons, ratios, steps=2).persons
    people = persons
    for t in range(2):
        one = ratios._replace(cohort_change_ratio=dated[t], child_woman_ratio=births[t])
        people = march.march(people, one, steps=1).persons[1]
        np.testing.assert_array_equal(both[t + 1], people)


def test_what_does_not_fit_is_refused():
    persons, ratio, cwr, sex_ratio = draw()
    good = march.Ratios(ratio[:1], cwr[:1], sex_ratio[:1], slice(3, 10), np.array([0]))
    with pytest.raises(LabelError, match="out is not"):
        march.march(persons, good, steps=1, out=np.empty((3, *persons.shape)))
    with pytest.raises(LabelError, match="must ascend from 0"):
        march.march(persons, good._replace(parent_starts=np.array([1])), steps=1)
    with pytest.raises(LabelError, match="ratios have shape"):
        march.march(persons, good._replace(child_woman_ratio=cwr), steps=1)
    with pytest.raises(LabelError, match="controls have shape"):
        march.march(persons, good, steps=1, controls=Controls(np.ones((2, 1))))
    with pytest.raises(LabelError, match="the base has shape"):
        march.march(persons[:, :1], good, steps=1)
    for bad in (-1.0, np.nan, np.inf):
        spoilt = ratio[:1].copy()
        spoilt[0, 1, 4] = bad
        with pytest.raises(DemographyError, match="negative or not finite"):
            march.march(persons, good._replace(cohort_change_ratio=spoilt), steps=1)
        people = persons.copy()
        people[2, 0, 0] = bad
        with pytest.raises(DemographyError, match="negative or not finite"):
            march.march(people, good, steps=1)
