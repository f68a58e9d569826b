"""国土数値情報 points: P02, P04, P05, P14, P27 and P29, of editions that differ. 未検証.

No real file was at hand, so the layouts are those of its descriptions. Columns are known by
number only (P27_009), and editions shift them: what cannot be told apart is refused, and can be
read by a mapping. Files as downloaded, and as 不動産情報ライブラリ serves them (``_ja`` behind the
names of texts).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import shapely

from futuremap.core.facilities import Facilities
from futuremap.problems import Report
from futuremap.sources import facilities
from futuremap.sources.columns import Columns, note_missing
from futuremap.sources.features import Features, read_features
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
        opened, capacity, closed.
    more_kinds
        Further columns of kinds: departments of P04.
    sign, is_sign
        Which of our columns tells it from an edition of the same columns, and what each text in
        it is; no column if there is no such edition.
    """

    title: str
    columns: Mapping[str, str]
    more_kinds: tuple[str, ...] = ()
    sign: str = ""
    is_sign: Callable[[str], bool] = bool


class Wanted(NamedTuple):
    """Which facilities of a file to take; all of the municipality by default.

    kinds
        Kinds to take, such as 16001 (小学校) or, of P04, a department; all if empty.
    outline
        The municipality in degrees; points outside are left out. For P04, which has no codes.
    """

    kinds: Collection[str] = ()
    outline: shapely.Geometry | None = None


def _is_school(text: str) -> bool:
    return text.isdigit() and text.startswith(SCHOOL_CODE)


def _is_code(text: str) -> bool:
    return text.isdigit()


def _is_address(text: str) -> bool:
    return not text.isdigit()


def _edition(title: str, **numbers: int) -> Edition:
    product = title.partition(" ")[0]
    return Edition(title, {ours: f"{product}_{at:03d}" for ours, at in numbers.items()})


EDITIONS = (
    _edition("P02 公共施設", code=1, kind=3, name=4, address=5),
    _edition("P04 医療機関", kind=1, name=2, address=3, capacity=8)._replace(
        more_kinds=("P04_004", "P04_005", "P04_006")
    ),
    _edition("P05 市町村役場等", code=1, kind=2, name=3, address=4),
    _edition("P14 福祉施設 2015", address=3, kind=6, name=7)._replace(
        sign="address", is_sign=_is_address
    ),
    _edition("P14 福祉施設 2021", code=3, address=4, kind=6, name=8)._replace(
        sign="code", is_sign=_is_code
    ),
    _edition("P27 文化施設", code=1, kind=4, name=5, address=6, opened=9),
    _edition("P29 学校 2013", code=1, kind=4, name=5, address=6)._replace(
        sign="kind", is_sign=_is_school
    ),
    _edition("P29 学校 2021", code=1, number=2, kind=3, name=4, address=5, closed=7)._replace(
        sign="kind", is_sign=_is_school
    ),
)


