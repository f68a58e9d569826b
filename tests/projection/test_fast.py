"""The compiled engine gives the numbers of the plain one, and leaves it what it cannot do."""

import numpy as np
import pytest

from futuremap.errors import SolveError
from futuremap.projection import march as module
from futuremap.projection.march import Own, Ratios, march
from futuremap.projection.rake import Controls

ZONES, AGES, STEPS = 60, 8, 4
STARTS = np.array([0, 1, 20, 45])


def country(seed=0, *, dated=False, own=False, additive=False, fertile=slice(2, 5)):
    rng = np.random.default_rng(seed)
    lead = (STEPS,) if dated else ()
    ratios = Ratios(
        rng.uniform(0.5, 1.4, (*lead, 4, 2, AGES)),
        rng.uniform(0.1, 0.4, (*lead, 4)),
        rng.uniform(0.9, 1.1, 4),
        fertile,
        STARTS,
    )
    if own:
        shape = (ZONES, 2, AGES)
        mine = Own(rng.uniform(0.5, 1.6, shape), rng.uniform(0.1, 0.5, ZONES), 0.6)
        ratios = ratios._replace(own=mine)
    people = rng.gamma(0.5, 30.0, (ZONES, 2, AGES)) * rng.integers(0, 2, (ZONES, 1, 1))
    people[STARTS] += 1.0
    return people, ratios._replace(additive=additive)


def both(people, ratios, **arguments):
    made = []
    for engine in ("numpy", "numba"):
        moved = np.full((STEPS, *people.shape), np.nan)
        kept = {"adjustment": moved} if arguments.get("account") else {}
        given = {key: value for key, value in arguments.items() if key != "account"}
        made.append((march(people, ratios, steps=STEPS, engine=engine, **kept, **given), moved))
    return made


CONTROLS = {
    "none": None,
    "totals": Controls(totals=np.array([[50.0, np.nan, 700.0, 0.0]] * STEPS)),
    "ages": Controls(sex_age=np.random.default_rng(9).uniform(5, 50, (STEPS, 4, 2, AGES))),
}


@pytest.mark.parametrize("controls", CONTROLS)
@pytest.mark.parametrize("account", [False, True])
@pytest.mark.parametrize(
    "kind",
    [
        {},
        {"dated": True},
        {"own": True, "additive": True},
        {"additive": True},
        {"dated": True, "fertile": slice(1, AGES)},
    ],
)
def test_same_numbers(kind, account, controls):
    people, ratios = country(**kind)
    given = CONTROLS[controls]
    (plain, moved), (fast, moved_fast) = both(people, ratios, controls=given, account=account)
    np.testing.assert_allclose(fast.persons, plain.persons, rtol=1e-12)
    np.testing.assert_allclose(fast.total_factor, plain.total_factor, rtol=1e-12)
    if given is not None:
        np.testing.assert_allclose(fast.factor, plain.factor, rtol=1e-12)
    if account:
        np.testing.assert_allclose(moved_fast, moved, rtol=1e-9, atol=1e-12)


def test_what_scaling_cannot_do_is_left_to_numpy():
    people, ratios = country()
    people[20:45, 0, :4] = 0
    wanted = np.full((STEPS, 4, 2, AGES), np.nan)
    wanted[:, 2, 0, 3] = 7.0
    zones = np.full((STEPS, ZONES), np.nan)
    zones[1, 50] = 33.0
    totals = np.array([[50.0, np.nan, 700.0, np.nan]] * STEPS)
    controls = Controls(totals, wanted, zones)
    (plain, _), (fast, _) = both(people, ratios, controls=controls)
    np.testing.assert_allclose(fast.persons, plain.persons, rtol=1e-12)
    np.testing.assert_array_equal(fast.placed, plain.placed)
    assert fast.placed[:, 2].sum() > 0
    assert fast.placed[1, 3, 3] == (0 if people[50].any() else 33)
    assert fast.persons[2, 50].sum() == pytest.approx(33)


@pytest.mark.parametrize("own", [False, True])
def test_both_refuse_with_the_same_words(own):
    people, ratios = country(own=own)
    people[20:45] = 0
    controls = Controls(np.full((STEPS, 4), 10.0), parents=tuple("abcd"), years=(1, 2, 3, 4))
    said = []
    for engine in ("numpy", "numba"):
        with pytest.raises(SolveError, match="parent c in 1 is empty") as refused:
            march(people, ratios, steps=STEPS, controls=controls, engine=engine)
        said.append(str(refused.value))
    assert said[0] == said[1]


def test_it_is_taken_from_a_size_on_where_it_is_installed(monkeypatch):
    assert not module._worth_compiling(module.NUMBA_FROM - 1)
    assert module._worth_compiling(module.NUMBA_FROM)
    monkeypatch.setattr(module, "find_spec", lambda _: None)
    assert not module._worth_compiling(module.NUMBA_FROM)
