"""Mesh cells counted in the larger cells that hold them, so that parts sum to their whole."""

from __future__ import annotations

import numpy as np
import shapely

from futuremap.base.meshes import Meshed
from futuremap.core import mesh
from futuremap.core.crosswalk import from_pairs
from futuremap.core.zones import Zones


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
