"""Mesh cells counted in larger cells, and those of several towns together; nobody is lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from futuremap.base.meshes import Meshed
from futuremap.core import mesh
from futuremap.core.crosswalk import from_pairs, gather
from futuremap.core.population import Population, join_zones
from futuremap.core.zones import GEOGRAPHIC, Zones


def in_larger_cells(cells: Zones, level: mesh.Level | str) -> Meshed:
    """The cells of a coarser mesh that hold the cells of a finer one.

    Parameters
    ----------
    cells
        Mesh cells of one level, by their code.
    level
        A coarser level.

    Returns
    -------
    Meshed
        The larger cells sorted by code, each whole, and the finer cells in them: everybody
        counts once. A larger cell belongs to the municipality of most of its cells.

    Raises
    ------
    KeyCodeError
        If a code is none, or the level is not coarser.

    Examples
    --------
    >>> codes = ["5133376614", "5133376623"]
    >>> small = Zones.build(codes, [shapely.box(133, 34, 133.1, 34.1)] * 2, names=codes,
    ...                     parents=["37201"] * 2, kind="mesh", plane_zone=4)
    >>> found = in_larger_cells(small, "1km")
    >>> found.zones.ids, found.crosswalk.weights.toarray().tolist()
    (('51333766',), [[1.0, 1.0]])
    """
    codes, row = np.unique(mesh.parent(list(cells.ids), level), return_inverse=True)
    box = mesh.bounds(codes)
    towns, town = np.unique(cells.frame["parent"].to_numpy(dtype=object), return_inverse=True)
    counts = np.zeros((len(codes), len(towns)))
    np.add.at(counts, (row, town), 1.0)
    ids = codes.tolist()
    zones = Zones.build(
        ids,
        shapely.box(box.west, box.south, box.east, box.north, ccw=True),
        names=ids,
        parents=[str(towns[i]) for i in counts.argmax(axis=1)],
        kind="mesh",
        plane_zone=cells.plane_zone,
        notes=cells.notes,
        sources=cells.sources,
    )
    walk = from_pairs(
        row,
        np.arange(len(cells)),
        np.ones(len(cells)),
        targets=ids,
        sources=cells.ids,
        rule=f"mesh cells in those of {level}",
        credits=cells.sources,
    )
    return Meshed(zones, walk)


def together(parts: Sequence[tuple[Zones, Population]]) -> list[tuple[Zones, Population]]:
    """Cells of several towns as one mesh: people of both towns of a cell on the border add up.

    Parameters
    ----------
    parts
        Mesh cells of one level and their people, by town.

    Returns
    -------
    list of (Zones, Population)
        Every cell once, in one part for each plane zone; a cell of several towns stands with
        the first of them.

    Raises
    ------
    LabelError
        If years or ages differ.

    Examples
    --------
    >>> from futuremap.core.ages import AgeGroups
    >>> def town(codes, people):
    ...     zones = Zones.build(codes, [shapely.box(133, 34, 133.1, 34.1)] * len(codes),
    ...                         names=codes, parents=["37201"] * len(codes), kind="mesh",
    ...                         plane_zone=4)
    ...     return zones, Population.build(np.full((1, len(codes), 2, 1), people), years=[2020],
    ...                                    zones=codes, ages=AgeGroups((0,)))
    >>> (zones, people), = together([town(["51333766", "51333767"], 1.0), town(["51333767"], 5.0)])
    >>> zones.ids, people.totals().tolist()
    (('51333766', '51333767'), [[2.0, 12.0]])
    """
    apart = [
        replace(people, data=people.data.assign_coords(zone=_of_part(number, zones)))
        for number, (zones, people) in enumerate(parts)
    ]
    frame = gpd.GeoDataFrame(pd.concat([zones.frame for zones, _ in parts]), crs=GEOGRAPHIC)
    plane = np.concatenate([np.full(len(zones), zones.plane_zone) for zones, _ in parts])
    first = ~frame.index.duplicated()
    order = np.flatnonzero(first)[np.argsort(frame.index[first], kind="stable")]
    codes = frame.index[order]
    walk = from_pairs(
        codes.get_indexer(frame.index),
        np.arange(len(frame)),
        np.ones(len(frame)),
        targets=codes.tolist(),
        sources=[zone for people in apart for zone in people.zones],
        rule="cells of several towns together",
    )
    people = gather(join_zones(apart), walk)
    notes = tuple(dict.fromkeys(note for zones, _ in parts for note in zones.notes))
    sources = tuple(sorted({source for zones, _ in parts for source in zones.sources}))
    found = []
    for number in sorted(set(plane.tolist())):
        rows = order[plane[order] == number]
        zones = Zones(frame.iloc[rows], "mesh", int(number), notes, sources)
        found.append((zones, people.only(zones.ids)))
    return found


def _of_part(number: int, zones: Zones) -> NDArray[np.object_]:
    return np.array([f"{number}:{zone}" for zone in zones.ids], dtype=object)
