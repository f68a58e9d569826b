"""An independent account of ages on meshes: raked from a seed to the margins of each mesh.

:mod:`futuremap.base.mesh_shares` moves people of blocks; this scales cells. Where both have the
margins, they have to agree.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from futuremap.core.ages import AgeGroups
from futuremap.core.ipf import ipf
from futuremap.core.population import SEXES, Flag, Population
from futuremap.core.zones import by_parent
from futuremap.errors import DemographyError, LabelError


def from_municipality(
    margins: Population,
    municipality: Population,
    *,
    parents: Sequence[str],
) -> Population:
    """Give each mesh the five-year ages of its municipality, within each of its broad groups.

    Parameters
    ----------
    margins
        Meshes by sex and broad age. [persons]
    municipality
        Municipalities by sex and five-year age. [persons]
    parents
        Municipality of each mesh ``(Z,)``.

    Returns
    -------
    Population
        See :func:`from_blocks`.

    Raises
    ------
    LabelError
        If years, ages or parents do not match.
    """
    if len(parents) != len(margins.zones):
        raise LabelError(f"{len(parents)} parents for {len(margins.zones)} meshes")
    codes, row = by_parent(parents)
    unknown = [code for code in codes if code not in municipality.zones]
    if unknown:
        raise LabelError(f"no ages for the municipalities {unknown[:5]}")
    places = np.array([municipality.zones.index(code) for code in codes])[row]
    return _raked(margins, municipality.persons[:, places], municipality)


def from_blocks(
    margins: Population,
    blocks: Population,
    *,
    controls: Population | None = None,
    parents: Sequence[str] | None = None,
) -> Population:
    """Give meshes the five-year ages of the town blocks in them, raked to their own margins.

    Parameters
    ----------
    margins
        Meshes by sex and broad age, people of unknown age spread. [persons]
    blocks
        Town blocks by sex and five-year age, gathered on the same meshes. Where a mesh has
        people in a broad group but the blocks have none, all blocks together are the seed.
    controls
        Municipalities by sex and five-year age, if the meshes are to add up to their ages too:
        scaled to the meshes' sum in each broad group, then met together with the margins.
    parents
        Municipality of each mesh ``(Z,)``, with `controls`.

    Returns
    -------
    Population
        Meshes by sex and five-year age. Their sums by sex, and by sex and broad age where both
        divide ages at the same bounds, are the margins. Cells that were split carry the flag
        IMPUTED.

    Raises
    ------
    LabelError
        If meshes, years or ages do not match.
    DemographyError
        If there is nobody to take ages from.
    SolveError
        If margins and controls cannot both be met; the municipality is named.

    Examples
    --------
    >>> mesh = Population.build([[[[9.0, 4.0], [0.0, 2.0]]]], years=[2020], zones=["5133"],
    ...                         ages=AgeGroups((0, 65)))
    >>> seed = Population.build([[[[2.0, 1.0, 1.0, 3.0], [1.0, 1.0, 1.0, 1.0]]]], years=[2020],
    ...                         zones=["5133"], ages=AgeGroups((0, 35, 65, 75)))
    >>> from_blocks(mesh, seed).persons[0, 0].tolist()
    [[6.0, 3.0, 1.0, 3.0], [0.0, 0.0, 1.0, 1.0]]
    """
    if blocks.zones != margins.zones:
        raise LabelError("blocks must be gathered on the same meshes, in their order")
    if controls is None:
        return _raked(margins, blocks.persons, blocks)
    if parents is None or controls.ages != blocks.ages or controls.years != margins.years:
        raise LabelError("controls need parents, the ages of the blocks and the same years")
    return _raked(margins, blocks.persons, blocks, controls=controls, parents=parents)


def _raked(
    margins: Population,
    seed: NDArray[np.float64],
    like: Population,
    *,
    controls: Population | None = None,
    parents: Sequence[str] = (),
) -> Population:
    if like.years != margins.years:
        raise LabelError(f"ages of {like.years} for meshes of {margins.years}")
    shared = tuple(sorted(set(margins.ages.lower) & set(like.ages.lower)))
    broad = AgeGroups(shared)
    wanted = margins.persons @ margins.ages.merge_matrix(broad).T
    owner = np.searchsorted(shared, like.ages.lower, side="right") - 1
    persons = _fit(_filled(seed, wanted, like, broad), wanted, owner)
    if controls is not None:
        codes, row = by_parent(parents)
        _fit_both(persons, wanted, owner, controls.only(codes), row)
    return Population.build(
        persons,
        years=margins.years,
        zones=margins.zones,
        ages=like.ages,
        flag=_flags(margins, owner, broad, like.ages),
        sources=(*margins.sources, *like.sources, *(controls.sources if controls else ())),
    )


def _filled(
    seed: NDArray[np.float64],
    wanted: NDArray[np.float64],
    like: Population,
    broad: AgeGroups,
) -> NDArray[np.float64]:
    """The seed, with the ages of all where it has nobody in a group that has people."""
    merge = like.ages.merge_matrix(broad)
    for fallback in (
        like.persons.sum(axis=1, keepdims=True),
        like.persons.sum(axis=(1, 2), keepdims=True),
    ):
        lacking = ((seed @ merge.T == 0) & (wanted > 0)) @ merge
        seed = np.where(lacking > 0, fallback, seed)
    if ((seed @ merge.T == 0) & (wanted > 0)).any():
        raise DemographyError("a mesh has people in a broad age group in which nobody is known")
    return seed


def _fit(
    persons: NDArray[np.float64],
    wanted: NDArray[np.float64],
    owner: NDArray[np.intp],
) -> NDArray[np.float64]:
    """Scale to the broad groups ``(Y, Z, S, B)`` of each mesh and sex."""
    merge = (owner == np.arange(wanted.shape[3])[:, np.newaxis]).astype(np.float64)
    sums = persons @ merge.T
    factors = np.divide(wanted, sums, out=np.zeros_like(wanted), where=sums > 0)
    return np.asarray(persons * factors[..., owner])


def _fit_both(
    persons: NDArray[np.float64],
    wanted: NDArray[np.float64],
    owner: NDArray[np.intp],
    controls: Population,
    row: NDArray[np.intp],
) -> None:
    """Rake, in place, to the ages of the municipalities and to the margins of the meshes."""
    towns = np.arange(len(controls.zones))
    members = (row == towns[:, np.newaxis]).astype(np.float64)
    in_town = np.einsum("pz,yzsb->ypsb", members, wanted)
    targets = _fit(controls.persons, in_town, owner)  # consistent with the meshes' sums
    order = np.argsort(row, kind="stable")
    starts = np.searchsorted(row[order], towns)
    for y, s, b in np.ndindex(len(controls.years), len(SEXES), wanted.shape[3]):
        ages = np.flatnonzero(owner == b)
        at = np.ix_([y], order, [s], ages)
        table = persons[at][0, :, 0]

        def name_of(town: int, year: int = controls.years[y], sex: str = SEXES[s]) -> str:
            return f"{controls.zones[town]} {year} {sex}"

        ipf(
            table,
            wanted[y, order, s, b],
            targets[y, :, s][:, ages],
            starts=starts,
            name_of=name_of,
        )
        persons[at] = table[np.newaxis, :, np.newaxis]


def _flags(
    margins: Population,
    owner: NDArray[np.intp],
    broad: AgeGroups,
    ages: AgeGroups,
) -> NDArray[np.uint8]:
    """Flags of the cells ``(Y, Z, S, A)``: those of the margins, and IMPUTED where split."""
    old: NDArray[np.uint8] = margins.data["flag"].values
    by_cell = old if old.ndim > 2 else old[:, :, np.newaxis, np.newaxis]
    cells = np.broadcast_to(by_cell, margins.persons.shape)
    starts = [margins.ages.index(age) for age in broad.lower]
    grouped = np.bitwise_or.reduceat(cells, starts, axis=3)[..., owner]
    split = np.bincount(owner, minlength=len(broad))[owner] > 1
    imputed = (grouped & ~np.uint8(Flag.OBSERVED)) | np.uint8(Flag.IMPUTED)
    return np.broadcast_to(np.where(split, imputed, grouped), (*cells.shape[:3], len(ages)))
