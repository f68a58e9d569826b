"""Zones from any GeoPackage, Shapefile or GeoJSON that has a column of keys.

Heights are dropped, the coordinate system is decided by :mod:`futuremap.sources.crs`, rings
that cross themselves are mended (and said) or refused, and several shapes of one key become
one zone or are refused, as the layout says.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from futuremap.core.zones import Kind, Zones
from futuremap.problems import Report
from futuremap.sources import cells
from futuremap.sources.features import Bounds, Features, column, read_features
from futuremap.sources.limits import Refused
from futuremap.sources.outline import AREAS, mended

AREA_TYPES = (3, 6)  # shapely's numbers of polygons and multi-polygons
TYPE_NAMES = {
    0: "点/point", 1: "線/line", 2: "線/line", 4: "点/points", 5: "線/lines",
    7: "集まり/collection",
}  # fmt: skip


@dataclass(frozen=True)
class Layout:
    """Which columns say what, and what is done with doubtful shapes.

    Parameters
    ----------
    key
        Column of the zone ids.
    name
        Column of the names; the key serves where there is none.
    parent
        Column of municipality codes (5 or 6 digits): only the municipality's own are taken.
    layer
        Layer of a GeoPackage, or shapefile of a zip, if it has several.
    duplicates
        Whether several shapes of one key are one zone ("dissolve") or a fault ("refuse").
    broken
        Whether shapes that cross themselves are mended where that changes their area by no
        more than 0.1 percent ("mend"), or are a fault ("refuse").
    """

    key: str
    name: str = ""
    parent: str = ""
    layer: str = ""
    duplicates: Literal["dissolve", "refuse"] = "dissolve"
    broken: Literal["mend", "refuse"] = "mend"


@dataclass(frozen=True)
class Town:
    """The municipality that a file is read for.

    Parameters
    ----------
    code
        Its code, 5 digits.
    plane_zone
        Its plane rectangular zone.
    near
        West, south, east, north of it in degrees, if known: tells exchanged plane axes.
    """

    code: str
    plane_zone: int
    near: Bounds | None = None


def read(
    path: Path,
    layout: Layout,
    *,
    town: Town,
    kind: Kind,
    credit: str,
    report: Report,
) -> Zones | None:
    """Read areas as zones, in the order in which their keys first stand in the file.

    Parameters
    ----------
    path
        GeoPackage, Shapefile (or a zip of one) or GeoJSON.
    layout
        Its columns.
    town
        The municipality.
    kind
        What the zones are.
    credit
        Key of the credit line.
    report
        Takes the problems of :func:`read_features`, FM201, FM529, FM530, FM544 to FM547, FM556,
        FM574 and FM575.

    Returns
    -------
    Zones or None
        None if any shape or key is in doubt.
    """
    features = read_features(path, report=report, layer=layout.layer, near=town.near)
    if features is None:
        return None
    return zones(features, layout, town=town, kind=kind, credit=credit, report=report)


def zones(
    features: Features,
    layout: Layout,
    *,
    town: Town,
    kind: Kind,
    credit: str,
    report: Report,
) -> Zones | None:
    """Features that have been read as zones; the parameters are those of :func:`read`."""
    ours = of_town(features, layout.parent, town.code, report=report)
    if ours is None:
        return None
    keys = column(ours, layout.key, report=report)
    names = column(ours, layout.name, report=report) if layout.name else keys
    if keys is None or names is None:
        return None
    ids, titles = texts(keys), texts(names)
    shapes = areas(ours, titles, broken=layout.broken, report=report)
    fine = check_keys(ours, ids, layout, report=report)
    if shapes is None or not fine:
        return None
    return build(ours, shapes, keys=ids, names=titles, town=town, kind=kind, credit=credit)


def build(
    features: Features,
    shapes: NDArray[np.object_],
    *,
    keys: NDArray[np.object_],
    names: NDArray[np.object_],
    town: Town,
    kind: Kind,
    credit: str,
) -> Zones:
    """Zones from sound areas, one a key, with the first name of each.

    Parameters
    ----------
    features
        Where they come from.
    shapes
        Valid areas ``(N,)``.
    keys, names
        Of each ``(N,)``; a key serves where there is no name.
    town
        The municipality.
    kind, credit
        What the zones are, and the key of the credit line.
    """
    order, merged = dissolve(keys, shapes)
    first = pd.Series(np.where(names == "", keys, names)).groupby(keys, sort=False).first()
    return Zones.build(
        order,
        merged,
        names=first.tolist(),
        parents=[town.code] * len(order),
        kind=kind,
        plane_zone=town.plane_zone,
        notes=(features.system.note(),),
        sources=[credit],
    )


def texts(values: NDArray[np.object_]) -> NDArray[np.object_]:
    """Values as text without blanks around them, empty where there is none ``(N,)``.

    Examples
    --------
    >>> texts(np.array(["012090010", 3.0, None, float("nan")], dtype=object)).tolist()
    ['012090010', '3', '', '']
    """
    found = np.empty(len(values), dtype=object)
    found[:] = ["" if value != value else cells.text(value) for value in values.tolist()]  # noqa: PLR0124 - NaN
    return found


def of_town(features: Features, parent: str, code: str, *, report: Report) -> Features | None:
    """The features of one municipality, by a column of codes of 5 or 6 digits.

    Parameters
    ----------
    features
        All features.
    parent
        Name of the column; all features are taken if it is empty.
    code
        Code of the municipality.
    report
        Takes FM201 and, if there is none of it, FM556.
    """
    if not parent:
        return features
    codes = column(features, parent, report=report)
    if codes is None:
        return None
    chosen = np.array([text.zfill(5)[:5] == code for text in texts(codes)], dtype=bool)
    if chosen.any():
        return features.only(chosen)
    features.note(report, "FM556", column=parent, value=code)
    return None


def areas(
    features: Features,
    names: NDArray[np.object_],
    *,
    broken: Literal["mend", "refuse"] = "mend",
    report: Report,
) -> NDArray[np.object_] | None:
    """The shapes of features as valid areas in Japan; None if any of them is none.

    Parameters
    ----------
    features
        The features.
    names
        What to call them in problems ``(N,)``.
    broken
        Whether shapes that cross themselves are mended or refused.
    report
        Takes FM529, FM530 (mended, with the change in area), FM547, FM574 and FM575, each with the
        number of the feature.
    """
    if note_no_areas(features, report=report):
        return None
    shapes = features.geometry.copy()
    usable = np.isin(shapely.get_type_id(shapes), AREA_TYPES) & ~shapely.is_empty(shapes)
    inside, fine = _in_japan(shapes), True
    for i in np.flatnonzero(~usable | ~inside | ~shapely.is_valid(shapes)).tolist():
        try:
            _check_area(shapes[i], names[i], inside=bool(inside[i]), broken=broken)
            sound, percent = mended(shapes[i], names[i])
        except Refused as refused:
            fine = False
            features.note(report, refused.code, row=i, value=refused.value, **refused.detail)
            continue
        why = shapely.is_valid_reason(shapes[i])
        features.note(report, "FM530", row=i, name=names[i], percent=percent, reason=why)
        shapes[i] = sound
    return shapes if fine else None


def note_no_areas(features: Features, *, report: Report) -> bool:
    """Whether there is no area at all: a layer of lines is one fault (FM547), not a thousand."""
    kinds = shapely.get_type_id(features.geometry)
    drawn = ~shapely.is_missing(features.geometry) & ~shapely.is_empty(features.geometry)
    if not drawn.any() or np.isin(kinds[drawn], AREA_TYPES).any():
        return False
    value = TYPE_NAMES.get(int(kinds[drawn][0]), "?")
    features.note(report, "FM547", value=value, count=int(drawn.sum()))
    return True


def _in_japan(shapes: NDArray[np.object_]) -> NDArray[np.bool_]:
    west, south, east, north = shapely.bounds(shapes).T  # NaN for what has no corners
    (lowest, highest), (left, right) = cells.LATITUDES, cells.LONGITUDES
    return np.asarray((west >= left) & (east <= right) & (south >= lowest) & (north <= highest))


def _check_area(
    shape: shapely.Geometry | None,
    name: str,
    *,
    inside: bool,
    broken: Literal["mend", "refuse"],
) -> None:
    reason = ""
    if shape is None or shape.is_empty:
        raise Refused("FM575", name=name)
    if not isinstance(shape, AREAS):
        reason = f"面ではありません / it is not an area ({shape.geom_type})"
    elif not inside:
        corners = ", ".join(f"{number:.4f}" for number in shape.bounds)
        raise Refused("FM574", value=corners, name=name)
    elif broken == "refuse":
        reason = f"線が交わっています / its lines cross ({shapely.is_valid_reason(shape)})"
    if reason:
        raise Refused("FM529", name=name, reason=reason)


def check_keys(
    features: Features,
    keys: NDArray[np.object_],
    layout: Layout,
    *,
    report: Report,
) -> bool:
    """Whether every feature has a key of its own, or may share it.

    Parameters
    ----------
    features
        The features.
    keys
        Key of each ``(N,)``.
    layout
        Whether keys may stand several times.
    report
        Takes FM544 for each without a key, FM545 for each key that stands again where that is
        refused, FM546 once where shapes are made one.
    """
    empty = keys == ""
    for row in np.flatnonzero(empty).tolist():
        features.note(report, "FM544", row=row, column=layout.key)
    again = pd.Series(keys).duplicated().to_numpy() & ~empty
    first = dict(zip(keys[::-1], features.numbers[::-1], strict=True))
    if layout.duplicates == "refuse":
        for row in np.flatnonzero(again).tolist():
            earlier, key = first[keys[row]], keys[row]
            features.note(
                report, "FM545", row=row, column=layout.key, value=key, line_first=earlier
            )
    elif again.any():
        shared = sorted(set(keys[again]))
        count, some = int(again.sum()) + len(shared), " / ".join(shared[:5])
        features.note(report, "FM546", column=layout.key, count=count, keys=some)
    return not empty.any() and not (again.any() and layout.duplicates == "refuse")


def dissolve(
    keys: NDArray[np.object_],
    shapes: NDArray[np.object_],
) -> tuple[list[str], NDArray[np.object_]]:
    """Shapes of one key as one, in the order in which keys first stand.

    Parameters
    ----------
    keys
        Key of each shape ``(N,)``.
    shapes
        Valid areas ``(N,)``.

    Returns
    -------
    list of str, ndarray
        The keys ``(Z,)`` and the shape of each ``(Z,)``.

    Examples
    --------
    >>> left, right = shapely.box(0, 0, 1, 1), shapely.box(1, 0, 2, 1)
    >>> ids, merged = dissolve(np.array(["a", "b", "a"]), np.array([left, left, right]))
    >>> ids, [shape.area for shape in merged]
    (['a', 'b'], [2.0, 1.0])
    """
    position, distinct = pd.factorize(np.asarray(keys, dtype=object))
    counts = np.bincount(position, minlength=len(distinct))
    merged = np.empty(len(distinct), dtype=object)
    merged[position] = shapes
    order = np.argsort(position, kind="stable")
    starts = np.cumsum(counts) - counts
    for key in np.flatnonzero(counts > 1).tolist():
        of_key = order[starts[key] : starts[key] + counts[key]]
        merged[key] = shapely.union_all(shapes[of_key])
    return [str(key) for key in distinct], merged
