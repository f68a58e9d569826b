"""国土数値情報 points: P02, P04, P05, P14, P27 and P29 (editions of 2013 and of 2021). 未検証.

No real file was at hand, so the layouts are those of its descriptions. Columns are known by
number only (P27_009), and editions shift them: what cannot be told apart is refused. Files as
downloaded, and as 不動産情報ライブラリ serves them (``_ja`` behind the names of texts).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import shapely

from futuremap.core.facilities import Facilities
from futuremap.problems import Report
from futuremap.sources import facilities
from futuremap.sources.columns import Columns
from futuremap.sources.features import Features, read_features
from futuremap.sources.public_facilities import number
from futuremap.sources.vector import Town, of_town, texts

VERIFIED = False
SCHOOL_CODE = "16"  # all codes of kinds of schools begin so, and no name does
CLOSED = "2"  # 休校中


class Edition(NamedTuple):
    """The columns of an edition.

    title
        Its name.
    columns
        Our name to its column: code (of the municipality), number, kind, name, address,
        opened, beds, closed.
    """

    title: str
    columns: Mapping[str, str]


def _edition(title: str, **numbers: int) -> Edition:
    product = title.partition(" ")[0]
    return Edition(title, {ours: f"{product}_{at:03d}" for ours, at in numbers.items()})


EDITIONS = (
    _edition("P02 公共施設", code=1, kind=3, name=4, address=5),
    _edition("P04 医療機関", kind=1, name=2, address=3, beds=8),
    _edition("P05 市町村役場等", code=1, kind=2, name=3, address=4),
    _edition("P14 福祉施設", code=3, address=4, kind=6, name=8),
    _edition("P27 文化施設", code=1, kind=4, name=5, address=6, opened=9),
    _edition("P29 学校 2013", code=1, kind=4, name=5, address=6),
    _edition("P29 学校 2021", code=1, number=2, kind=3, name=4, address=5, closed=7),
)


def read(
    path: Path,
    *,
    facility_class: str,
    town: Town,
    credit: str,
    base_year: int,
    report: Report,
    kinds: Collection[str] = (),
    outline: shapely.Geometry | None = None,
) -> Facilities | None:
    """Read the facilities of one municipality.

    Parameters
    ----------
    path
        GeoJSON, Shapefile (or a zip of one) or GeoPackage of a prefecture.
    facility_class
        Class of all of them; begins their ids.
    town
        The municipality: only points with its code are taken, if the edition has codes.
    credit
        Key of the credit line.
    base_year
        Openings after this year are noted.
    report
        Takes FM621 if the edition cannot be told, FM622 for schools closed for the time
        being, and the problems of :func:`futuremap.sources.facilities.build`.
    kinds
        Codes of the kinds to take, such as 16001 (小学校); all if empty.
    outline
        The municipality in degrees; points outside are left out. For P04, which has no codes.

    Returns
    -------
    Facilities or None
        With the further columns ``kind`` (code) and ``beds`` (NaN where there are none).
        A year of 9999 is an unknown year. None if no facility could be read.
    """
    features = read_features(path, report=report, near=town.near)
    edition = None if features is None else _recognise(features, report)
    if features is None or edition is None:
        return None
    ours = of_town(features, edition.columns.get("code", ""), town.code, report=report)
    ours = ours and _chosen(ours, edition, kinds, outline)
    if ours is None:
        return None
    if not len(ours.geometry):
        ours.note(report, "FM105")
        return None
    columns = _columns(ours, edition, report)
    rows = range(len(columns))
    _note_closed(columns)
    return facilities.build(
        columns,
        facility_class=facility_class,
        municipality=town.code,
        plane_zone=town.plane_zone,
        credit=credit,
        base_year=base_year,
        extra={
            "kind": [columns.text(row, "kind") for row in rows],
            "beds": [number(columns, row, "beds") for row in rows],
        },
    )


def _recognise(features: Features, report: Report) -> Edition | None:
    names = _plain_names(features)
    fitting = [one for one in EDITIONS if set(one.columns.values()) <= set(names)]
    products = " / ".join(one.title for one in fitting) or "?"
    if fitting and all(one.title.startswith("P29") for one in fitting):
        school = _school_edition(features, names, fitting)
        fitting = [] if school is None else [school]
    if len(fitting) == 1:
        return fitting[0]
    expected = " ; ".join(f"{one.title} ({', '.join(one.columns.values())})" for one in EDITIONS)
    written = ", ".join(features.fields)
    features.note(report, "FM621", value=written, product=products, expected=expected)
    return None


def _plain_names(features: Features) -> dict[str, str]:
    # name as published to the name in this file; where two come to the same, the first one
    written = list(features.fields)[::-1]
    return {name.removesuffix("_ja").removesuffix("_name"): name for name in written}


def _school_edition(
    features: Features,
    names: Mapping[str, str],
    editions: Sequence[Edition],
) -> Edition | None:
    # the editions differ by one column: the right one has school codes where it says
    def holds_codes(column: str) -> bool:
        written = [text for text in texts(features.fields[names[column]]) if text]
        return bool(written) and all(t.isdigit() and t.startswith(SCHOOL_CODE) for t in written)

    right = (one for one in editions if holds_codes(one.columns["kind"]))
    return next(right, None)


def _chosen(
    features: Features,
    edition: Edition,
    kinds: Collection[str],
    outline: shapely.Geometry | None,
) -> Features:
    chosen = np.ones(len(features.geometry), dtype=bool)
    if kinds:
        names = _plain_names(features)
        chosen &= np.isin(texts(features.fields[names[edition.columns["kind"]]]), list(kinds))
    if outline is not None:
        missing = shapely.is_missing(features.geometry)  # these are listed, not left out
        chosen &= missing | shapely.intersects(features.geometry, outline)
    return features.only(chosen)


def _columns(features: Features, edition: Edition, report: Report) -> Columns:
    table = features.table()
    names = _plain_names(features)
    places = {ours: table.headings.index(names[name]) for ours, name in edition.columns.items()}
    width = len(table.headings)
    places |= {"latitude": width - 2, "longitude": width - 1}
    return Columns(table, places, complete=True, report=report)


def _note_closed(columns: Columns) -> None:
    for row in range(len(columns)):
        if columns.text(row, "closed") == CLOSED:
            columns.note("FM622", row, "closed", name=columns.text(row, "name"))
