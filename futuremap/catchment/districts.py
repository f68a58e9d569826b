"""Districts: areas in school districts, 二次医療圏 or any other polygons, and whom each serves."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from futuremap.catchment.reach import require_one_plane, require_valid
from futuremap.core.crosswalk import Crosswalk, from_pairs
from futuremap.core.facilities import Facilities
from futuremap.core.overlap import Pieces, pieces
from futuremap.core.zones import Zones
from futuremap.errors import LabelError
from futuremap.problems import Report

Floats = NDArray[np.float64]
Positions = NDArray[np.intp]
By = Literal["name", "inside"] | Mapping[str, str]
WHOLE = 1e-9  # what an area may lack and still be whole inside, by rounding [ratio]
SHOWN = 5  # names in a message
# 「焼津市立」 before the name of a school, 「区」「学区」「通学区域」 after that of a district
_FOUNDER = re.compile(r"^.{0,8}?[都道府県市区町村]立")
_DISTRICT = re.compile(r"(?:通学区域|通学区|学区|区)$")


class Districted(NamedTuple):
    """Areas in districts.

    walk
        Areas to districts ``(D, Z)``. [ratio]
    outside
        Share of each area that lies in no district ``(Z,)``. [ratio]
    shared
        Share of each area that several districts claim ``(Z,)``. [ratio]
    """

    walk: Crosswalk
    outside: Floats
    shared: Floats


class Served(NamedTuple):
    """Which facility serves which district.

    walk
        Districts to facilities ``(F, D)``. [ratio]
    unserved
        Ids of the districts without a facility, in order: their people count nowhere.
    without
        Ids of the facilities without a district, in order: nobody counts there.
    """

    walk: Crosswalk
    unserved: tuple[str, ...]
    without: tuple[str, ...]


def by_districts(districts: Zones, areas: Zones) -> Districted:
    """Areas in the districts in which they lie, by exact area.

    Parameters
    ----------
    districts
        School districts, 二次医療圏, 生活圏 or any other valid polygons.
    areas
        Town blocks or meshes as valid polygons.

    Returns
    -------
    Districted
        The shares of an area inside the districts sum to 1; those of an area at their edge to
        what lies inside. Ground that several districts claim (調整区域, or lines that were
        drawn twice) counts in equal parts in each, so that nobody counts twice.

    Raises
    ------
    CrsError
        If the two stand in different plane zones.
    LabelError
        If a district or area is not a valid polygon.

    Examples
    --------
    A block of which a quarter lies in the west district, half in the east, the rest in none:

    >>> shapes = shapely.box(np.array([133.0, 133.01]), 34.4, np.array([133.01, 133.03]), 34.41)
    >>> districts = Zones.build(["w", "e"], shapes, names=["西", "東"],
    ...                         parents=["34204"] * 2, kind="district", plane_zone=3)
    >>> block = Zones.build(["b"], [shapely.box(133.0, 34.4, 133.04, 34.41)], names=["b"],
    ...                     parents=["34204"], kind="town_block", plane_zone=3)
    >>> found = by_districts(districts, block)
    >>> found.walk.weights.toarray().round(3).ravel().tolist(), found.outside.round(3).tolist()
    ([0.25, 0.5], [0.25])
    """
    require_one_plane(districts, areas)
    require_valid(districts)
    require_valid(areas)
    shapes, claims = areas.plane_geometry(), districts.plane_geometry()
    face, district = _faces(claims)
    cut = pieces(face, shapes)
    sizes = shapely.area(shapes)
    part = shapely.area(cut.geometry)
    inside = _sums(part, cut.source, len(areas))
    whole = inside >= sizes * (1 - WHOLE)
    of_area = part / np.where(whole, inside, sizes)[cut.source]
    claimed = np.bincount(district[0], minlength=len(face))
    twice = claimed[cut.target] > 1
    return Districted(
        _in_districts(cut, of_area, district, claimed, districts=districts, areas=areas),
        np.where(whole, 0.0, 1 - inside / sizes),
        _sums(of_area[twice], cut.source[twice], len(areas)),
    )


def facility_of_district(
    facilities: Facilities,
    districts: Zones,
    *,
    by: By = "name",
) -> Served:
    """Districts to the facility that serves them: a school counts the people of its district.

    Parameters
    ----------
    facilities
        Schools, hospitals or whatever serves districts; the targets are those with coordinates.
    districts
        The districts, of one kind.
    by
        "name": the facility called as the district, apart from widths and spaces, the founder
        before it (焼津市立) and 区, 学区 or 通学区域 after it; of districts of several
        municipalities, those of its own. "inside": the facilities that
        stand in the district; on a border in the one with the lowest id. Or the district's id
        of each facility's id.

    Returns
    -------
    Served
        Several facilities of one district share its people by their capacities.

    Raises
    ------
    LabelError
        If a district has several facilities and the capacity of one is not known or 0
        (:func:`check_districts` says so beforehand), or a mapping names what is not there.

    Examples
    --------
    >>> point = Zones.build(["s1"], [shapely.Point(133.0, 34.4)], names=["市立西小学校"],
    ...                     parents=["34204"], kind="facility", plane_zone=3)
    >>> table = pd.DataFrame({"name": ["三原市立西小学校"], "facility_class": "school",
    ...                       "address": "", "opened": np.nan, "parent": "34204"}, index=["s1"])
    >>> none = pd.DataFrame({"facility": [], "year": [], "event": []})
    >>> two = Zones.build(["1", "2"], [shapely.box(133, 34, 134, 35)] * 2,
    ...                   names=["西小学校区", "東小学校区"], parents=["34204"] * 2,
    ...                   kind="district", plane_zone=3)
    >>> served = facility_of_district(Facilities(table, point, none), two)
    >>> served.walk.weights.toarray().tolist(), served.unserved
    ([[1.0, 0.0]], ('2',))
    """
    located = facilities.located
    facility, district = _matched(facilities, districts, by)
    room = _capacity(facilities)[facility]
    doubtful = _doubtful(district, room, len(districts))
    if doubtful.any():
        raise LabelError(
            f"several facilities serve districts {_named(districts, doubtful)}, "
            "and their capacities do not say in which shares",
        )
    # one facility serves its district whole, whatever its capacity
    alone = np.bincount(district, minlength=len(districts))[district] == 1
    weight = np.where(alone, 1.0, room)
    share = weight / np.bincount(district, weights=weight, minlength=len(districts))[district]
    walk = from_pairs(
        facility,
        district,
        share,
        targets=located.ids,
        sources=districts.ids,
        rule=f"districts to their facility, by {by if isinstance(by, str) else 'a list'}",
        credits=(*located.sources, *districts.sources),
    )
    return Served(walk, _absent(districts, district), _absent(located, facility))


def check_districts(
    facilities: Facilities,
    districts: Zones,
    *,
    by: By = "name",
    file: str,
    report: Report,
) -> None:
    """Say which districts have no facility or too many, and which facilities have no district.

    Parameters
    ----------
    facilities, districts, by
        As for :func:`facility_of_district`.
    file
        Where the districts come from, for the problems.
    report
        Takes FM637 (a district has several facilities and shares are not known), FM638 (no
        facility) and FM639 (facilities without a district).

    Raises
    ------
    LabelError
        If a mapping names what is not there.
    """
    facility, district = _matched(facilities, districts, by)
    doubtful = _doubtful(district, _capacity(facilities)[facility], len(districts))
    for position in np.flatnonzero(doubtful).tolist():
        several = np.asarray(facilities.located.names, dtype=object)[
            np.sort(facility[district == position])
        ]
        name = districts.names[position]
        report.add("FM637", file=file, value=name, names="、".join(several))
    names = dict(zip(districts.ids, districts.names, strict=True))
    for empty in _absent(districts, district):
        report.add("FM638", file=file, value=f"{names[empty]} ({empty})")
    if without := _absent(facilities.located, facility):
        called = dict(zip(facilities.located.ids, facilities.located.names, strict=True))
        shown = "、".join(called[one] for one in without[:SHOWN])
        report.add("FM639", file=file, value=shown, count=f"{len(without):,}")


def _faces(claims: NDArray[np.object_]) -> tuple[NDArray[np.object_], tuple[Positions, Positions]]:
    # ground by who claims it: (face, district) pairs; districts that share no ground stay whole
    own = np.arange(len(claims))
    first, second = shapely.STRtree(claims).query(claims, predicate="intersects")
    pair = first < second
    first, second = first[pair], second[pair]
    common = shapely.area(shapely.intersection(claims[first], claims[second])) > 0
    if not common.any():
        return claims, (own, own)
    meeting = np.unique(np.concatenate([first[common], second[common]]))
    lines = shapely.union_all(shapely.boundary(claims[meeting]))
    cells = shapely.get_parts(shapely.polygonize(shapely.get_parts(lines)))
    inner = shapely.point_on_surface(cells)
    cell, claimant = shapely.STRtree(claims[meeting]).query(inner, predicate="within")
    cells_in, cell = np.unique(cell, return_inverse=True)
    apart = np.setdiff1d(own, meeting)
    face = np.concatenate([claims[apart], cells[cells_in]])
    of_face = np.concatenate([np.arange(len(apart)), len(apart) + cell])
    return face, (of_face, np.concatenate([apart, meeting[claimant]]))


def _in_districts(
    cut: Pieces,
    share: Floats,
    district: tuple[Positions, Positions],
    claimed: Positions,
    *,
    districts: Zones,
    areas: Zones,
) -> Crosswalk:
    # each piece once for every district that claims its face
    order = np.argsort(district[0], kind="stable")
    start = np.cumsum(claimed) - claimed
    times = claimed[cut.target]
    piece = np.repeat(np.arange(len(share)), times)
    nth = np.arange(len(piece)) - np.repeat(np.cumsum(times) - times, times)
    return from_pairs(
        district[1][order[start[cut.target[piece]] + nth]],
        cut.source[piece],
        (share / times)[piece],
        targets=districts.ids,
        sources=areas.ids,
        rule="in districts, by exact area",
        credits=(*districts.sources, *areas.sources),
    )


def _matched(facilities: Facilities, districts: Zones, by: By) -> tuple[Positions, Positions]:
    # positions of located facilities and of their districts
    located = facilities.located
    if by == "inside":
        rank = np.argsort(np.asarray(districts.ids, dtype=object))
        tree = shapely.STRtree(districts.geometry[rank])
        facility, place = tree.query(located.geometry, predicate="intersects")
        order = np.lexsort((place, facility))
        facility, place = facility[order], place[order]
        first = np.diff(facility, prepend=-1) != 0
        return facility[first], rank[place[first]]
    if isinstance(by, Mapping):
        strange = sorted(set(by) - set(facilities.table.index))
        strange += sorted(set(by.values()) - set(districts.ids))
        if strange:
            raise LabelError(f"no facilities or districts {strange[:SHOWN]}")
        wanted, keys = [by.get(one, "") for one in located.ids], list(districts.ids)
    else:
        wanted, keys = ([_plain(name) for name in zones.names] for zones in (located, districts))
    left = pd.DataFrame({"key": wanted, "facility": np.arange(len(wanted))})
    right = pd.DataFrame({"key": keys, "district": np.arange(len(keys))})
    both = left.merge(right, on="key").sort_values(["facility", "district"])
    facility, district = (both[one].to_numpy(dtype=np.intp) for one in ("facility", "district"))
    parents = [zones.frame["parent"].to_numpy() for zones in (located, districts)]
    own = parents[0][facility] == parents[1][district]
    at_home = np.bincount(facility[own], minlength=len(located)) > 0
    kept = own | ~at_home[facility]
    return facility[kept], district[kept]


def _plain(name: str) -> str:
    # 「焼津市立　港小学校」 and 「港小学校区」 alike
    bare = "".join(unicodedata.normalize("NFKC", name).split())
    return _DISTRICT.sub("", _FOUNDER.sub("", bare))


def _capacity(facilities: Facilities) -> Floats:
    # (F,) of the located; NaN where the list has none
    table = facilities.table.loc[list(facilities.located.ids)]
    if "capacity" not in table.columns:
        return np.full(len(table), np.nan)
    return np.asarray(table["capacity"].to_numpy(dtype=np.float64))


def _doubtful(district: Positions, room: Floats, count: int) -> NDArray[np.bool_]:
    # (D,) several facilities, and one of them without a capacity
    several = np.bincount(district, minlength=count) > 1
    unknown = np.bincount(district[~(room > 0)], minlength=count) > 0
    return np.asarray(several & unknown)


def _sums(values: Floats, position: Positions, count: int) -> Floats:
    return np.asarray(np.bincount(position, weights=values, minlength=count), dtype=np.float64)


def _absent(zones: Zones, used: Positions) -> tuple[str, ...]:
    return tuple(zones.frame.index[np.bincount(used, minlength=len(zones)) == 0])


def _named(zones: Zones, chosen: NDArray[np.bool_]) -> list[str]:
    return list(zones.frame.index[chosen][:SHOWN])
