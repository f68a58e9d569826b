"""Which rates can change, how several changes meet in a zone, and what follows from them."""

import numpy as np
import pytest

from futuremap.indicators.changed_rates import (
    ChangedRate,
    can_change,
    factor_at,
    fields_of,
    groups,
)
from futuremap.pipeline.read_indicators import sourced

CATALOGUE = sourced().catalogue


def test_a_sum_changes_by_its_parts_and_parts_of_others_do_not_change():
    assert fields_of(CATALOGUE, "care_certified") == ("care_support", "care_needed")
    assert fields_of(CATALOGUE, "care_users") == ("care_users",)
    for name in ("care_level_3", "inpatients_general", "pupils_grade_1", "deaths_per_year",
                 "population_85_over", "births_per_year"):  # fmt: skip
        assert fields_of(CATALOGUE, name) == ()
        assert name not in can_change(CATALOGUE)


def test_changes_of_one_field_multiply_where_both_hold():
    shape = (2, 2, 3)
    less = ChangedRate(("trips",), np.full(shape, 0.5), frozenset("ab"))
    more = ChangedRate(("trips", "waste"), np.full(shape, 3.0), frozenset("bc"))
    found = {tuple(group.at): group.factors for group in groups(["a", "b", "c", "d"], [less, more])}
    assert {at: {n: f[0, 0, 0] for n, f in one.items()} for at, one in found.items()} == {
        (0,): {"trips": 0.5}, (1,): {"trips": 1.5, "waste": 3.0},
        (2,): {"trips": 3.0, "waste": 3.0}, (3,): {},
    }  # fmt: skip


def test_a_factor_is_of_its_sex_and_ages_alone():
    found = factor_at(np.array([0.0, 1.0]), factor=2.0, sex="female", ages=(1, None), width=3)
    assert found.tolist() == [np.ones((2, 3)).tolist(), [[1, 1, 1], [1, 2, 2]]]


@pytest.mark.parametrize("count", [1, 7])
def test_without_changes_all_zones_share_their_rates(count):
    (group,) = groups([str(i) for i in range(count)], [])
    assert group.at.tolist() == list(range(count))
    assert not group.factors
