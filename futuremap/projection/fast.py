"""The ratio engine compiled with numba (extra ``[fast]``): the same numbers as NumPy's."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from futuremap.projection.march import Work
from futuremap.projection.rake import NOBODY

Array = NDArray[np.float64]


class Flat(NamedTuple):
    """Arrays of a run with sex and age in one axis of C = 2A cells; empty where not given.

    Shapes: base (Z, C); ratio (H or 1, P, C); births (H or 1, P); boys (P,); ends and starts
    (P,); own (Z, C); own_births (Z,); left (H,); totals (H, P); cells (H, P, C); out
    (1 + H, Z, C); adjustment (H, Z, C); factor (H, P, C); total_factor (H, P).
    """

    base: Array
    ratio: Array
    births: Array
    boys: Array
    starts: NDArray[np.intp]
    ends: NDArray[np.intp]
    own: Array
    own_births: Array
    left: Array
    totals: Array
    cells: Array
    out: Array
    adjustment: Array
    factor: Array
    total_factor: Array


def run(work: Work) -> list[tuple[int, int, int]]:
    """Project all parents that need nothing but scaling.

    Parameters
    ----------
    work
        What :func:`futuremap.projection.march.march` prepared; its outputs are filled.

    Returns
    -------
    list
        Position, first zone and end of the parents that NumPy must take: those with totals of
        zones, with totals beside ages, or with people to place where nobody is; and those that
        cannot meet their controls, so that the error comes from one place.
    """
    flat = _flatten(work)
    fertile = work.ratios.fertile
    refused = np.zeros(len(flat.starts), dtype=np.bool_)
    if work.controls is not None and work.controls.zone_totals is not None:
        given = ~np.isnan(work.controls.zone_totals).all(axis=0)
        refused |= np.logical_or.reduceat(given, work.ratios.parent_starts)
    if work.adjustment is not None and work.controls is None:
        work.adjustment[:] = 0.0
    if len(flat.own) or work.ratios.additive or len(flat.adjustment):
        _zone_by_zone(flat, fertile.start, fertile.stop, work.ratios.additive, refused)
    else:
        _shared(flat, fertile.start, fertile.stop, refused)
    return [(int(p), int(flat.starts[p]), int(flat.ends[p])) for p in np.flatnonzero(refused)]


def _flatten(work: Work) -> Flat:
    ratios, controls, made = work.ratios, work.controls, work.made
    zones, cells = len(work.base), work.base[0].size
    steps, parents = made.total_factor.shape
    own = ratios.own
    fade = 1.0 if own is None else own.persistence
    return Flat(
        work.base.reshape(zones, cells),
        _flat(ratios.cohort_change_ratio, parents, cells),
        _flat(ratios.child_woman_ratio, parents),
        ratios.sex_ratio_0_4 / (1 + ratios.sex_ratio_0_4),
        ratios.parent_starts.astype(np.intp),
        np.append(ratios.parent_starts[1:], zones).astype(np.intp),
        _flat(None if own is None else own.cohort_change_ratio, cells),
        _flat(None if own is None else own.child_woman_ratio),
        np.array([fade**t for t in range(steps)]),
        _flat(None if controls is None else controls.totals, parents),
        _flat(None if controls is None else controls.sex_age, parents, cells),
        made.persons.reshape(steps + 1, zones, cells),
        _flat(work.adjustment, zones, cells),
        _flat(made.factor, parents, cells),
        made.total_factor,
    )


def _flat(array: Array | None, *shape: int) -> Array:
    # what is contiguous already, as all outputs are, is not copied
    if array is None:
        return np.empty((0, *shape))
    return np.ascontiguousarray(array, dtype=np.float64).reshape(-1, *shape)


@njit(nogil=True)
def _factors(flat: Flat, t: int, p: int, have: Array) -> bool:
    """Set the factors of a parent; False if scaling alone cannot meet its controls."""
    factor = flat.factor[t, p]
    total = flat.totals[t, p] if len(flat.totals) else np.nan
    before, after, known = 0.0, 0.0, False
    for c in range(have.size):
        before += have[c]
    if not np.isnan(total):
        if total < 0 or np.isinf(total) or (before <= NOBODY and total > 0):
            return False
        if before > NOBODY:
            factor[:] = total / before
            flat.total_factor[t, p] = total / before
    for c in range(len(flat.cells) and have.size):
        want = flat.cells[t, p, c]
        if np.isnan(want):
            after += have[c]
            continue
        known = True
        if want < 0 or np.isinf(want) or (have[c] <= NOBODY and want > 0):
            return False
        if have[c] > NOBODY:
            factor[c] = want / have[c]
        after += want
    if known and before > NOBODY:
        flat.total_factor[t, p] = after / before
    return not known or np.isnan(total)


@njit(nogil=True)
def _shared(flat: Flat, first: int, last: int, refused: NDArray[np.bool_]) -> None:
    """Zones that share all ratios: the parent goes ahead, its zones follow.

    A step is linear in the zones, so a parent's sums move by its own ratios, and the factors
    are known before any zone has moved. They go into the ratios of the step: raking costs
    nothing, and each zone takes all its steps while it lies in the nearest cache.
    """
    base, out = flat.base, flat.out
    steps, cells = len(flat.left), base.shape[1]
    ages = cells // 2
    ratio, born, children = np.empty((steps, cells)), np.empty((steps, cells)), np.empty((steps, 2))
    # ages at the start of the women who are of fertile age at the end
    women = (ages + first - 1, ages + last - 1 if last < ages else cells)
    for p in range(len(flat.starts)):
        zones = (flat.starts[p], flat.ends[p])
        refused[p] |= not _lead(flat, p, ratio, born, children, women)
        if refused[p]:
            continue
        for z in range(zones[0], zones[1]):
            for c in range(cells):
                out[0, z, c] = base[z, c]
            for t in range(steps):
                _follow(out, z, t, ratio, born, children, women)


@njit(nogil=True)
def _lead(
    flat: Flat,
    p: int,
    ratio: Array,
    born: Array,
    children: Array,
    women: tuple[int, int],
) -> bool:
    steps, cells = ratio.shape
    parent = np.zeros((steps + 1, 1, cells))
    for z in range(flat.starts[p], flat.ends[p]):
        for c in range(cells):
            parent[0, 0, c] += flat.base[z, c]
    for t in range(steps):
        births = flat.births[t % len(flat.births), p]
        children[t, 0], children[t, 1] = flat.boys[p], 1.0 - flat.boys[p]
        for c in range(cells):
            ratio[t, c] = flat.ratio[t % len(flat.ratio), p, c]
            born[t, c] = ratio[t, c] * births
        _follow(parent, 0, t, ratio, born, children, women)
        if len(flat.factor):
            if not _factors(flat, t, p, parent[t + 1, 0]):
                return False
            _fold(flat.factor[t, p], ratio[t], children[t], parent[t + 1, 0])
    return True


@njit(nogil=True, inline="always")
def _follow(
    out: Array,
    z: int,
    t: int,
    ratio: Array,
    born: Array,
    children: Array,
    women: tuple[int, int],
) -> None:
    # one step of one zone, from out[t, z] to out[t + 1, z]
    cells = ratio.shape[1]
    ages = cells // 2
    for c in range(cells - 1):
        out[t + 1, z, c + 1] = out[t, z, c] * ratio[t, c]
    out[t + 1, z, ages - 1] += out[t + 1, z, ages]
    out[t + 1, z, cells - 1] += out[t, z, cells - 1] * ratio[t, cells - 1]
    both = 0.0
    for c in range(women[0], women[1]):
        both += out[t, z, c] * born[t, c]
    out[t + 1, z, 0] = both * children[t, 0]
    out[t + 1, z, ages] = both * children[t, 1]


@njit(nogil=True)
def _fold(factor: Array, ratio: Array, children: Array, persons: Array) -> None:
    ages = len(factor) // 2
    for c in range(len(factor)):
        persons[c] *= factor[c]
        # the people of a cell go to the next, those of an open group stay
        ratio[c] *= factor[c if c % ages == ages - 1 else c + 1]
    children[0] *= factor[0]
    children[1] *= factor[ages]


@njit(nogil=True)
def _zone_by_zone(
    flat: Flat,
    first: int,
    last: int,
    additive: bool,
    refused: NDArray[np.bool_],
) -> None:
    """Zones with ratios of their own, or with an account to keep."""
    base, out, adjustment = flat.base, flat.out, flat.adjustment
    steps, cells = len(flat.left), base.shape[1]
    have, ratio, moved = np.empty(cells), np.empty(cells), np.empty(cells)
    for p in range(len(flat.starts)):
        zones = range(flat.starts[p], flat.ends[p])
        for z in zones:
            for c in range(cells):
                out[0, z, c] = base[z, c]
        for t in range(steps):
            if refused[p]:
                break
            have[:] = 0.0
            for z in zones:
                _faded(flat, t, p, z, ratio)
                _move(out, base, t, z, ratio, moved, additive)
                _bear(flat, out, t, p, z, first, last)
                for c in range(cells):
                    have[c] += out[t + 1, z, c]
            if len(flat.factor):
                refused[p] |= not _factors(flat, t, p, have)
                for z in zones:
                    _scale(out, adjustment, t, z, flat.factor[t, p])


@njit(nogil=True, inline="always")
def _faded(flat: Flat, t: int, p: int, z: int, ratio: Array) -> None:
    shared, own, left = flat.ratio[t % len(flat.ratio), p], flat.own, flat.left[t]
    for c in range(len(ratio)):
        ratio[c] = shared[c]
    if len(own):
        for c in range(len(ratio)):
            ratio[c] += left * (own[z, c] - ratio[c])


@njit(nogil=True, inline="always")
def _move(
    out: Array, base: Array, t: int, z: int, ratio: Array, moved: Array, additive: bool
) -> None:
    cells = len(ratio)
    if additive:
        for c in range(cells):
            people, limit, r = out[t, z, c], base[z, c], ratio[c]
            growing = people if people < limit else limit  # noqa: FURB136 - min is not vectorised
            kept, added = (1.0, r - 1.0) if r > 1.0 else (r, 0.0)
            moved[c] = people * kept + growing * added
    else:
        for c in range(cells):
            moved[c] = out[t, z, c] * ratio[c]
    for c in range(cells - 1):
        out[t + 1, z, c + 1] = moved[c]
    out[t + 1, z, cells // 2 - 1] += moved[cells // 2 - 1]
    out[t + 1, z, cells - 1] += moved[cells - 1]


@njit(nogil=True, inline="always")
def _bear(flat: Flat, out: Array, t: int, p: int, z: int, first: int, last: int) -> None:
    ages = out.shape[2] // 2
    births = flat.births[t % len(flat.births), p]
    if len(flat.own_births):
        births += flat.left[t] * (flat.own_births[z] - births)
    women = 0.0
    for c in range(ages + first, ages + last):
        women += out[t + 1, z, c]
    children = births * women
    out[t + 1, z, 0] = children * flat.boys[p]
    out[t + 1, z, ages] = children - out[t + 1, z, 0]


@njit(nogil=True, inline="always")
def _scale(out: Array, adjustment: Array, t: int, z: int, factor: Array) -> None:
    if len(adjustment):
        for c in range(len(factor)):
            adjustment[t, z, c] = out[t + 1, z, c] * factor[c] - out[t + 1, z, c]
    for c in range(len(factor)):
        out[t + 1, z, c] *= factor[c]
