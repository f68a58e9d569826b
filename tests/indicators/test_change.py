"""Change of any indicator."""

import numpy as np
import pytest

from futuremap.core.table import Table
from futuremap.errors import LabelError
from futuremap.indicators.change import with_change


def table(**values):
    arrays = {name: np.array(value, dtype=float) for name, value in values.items()}
    return Table.build(arrays, years=[2020, 2050], zones=["a", "b"])


def test_a_number_has_a_difference_and_a_rate():
    found = with_change(table(population_75_over=[[20, 0], [30, 5]]), "population_75_over")
    assert found.column("population_75_over_change", 2050).tolist() == [10, 5]
    rate = found.column("population_75_over_change_rate", 2050)
    assert rate[0] == 0.5
    assert np.isnan(rate[1])
    assert found.column("population_75_over_change", 2020).tolist() == [0, 0]


def test_a_share_has_a_difference_only():
    found = with_change(table(ageing_rate=[[0.2, 0.3], [0.25, np.nan]]), "ageing_rate")
    assert found.indicators == ("ageing_rate", "ageing_rate_change")
    assert found.column("ageing_rate_change", 2050)[0] == pytest.approx(0.05)


def test_what_is_known_is_left_as_it_is():
    given = table(
        population_0_14=[[1, 1], [1, 1]],
        population_0_14_change=[[0, 0], [9, 9]],
        population_0_14_change_rate=[[0, 0], [9, 9]],
    )
    assert with_change(given, "population_0_14") is given


def test_what_has_no_change_is_refused():
    with pytest.raises(LabelError, match="capacity_change"):
        with_change(table(capacity=[[1, 1], [1, 1]]), "capacity")
