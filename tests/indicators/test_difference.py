"""Differences of two runs: signs, rates, sums, and what cannot be compared."""

import numpy as np
import pytest

from futuremap.core.table import Table
from futuremap.errors import LabelError
from futuremap.indicators.difference import difference, summed


def table(people, old=None, *, years=(2020, 2050), zones=("a", "b", "c")):
    values = {"population": np.asarray(people, dtype=float)}
    if old is not None:
        values["population_65_over"] = np.asarray(old, dtype=float)
    return Table.build(values, years=years, zones=zones)


A = table([[10, 20, 0], [8, 10, 0]], [[3, 5, 0], [4, 5, 0]])
B = table([[10, 20, 0], [6, 15, 2]], [[3, 5, 0], [3, 9, 1]])


def test_second_less_first_and_its_share():
    found = difference(A, B)
    assert found.column("population_difference", 2050).tolist() == [-2, 5, 2]
    assert found.column("population_65_over_difference", 2050).tolist() == [-1, 4, 1]
    rate = found.column("population_difference_rate", 2050)
    np.testing.assert_allclose(rate, [-0.25, 0.5, np.nan])
    assert found.column("population_first", 2050).tolist() == [8, 10, 0]
    assert found.column("population_second", 2050).tolist() == [6, 15, 2]


def test_turned_round_it_changes_its_sign_and_with_itself_it_is_nothing():
    there, back = difference(A, B), difference(B, A)
    for name in ("population_difference", "population_65_over_difference"):
        for year in (2020, 2050):
            assert (there.column(name, year) == -back.column(name, year)).all()
    same = difference(A, A)
    assert (same.column("population_difference", 2050) == 0).all()


def test_sums_of_differences_are_differences_of_sums():
    parents = ["x", "y", "x"]
    whole = difference(summed(A, parents), summed(B, parents))
    parts = difference(A, B).column("population_difference", 2050)
    assert whole.column("population_difference", 2050).tolist() == [parts[0] + parts[2], parts[1]]
    rates = summed(B, parents).column("ageing_rate", 2050)
    np.testing.assert_allclose(rates, [4 / 8, 9 / 15])


@pytest.mark.parametrize(
    "other",
    [
        table([[1, 2, 3], [1, 2, 3]], years=(2020, 2045)),
        table([[1, 2, 3], [1, 2, 3]], zones=("a", "b", "d")),
        Table.build({"load": np.ones((2, 3))}, years=(2020, 2050), zones=("a", "b", "c")),
    ],
)
def test_what_does_not_match_is_refused(other):
    with pytest.raises(LabelError):
        difference(A, other)
