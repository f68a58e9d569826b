"""Facilities: point zones with a class and dated events; those without coordinates stay listed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from futuremap.core.zones import Zones, join
from futuremap.errors import LabelError

COLUMNS = ("name", "facility_class", "address", "opened", "parent")
FURTHER = ("kind", "floor_area", "capacity")  # columns that a list may have
EVENT_COLUMNS = ("facility", "year", "event")
FURTHER_OF_EVENTS = ("into", "longitude", "latitude", "floor_area", "capacity")
EVENTS = ("open", "rebuild", "renew", "merge", "close", "move")


@dataclass(frozen=True, eq=False)
class Facilities:
    """Facilities of a municipality.

    Parameters
    ----------
    table
        One row a facility, indexed by id (text): ``name``, ``facility_class``, ``address``,
        ``opened`` (year, NaN where unknown) and ``parent`` (municipality code). A list may
        also have ``kind`` (text: what its class divides into, several joined by 、),
        ``floor_area`` [m^2] and ``capacity`` (beds, seats or places), NaN where unknown.
    located
        Points of the facilities whose coordinates are known, in the order of `table`.
    events
        What is planned: ``facility``, ``year``, ``event`` (open, rebuild, renew, merge,
        close, move). Events may also say ``into`` (the facility that takes over at a merger,
        "" elsewhere), ``longitude`` and ``latitude`` (of a move), and the ``floor_area`` and
        ``capacity`` from then on, NaN where they stay.
    """

    table: pd.DataFrame
    located: Zones
    events: pd.DataFrame

    def __post_init__(self) -> None:
        missing = [column for column in COLUMNS if column not in self.table.columns]
        missing += [column for column in EVENT_COLUMNS if column not in self.events.columns]
        if missing:
            raise LabelError(f"facilities lack the columns {missing}")
        if self.table.index.has_duplicates:
            repeated = self.table.index[self.table.index.duplicated()][:5].tolist()
            raise LabelError(f"facility ids repeat: {repeated}")
        located = self._located_ids
        in_order = [facility for facility in self.table.index if facility in located]
        if list(self.located.ids) != in_order:
            raise LabelError("located facilities are not a part of the table in its order")
        further = set(self.table.columns) - {*COLUMNS, *FURTHER}
        further |= set(self.events.columns) - {*EVENT_COLUMNS, *FURTHER_OF_EVENTS}
        if further:
            raise LabelError(f"facilities have columns nobody knows: {sorted(further)}")
        unknown = set(self.events["event"]) - set(EVENTS)
        if unknown or not set(self.events["facility"]) <= set(self.table.index):
            raise LabelError(f"events of unknown kind or facility: {sorted(unknown)}")

    @property
    def _located_ids(self) -> frozenset[str]:
        return frozenset(self.located.ids)

    def opened(self) -> NDArray[np.float64]:
        """Opening year of each located facility ``(F,)``, NaN where unknown. [year]"""
        ids = list(self.located.ids)
        return np.asarray(self.table.loc[ids, "opened"].to_numpy(dtype=np.float64))

    def unlocated(self) -> tuple[str, ...]:
        """Names of the facilities without coordinates."""
        ids = self._located_ids
        rows = self.table.loc[[facility not in ids for facility in self.table.index], "name"]
        return tuple(rows)


def join_facilities(parts: Sequence[Facilities]) -> Facilities:
    """Facilities of several classes of one municipality, as one.

    Raises
    ------
    LabelError
        If an id stands twice or the parts are measured in different plane zones.
    """
    return Facilities(
        pd.concat([part.table for part in parts]),
        join([part.located for part in parts]),
        pd.concat([part.events for part in parts], ignore_index=True),
    )
