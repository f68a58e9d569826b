"""Versions: every place at which a facility stands for some years, so that reach is built once."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from futuremap.catchment.life_cycle import NOWHERE, Timeline, plan
from futuremap.core.crosswalk import from_pairs, gather
from futuremap.core.facilities import Facilities
from futuremap.core.population import Population, join_years
from futuremap.core.table import Table
from futuremap.core.zones import Zones
from futuremap.errors import LabelError

Positions = NDArray[np.intp]
Floats = NDArray[np.float64]


class Versions(NamedTuple):
    """Facilities at their places, by facility and then by year ``(V,)``.

    zones
        Points; the first version has the id of its facility, later ones ``id@year``.
    facility
        Position in the table of facilities.
    first, last
        First and last year in service there, -inf and inf where there is none. [year]
    """

    zones: Zones
    facility: Positions
    first: Floats
    last: Floats


def versions(facilities: Facilities) -> Versions:
    """All places at which facilities stand or will stand.

    Parameters
    ----------
    facilities
        Facilities with their events. Those without coordinates have no version until they
        move to a known place.

    Returns
    -------
    Versions
        One for each stretch of years in service at one place: a closure ends one, a move or
        another opening begins one.

    Examples
    --------
    >>> halls = Facilities(
    ...     pd.DataFrame({"name": ["A"], "facility_class": "hall", "address": "",
    ...                   "opened": [1980.0], "parent": "34204"}, index=["a"]),
    ...     Zones.build(["a"], [shapely.Point(133.0, 34.4)], names=["A"], parents=["34204"],
    ...                 kind="facility", plane_zone=3),
    ...     pd.DataFrame({"facility": ["a", "a"], "year": [2035, 2050], "event": ["move", "close"],
    ...                   "longitude": [133.1, float("nan")], "latitude": [34.5, float("nan")]}))
    >>> both = versions(halls)
    >>> both.zones.ids, both.first.tolist(), both.last.tolist()
    (('a', 'a@2035'), [1980.0, 2035.0], [2034.0, 2049.0])
    >>> active(both, 2040).tolist()
    [False, True]
    """
    stretches = _stretches(facilities)
    number = stretches.groupby("facility").cumcount().to_numpy()
    position = stretches["facility"].to_numpy(dtype=np.intp)
    table = facilities.table.iloc[position]
    first = stretches["year"].to_numpy(dtype=np.float64)
    ids = [
        f"{facility}@{int(year)}" if count else facility
        for facility, year, count in zip(table.index, first, number, strict=True)
    ]
    points = shapely.points(stretches["longitude"], stretches["latitude"])
    zones = Zones.build(
        ids,
        np.asarray(points, dtype=object),
        names=list(table["name"]),
        parents=list(table["parent"]),
        kind="facility",
        plane_zone=facilities.located.plane_zone,
        notes=facilities.located.notes,
        sources=facilities.located.sources,
    )
    return Versions(zones, position, first, stretches["end"].to_numpy(dtype=np.float64) - 1)


def active(every: Versions, year: int) -> NDArray[np.bool_]:
    """Which versions are in service in a year ``(V,)``."""
    return (every.first <= year) & (year <= every.last)


def by_facility(
    population: Population,
    every: Versions,
    *,
    timeline: Timeline,
    inherit: bool,
) -> Population:
    """People of the versions as people of the facilities, each year those in service.

    Parameters
    ----------
    population
        People gathered to all versions, in their order. [persons]
    every
        The versions.
    timeline
        The same facilities in the population's years.
    inherit
        Whether the people of a merged facility count at its successor: right where everybody
        belongs to one facility (districts). Where reaches overlap (a radius) they would count
        twice; the successor's own reach says who comes.

    Returns
    -------
    Population
        By facility of the timeline; closed and unlocated ones have 0 people.

    Raises
    ------
    LabelError
        If zones or years do not match.
    """
    if timeline.years != population.years:
        raise LabelError(f"people of {population.years}, a timeline of {timeline.years}")
    rows = _version_of(every, timeline)
    parts = []
    for i, year in enumerate(population.years):
        counts = timeline.open[i] | (inherit & (timeline.successor[i] >= 0))
        held = np.flatnonzero(counts & (rows[i] >= 0))
        walk = from_pairs(
            timeline.successor[i, held],
            rows[i, held],
            np.ones(len(held)),
            targets=timeline.facilities,
            sources=every.zones.ids,
            rule=f"facilities in service in {year}",
        )
        parts.append(gather(population.at(year), walk))
    return join_years(parts)


def table_by_facility(table: Table, every: Versions, *, timeline: Timeline) -> Table:
    """Indicators of the versions as indicators of the facilities, each year those in service.

    Returns
    -------
    Table
        By facility of the timeline, NaN where it is not in service or has no place.

    Raises
    ------
    LabelError
        If zones or years do not match.
    """
    if (table.years, table.zones) != (timeline.years, every.zones.ids):
        raise LabelError("the table is not of these versions or not in the timeline's years")
    rows = np.where(timeline.open, _version_of(every, timeline), NOWHERE)

    def fold(values: Floats) -> Floats:
        padded = np.pad(values, ((0, 0), (0, 1)), constant_values=np.nan)  # -1 is the last
        return np.asarray(np.take_along_axis(padded, rows, axis=1))

    values = dict(zip(table.indicators, table.data["value"].values, strict=True))
    intervals = {name: (fold(low), fold(high)) for name, (low, high) in table.intervals().items()}
    return Table.build(
        {name: fold(array) for name, array in values.items()},
        years=timeline.years,
        zones=timeline.facilities,
        intervals=intervals,
    )


def _version_of(every: Versions, timeline: Timeline) -> Positions:
    """The version at which a facility stands, or stood last ``(Y, F)``; -1 where there is none."""
    years = np.asarray(timeline.years, dtype=np.float64)
    shape = (len(years) + 1, len(timeline.facilities))
    latest = np.full(shape, NOWHERE, dtype=np.intp)
    # versions stand by facility and year: of those begun, the last has the highest position
    begun = np.searchsorted(years, every.first)
    np.maximum.at(latest, (begun, every.facility), np.arange(len(every.first)))
    return np.asarray(np.maximum.accumulate(latest, axis=0)[:-1], dtype=np.intp)


def _stretches(facilities: Facilities) -> pd.DataFrame:
    planned = plan(facilities)
    ids = facilities.table.index
    points = facilities.located.geometry
    place = pd.DataFrame(
        {"longitude": shapely.get_x(points), "latitude": shapely.get_y(points)},
        index=list(facilities.located.ids),
        dtype=np.float64,
    ).reindex(ids)
    begins = pd.DataFrame(
        {
            "facility": np.arange(len(ids)),
            "year": planned.begins,
            "longitude": place["longitude"].to_numpy(),
            "latitude": place["latitude"].to_numpy(),
            "serves": True,
        },
    )
    turns = np.isin(planned.kind, ("open", "move", "close", "merge"))
    # the opening that begins a facility is its first row already
    turns &= (planned.kind != "open") | (planned.year > planned.begins[planned.facility])
    moved = planned.frame.reindex(columns=["longitude", "latitude"]).where(
        planned.frame["event"] == "move",
    )
    events = pd.DataFrame(
        {
            "facility": planned.facility,
            "year": planned.year,
            "longitude": moved["longitude"].astype(np.float64),
            "latitude": moved["latitude"].astype(np.float64),
            "serves": np.isin(planned.kind, ("open", "move")),
        },
    )[turns]
    rows = pd.concat([begins, events], ignore_index=True)
    rows = rows.sort_values(["facility", "year"], kind="stable", ignore_index=True)
    of = rows.groupby("facility")
    rows[["longitude", "latitude"]] = of[["longitude", "latitude"]].ffill()
    rows["end"] = of["year"].shift(-1).fillna(np.inf)
    held = rows["serves"] & rows["longitude"].notna() & (rows["end"] > rows["year"])
    return rows[held].reset_index(drop=True)
