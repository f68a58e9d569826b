"""Table: indicators by year and zone, with an interval where one exists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from futuremap.core.fields import field
from futuremap.errors import LabelError

DIMS = ("indicator", "year", "zone")
BOUNDS: tuple[Literal["low"], Literal["high"]] = ("low", "high")
Interval = tuple[NDArray[np.float64], NDArray[np.float64]]


@dataclass(frozen=True, eq=False)
class Table:
    """Indicators named in the field dictionary.

    Parameters
    ----------
    data
        Read-only dataset with ``value`` and, where any indicator has an interval, ``low`` and
        ``high``, each (indicator, year, zone), in the field's own unit (ratios, not percents).
        NaN means that the indicator, or its interval, is not defined there.
    """

    data: xr.Dataset

    @classmethod
    def build(
        cls,
        values: Mapping[str, NDArray[np.float64]],
        *,
        years: Sequence[int],
        zones: Sequence[str],
        intervals: Mapping[str, Interval] | None = None,
    ) -> Table:
        """Freeze indicators, each ``(Y, Z)``, and the intervals of those that have one.

        Raises
        ------
        LabelError
            If an indicator is not in the field dictionary, its shape does not match, or an
            interval belongs to none or is upside down.

        Examples
        --------
        >>> import numpy as np
        >>> t = Table.build({"population": np.array([[12.0]])}, years=[2020], zones=["a"])
        >>> t.column("population", 2020)
        array([12.])
        """
        shape = (len(years), len(zones))
        for name, array in values.items():
            _ = field(name)
            if array.shape != shape:
                raise LabelError(f"{name} has shape {array.shape}, its labels {shape}")
        held = {"value": _cube(values, list(values), shape)}
        if intervals:
            _check_intervals(intervals, values)
            for i, bound in enumerate(BOUNDS):
                arrays = {name: pair[i] for name, pair in intervals.items()}
                held[bound] = _cube(arrays, list(values), shape)
        data = xr.Dataset(
            {name: (DIMS, cube) for name, cube in held.items()},
            coords={
                "indicator": np.asarray(list(values), dtype=object),
                "year": np.asarray(years, dtype=np.int64),
                "zone": np.asarray(zones, dtype=object),
            },
        )
        return cls(data)

    @property
    def indicators(self) -> tuple[str, ...]:
        """Names of the indicators."""
        return tuple(self.data["indicator"].values)

    @property
    def years(self) -> tuple[int, ...]:
        """Labels of the year axis."""
        return tuple(int(year) for year in self.data["year"].values)

    @property
    def zones(self) -> tuple[str, ...]:
        """Labels of the zone axis."""
        return tuple(self.data["zone"].values)

    @property
    def with_interval(self) -> tuple[str, ...]:
        """The indicators that have an interval anywhere."""
        if "low" not in self.data:
            return ()
        known = (~np.isnan(self.data["low"].values)).any(axis=(1, 2))
        return tuple(name for name, has in zip(self.indicators, known, strict=True) if has)

    def column(
        self,
        indicator: str,
        year: int,
        bound: Literal["value", "low", "high"] = "value",
    ) -> NDArray[np.float64]:
        """One indicator in one year, by zone ``(Z,)``, or a bound of its interval.

        Raises
        ------
        LabelError
            If the table does not hold it.
        """
        if indicator not in self.indicators or year not in self.years:
            raise LabelError(f"no {indicator} in {year}; {self.indicators} in {self.years}")
        if bound not in self.data:
            raise LabelError("this table holds no intervals")
        values: NDArray[np.float64] = self.data[bound].values
        return np.asarray(values[self.indicators.index(indicator), self.years.index(year)])

    def intervals(self) -> dict[str, Interval]:
        """Lower and upper bounds of the indicators that have them, each ``(Y, Z)``."""
        return {
            name: (
                self.data["low"].values[self.indicators.index(name)],
                self.data["high"].values[self.indicators.index(name)],
            )
            for name in self.with_interval
        }

    def bounded(self, intervals: Mapping[str, Interval]) -> Table:
        """The same table with the intervals of some of its indicators.

        Raises
        ------
        LabelError
            If the table does not hold an indicator.

        Examples
        --------
        >>> import numpy as np
        >>> t = Table.build({"population": np.array([[12.0]])}, years=[2020], zones=["a"])
        >>> t.bounded({"population": (np.array([[10.0]]), np.array([[15.0]]))}).column(
        ...     "population", 2020, "high")
        array([15.])
        """
        values = dict(zip(self.indicators, self.data["value"].values, strict=True))
        both = {**self.intervals(), **intervals}
        return Table.build(values, years=self.years, zones=self.zones, intervals=both)

    def frame(self, indicator: str) -> pd.DataFrame:
        """One indicator as a frame: a row a year, a column a zone.

        Raises
        ------
        LabelError
            If the table does not hold it.
        """
        rows = [self.column(indicator, year) for year in self.years]
        return pd.DataFrame(rows, index=pd.Index(self.years, name="year"), columns=self.zones)

    def join(self, other: Table) -> Table:
        """Both tables' indicators over the same years and zones.

        Raises
        ------
        LabelError
            If years or zones differ.
        """
        if (self.years, self.zones) != (other.years, other.zones):
            raise LabelError("tables to join have different years or zones")
        values = {
            name: table.data["value"].values[i]
            for table in (self, other)
            for i, name in enumerate(table.indicators)
        }
        both = {**self.intervals(), **other.intervals()}
        return Table.build(values, years=self.years, zones=self.zones, intervals=both)

    def tidy(self) -> pd.DataFrame:
        """Long form: zone, year, indicator, value and bounds; undefined values left out."""
        values = self.data["value"].values
        indicators, years, zones = values.shape
        frame = pd.DataFrame(
            {
                "zone": np.tile(np.asarray(self.zones, dtype=object), indicators * years),
                "year": np.tile(np.repeat(np.asarray(self.years), zones), indicators),
                "indicator": np.repeat(np.asarray(self.indicators, dtype=object), years * zones),
                **{name: self.data[name].values.ravel() for name in self.data},
            },
        )
        return frame[frame["value"].notna()].reset_index(drop=True)


def stack(tables: Sequence[Table]) -> Table:
    """Tables of the same indicators and years, their zones one after the other.

    Raises
    ------
    LabelError
        If indicators or years differ, or a zone stands twice.
    """
    first = tables[0]
    zones = [zone for table in tables for zone in table.zones]
    same = all((t.indicators, t.years) == (first.indicators, first.years) for t in tables)
    if not same or len(set(zones)) != len(zones):
        raise LabelError("tables to stack differ in indicators or years, or share a zone")
    cube = np.concatenate([table.data["value"].values for table in tables], axis=2)
    values = dict(zip(first.indicators, cube, strict=True))
    named = {name for table in tables for name in table.with_interval}
    intervals = {name: _stacked(tables, name) for name in sorted(named)}
    return Table.build(values, years=first.years, zones=zones, intervals=intervals)


def _stacked(tables: Sequence[Table], name: str) -> Interval:
    unknown = [np.full((len(table.years), len(table.zones)), np.nan) for table in tables]
    pairs = [
        table.intervals().get(name, (nothing, nothing))
        for table, nothing in zip(tables, unknown, strict=True)
    ]
    low, high = (np.concatenate([pair[i] for pair in pairs], axis=1) for i in range(2))
    return low, high


def _cube(
    arrays: Mapping[str, NDArray[np.float64]],
    names: Sequence[str],
    shape: tuple[int, int],
) -> NDArray[np.float64]:
    nothing = np.full(shape, np.nan)
    cube = np.array([arrays.get(name, nothing) for name in names], dtype=np.float64)
    cube = cube.reshape(len(names), *shape)
    cube.flags.writeable = False
    return cube


def _check_intervals(
    intervals: Mapping[str, Interval],
    values: Mapping[str, NDArray[np.float64]],
) -> None:
    for name, (low, high) in intervals.items():
        if name not in values:
            raise LabelError(f"an interval of {name}, which the table does not hold")
        if low.shape != values[name].shape or high.shape != values[name].shape:
            raise LabelError(f"the interval of {name} has shape {low.shape}, {high.shape}")
        if np.any(low > high):
            raise LabelError(f"the interval of {name} is upside down")
