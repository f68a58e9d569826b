"""Events at the door: what a project plans for its facilities, checked before it is followed."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import pandas as pd

from futuremap.catchment.life_cycle import ORDER
from futuremap.core.facilities import EVENT_COLUMNS, FURTHER_OF_EVENTS, Facilities
from futuremap.problems import Report

NEAR = 3  # names that come close, shown
TOGETHER = {"move", "rebuild"}  # a move to a new building


class _Event(NamedTuple):
    line: int | None
    facility: str  # as written, then its id
    year: int
    event: str
    into: str
    longitude: float
    latitude: float
    floor_area: float
    capacity: float


@dataclass
class _Door:
    """Where problems of one file go."""

    facilities: Facilities
    file: str
    report: Report

    def add(self, code: str, event: _Event, column: str, value: object, **detail: Any) -> None:
        self.report.add(code, file=self.file, line=event.line, column=column, value=value, **detail)

    def name(self, facility: str) -> str:
        return str(self.facilities.table.loc[facility, "name"])


def check_events(
    facilities: Facilities,
    planned: pd.DataFrame,
    *,
    horizon: tuple[int, int],
    file: str,
    report: Report,
    lines: Sequence[int] | None = None,
) -> Facilities:
    """Facilities with the events that a project plans for them.

    Parameters
    ----------
    facilities
        Facilities as read.
    planned
        Columns ``facility`` and ``into`` (an id, or a name that only one facility has),
        ``year``, ``event``, and as may be ``longitude``, ``latitude``, ``floor_area``,
        ``capacity`` (:class:`~futuremap.core.facilities.Facilities`).
    horizon
        First and last year of the projection.
    file, lines
        Where the events stand, and the line of each.
    report
        Takes FM640 (unknown facility), FM641 (impossible merger), FM642 (event that does not
        fit what stands before it), FM643 (two in a year), FM644 (outside the horizon), FM646
        (place of a move), FM647 (age unknown after a move).

    Returns
    -------
    Facilities
        The same, with those events that can be followed.

    Examples
    --------
    >>> from futuremap.core.zones import Zones
    >>> halls = Facilities(
    ...     pd.DataFrame({"name": ["東会館"], "facility_class": "hall", "address": "",
    ...                   "opened": [1980.0], "parent": "34204"}, index=["a"]),
    ...     Zones.build([], [], names=[], parents=[], kind="facility", plane_zone=3),
    ...     pd.DataFrame(columns=["facility", "year", "event"]))
    >>> report = Report()
    >>> plans = pd.DataFrame({"facility": ["東会館", "東会堂"], "year": 2035, "event": "close"})
    >>> check_events(halls, plans, horizon=(2020, 2050), file="project.toml",
    ...              report=report).events["facility"].tolist()
    ['a']
    >>> [(problem.code, dict(problem.detail)["near"]) for problem in report.problems]
    [('FM640', '東会館')]
    """
    door = _Door(facilities, file, report)
    known = [
        event
        for event in (_named(written, door) for written in _written(planned, lines))
        if event is not None and _placed(event, door)
    ]
    for event in known:
        if not horizon[0] <= event.year <= horizon[1]:
            door.add("FM644", event, "year", event.year, first=horizon[0], last=horizon[1])
    known = _one_a_year(known, door)
    _note_moves(known, door)
    fitting = _fitting(known, door)
    columns = [*EVENT_COLUMNS, *FURTHER_OF_EVENTS]
    frame = pd.DataFrame([event._asdict() for event in fitting], columns=["line", *columns])
    return replace(facilities, events=frame[columns])


def check_classes(
    facilities: Facilities,
    known: Collection[str],
    *,
    file: str,
    report: Report,
) -> None:
    """Note facilities of classes for which no life is known (FM645).

    Parameters
    ----------
    facilities
        Facilities as read.
    known
        Classes with a life, from the presets or the project's own rules.
    file
        The project's file.
    report
        Takes FM645, once a class.
    """
    for name, count in sorted(Counter(facilities.table["facility_class"]).items()):
        if name not in known:
            report.add(
                "FM645", file=file, column="class", value=name, count=count,
                near=_near(name, known),
            )  # fmt: skip


def _written(planned: pd.DataFrame, lines: Sequence[int] | None) -> Iterable[_Event]:
    columns = [*EVENT_COLUMNS, *FURTHER_OF_EVENTS]
    frame = planned.reindex(columns=columns)
    for i, row in enumerate(frame.itertuples(index=False)):
        into = row.into if isinstance(row.into, str) else ""
        numbers = (float(value) for value in row[columns.index("longitude") :])
        yield _Event(
            None if lines is None else lines[i],
            str(row.facility),
            int(row.year),
            str(row.event),
            into,
            *numbers,
        )


def _named(event: _Event, door: _Door) -> _Event | None:
    facility, reason = _find(event.facility, door.facilities)
    if facility is None:
        door.add("FM640", event, "facility", event.facility, **reason)
    into: str | None = ""
    if event.event == "merge":
        into, reason = _find(event.into, door.facilities)
        if into is None:
            door.add(
                "FM641", event, "into", event.into,
                reason_ja=f"その施設は一覧にありません（近い名前：{reason['near']}）",
                reason_en=f"no such facility (near: {reason['near']})",
            )  # fmt: skip
        elif into == facility:
            door.add("FM641", event, "into", event.into,
                     reason_ja="自分自身です", reason_en="it is the facility itself")  # fmt: skip
            into = None
    if facility is None or into is None:
        return None
    return event._replace(facility=facility, into=into)


def _find(written: str, facilities: Facilities) -> tuple[str | None, dict[str, str]]:
    table = facilities.table
    if written in table.index:
        return written, {}
    called = table.index[table["name"] == written]
    if len(called) == 1:
        return str(called[0]), {}
    near = "、".join(called[:NEAR]) or _near(written, {*table["name"], *table.index})
    return None, {"near": near}


def _near(written: str, names: Collection[str]) -> str:
    return "、".join(difflib.get_close_matches(written, sorted(names), n=NEAR, cutoff=0.4))


def _placed(event: _Event, door: _Door) -> bool:
    given = [value == value for value in (event.longitude, event.latitude)]  # noqa: PLR0124 - NaN
    right = all(given) if event.event == "move" else not any(given)
    if not right:
        door.add("FM646", event, "longitude", event.event)
    return right


def _one_a_year(events: list[_Event], door: _Door) -> list[_Event]:
    kinds: dict[tuple[str, int], list[str]] = {}
    held = []
    for event in events:
        before = kinds.setdefault((event.facility, event.year), [])
        before.append(event.event)
        if len(before) > 1 and not (len(before) == len(TOGETHER) and set(before) == TOGETHER):
            door.add("FM643", event, "year", event.year, facility=door.name(event.facility),
                     events="・".join(before))  # fmt: skip
        else:
            held.append(event)
    return held


def _note_moves(events: list[_Event], door: _Door) -> None:
    rebuilt = {(event.facility, event.year) for event in events if event.event == "rebuild"}
    for event in events:
        if event.event == "move" and (event.facility, event.year) not in rebuilt:
            door.add("FM647", event, "event", event.event, facility=door.name(event.facility),
                     year=event.year)  # fmt: skip


def _fitting(events: list[_Event], door: _Door) -> list[_Event]:
    """Follow all facilities through the years, and hold what can happen."""
    closed: dict[str, int] = {}
    touched: set[str] = set()
    held: list[_Event] = []
    ordered = sorted(events, key=lambda e: (e.year, ORDER[e.event], e.facility))
    for year in sorted({event.year for event in ordered}):
        now = []
        for event in (event for event in ordered if event.year == year):
            reason = _against(event, door, closed, first=event.facility not in touched)
            touched.add(event.facility)
            if reason:
                door.add("FM642", event, "event", event.event, name=door.name(event.facility),
                         reason_ja=reason[0], reason_en=reason[1])  # fmt: skip
                continue
            if event.event == "open":
                closed.pop(event.facility, None)
            elif event.event in ("close", "merge"):
                closed[event.facility] = year
            now.append(event)
        # what takes over must be there at the end of the year
        held += [event for event in now if not _into_nothing(event, door, closed, events)]
    return held


def _against(
    event: _Event,
    door: _Door,
    closed: dict[str, int],
    *,
    first: bool,
) -> tuple[str, str] | None:
    opened = float(door.facilities.table.loc[event.facility, "opened"])
    if event.event == "open":
        begins = opened == event.year or (first and opened != opened)  # noqa: PLR0124 - NaN
        if event.facility in closed or begins:
            return None
        return "すでに開いています", "it is open already"
    if event.facility in closed:
        year = closed[event.facility]
        return f"{year}年に閉じています", f"it is closed since {year}"
    if opened > event.year:
        return f"開設は{opened:.0f}年です", f"it opens in {opened:.0f}"
    return None


def _into_nothing(
    event: _Event,
    door: _Door,
    closed: dict[str, int],
    events: list[_Event],
) -> bool:
    if event.event != "merge":
        return False
    opened = float(door.facilities.table.loc[event.into, "opened"])
    opens = [e.year for e in events if e.facility == event.into and e.event == "open"]
    begins = min(opens) if opened != opened and opens else opened  # noqa: PLR0124 - NaN
    there = event.into not in closed and not begins > event.year
    if not there:
        door.add("FM641", event, "into", door.name(event.into),
                 reason_ja=f"その施設は{event.year}年に開いていません",
                 reason_en=f"it is not open in {event.year}")  # fmt: skip
    return not there
