"""Percentiles and curves of travel, by pencil and against people written out one by one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from futuremap.catchment.pairs import Pairs
from futuremap.catchment.travel import curve, percentiles, to_nearest
from futuremap.errors import DemographyError, LabelError

INF = np.inf
TRAVEL = np.array([20.0, 5.0, INF, 7.0, 3.0])
PARENTS = ["37201", "37201", "37201", "34204", "34204"]
PEOPLE = np.array([[3.0, 6.0, 1.0, 5.0, 5.0], [0.0, 4.0, 6.0, 0.0, 0.0]])


def test_nearest_of_pairs():
    pairs = Pairs(np.array([0, 0, 1]), np.array([0, 2, 2]), np.array([9.0, 4.0, 2.0]))
    assert to_nearest(pairs, 4).tolist() == [9.0, INF, 2.0, INF]


def test_percentiles_by_pencil():
    found = percentiles(TRAVEL, PEOPLE, parents=PARENTS, shares=(0.5, 0.6, 0.9, 1.0))
    assert found.parents == ("37201", "34204")
    # of ten people six have 5 min, three 20, one reaches nothing; next year four and six
    assert found.travel[:, 0, 0].tolist() == [5.0, 5.0, 20.0, INF]
    assert found.travel[:, 1, 0].tolist() == [INF] * 4
    assert found.travel[:, 0, 1].tolist() == [3.0, 7.0, 7.0, 7.0]  # half is just reached at 3
    assert np.isnan(found.travel[:, 1, 1]).all()  # nobody lives there
    assert found.people.tolist() == [[10.0, 10.0], [10.0, 0.0]]
    assert found.unreached.tolist() == [[1.0, 0.0], [6.0, 0.0]]


def test_a_place_without_people_sets_no_percentile():
    found = percentiles(np.array([1.0, 2.0, 99.0]), np.array([[0.0, 5.0, 0.0]]),
                        parents=["a"] * 3, shares=(0.01, 1.0))  # fmt: skip
    assert found.travel.ravel().tolist() == [2.0, 2.0]


def test_half_of_tenths_is_half():
    # 0.1 added up falls short of 0.3 and passes it by rounding; neither moves the median
    found = percentiles(np.arange(6.0), np.full((1, 6), 0.1), parents=["a"] * 6, shares=(0.5,))
    assert found.travel.ravel().tolist() == [2.0]


def test_travel_may_change_by_year():
    later = np.array([TRAVEL, TRAVEL + 1])
    found = percentiles(later, np.array([PEOPLE[0], PEOPLE[0]]), parents=PARENTS, shares=(0.5,))
    assert found.travel[0].tolist() == [[5.0, 3.0], [6.0, 4.0]]


def test_the_curve_by_pencil():
    found = curve(TRAVEL, PEOPLE, parents=PARENTS, limits=(3, 5, 20))
    assert found.people[:, 0, 0].tolist() == [0.0, 6.0, 9.0]  # the limit is within
    assert found.share[:, 0, 0].tolist() == [0.0, 0.6, 0.9]  # the unreached stay in the whole
    assert found.share[:, 0, 1].tolist() == [0.5, 0.5, 1.0]
    assert np.isnan(found.share[:, 1, 1]).all()


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from([0.0, 1.0, 2.0, 5.0, INF]), st.integers(0, 4), st.integers(0, 2)),
        min_size=1,
        max_size=12,
    ),
    st.sampled_from([0.1, 0.5, 0.8, 0.9, 1.0]),
    st.randoms(use_true_random=False),
)
def test_as_if_every_person_were_written_out(rows, share, random):
    def found(given_rows):
        travel, people, parents = (list(column) for column in zip(*given_rows, strict=True))
        numbers = np.array([people], dtype=float)
        parents = [str(parent) for parent in parents]
        one = percentiles(np.array(travel), numbers, parents=parents, shares=(share,))
        return dict(zip(one.parents, one.travel[0, 0].tolist(), strict=True))

    for parent, percentile in found(rows).items():
        each = sorted(t for t, n, p in rows if str(p) == parent for _ in range(n))
        if not each:
            assert np.isnan(percentile)
            continue
        needed = next(k for k in range(1, len(each) + 1) if k >= share * len(each) - 1e-9)
        assert percentile == each[needed - 1]
    shuffled = list(rows)
    random.shuffle(shuffled)
    assert {k: str(v) for k, v in found(shuffled).items()} == {
        k: str(v) for k, v in found(rows).items()
    }


def test_impossible_travel_is_refused_with_its_place():
    with pytest.raises(DemographyError, match=r"travel is nan at place 1 of 37201"):
        percentiles(np.array([1, np.nan, 1, 1, 1]), PEOPLE, parents=PARENTS)
    with pytest.raises(DemographyError, match="-1"):
        curve(np.array([1.0, 1, 1, 1, -1]), PEOPLE, parents=PARENTS, limits=[1])


def test_other_nonsense_is_refused():
    with pytest.raises(LabelError, match="above 0"):
        percentiles(TRAVEL, PEOPLE, parents=PARENTS, shares=(0.0,))
    with pytest.raises(LabelError, match="ascend"):
        curve(TRAVEL, PEOPLE, parents=PARENTS, limits=(5, 5))
    with pytest.raises(LabelError, match="shape"):
        percentiles(TRAVEL[:2], PEOPLE, parents=PARENTS)
