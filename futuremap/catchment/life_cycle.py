"""Life cycle: years in service now and later, what events change, and what renewing costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from futuremap.core.facilities import Facilities
from futuremap.core.table import Table
from futuremap.errors import LabelError

Floats = NDArray[np.float64]
Positions = NDArray[np.intp]
Bools = NDArray[np.bool_]
Value = TypeVar("Value", np.float64, np.intp, np.bool_)
NOWHERE = -1
# a building that moves in the year in which it is rebuilt is new: the move stands first
ORDER = {"open": 0, "move": 1, "rebuild": 2, "renew": 3, "merge": 4, "close": 5}


class Timeline(NamedTuple):
    """Facilities over time, all ``(Y, F)`` in the order of their table.

    facilities, years
        Labels ``(F,)`` and ``(Y,)``.
    open
        Whether it is in service. An event holds from its year on: what opens in 2035 is open
        in 2035, what closes in 2035 is not.
    years_in_service
        Years since opening or the last rebuilding; NaN where unknown or not open. [years]
    life_left
        Years until the life ends, negative after it; NaN where unknown or not open. [years]
    past_life
        Whether the life has ended (nothing left); false where it is unknown.
    capacity, floor_area
        From the list and the events since; NaN where unknown or not open. [persons], [m^2]
    successor
        Position of the facility at which its users count: itself while open, after a merger
        the one that took over (or that one's successor), -1 where there is none.
    renewals
        Renewals since opening or the last rebuilding.
    """

    facilities: tuple[str, ...]
    years: tuple[int, ...]
    open: Bools
    years_in_service: Floats
    life_left: Floats
    past_life: Bools
    capacity: Floats
    floor_area: Floats
    successor: Positions
    renewals: Positions

    def table(self) -> Table:
        """Years in service, life left, capacity and floor area as indicators."""
        values = {
            name: getattr(self, name)
            for name in ("years_in_service", "life_left", "capacity", "floor_area")
        }
        return Table.build(values, years=self.years, zones=self.facilities)


class Planned(NamedTuple):
    """Events in order of year, in positions ``(E,)``, and the year in which each facility begins.

    `begins` ``(F,)`` is -inf for those that have been there all the time.
    """

    frame: pd.DataFrame
    facility: Positions
    into: Positions
    year: Floats
    kind: NDArray[np.object_]
    begins: Floats


def years_in_service(opened: ArrayLike, years: Sequence[int]) -> NDArray[np.float64]:
    """Years since opening, grown by the time that passes.

    Parameters
    ----------
    opened
        Opening year of each facility ``(F,)``, NaN where unknown. [year]
    years
        Years asked for ``(Y,)``.

    Returns
    -------
    numpy.ndarray
        ``(Y, F)``, NaN where the opening year is unknown or still to come. [years]

    Examples
    --------
    >>> years_in_service([1983, float("nan")], [2023, 2053]).tolist()
    [[40.0, nan], [70.0, nan]]
    """
    age = np.asarray(years, dtype=np.float64)[:, None] - np.asarray(opened, dtype=np.float64)
    return np.where(age >= 0, age, np.nan)


def timeline(
    facilities: Facilities,
    years: Sequence[int],
    *,
    life_years: Mapping[str, float],
    extension_years: Mapping[str, float] | None = None,
) -> Timeline:
    """Follow facilities through their dated events.

    Parameters
    ----------
    facilities
        Facilities with their events, as checked by :func:`futuremap.catchment.events.check_events`.
    years
        Years asked for ``(Y,)``, rising.
    life_years
        How long a building lasts, by facility id or class; an id goes before its class. What
        is not there has no known life. [years]
    extension_years
        By how much each renewal extends the life, by id or class. [years]

    Returns
    -------
    Timeline
        All of it ``(Y, F)``.

    Raises
    ------
    LabelError
        If years do not rise.

    Notes
    -----
    - ``open``: begins service, or takes it up again after a closure; a building is not younger
      for that. A facility whose list says no opening year and whose first event is an opening
      begins then.
    - ``rebuild``: the building is new: age 0, full life, no renewals.
    - ``renew``: the age goes on; the life ends later by `extension_years`, and is unknown
      where these are not given.
    - ``move``: to a building of unknown age, unless it is rebuilt in the same year.
    - ``merge``: closes; its users count at ``into``, whose floor area and capacity become
      those of the event, and stay as they are where it says none.

    Examples
    --------
    >>> import pandas as pd
    >>> from futuremap.core.zones import Zones
    >>> halls = Facilities(
    ...     pd.DataFrame({"name": ["A", "B"], "facility_class": "hall", "address": "",
    ...                   "opened": [1980.0, 2000.0], "parent": "34204"}, index=["a", "b"]),
    ...     Zones.build([], [], names=[], parents=[], kind="facility", plane_zone=3),
    ...     pd.DataFrame({"facility": ["a", "b"], "year": [2035, 2045],
    ...                   "event": ["rebuild", "merge"], "into": ["", "a"]}))
    >>> then = timeline(halls, [2030, 2035, 2050], life_years={"hall": 50})
    >>> then.years_in_service.tolist(), then.life_left[:, 0].tolist()
    ([[50.0, 30.0], [0.0, 35.0], [15.0, nan]], [0.0, 50.0, 35.0])
    >>> then.past_life[0].tolist(), then.successor[2].tolist()
    ([True, False], [0, 0])
    """
    asked = np.asarray(years, dtype=np.float64)
    if (np.diff(asked) <= 0).any():
        raise LabelError(f"years must rise, got {list(years)}")
    planned = plan(facilities)
    status = _last(planned, asked, ("open", "close", "merge"))
    stopped = np.isin(planned.kind, ("close", "merge"))
    is_open = (asked[:, None] >= planned.begins) & ~_at(stopped, status, fallback=False)
    built, renewals = _building(planned, asked, facilities)
    ids = facilities.table.index
    life = by_class(life_years, facilities)
    longer = np.where(renewals > 0, renewals * by_class(extension_years or {}, facilities), 0.0)
    age = np.where(is_open, asked[:, None] - built, np.nan)
    left = life + longer - age
    return Timeline(
        tuple(ids),
        tuple(int(year) for year in years),
        is_open,
        age,
        left,
        left <= 0,
        np.where(is_open, _size(facilities, planned, asked, "capacity"), np.nan),
        np.where(is_open, _size(facilities, planned, asked, "floor_area"), np.nan),
        _successors(planned, status, is_open),
        renewals,
    )


def renewal_costs(
    facilities: Facilities,
    years: Sequence[int],
    *,
    life_years: Mapping[str, float],
    rebuild_cost: Mapping[str, float],
    repair_cost: Mapping[str, float],
    extension_years: Mapping[str, float] | None = None,
) -> Table:
    """What rebuilding and large repairs cost, in the years in which they fall due.

    Parameters
    ----------
    facilities
        Facilities with floor areas and events.
    years
        Years asked for ``(Y,)``, rising. A cost counts in the first of them at or after the
        year in which it falls due; the first of all also holds what fell due before it.
    life_years, extension_years
        As in :func:`timeline`. [years]
    rebuild_cost, repair_cost
        Unit costs by facility id or class; an id goes before its class. [yen/m^2]

    Returns
    -------
    Table
        ``rebuild_cost``, ``repair_cost`` and their sum ``renewal_cost`` ``(Y, F)`` [yen]: 0
        where nothing falls due, NaN where what falls due cannot be told, as the floor area, the
        unit cost, the opening year or the life is unknown.

    Raises
    ------
    LabelError
        If years do not rise.

    Notes
    -----
    A rebuilding falls due when it is planned, or once when the life ends without one. A large
    repair falls due when a renewal is planned, and at half the life of a building that has not
    been renewed by then. The floor area is that of the year itself: a rebuilding with a new
    area costs the new area.

    Examples
    --------
    1,000 m^2 of 1990 with a life of 60 years: a repair in 2020, a rebuilding in 2050:

    >>> import pandas as pd
    >>> from futuremap.core.zones import Zones
    >>> hall = Facilities(
    ...     pd.DataFrame({"name": ["A"], "facility_class": "hall", "address": "",
    ...                   "opened": 1990.0, "parent": "34204", "floor_area": 1000.0}, index=["a"]),
    ...     Zones.build([], [], names=[], parents=[], kind="facility", plane_zone=3),
    ...     pd.DataFrame(columns=["facility", "year", "event"]))
    >>> cost = renewal_costs(hall, [2015, 2025, 2050], life_years={"hall": 60},
    ...                      rebuild_cost={"hall": 400_000}, repair_cost={"hall": 250_000})
    >>> cost.frame("repair_cost")["a"].tolist(), cost.frame("rebuild_cost")["a"].tolist()
    ([0.0, 250000000.0, 0.0], [0.0, 0.0, 400000000.0])
    """
    every = range(int(years[0]), int(years[-1]) + 1)
    then = timeline(facilities, every, life_years=life_years, extension_years=extension_years)
    planned = plan(facilities)
    at = np.asarray(every, dtype=np.float64)
    rebuilt, renewed = (_happens(planned, at, kind) for kind in ("rebuild", "renew"))
    middle = then.years_in_service - by_class(life_years, facilities) / 2
    ended = _begins(then.past_life, then) | rebuilt
    repair = _begins((middle >= 0) & (then.renewals == 0) & ~then.past_life, then) | renewed
    untold = then.open & np.isnan(then.life_left)
    period = np.searchsorted(np.asarray(years), at)
    values = {
        name: _summed(due, then.floor_area * by_class(unit, facilities), untold, period)
        for name, due, unit in (
            ("rebuild_cost", ended, rebuild_cost),
            ("repair_cost", repair, repair_cost),
        )
    }
    values["renewal_cost"] = values["rebuild_cost"] + values["repair_cost"]
    return Table.build(values, years=years, zones=then.facilities)


def plan(facilities: Facilities) -> Planned:
    """Events of facilities in order of year, in positions of their table."""
    events = facilities.events
    frame = events.assign(order=events["event"].map(ORDER).astype(float))
    frame = frame.sort_values(["year", "order"], kind="stable", ignore_index=True)
    ids = pd.Index(facilities.table.index)
    into = frame["into"] if "into" in frame else pd.Series("", index=frame.index, dtype=object)
    facility = ids.get_indexer(frame["facility"]).astype(np.intp)
    kind = frame["event"].to_numpy(dtype=object)
    year = frame["year"].to_numpy(dtype=np.float64)
    opened = facilities.table["opened"].to_numpy(dtype=np.float64)
    begins = np.where(np.isnan(opened), -np.inf, opened)
    # the first thing that happens to a facility without a year is that it opens
    _, first = np.unique(facility, return_index=True)
    opens = first[(kind[first] == "open") & np.isnan(opened[facility[first]])]
    begins[facility[opens]] = year[opens]
    taken = ids.get_indexer(into.fillna("")).astype(np.intp)
    return Planned(frame, facility, taken, year, kind, begins)


def by_class(values: Mapping[str, float], facilities: Facilities) -> Floats:
    """Values of facilities ``(F,)`` by their id, else by their class; NaN for what is in neither.

    Examples
    --------
    >>> import pandas as pd
    >>> from futuremap.core.zones import Zones
    >>> halls = Facilities(
    ...     pd.DataFrame({"name": ["A", "B"], "facility_class": "hall", "address": "",
    ...                   "opened": 1990.0, "parent": "34204"}, index=["a", "b"]),
    ...     Zones.build([], [], names=[], parents=[], kind="facility", plane_zone=3),
    ...     pd.DataFrame(columns=["facility", "year", "event"]))
    >>> by_class({"hall": 50, "b": 70}, halls).tolist()
    [50.0, 70.0]
    """
    own = facilities.table.index.to_series().map(values)
    shared = facilities.table["facility_class"].map(values)
    return np.asarray(own.fillna(shared).to_numpy(dtype=np.float64))


def _last(planned: Planned, years: Floats, kinds: Sequence[str]) -> Positions:
    """Last event of some kinds at or before each year ``(Y, F)``, -1 where none was."""
    return _latest(planned, years, np.flatnonzero(np.isin(planned.kind, kinds)), planned.facility)


def _latest(planned: Planned, years: Floats, events: Positions, whose: Positions) -> Positions:
    last = np.full((len(years) + 1, len(planned.begins)), NOWHERE, dtype=np.intp)
    # events stand in order of year, so that of two the later has the higher position
    np.maximum.at(last, (np.searchsorted(years, planned.year[events]), whose[events]), events)
    return np.maximum.accumulate(last, axis=0)[:-1]


def _at(values: NDArray[Value], position: Positions, *, fallback: float) -> NDArray[Value]:
    padded = np.append(values, np.asarray([fallback], dtype=values.dtype))
    return np.asarray(padded[position])


def _building(planned: Planned, years: Floats, facilities: Facilities) -> tuple[Floats, Positions]:
    """Year in which the building began, and renewals since, each ``(Y, F)``."""
    opened = facilities.table["opened"].to_numpy(dtype=np.float64)
    begun = np.where(np.isfinite(planned.begins), planned.begins, opened)
    last = _last(planned, years, ("rebuild", "move"))
    year = np.where(planned.kind == "rebuild", planned.year, np.nan)
    built = np.where(last >= 0, _at(year, last, fallback=np.nan), begun)
    renew = planned.kind == "renew"
    count = np.zeros((len(years) + 1, len(begun)), dtype=np.intp)
    np.add.at(count, (np.searchsorted(years, planned.year[renew]), planned.facility[renew]), 1)
    until = np.cumsum(count, axis=0)[:-1]
    before = pd.Series(renew.astype(np.intp)).groupby(planned.facility).cumsum().to_numpy(np.intp)
    return built, np.asarray(until - _at(before, last, fallback=0), dtype=np.intp)


def _size(facilities: Facilities, planned: Planned, years: Floats, name: str) -> Floats:
    table, events = facilities.table, planned.frame
    unknown = np.full(len(table), np.nan)
    held = table[name].to_numpy(dtype=np.float64) if name in table else unknown
    if name not in events:
        return np.broadcast_to(held, (len(years), len(held)))
    changed = events[name].to_numpy(dtype=np.float64)
    whose = np.where(planned.kind == "merge", planned.into, planned.facility)
    last = _latest(planned, years, np.flatnonzero(~np.isnan(changed)), whose)
    return np.where(last >= 0, _at(changed, last, fallback=np.nan), held)


def _successors(planned: Planned, status: Positions, is_open: Bools) -> Positions:
    merged = np.where(planned.kind == "merge", planned.into, NOWHERE)
    nowhere = is_open.shape[1]  # one more column, which leads to itself
    step = np.where(is_open, np.arange(nowhere), _at(merged, status, fallback=NOWHERE))
    step = np.pad(
        np.where(step == NOWHERE, nowhere, step), ((0, 0), (0, 1)), constant_values=nowhere
    )
    for _ in range(nowhere.bit_length()):  # each time twice as many mergers are followed
        step = np.take_along_axis(step, step, axis=1)
    ends = np.pad(is_open, ((0, 0), (0, 1)))
    reached = np.where(np.take_along_axis(ends, step, axis=1), step, NOWHERE)
    return np.asarray(reached[:, :-1], dtype=np.intp)


def _happens(planned: Planned, years: Floats, kind: str) -> Bools:
    happens = np.zeros((len(years), len(planned.begins)), dtype=np.bool_)
    which = (planned.kind == kind) & (planned.year >= years[0]) & (planned.year <= years[-1])
    happens[(planned.year[which] - years[0]).astype(np.intp), planned.facility[which]] = True
    return happens


def _begins(state: Bools, then: Timeline) -> Bools:
    """Whether a state of the building begins in a year, or stood in the first."""
    started = state & then.open
    younger = np.diff(then.years_in_service, axis=0) < 0
    started[1:] &= ~state[:-1] | younger
    return started


def _summed(due: Bools, cost: Floats, untold: Bools, period: Positions) -> Floats:
    paid = np.where(due, cost, np.where(untold, np.nan, 0.0))
    return np.asarray(np.add.reduceat(paid, np.unique(period, return_index=True)[1], axis=0))
