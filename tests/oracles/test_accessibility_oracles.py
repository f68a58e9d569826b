"""Accessibility beside PySAL's `access`, an independent account of the same papers.

`access` counts a cost equal to its limit (<=), as we do; its costs here are never equal to one,
so that the agreement does not hang on it. It needs a row for every place it is asked about and
keeps no place that nothing reaches, where ours is 0.
"""

import numpy as np
import pandas as pd
import pytest
import shapely
from access import Access
from access.fca import three_stage_fca, two_stage_fca, weighted_catchment
from access.weights import gaussian, step_fn

from futuremap.catchment.accessibility import Steps, selective, two_step, weighted
from futuremap.catchment.pairs import near
from futuremap.core.zones import Zones

RADIUS = 1500.0
RINGS = {500: 1.0, 1000: 0.68, 1500: 0.22}
STEPS = Steps(tuple(RINGS), tuple(RINGS.values()))
PLACES, FACILITIES = 120, 25
# access 1.1.10 still says `inplace` to pandas, which pandas 3.1 wants to drop: not ours to mend
its_inplace = pytest.mark.filterwarnings("ignore:The inplace keyword")


def spread(prefix, count, seed):
    ids = [f"{prefix}{i:03d}" for i in range(count)]
    east, north = np.random.default_rng(seed).uniform(0, 0.06, (2, count))
    return Zones.build(ids, shapely.points(133.0 + east, 34.4 + north), names=ids,
                       parents=["34204"] * count, kind="facility", plane_zone=3)  # fmt: skip


@pytest.fixture(scope="module")
def town():
    facilities, places = spread("f", FACILITIES, 1), spread("p", PLACES, 2)
    pairs = near(facilities, places, radius=RADIUS)
    random = np.random.default_rng(3)
    demand, supply = random.uniform(1, 500, PLACES), random.integers(1, 200, FACILITIES)
    reached = np.bincount(pairs.place, minlength=PLACES)
    assert 0 < (reached == 0).sum() < PLACES / 2  # some places are out of reach
    assert np.abs(pairs.distance[:, None] - list(RINGS)).min() > 0.01  # no ties
    return facilities, places, pairs, demand, supply.astype(float)


def frames(town):
    facilities, places, pairs, demand, supply = town
    people = pd.DataFrame({"geoid": places.ids, "demand": demand})
    beds = pd.DataFrame({"supply": supply}, index=pd.Index(facilities.ids, name="geoid"))
    cost = pd.DataFrame(
        {
            "origin": np.array(places.ids, dtype=object)[pairs.place],
            "dest": np.array(facilities.ids, dtype=object)[pairs.facility],
            "cost": pairs.distance,
        },
    )
    return people, beds, cost


def ours(town, weight, *, third=False):
    facilities, places, pairs, demand, supply = town
    walk = weighted(pairs, facilities=facilities, places=places, weight=weight)
    walk = selective(walk) if third else walk
    found = two_step(walk, supply=supply, demand=demand[None]).at_place[0]
    return pd.Series(found, index=pd.Index(places.ids))


def assert_same(found, theirs):
    assert len(theirs) > PLACES / 2
    assert found[theirs.index].to_numpy() == pytest.approx(theirs.to_numpy(), rel=1e-12)
    assert (found.drop(theirs.index) == 0).all()  # what they leave out reaches nothing


@pytest.mark.parametrize("limit", [700.0, RADIUS])
def test_two_steps(town, limit):
    people, beds, cost = frames(town)
    theirs = two_stage_fca(people, beds, cost, max_cost=limit)
    assert_same(ours(town, Steps((limit,), (1.0,))), theirs)


def test_two_steps_in_rings(town):
    people, beds, cost = frames(town)
    theirs = two_stage_fca(people, beds, cost, max_cost=RADIUS, weight_fn=step_fn(RINGS))
    assert_same(ours(town, STEPS), theirs)


def test_two_steps_with_a_smooth_weight(town):
    people, beds, cost = frames(town)
    theirs = two_stage_fca(people, beds, cost, max_cost=RADIUS, weight_fn=gaussian(600.0))
    assert_same(ours(town, lambda metres: np.exp(-(metres**2) / (2 * 600.0**2))), theirs)


@its_inplace
def test_three_steps(town):
    people, beds, cost = frames(town)
    theirs = three_stage_fca(people, beds, cost, max_cost=RADIUS, weight_fn=step_fn(RINGS))
    assert_same(ours(town, STEPS, third=True), theirs)


def test_people_in_reach_by_weight(town):
    facilities, places, pairs, demand, _ = town
    people, _, cost = frames(town)
    theirs = weighted_catchment(people, cost, RADIUS, loc_value="demand",
                                weight_fn=step_fn(RINGS))  # fmt: skip
    walk = weighted(pairs, facilities=facilities, places=places, weight=STEPS)
    found = pd.Series(walk.weights @ demand, index=pd.Index(facilities.ids))
    assert found[theirs.index].to_numpy() == pytest.approx(theirs.to_numpy(), rel=1e-12)


@its_inplace
def test_the_enhanced_method_of_its_own_class(town):
    people, beds, cost = frames(town)
    account = Access(
        demand_df=people, demand_index="geoid", demand_value="demand",
        supply_df=beds.reset_index(), supply_index="geoid", supply_value="supply",
        cost_df=cost, cost_origin="origin", cost_dest="dest", cost_name="cost",
    )  # fmt: skip
    theirs = account.enhanced_two_stage_fca(
        name="e2sfca", max_cost=RADIUS, weight_fn=step_fn(RINGS)
    )["e2sfca_supply"].dropna()  # not a number where nothing is reached
    assert_same(ours(town, STEPS), theirs)
