"""Town blocks of the census: e-Stat 小地域 境界データ (h27ka, r2ka; also as CODH publishes it).

A block may consist of several shapes of one KEY_CODE (KIGO_E says which); they become one zone,
and the people and households stated with each of them are counted once. Water (HCODE 8154) is
no place to live and is left out. The layout of 2020 (r2ka) is 未検証: it is taken from its
description, the one of 2015 from real files of two cities.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from futuremap.core.zones import Zones
from futuremap.problems import Report
from futuremap.sources import cells
from futuremap.sources.cells import Reason
from futuremap.sources.features import Features, column, read_features
from futuremap.sources.vector import Town, areas, build, texts

VERIFIED = ("h27ka",)  # editions that were read from real files
WATER = "8154"
KEY, NAME, KIND, PEOPLE, HOUSEHOLDS = "KEY_CODE", "S_NAME", "HCODE", "JINKO", "SETAI"
DIGITS = (5, 9, 11)  # of a municipality that is not divided, a town, a 丁目
KEY_DIGITS = {8: 9, 10: 11}  # a key column of numbers has lost the zero of 北海道 … 栃木県
EXAMPLES = "01209, 012090010, 01209001001"
PREFECTURE, CITY = "PREF", "CITY"


class Boundary(NamedTuple):
    """Town blocks with the people that the census counted in them.

    zones
        One zone a KEY_CODE, in the order in which they first stand; None if any is in doubt.
    persons, households
        Counted in each ``(Z,)``; None if the file has no such column. [persons, households]
    """

    zones: Zones | None
    persons: NDArray[np.float64] | None
    households: NDArray[np.float64] | None


def read(path: Path, *, town: Town, credit: str, report: Report) -> Boundary:
    """Read the town blocks of one municipality.

    Parameters
    ----------
    path
        Shapefile (or the zip as downloaded), GeoJSON or GeoPackage.
    town
        The municipality; blocks of others in the file are left out.
    credit
        Key of the credit line.
    report
        Takes the problems of :mod:`futuremap.sources.vector`, FM313 for codes that are none,
        FM553 where shapes of one block state different numbers, and FM554 for people in water.
    """
    nothing = Boundary(None, None, None)
    features = read_features(path, report=report, near=town.near)
    if features is None:
        return nothing
    written = column(features, KEY, report=report)
    labels = column(features, NAME, report=report)
    if written is None or labels is None:
        return nothing
    keys = _keys(written)
    ours = np.array([key.startswith(town.code) or not key for key in keys], dtype=bool)
    if not any(keys[ours]):
        features.note(report, "FM556", column=KEY, value=town.code)
        return nothing
    dry = _note_water(features, report) | ~ours
    kept = ours & dry
    return _build(features.only(kept), keys[kept], town=town, credit=credit, report=report)


def _keys(written: NDArray[np.object_]) -> NDArray[np.object_]:
    # a KEY_CODE has 9 or 11 digits (5 where a town is not divided), so a lost zero can be told
    keys = texts(written)
    if any(isinstance(key, int | float) for key in written):
        keys[:] = [key.zfill(KEY_DIGITS.get(len(key), len(key))) for key in keys]
    return keys


def _note_water(features: Features, report: Report) -> NDArray[np.bool_]:
    # whether each shape is dry land; a file without the column has no water in it
    kinds = features.fields.get(KIND)
    if kinds is None:
        return np.ones(len(features.geometry), dtype=bool)
    wet = texts(kinds) == WATER
    people = features.fields.get(PEOPLE)
    names = texts(features.fields[NAME]) if NAME in features.fields else texts(kinds)
    if people is None:
        return np.asarray(~wet)
    for row in np.flatnonzero(wet).tolist():
        count = cells.count(people[row])
        if not isinstance(count, Reason) and count > 0:
            features.note(report, "FM554", row=row, column=PEOPLE, value=count, name=names[row])
    return np.asarray(~wet)


def _build(
    features: Features,
    keys: NDArray[np.object_],
    *,
    town: Town,
    credit: str,
    report: Report,
) -> Boundary:
    names = texts(features.fields[NAME]) if NAME in features.fields else keys
    sound = np.array([_is_key(key) for key in keys], dtype=np.bool_)
    for row in np.flatnonzero(keys == "").tolist():
        features.note(report, "FM544", row=row, column=KEY)
    for row in np.flatnonzero(~sound & (keys != "")).tolist():
        features.note(report, "FM313", row=row, column=KEY, value=keys[row], expected=EXAMPLES)
    shapes = areas(features, names, report=report)
    counted = {
        heading: _once(features, keys, heading, report=report)
        for heading in (PEOPLE, HOUSEHOLDS)
        if heading in features.fields
    }
    persons, households = counted.get(PEOPLE), counted.get(HOUSEHOLDS)
    if shapes is None or not sound.all():
        return Boundary(None, persons, households)
    zones = build(
        features, shapes, keys=keys, names=names, town=town, kind="town_block", credit=credit
    )
    return Boundary(zones, persons, households)


def _is_key(key: str) -> bool:
    return key.isascii() and key.isdigit() and len(key) in DIGITS


def _once(
    features: Features,
    keys: NDArray[np.object_],
    heading: str,
    *,
    report: Report,
) -> NDArray[np.float64]:
    # the number of a block stands with each of its shapes, or with one and 0 with the others
    read = [cells.count(value) for value in _numbers(features.fields[heading])]
    values = np.array([np.nan if isinstance(one, Reason) else one for one in read])
    for row, one in enumerate(read):
        if isinstance(one, Reason):
            code = "FM301" if one is Reason.EMPTY else "FM303"
            written = features.fields[heading][row]
            features.note(
                report, code, row=row, column=heading, value=written, expected="≥ 0", zone=keys[row]
            )
    frame = pd.DataFrame(
        {"key": keys, "value": values, "stated": np.where(values > 0, values, np.nan)}
    )
    groups = frame.groupby("key", sort=False)
    for key in groups["stated"].nunique()[lambda different: different > 1].index:
        row = int(np.flatnonzero(keys == key)[1])
        stated = " / ".join(f"{value:g}" for value in values[keys == key])
        features.note(
            report,
            "FM553",
            row=row,
            column=heading,
            value=stated,
            name=key,
            expected="同じ数/the same number",
        )
    return np.asarray(groups["value"].max(), dtype=np.float64)


def _numbers(values: NDArray[np.object_]) -> list[object]:
    return [None if value != value else value for value in values.tolist()]  # noqa: PLR0124 - NaN
