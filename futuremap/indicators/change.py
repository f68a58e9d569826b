"""Change of any indicator since the base year, in its own unit and as a rate."""

from __future__ import annotations

import numpy as np

from futuremap.core.fields import dictionary
from futuremap.core.table import Table
from futuremap.indicators.people import ratio


def with_change(table: Table, name: str) -> Table:
    """A table with the change of one of its indicators, if it does not hold it already.

    Parameters
    ----------
    table
        Indicators by year, the base year first.
    name
        One of them.

    Returns
    -------
    Table
        With ``<name>_change`` in the unit of the indicator and, where the dictionary has it,
        ``<name>_change_rate`` [ratio, NaN where the base year has nothing].

    Raises
    ------
    LabelError
        If the table does not hold the indicator, or the dictionary no change of it.

    Examples
    --------
    >>> table = Table.build({"population_65_over": np.array([[20.0], [15.0]])},
    ...                     years=[2020, 2050], zones=["a"])
    >>> later = with_change(table, "population_65_over")
    >>> [float(later.column(f"population_65_over_{what}", 2050)[0])
    ...  for what in ("change", "change_rate")]
    [-5.0, -0.25]
    """
    values = np.stack([table.column(name, year) for year in table.years])
    made = {f"{name}_change": values - values[0]}
    if f"{name}_change_rate" in dictionary():
        base = np.broadcast_to(values[0], values.shape)
        made[f"{name}_change_rate"] = ratio(values - values[0], base)
    lacking = {key: found for key, found in made.items() if key not in table.indicators}
    if not lacking:
        return table
    return table.join(Table.build(lacking, years=table.years, zones=table.zones))
