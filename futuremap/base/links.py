"""Town blocks of two dates linked: by code, by name, and by the ground that they share.

Blocks split, merge, change their names, codes and borders between two censuses. Where it is not
clear which people went where, blocks are grouped until both dates can be counted alike.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array, csgraph

from futuremap.base.link_names import EVIDENCE, Evidence, candidates, plain, trusted, with_towns
from futuremap.base.link_shares import Partners, Shared, share_out
from futuremap.core.crosswalk import Crosswalk, from_pairs, gather
from futuremap.core.overlap import pieces
from futuremap.core.population import Flag, Population
from futuremap.core.zones import Zones, plane_epsg
from futuremap.errors import LabelError
from futuremap.problems import Report

MINOR = 0.05  # part of a block that may change hands without a word
SLIVER = 10.0  # mean width of what lies between two drawings of one border [m]
SHOWN = 3  # names in a problem
COMMON = (
    "2時点で数えるため、境界の変わった町丁はまとめています。",
    "Blocks whose borders changed are put together, so that both dates can be counted.",
)


class Links(NamedTuple):
    """How the blocks of an earlier date are those of a later one.

    groups
        The common zones: one block, or several where they cannot be told apart.
    earlier, later
        Blocks of each date to groups, each block whole in one.
    forward, backward
        Earlier blocks to later ones, and later to earlier; both keep totals.
    table
        One row a link: ids and names of both blocks (None where a block has no partner), ``by``
        what it was linked ("code+name+overlap", "town", …), their common ground as share of
        each (NaN without shapes) [ratio], ``group`` and ``change``: same, renamed, recoded,
        split, merged, shifted, gone or new.
    """

    groups: Zones
    earlier: Crosswalk
    later: Crosswalk
    forward: Crosswalk
    backward: Crosswalk
    table: pd.DataFrame


def link(
    earlier: Zones,
    later: Zones,
    *,
    report: Report,
    file: str = "",
    earlier_people: NDArray[np.float64] | None = None,
    later_people: NDArray[np.float64] | None = None,
    minor: float = MINOR,
    sliver: float = SLIVER,
) -> Links:
    """Link the blocks of two dates.

    Common ground decides where both dates have shapes; codes and names alone where a shape is
    missing. Names are compared after :func:`futuremap.base.link_names.plain`, within one
    municipality, and only where they are unique in it. A block without a partner is linked, if
    shapes are missing, to the blocks of the same town: 大字 to its 丁目.

    Parameters
    ----------
    earlier, later
        Town blocks; polygons, points or no shape (None).
    report
        Takes the warnings FM470 (groups), FM471 (blocks without a partner), FM472 (a code that
        went to another place) and FM473 (shared equally for lack of shapes and people).
    file
        Name of the later date's file.
    earlier_people, later_people
        People by block ``(Z,)``, to weigh what one block gives to several; area if None.
        [persons]
    minor
        Common ground below this share of both blocks is not a link. [ratio]
    sliver
        Common ground with a lesser mean width is not a link, unless it is most of a block. [m]

    Raises
    ------
    LabelError
        If a date has no blocks, or people do not match them.

    Examples
    --------
    >>> old = Zones.build(["372010010", "372010020"], [None, None], names=["本町一丁目", "大字東"],
    ...                   parents=["37201"] * 2, kind="town_block", plane_zone=4)
    >>> new = Zones.build(["372010015", "372010021", "372010022"], [None] * 3,
    ...                   names=["本町１丁目", "東１丁目", "東２丁目"],
    ...                   parents=["37201"] * 3, kind="town_block", plane_zone=4)
    >>> found = link(old, new, report=Report(), later_people=np.array([50.0, 30.0, 10.0]))
    >>> found.table[["earlier", "later", "by", "change"]].values.tolist()[1:]
    [['372010020', '372010021', 'town', 'split'], ['372010020', '372010022', 'town', 'split']]
    >>> found.forward.weights.toarray()[:, 1].tolist()
    [0.0, 0.75, 0.25]
    """
    for people, zones in ((earlier_people, earlier), (later_people, later)):
        if not len(zones):
            raise LabelError("one of the dates has no blocks")
        if people is not None and people.shape != (len(zones),):
            raise LabelError(f"people of shape {people.shape} for {len(zones)} blocks")
    shapes = _shapes(earlier, later)
    areas = tuple(np.nan_to_num(shapely.area(of_date)) for of_date in shapes)
    ground = _common_ground(shapes, areas, minor=minor, sliver=sliver)
    evidence = Evidence(earlier, later, areas[0] > 0, areas[1] > 0)
    pairs = _pairs(evidence, ground, report=report, file=file)
    forward = share_out(
        Partners(*_columns(pairs, "earlier", "later")), earlier, later,
        areas=areas[1], people=later_people,
    )  # fmt: skip
    backward = share_out(
        Partners(*_columns(pairs, "later", "earlier")), later, earlier,
        areas=areas[0], people=earlier_people,
    )  # fmt: skip
    _note_equal((earlier, forward), (later, backward), report=report, file=file)
    groups = _groups(pairs, earlier, later)
    table = _table(pairs, evidence, areas, groups)
    _note_groups(table, report=report, file=file)
    credit_keys = (*earlier.sources, *later.sources)
    return Links(
        _zones(groups, earlier, later),
        _whole(groups.earlier, earlier, groups.ids, credit_keys),
        _whole(groups.later, later, groups.ids, credit_keys),
        forward.walk,
        backward.walk,
        table,
    )


def on_groups(
    population: Population,
    links: Links,
    *,
    date: Literal["earlier", "later"],
) -> Population:
    """Count the people of one date on the common groups.

    Returns
    -------
    Population
        The same people; where several blocks of that date stand in one group, the group
        carries the flag MERGED instead of OBSERVED.

    Raises
    ------
    LabelError
        If the population is not that of the date's blocks, in their order.
    """
    walk = links.earlier if date == "earlier" else links.later
    counted = gather(population, walk)
    several = np.asarray((walk.weights > 0).sum(axis=1)).ravel() > 1
    merged = (counted.flag & np.uint8(~Flag.OBSERVED & 0xFF)) | np.uint8(Flag.MERGED)
    return Population.build(
        counted.persons,
        years=counted.years,
        zones=counted.zones,
        ages=counted.ages,
        flag=np.where(several, merged, counted.flag),
        imputed_share=np.where(several, 1.0, counted.imputed_share),
        sources=counted.sources,
    )


def _few(names: list[str]) -> str:
    return "、".join(names[:SHOWN])


def _shapes(earlier: Zones, later: Zones) -> tuple[NDArray[np.object_], NDArray[np.object_]]:
    # both dates in one plane, that of the earlier
    moved = later.frame.geometry.to_crs(plane_epsg(earlier.plane_zone)).to_numpy()
    # what is valid in degrees need not be so to the last bit in the plane
    return shapely.make_valid(earlier.plane_geometry()), shapely.make_valid(moved)


def _common_ground(
    shapes: tuple[NDArray[np.object_], NDArray[np.object_]],
    areas: tuple[NDArray[np.float64], ...],
    *,
    minor: float,
    sliver: float,
) -> pd.DataFrame:
    """Pairs (earlier, later) with the area that they share. [m^2]"""
    cut = pieces(shapes[1], shapes[0])
    area = np.asarray(shapely.area(cut.geometry), dtype=np.float64)
    share = np.maximum(area / areas[0][cut.source], area / areas[1][cut.target])
    width = 2 * area / shapely.length(cut.geometry)
    kept = (share >= minor) & ((width >= sliver) | (share >= 0.5))  # noqa: PLR2004 - most of it
    return pd.DataFrame(
        {"earlier": cut.source[kept], "later": cut.target[kept], "area": area[kept]}
    )


def _pairs(evidence: Evidence, ground: pd.DataFrame, *, report: Report, file: str) -> pd.DataFrame:
    pairs = candidates(evidence, ground)
    sure = trusted(evidence, pairs)
    ids, before, after = evidence.later.ids, evidence.earlier.names, evidence.later.names
    for row in pairs[~sure & pairs["code"]].itertuples():
        old, new = before[row.earlier], after[row.later]
        report.add("FM472", file=file, value=ids[row.later], earlier=old, later=new)
    return with_towns(evidence, pairs[sure])


def _whole(
    of_block: NDArray[np.intp],
    zones: Zones,
    groups: tuple[str, ...],
    credit_keys: tuple[str, ...],
) -> Crosswalk:
    return from_pairs(
        of_block,
        np.arange(len(zones)),
        np.ones(len(zones)),
        targets=groups,
        sources=zones.ids,
        rule="blocks to the groups common to two dates",
        credits=credit_keys,
    )


def _columns(
    pairs: pd.DataFrame, giver: str, taker: str
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
    return (
        pairs[giver].to_numpy(dtype=np.intp),
        pairs[taker].to_numpy(dtype=np.intp),
        pairs["area"].to_numpy(dtype=np.float64),
    )


def _note_equal(*sides: tuple[Zones, Shared], report: Report, file: str) -> None:
    names = [
        str(name)
        for zones, shared in sides
        for name in zones.frame["name"].to_numpy(dtype=object)[shared.equally]
    ]
    if names:
        report.add("FM473", file=file, value=len(names), count=len(names), names=_few(names))


class _Groups(NamedTuple):
    ids: tuple[str, ...]
    earlier: NDArray[np.intp]  # group of each block (Z,)
    later: NDArray[np.intp]


def _groups(pairs: pd.DataFrame, earlier: Zones, later: Zones) -> _Groups:
    """Connected blocks, in the order of the later ones; blocks that are gone come last."""
    count = len(later) + len(earlier)
    i, j, _ = _columns(pairs, "earlier", "later")
    graph = coo_array((np.ones(len(i)), (j, len(later) + i)), shape=(count, count))
    label = pd.factorize(csgraph.connected_components(graph, directed=False)[1])[0]
    first = pd.Series(np.arange(count)).groupby(label).first()
    old, ids = earlier.ids, list(later.ids)  # read once: both are made anew each time
    ids = [ids[at] for at in first if at < len(ids)]
    taken = set(ids)
    for at in first[first >= len(later)]:
        key = old[at - len(later)]
        while key in taken:  # the code of a block that is gone was given to another
            key += "-old"
        taken.add(key)
        ids.append(key)
    of_block = np.asarray(label, dtype=np.intp)
    return _Groups(tuple(ids), of_block[len(later) :], of_block[: len(later)])


def _table(
    pairs: pd.DataFrame,
    evidence: Evidence,
    areas: tuple[NDArray[np.float64], ...],
    groups: _Groups,
) -> pd.DataFrame:
    """One row a link and one for each block without any; see :class:`Links`."""
    gone = np.setdiff1d(np.arange(len(evidence.earlier)), pairs["earlier"])
    new = np.setdiff1d(np.arange(len(evidence.later)), pairs["later"])
    i = np.concatenate([pairs["earlier"], gone, np.full(len(new), -1)]).astype(np.intp)
    j = np.concatenate([pairs["later"], np.full(len(gone), -1), new]).astype(np.intp)
    lacking = len(gone) + len(new)
    area = np.append(pairs["area"], np.full(lacking, np.nan)).astype(np.float64)
    marks = pairs[list(EVIDENCE)].to_numpy(dtype=bool)
    by = ["+".join(np.array(EVIDENCE)[row]) for row in marks] + [""] * lacking
    group = np.where(j >= 0, groups.later[j], groups.earlier[i])
    table = pd.DataFrame(
        {
            "earlier": _at(evidence.earlier.ids, i),
            "later": _at(evidence.later.ids, j),
            "earlier_name": _at(evidence.earlier.names, i),
            "later_name": _at(evidence.later.names, j),
            "by": by,
            "share_of_earlier": area / np.where(i >= 0, areas[0][i], np.nan),
            "share_of_later": area / np.where(j >= 0, areas[1][j], np.nan),
            "group": _at(groups.ids, group),
        }
    )
    table["change"] = _changes(table, group, groups)
    return table.iloc[np.lexsort((j, i < 0, i, group))].reset_index(drop=True)


def _at(labels: tuple[str, ...], position: NDArray[np.intp]) -> pd.Series:
    # dtype object, or pandas makes NaN of None
    return pd.Series([labels[at] if at >= 0 else None for at in position], dtype=object)


def _changes(table: pd.DataFrame, group: NDArray[np.intp], groups: _Groups) -> NDArray[np.str_]:
    before = np.bincount(groups.earlier, minlength=len(groups.ids))[group]
    after = np.bincount(groups.later, minlength=len(groups.ids))[group]
    names = [
        plain(old or "") == plain(new or "")
        for old, new in zip(table["earlier_name"], table["later_name"], strict=True)
    ]
    return np.select(
        [after == 0, before == 0, (before > 1) & (after > 1), before > 1, after > 1,
         ~np.array(names, dtype=bool), (table["earlier"] != table["later"]).to_numpy(dtype=bool)],
        ["gone", "new", "shifted", "merged", "split", "renamed", "recoded"],
        default="same",
    )  # fmt: skip


def _note_groups(table: pd.DataFrame, *, report: Report, file: str) -> None:
    grouped = table[table["change"].isin(["split", "merged", "shifted"])]
    names = grouped.drop_duplicates("group")["later_name"].tolist()
    if names:
        blocks = int(grouped["earlier"].nunique()), int(grouped["later"].nunique())
        report.add("FM470", file=file, value=len(names), count=len(names), names=_few(names),
                   earlier=blocks[0], later=blocks[1])  # fmt: skip
    alone = table[table["change"].isin(["gone", "new"])]
    if len(alone):
        gone, new = (alone[alone["change"] == kind] for kind in ("gone", "new"))
        names = [*gone["earlier_name"], *new["later_name"]]
        report.add("FM471", file=file, value=len(alone), gone=len(gone), new=len(new),
                   names=_few(names))  # fmt: skip


def _zones(groups: _Groups, earlier: Zones, later: Zones) -> Zones:
    """The groups as zones: the later blocks together, the earlier ones where all are gone."""
    gone = groups.earlier >= _count(groups.later)
    frames = [later.frame, earlier.frame[gone]]
    own = np.concatenate([groups.later, groups.earlier[gone]])
    order = np.argsort(own, kind="stable")
    starts = np.flatnonzero(np.diff(own[order], prepend=-1))
    blocks = pd.concat([frame for frame in frames if len(frame)])
    shapes = blocks.geometry.to_numpy()[order]
    names = blocks["name"].to_numpy(dtype=object)[order]
    united = [
        part[0] if len(part) == 1 else shapely.union_all(shapely.make_valid(part))
        for part in np.split(shapes, starts[1:])
    ]
    return Zones.build(
        groups.ids,
        united,
        names=["・".join(part) for part in np.split(names, starts[1:])],
        parents=blocks["parent"].to_numpy(dtype=object)[order][starts],
        kind="town_block",
        plane_zone=later.plane_zone,
        notes=(*later.notes, COMMON),
        sources=(*earlier.sources, *later.sources),
    )


def _count(of_block: NDArray[np.intp]) -> int:
    return int(of_block.max(initial=-1)) + 1
