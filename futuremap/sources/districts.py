"""School districts: 国土数値情報 A27 (小学校区), A32 (中学校区), and the files of cities.

The layout is recognised by its columns. A27 and A32 are 未検証: they are taken from their
descriptions; the two layouts of 焼津市 from real files.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from futuremap.core.zones import Zones
from futuremap.problems import Report
from futuremap.sources import vector
from futuremap.sources.features import read_features
from futuremap.sources.vector import Layout, Town

VERIFIED = ("焼津市 小学校区", "焼津市 中学校区")  # layouts that were read from real files


class Known(NamedTuple):
    """A layout with the columns by which it is recognised.

    title
        Its name.
    columns
        Columns that only this one has together.
    layout
        What they mean.
    """

    title: str
    columns: tuple[str, ...]
    layout: Layout


def _ksj(product: str, *, parent: str, key: str, name: str, last: str) -> Known:
    names = [f"{product}_{number}" for number in (parent, key, name, last)]
    return Known(f"国土数値情報 {product}", tuple(names), Layout(names[1], names[2], names[0]))


# editions from 2021: 001 municipality, 002 設置主体, 003 school code, 004 name, 005 address
KNOWN = (
    _ksj("A27", parent="001", key="003", name="004", last="005"),
    _ksj("A32", parent="001", key="003", name="004", last="005"),
    Known(
        "焼津市 小学校区",
        ("SAUID", "SAFIELD000", "SAFIELD001", "SAFIELD002"),
        Layout("SAUID", "SAFIELD001"),
    ),
    Known("焼津市 中学校区", ("item1", "item2", "item3", "item4"), Layout("item1", "item2")),
)


def read(
    path: Path,
    *,
    town: Town,
    credit: str,
    report: Report,
    layout: Layout | None = None,
) -> Zones | None:
    """Read the districts of one municipality.

    Parameters
    ----------
    path
        Shapefile (or a zip of one), GeoJSON or GeoPackage.
    town
        The municipality.
    credit
        Key of the credit line.
    report
        Takes FM555 if the layout is not known, and the problems of
        :func:`futuremap.sources.vector.zones`.
    layout
        Its columns, for the files of other cities.

    Returns
    -------
    Zones or None
        One zone a school, parts of one district together; None if any is in doubt.
    """
    layer = layout.layer if layout else ""
    features = read_features(path, report=report, layer=layer, near=town.near)
    if features is None or vector.note_no_areas(features, report=report):
        return None
    if layout is None:
        fitting = [known for known in KNOWN if set(known.columns) <= set(features.fields)]
        if len(fitting) != 1:
            expected = " ; ".join(f"{one.title} ({', '.join(one.columns)})" for one in KNOWN)
            features.note(report, "FM555", value=", ".join(features.fields), expected=expected)
            return None
        layout = fitting[0].layout
    return vector.zones(features, layout, town=town, kind="district", credit=credit, report=report)
