"""Rows that add up other rows: areas listed at two levels, told by their numbers.

A table may list a town above its 丁目, or 地区計 below its areas, under any name. That every count
by sex and age is the sum of neighbouring rows is proof enough, and no names need to be known.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from futuremap.sources import cells

FEWEST = 20  # people from which counts that agree are no accident


class Sum(NamedTuple):
    """A row that adds up others.

    row
        Its position.
    first, last
        Positions of the first and the last of its parts; sums among them are no parts.
    """

    row: int
    first: int
    last: int


def sums_of_others(counts: NDArray[np.float64], names: Sequence[str]) -> list[Sum]:
    """Find the rows whose counts are those of rows right below or above them, added up.

    Parameters
    ----------
    counts
        By row, and by sex and age ``(N, K)``; NaN where a row has none. [persons]
    names
        Names of the rows ``(N,)``: a single part must be a 丁目 of the sum by its name.

    Returns
    -------
    list of Sum
        By row. Sums of sums are found too.

    Examples
    --------
    >>> counts = np.array([[30.0, 12], [10, 8], [20, 4], [5, 5], [35, 17]])
    >>> sums_of_others(counts, ["港町", "港町一丁目", "港町二丁目", "山", "市"])
    [Sum(row=0, first=1, last=2), Sum(row=4, first=1, last=3)]
    """
    left = np.flatnonzero(np.isfinite(counts).all(axis=1))
    found: list[Sum] = []
    while True:
        more = _sums_among(counts[left], [names[row] for row in left.tolist()])
        if not more:
            return sorted(found)
        found += [Sum(*(int(left[at]) for at in one)) for one in more]
        left = np.delete(left, [one.row for one in more])


def _sums_among(counts: NDArray[np.float64], names: Sequence[str]) -> list[Sum]:
    """Sums in one pass: those of rows that are no sums themselves."""
    people = counts.sum(axis=1)
    upto = np.concatenate([[0.0], np.cumsum(people)])
    by_cell = np.concatenate([np.zeros((1, counts.shape[1])), np.cumsum(counts, axis=0)])
    plain = [cells.key(name) for name in names]
    found: list[Sum] = []
    taken = -1  # last row of the parts of the sum before
    for row in np.flatnonzero(people >= FEWEST).tolist():
        if row <= taken:
            continue
        below = int(np.searchsorted(upto, upto[row + 1] + people[row])), row + 1
        above = row, int(np.searchsorted(upto, upto[row] - people[row], side="right")) - 1
        for stop, first in (below, above):
            if not 0 <= first < stop <= len(people):
                continue
            if not np.array_equal(by_cell[stop] - by_cell[first], counts[row]):
                continue
            if stop - first > 1 or _goes_on(plain[first], plain[row]):
                found.append(Sum(row, first, stop - 1))
                taken = max(row, stop - 1)
                break
    return found


def _goes_on(part: str, whole: str) -> bool:
    return bool(whole) and part.startswith(whole) and part.endswith("丁目")
