"""Whole persons at export: systematic rounding that keeps sums and erases nobody on average."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from futuremap.core.zones import by_parent
from futuremap.errors import DemographyError, LabelError

# counts are held as multiples of 2^-24 persons, so that running sums are exact
UNIT = 2**24
HASH_BITS = 40  # of a 64-bit hash that are left over when UNIT is taken
LARGEST = 2**38  # persons in one parent; beyond it a running sum would overflow


def round_persons(
    persons: NDArray[np.float64],
    *,
    zones: Sequence[str],
    parents: Sequence[str],
    seed: int,
) -> NDArray[np.int64]:
    """Round cells to whole persons, parent by parent.

    Parameters
    ----------
    persons
        Cells of each zone ``(Z, …)``. [persons]
    zones
        Ids ``(Z,)``, none twice.
    parents
        Code of each zone's parent ``(Z,)``: a parent is one tile.
    seed
        Another seed rounds other cells up.

    Returns
    -------
    numpy.ndarray
        ``(Z, …)``: every cell and every zone's total is less than 1 from its float, and a
        parent's total is its float's, rounded to the nearest first if it is not whole. [persons]

    Raises
    ------
    DemographyError
        If a count is negative, not a number or absurdly large.
    LabelError
        If ids repeat or lengths differ.

    Notes
    -----
    Systematic rounding: with C the running sum over numbers and u one draw in [0, 1), number i
    becomes ``⌊C_i + u⌋ − ⌊C_{i−1} + u⌋``, so that its mean over seeds is the number itself:
    classes of 0.3 persons become 1 three times in ten, where largest remainders would always
    make them 0. It is done twice. The zones' totals of a parent are rounded with one u keyed by
    (seed, parent), zones in the order of a hash of seed and id. Each zone's cells are then
    rounded with a u keyed by (seed, zone), drawn where it gives the zone's total: with one u
    for all, zones alike with whole totals would all be rounded alike. Neither the order of
    zones nor the process matters. If a parent's total is not whole, its u is drawn where it
    rounds to the nearest.

    References
    ----------
    .. [1] W. G. Madow, "On the theory of systematic sampling, II", Ann. Math. Stat. 20, 1949.

    Examples
    --------
    >>> import numpy as np
    >>> rounded = round_persons(np.array([[0.5, 1.5], [0.25, 0.75]]), zones=["a", "b"],
    ...                         parents=["37201", "37201"], seed=1)
    >>> int(rounded.sum())
    3
    """
    _check(persons, zones, parents)
    if not persons.size:
        return np.zeros(persons.shape, dtype=np.int64)
    codes, parent_of = by_parent(parents)
    cells = _in_units(persons.reshape(len(zones), int(np.prod(persons.shape[1:]))))
    totals = cells.sum(axis=1)
    whole = _round_zones(totals, zones, (codes, parent_of), seed)
    part = totals % UNIT
    up = whole > totals // UNIT
    drawn = np.array([_hash(f"{seed}\x1fzone\x1f{zone}") >> HASH_BITS for zone in zones])
    first, span = np.where(up, UNIT - part, 0), np.where(up, part, UNIT - part)
    offset = first + drawn.astype(np.int64) * span // UNIT
    running = np.cumsum(cells, axis=1) + offset[:, None]
    rounded: NDArray[np.int64] = np.diff(running // UNIT, axis=1, prepend=0)
    return rounded.reshape(persons.shape)


def _round_zones(
    totals: NDArray[np.int64],
    zones: Sequence[str],
    by: tuple[list[str], NDArray[np.intp]],
    seed: int,
) -> NDArray[np.int64]:
    codes, parent_of = by
    hashed = np.array([_hash(f"{seed}\x1forder\x1f{zone}") for zone in zones], dtype=np.uint64)
    order = np.lexsort((hashed, parent_of))
    starts = np.searchsorted(parent_of[order], np.arange(len(codes)))
    ends = np.append(starts[1:], len(zones))
    whole = np.empty_like(totals)
    for code, start, end in zip(codes, starts, ends, strict=True):
        running = np.cumsum(totals[order[start:end]])
        offset = _offset(int(running[-1]), seed, code)
        whole[order[start:end]] = np.diff((running + offset) // UNIT, prepend=0)
    return whole


def _in_units(cells: NDArray[np.float64]) -> NDArray[np.int64]:
    units = np.rint(cells * UNIT).astype(np.int64)
    # a zone of thirds whose total is whole shall stay whole: what the units are off goes to
    # the cell that is furthest from a whole number
    off = np.rint(cells.sum(axis=1) * UNIT).astype(np.int64) - units.sum(axis=1)
    units[np.arange(len(units)), np.abs(cells % 1 - 0.5).argmin(axis=1)] += off
    return np.maximum(units, 0)


def _offset(total: int, seed: int, code: str) -> int:
    # u in units; where the total is not whole only the part that rounds it to the nearest
    part = total % UNIT
    first, last = (UNIT - part, UNIT) if 2 * part >= UNIT else (0, UNIT - part)
    return first + (_hash(f"{seed}\x1fparent\x1f{code}") * (last - first) >> 64)


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


def _check(persons: NDArray[np.float64], zones: Sequence[str], parents: Sequence[str]) -> None:
    if len(persons) != len(zones) or len(zones) != len(parents):
        raise LabelError(f"{len(persons)} rows, {len(zones)} zones, {len(parents)} parents")
    if len(set(zones)) != len(zones):
        raise LabelError("zone ids repeat")
    bad = ~(np.isfinite(persons) & (persons >= 0))
    if bad.any():
        where = tuple(int(i) for i in np.argwhere(bad)[0])
        raise DemographyError(f"zone {zones[where[0]]}: {persons[where]} persons in cell {where}")
    if persons.sum() >= LARGEST:
        raise DemographyError(f"{persons.sum():g} persons are more than can be rounded exactly")
