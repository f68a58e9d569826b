"""Siting against spopt, an independent account of the same questions."""

import warnings

import numpy as np
import pulp
import pytest

from futuremap.catchment.pairs import Pairs
from futuremap.catchment.siting import Candidates, max_coverage, p_median, set_cover

with warnings.catch_warnings():  # its imports warn of what they will change, not of our use
    warnings.simplefilter("ignore")
    from spopt.locate import LSCP, MCLP, PMedian


@pytest.fixture
def quiet():
    # PuLP warns of names and of interfaces to come; none of that is ours to mend
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield pulp.PULP_CBC_CMD(msg=False)


def town(places, facilities, *, seed, within=np.inf):
    rng = np.random.default_rng(seed)
    home, hall = rng.uniform(0, 8000, (places, 2)), rng.uniform(0, 8000, (facilities, 2))
    away = np.hypot(*(hall[:, None] - home[None]).transpose(2, 0, 1))
    facility, place = np.nonzero(away <= within)
    people = rng.integers(1, 400, places).astype(float)
    return (
        Candidates(
            tuple(f"f{i:02}" for i in range(facilities)),
            tuple(f"p{i:03}" for i in range(places)),
            Pairs(facility, place, away[facility, place]),
            people,
        ),
        away.T,
    )


@pytest.mark.parametrize("count", [4, 12])
def test_p_median(quiet, count):
    candidates, away = town(90, 18, seed=11)
    theirs = PMedian.from_cost_matrix(away, candidates.demand, p_facilities=count).solve(quiet)
    assert p_median(candidates, count).objective == pytest.approx(
        theirs.problem.objective.value(), rel=1e-9
    )


@pytest.mark.parametrize("count", [2, 6])
def test_max_coverage(quiet, count):
    candidates, away = town(150, 18, seed=12, within=1500)
    theirs = MCLP.from_cost_matrix(away, candidates.demand, 1500, p_facilities=count).solve(quiet)
    assert max_coverage(candidates, count).objective == theirs.problem.objective.value()


def test_set_cover(quiet):
    candidates, away = town(60, 25, seed=13, within=3000)
    theirs = LSCP.from_cost_matrix(away, 3000).solve(quiet)
    assert set_cover(candidates).objective == theirs.problem.objective.value()
