"""Table: indicators by year and zone, with an interval where one exists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from futuremap.core.fields import field
from futuremap.errors import LabelError

DIMS = ("indicator", "year", "zone")


@dataclass(frozen=True, eq=False)
class Table:
    """Indicators named in the field dictionary.

    Parameters
    ----------
    data
        Read-only dataset with ``value`` and, where an interval exists, ``low`` and ``high``,
        each (indicator, year, zone), in the field's own unit (ratios, not percents).
        NaN means that the indicator is not defined there.
    """

    data: xr.Dataset

    @classmethod
    def build(
        cls,
        values: Mapping[str, NDArray[np.float64]],
        *,
        years: Sequence[int],
        zones: Sequence[str],
    ) -> Table:
        """Freeze indicators, each ``(Y, Z)``.

        Raises
        ------
        LabelError
            If an indicator is not in the field dictionary or its shape does not match.

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
        cube = np.array([values[name] for name in values], dtype=np.float64)
        cube = cube.reshape(len(values), *shape)
        cube.flags.writeable = False
        data = xr.Dataset(
            {"value": (DIMS, cube)},
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

    def column(self, indicator: str, year: int) -> NDArray[np.float64]:
        """One indicator in one year, by zone ``(Z,)``.

        Raises
        ------
        LabelError
            If the table does not hold it.
        """
        if indicator not in self.indicators or year not in self.years:
            raise LabelError(f"no {indicator} in {year}; {self.indicators} in {self.years}")
        values: NDArray[np.float64] = self.data["value"].values
        return np.asarray(values[self.indicators.index(indicator), self.years.index(year)])

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
        return Table.build(values, years=self.years, zones=self.zones)

    def tidy(self) -> pd.DataFrame:
        """Long form for export: zone, year, indicator, value; undefined values left out."""
        values = self.data["value"].values
        indicators, years, zones = values.shape
        frame = pd.DataFrame(
            {
                "zone": np.tile(np.asarray(self.zones, dtype=object), indicators * years),
                "year": np.tile(np.repeat(np.asarray(self.years), zones), indicators),
                "indicator": np.repeat(np.asarray(self.indicators, dtype=object), years * zones),
                "value": values.ravel(),
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
    return Table.build(values, years=first.years, zones=zones)
