"""Areas of a mapped table that only add up others are left out, with a warning."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from futuremap.sources.levels import sums_of_others
from futuremap.sources.mapped_cube import Cube
from futuremap.sources.mapped_rows import Rows


def without_sums(rows: Rows, cube: Cube) -> Cube:
    """The cube without such areas, which are taken out of `rows` too (FM490)."""
    ids = list(rows.names)
    people = np.moveaxis(cube.people, 1, 0).reshape(len(ids), -1)
    label = "name" if "name" in rows.columns.places else "code"
    sums = sums_of_others(people, list(rows.names.values()))
    for one in sums:
        first, last = (rows.lines[ids[part]] for part in (one.first, one.last))
        zone, line = ids[one.row], rows.lines[ids[one.row]]
        rows.columns.note(
            "FM490", rows.columns.table.lines.index(line), label,
            zone=rows.names[zone], first=first, last=last,
        )  # fmt: skip
        del rows.names[zone], rows.lines[zone]
    gone = [one.row for one in sums]
    return replace(
        cube,
        stated=np.delete(cube.stated, gone, axis=1),
        row=np.delete(cube.row, gone, axis=1),
        column=np.delete(cube.column, gone, axis=1),
    )
