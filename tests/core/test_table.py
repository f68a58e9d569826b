"""Tables with intervals."""

import numpy as np
import pytest

from futuremap.core.table import Table, stack
from futuremap.errors import LabelError

YEARS, ZONES = [2020, 2025], ["a", "b"]


def table(zones=ZONES):
    numbers = np.arange(2.0 * len(zones)).reshape(2, len(zones)) + 10
    return Table.build(
        {"population": numbers, "ageing_rate": numbers / 100}, years=YEARS, zones=zones
    )


def bounded(zones=ZONES):
    plain = table(zones)
    people = plain.data["value"].values[0]
    return plain.bounded({"population": (people - 1, people + 2)})


def test_a_table_without_intervals_has_none():
    assert table().with_interval == ()
    assert table().intervals() == {}
    with pytest.raises(LabelError, match="no intervals"):
        table().column("population", 2025, "low")


def test_bounds_travel_through_join_stack_and_tidy():
    joined = Table.build({"density": np.ones((2, 2))}, years=YEARS, zones=ZONES).join(bounded())
    assert joined.with_interval == ("population",)
    both = stack([bounded(), table(["c"])])
    assert both.column("population", 2025, "low").tolist()[:2] == [11.0, 12.0]
    assert np.isnan(both.column("population", 2025, "high")[2])
    row = bounded().tidy().iloc[3]
    assert (row["value"], row["low"], row["high"]) == (13.0, 12.0, 15.0)


def test_intervals_that_make_no_sense_are_refused():
    low = np.full((2, 2), 5.0)
    with pytest.raises(LabelError, match="upside down"):
        table().bounded({"population": (low + 1, low)})
    with pytest.raises(LabelError, match="does not hold"):
        table().bounded({"density": (low, low)})
    with pytest.raises(LabelError, match="shape"):
        table().bounded({"population": (low[:1], low[:1])})
