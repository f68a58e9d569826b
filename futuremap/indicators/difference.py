"""Two runs side by side: the second less the first, year by year and zone by zone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from futuremap.core.fields import field
from futuremap.core.table import Table
from futuremap.core.zones import by_parent
from futuremap.errors import LabelError
from futuremap.indicators.people import ratio

COMPARED = (
    "population",
    "population_0_14",
    "population_65_over",
    "ageing_rate",
    "density",
    "people_in_reach",
)
RELATIVE = ("population", "people_in_reach")  # those that also have their parts and a rate


def difference(first: Table, second: Table) -> Table:
    """The indicators that both tables hold: the second less the first.

    Parameters
    ----------
    first, second
        Indicators over the same years and zones.

    Returns
    -------
    Table
        ``<name>_difference`` of every indicator of `COMPARED`, in its own unit; of people also
        ``<name>_first``, ``<name>_second`` and ``<name>_difference_rate``, relative to the first
        [ratio, NaN where the first counts nobody].

    Raises
    ------
    LabelError
        If years or zones differ, or there is nothing that both hold.

    Examples
    --------
    >>> a, b = (Table.build({"population": np.array([[n]])}, years=[2050], zones=["a"])
    ...         for n in (80.0, 60.0))
    >>> float(difference(a, b).column("population_difference_rate", 2050)[0])
    -0.25
    """
    if (first.years, first.zones) != (second.years, second.zones):
        raise LabelError("tables to compare have different years or zones")
    both = [n for n in COMPARED if n in first.indicators and n in second.indicators]
    if not both:
        raise LabelError("the tables have no indicator in common")
    values: dict[str, NDArray[np.float64]] = {}
    for name in both:
        one, other = (_values(table, name) for table in (first, second))
        if name in RELATIVE:
            values[f"{name}_first"], values[f"{name}_second"] = one, other
        values[f"{name}_difference"] = other - one
        if name in RELATIVE:
            values[f"{name}_difference_rate"] = ratio(other - one, one)
    return Table.build(values, years=first.years, zones=first.zones)


def summed(table: Table, parents: Sequence[str]) -> Table:
    """Numbers of people of the zones, added up by municipality, and the share of the old.

    Parameters
    ----------
    table
        Indicators by zone; those that are not numbers of people are left out.
    parents
        Code of each zone's municipality ``(Z,)``.

    Examples
    --------
    >>> t = Table.build({"population": np.array([[1.0, 2.0]])}, years=[2050], zones=["a", "b"])
    >>> float(summed(t, ["34204", "34204"]).column("population", 2050)[0])
    3.0
    """
    codes, parent_of = by_parent(parents)
    sums: dict[str, NDArray[np.float64]] = {
        name: np.stack([np.bincount(parent_of, weights=row, minlength=len(codes))
                        for row in _values(table, name)])
        for name in table.indicators
        if field(name).unit == "persons"
    }  # fmt: skip
    if {"population", "population_65_over"} <= sums.keys():
        sums["ageing_rate"] = ratio(sums["population_65_over"], sums["population"])
    return Table.build(sums, years=table.years, zones=codes)


def _values(table: Table, name: str) -> NDArray[np.float64]:
    values: NDArray[np.float64] = table.data["value"].values[table.indicators.index(name)]
    return values