def read(
    path: Path,
    *,
    facility_class: str,
    town: Town,
    credit: str,
    base_year: int,
    report: Report,
    wanted: Wanted = Wanted(),  # noqa: B008 - immutable
    mapping: Mapping[str, str] | None = None,
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
        being, and the problems of :func:`futuremap.sources.facilities.build`; FM201 for columns
        of the mapping that the file lacks.
    wanted
        Which of them to take.
    mapping
        Columns of this file, as column to one of number, name, address, latitude, longitude,
        opened, kind, floor_area, capacity, code. With a name among them they are all that is
        read, whatever the edition; without, they go before those of the edition.

    Returns
    -------
    Facilities or None
        As :func:`futuremap.sources.facilities.read`; kinds are codes. A year of 9999 is an
        unknown year. None if no facility could be read.
    """
    features = read_features(path, report=report, near=town.near)
    edition = None if features is None else _edition_of(features, mapping or {}, report)
    if features is None or edition is None:
        return None
    code = edition.columns.get("code", "")
    ours = of_town(features, _plain_names(features).get(code, code), town.code, report=report)
    ours = ours and _inside(ours, wanted.outline)
    if ours is None:
        return None
    if not len(ours.geometry):
        ours.note(report, "FM105")
        return None
    columns = _columns(ours, edition, report)
    _note_closed(columns)
    return facilities.build(
        columns,
        facility_class=facility_class,
        municipality=town.code,
        plane_zone=town.plane_zone,
        credit=credit,
        base_year=base_year,
        kinds=wanted.kinds,
        nowhere="FM577",
    )


def _edition_of(features: Features, mapping: Mapping[str, str], report: Report) -> Edition | None:
    lacking = [column for column in mapping if column not in features.fields]
    for column in lacking:
        note_missing(features.table(), mapping[column], {column: mapping[column]}, report=report)
    if lacking:
        return None
    given = {ours: column for column, ours in mapping.items()}
    if "name" in given:
        return Edition("mapping", given)
    found = _recognise(features, report)
    if found is None:
        return None
    more = () if "kind" in given else found.more_kinds
    return found._replace(columns={**found.columns, **given}, more_kinds=more)


def editions_of(features: Features) -> list[Edition]:
    """The editions that features may be of: one of each product, the first whose sign they bear."""
    names = _plain_names(features)
    fitting: dict[str, Edition] = {}
    for one in EDITIONS:
        if set(one.columns.values()) <= set(names) and _bears_sign(one, features, names):
            fitting.setdefault(one.title.partition(" ")[0], one)
    return list(fitting.values())


def _recognise(features: Features, report: Report) -> Edition | None:
    fitting = editions_of(features)
    if len(fitting) == 1:
        return fitting[0]
    names = set(_plain_names(features))
    products = " / ".join(e.title for e in EDITIONS if set(e.columns.values()) <= names) or "?"
    expected = " ; ".join(f"{one.title} ({', '.join(one.columns.values())})" for one in EDITIONS)
    written = ", ".join(features.fields)
    features.note(report, "FM621", value=written, product=products, expected=expected)
    return None


def _plain_names(features: Features) -> dict[str, str]:
    # name as published to the name in this file; where two come to the same, the first one
    written = list(features.fields)[::-1]
    return {name.removesuffix("_ja").removesuffix("_name"): name for name in written}


def _bears_sign(edition: Edition, features: Features, names: Mapping[str, str]) -> bool:
    # editions of the same columns: the right one has in one of them what it should
    if not edition.sign:
        return True
    column = features.fields[names[edition.columns[edition.sign]]]
    written = [text for text in texts(column) if text]
    return bool(written) and all(map(edition.is_sign, written))


def _inside(features: Features, outline: shapely.Geometry | None) -> Features:
    if outline is None:
        return features
    missing = shapely.is_missing(features.geometry)  # these are listed, not left out
    return features.only(missing | shapely.intersects(features.geometry, outline))


def _columns(features: Features, edition: Edition, report: Report) -> Columns:
    table = features.table()
    names = _plain_names(features)
    width = len(table.headings)
    places = {"latitude": width - 2, "longitude": width - 1}
    for ours, column in edition.columns.items():
        written = column if column in features.fields else names[column]
        places[ours] = table.headings.index(written)
    more = [names[name] for name in edition.more_kinds if name in names]
    if more:  # all kinds in one cell, as lists have them
        kinds = [texts(features.fields[name]) for name in (names[edition.columns["kind"]], *more)]
        joined = [facilities.SEPARATOR.join(filter(None, of)) for of in zip(*kinds, strict=True)]
        table = replace(
            table,
            headings=(*table.headings, table.headings[places["kind"]]),
            rows=[(*row, of) for row, of in zip(table.rows, joined, strict=True)],
        )
        places["kind"] = width
    return Columns(table, places, complete=True, report=report)


def _note_closed(columns: Columns) -> None:
    for row in range(len(columns)):
        if columns.text(row, "closed") == CLOSED:
            columns.note("FM622", row, "closed", name=columns.text(row, "name"))
