"""None, one or several facilities in reach."""

import numpy as np
import pytest
import shapely

from futuremap.catchment.choice import choices, only_here, within_any
from futuremap.core.ages import AgeGroups
from futuremap.core.crosswalk import compose, from_pairs, gather
from futuremap.core.population import Population
from futuremap.core.zones import Zones
from futuremap.errors import LabelError

IDS = ["p0", "p1", "p2", "p3"]
PARENTS = ["37201", "37201", "37201", "34204"]
REACHED = np.array([[1.0, 1.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0]])  # 2 facilities × 4 places


def reach(weights=REACHED):
    facility, place = np.nonzero(weights)
    return from_pairs(facility, place, weights[facility, place], targets=["hall", "school"],
                      sources=IDS, rule="800 m", credits=["credit"])  # fmt: skip


def places(ids=IDS):
    return Zones.build(ids, shapely.points([133.0] * 4, [34.4] * 4), names=ids, parents=PARENTS,
                       kind="facility", plane_zone=3)  # fmt: skip


def people():
    cube = np.array([10.0, 20.0, 30.0, 40.0]).reshape(1, 4, 1, 1) / 2 * np.ones((1, 4, 2, 1))
    return Population.build(cube, years=[2020], zones=IDS, ages=AgeGroups((0,)))


def test_a_union_counts_nobody_twice():
    assert choices(reach()).tolist() == [2, 1, 0, 0]
    covered = gather(people(), within_any(reach(), places()))
    assert covered.zones == ("37201", "34204")
    assert covered.totals().tolist() == [[30.0, 0.0]]  # 0, not nothing, where none is covered
    assert gather(people(), reach()).totals().sum() == 40  # a sum would count p0 twice
    assert gather(people(), within_any(reach(), places(), at_least=2)).totals()[0, 0] == 10
    assert within_any(reach(), places()).credits == ("credit",)


def test_who_has_no_other():
    assert gather(people(), only_here(reach())).totals().tolist() == [[20.0, 0.0]]
    assert only_here(reach()).weights.nnz == 1


def test_many_who_have_no_other_are_gathered():
    everyone = reach(np.array([[1.0, 1.0, 1.0, 1.0], [0.0, 0.0, 0.0, 1.0]]))
    assert gather(people(), only_here(everyone)).totals().tolist() == [[60.0, 0.0]]


def test_on_areas_by_way_of_dwelling():
    dwelling = from_pairs(np.array([0, 2]), np.array([0, 0]), np.array([0.25, 0.75]),
                          targets=IDS, sources=["block"], rule="houses")  # fmt: skip
    walk = compose(within_any(reach(), places()), dwelling)
    assert walk.weights.toarray()[:, 0].tolist() == [0.25, 0.0]


def test_shares_of_areas_make_no_union():
    partly = REACHED.copy()
    partly[0, 1] = 0.4
    for verb in (choices, only_here, lambda walk: within_any(walk, places())):
        with pytest.raises(LabelError, match=r"in part, such as p1"):
            verb(reach(partly))


def test_other_places_are_refused():
    with pytest.raises(LabelError, match="not the 4 places"):
        within_any(reach(), places(IDS[::-1]))
