"""Backtests: nothing later than the launch is seen, targets between steps, the choice."""

import numpy as np
import pytest

from futuremap.core.ages import AgeGroups
from futuremap.errors import LabelError
from futuremap.projection.backtest import best, horizons, mean_score, pooled, shelf_life_of, trials
from futuremap.projection.methods import METHODS, TREND_METHODS, History, LearntAverage
from futuremap.projection.regular import in_steps_of_age

AGES = AgeGroups.five_year(open_age=85)


def history(times, seed=0, zones=6):
    rng = np.random.default_rng(seed)
    first = rng.uniform(20, 60, (zones, 2, len(AGES)))
    stocks = [first]
    for _ in times[1:]:
        stocks.append(stocks[-1] * rng.uniform(0.95, 1.02, (zones, 1, 1)))
    return History(
        np.stack(stocks), np.array(times, dtype=float), AGES, np.zeros(zones, dtype=np.intp)
    )


def test_no_method_sees_what_it_is_tried_on():
    seen = []

    def spy(given, *, launch=None, steps):
        seen.append(given.times.max())
        return METHODS["constant"](given, launch=launch, steps=steps)

    trials(history([2000, 2005, 2010, 2015]), {"spy": spy})
    assert seen == [2005, 2010]


def test_what_was_hidden_changes_nothing_projected():
    whole = history([2000, 2005, 2010, 2015])
    other = whole._replace(persons=whole.persons.copy())
    other.persons[-1] *= 3
    one, two = (trials(h, {"damped": METHODS["damped"]}) for h in (whole, other))
    for a, b in zip(one, two, strict=True):
        assert np.array_equal(a.projected, b.projected)


def test_a_target_between_two_steps_lies_on_the_line_between_them():
    given = history([2010, 2015, 2017])
    found = trials(given, {"damped": METHODS["damped"]})
    (only,) = found
    path = METHODS["damped"](
        in_steps_of_age(given._replace(persons=given.persons[:2], times=given.times[:2])), steps=1
    )
    assert np.allclose(only.projected, 0.6 * path[0] + 0.4 * path[1])


@pytest.mark.parametrize("times", [[2018, 2019, 2020, 2021, 2022, 2023], [2000, 2005, 2010, 2015]])
def test_every_method_stands_every_spacing(times):
    given = history(times)
    given.persons[:, 2, 0, 4] = 0.0
    found = trials(given, METHODS)
    expected = set(METHODS) - (TREND_METHODS if 2018 in times else set())
    assert {trial.method for trial in found} == expected
    for trial in found:
        assert np.isfinite(trial.projected).all()
        assert (trial.projected >= 0).all()
    assert best(found) in METHODS
    near = horizons(found)[0]
    assert mean_score(pooled(found, best(found), near), 50).mape < 0.1
    assert shelf_life_of(found, best(found)) >= near


def test_two_years_are_too_few():
    with pytest.raises(LabelError, match="three years"):
        trials(history([2000, 2005]), METHODS)


def test_a_size_without_areas_has_no_score():
    found = trials(history([2000, 2005, 2010]), {"constant": METHODS["constant"]})
    assert mean_score(found, 1e6).areas == 0


def test_stocks_at_whole_widths_are_taken_as_they_are():
    given = history([2003, 2008, 2011, 2013])
    regular = in_steps_of_age(given)
    assert regular.times.tolist() == [2003, 2008, 2013]
    assert np.array_equal(regular.persons[1], given.persons[1])


def test_a_gap_in_the_years_is_bridged():
    given = history([2000, 2010, 2015])
    found = trials(given, METHODS)
    assert all(np.isfinite(trial.projected).all() for trial in found)


def test_a_town_does_not_depend_on_its_neighbours_in_the_file():
    one = history([2000, 2005, 2010], zones=4)
    other = history([2000, 2005, 2010], seed=9, zones=3)
    both = one._replace(
        persons=np.concatenate([one.persons, other.persons * 7], axis=1),
        parent_of=np.array([0] * 4 + [1] * 3),
    )
    alone, together = (trials(h, METHODS) for h in (one, both))
    for a, b in zip(alone, together, strict=True):
        assert a.method == b.method
        assert np.allclose(a.projected, b.projected[:4], rtol=1e-9), a.method


def test_small_hamlets_alone_still_give_a_choice():
    given = history([2000, 2005, 2010])
    tiny = given._replace(persons=given.persons / 1000)
    assert best(trials(tiny, METHODS)) in METHODS


def test_the_learnt_average_follows_the_method_that_did_well():
    given = history([1995, 2000, 2005, 2010, 2015])
    same = METHODS["constant"](given, launch=given.persons[-1], steps=1)[1]
    learnt = LearntAverage(
        {
            "good": METHODS["damped"],
            "bad": lambda h, *, launch=None, steps: (
                3 * METHODS["damped"](h, launch=launch, steps=steps)
            ),
        },
        (("good", "bad"),),
    )
    made = learnt(given, steps=1)[1]
    good = METHODS["damped"](given, steps=1)[1]
    assert same.shape == made.shape
    assert np.abs(made / good - 1).max() < 0.2
    plain = learnt(given._replace(persons=given.persons[-2:], times=given.times[-2:]), steps=1)[1]
    assert np.allclose(
        plain,
        2
        * METHODS["damped"](
            given._replace(persons=given.persons[-2:], times=given.times[-2:]), steps=1
        )[1],
    )
