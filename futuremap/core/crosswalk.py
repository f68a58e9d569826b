"""Crosswalk: who counts where; and gather, the verb that uses it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from futuremap.core.population import Population
from futuremap.core.zones import by_parent
from futuremap.errors import LabelError

COMPLETE = 1e-9  # tolerance on the sum of a source's weights
# weights are shares; a sum of exact pieces may pass 1 by rounding only
ROUNDING = 1e-12


@dataclass(frozen=True, eq=False)
class Crosswalk:
    """Weights of source zones in target zones.

    Parameters
    ----------
    weights
        Share of each source's people that count in each target, ``(T, Z)``. [ratio]
    targets
        Ids of the rows.
    sources
        Ids of the columns.
    rule
        How the weights were made, as a short English sentence.
    credits
        Credit keys of the data they were made from.

    Raises
    ------
    LabelError
        If shapes and ids disagree, ids repeat, or a weight is not in [0, 1].
    """

    weights: sparse.csr_array
    targets: tuple[str, ...]
    sources: tuple[str, ...]
    rule: str
    credits: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        if self.weights.shape != (len(self.targets), len(self.sources)):
            raise LabelError(
                f"weights {self.weights.shape} for {len(self.targets)} targets "
                f"and {len(self.sources)} sources",
            )
        for name, ids in (("target", self.targets), ("source", self.sources)):
            if _repeat(ids):
                raise LabelError(f"{name} ids repeat")
        if not self.weights.has_sorted_indices:
            self.weights.sort_indices()  # a product is not sorted, and frozen data cannot be
        held = self.weights.data
        if not np.isfinite(held).all() or (held < 0).any() or (held > 1 + ROUNDING).any():
            raise LabelError("weights must lie between 0 and 1")
        held.flags.writeable = False

    def conserves(self) -> bool:
        """Whether every source is given away whole, so that totals are kept."""
        sums = np.asarray(self.weights.sum(axis=0)).ravel()
        return bool(np.all(np.abs(sums - 1) <= COMPLETE))


@lru_cache(maxsize=16)
def _repeat(ids: tuple[str, ...]) -> bool:
    # the ids of a run's zones come again and again, from year to year and rule to rule
    return len(set(ids)) != len(ids)


def from_pairs(
    target_index: NDArray[np.intp],
    source_index: NDArray[np.intp],
    weights: NDArray[np.float64],
    *,
    targets: Sequence[str],
    sources: Sequence[str],
    rule: str,
    credits: Sequence[str] = (),  # noqa: A002 - the noun of the field
) -> Crosswalk:
    """Crosswalk from triples (target, source, weight); repeated pairs are added.

    Examples
    --------
    >>> import numpy as np
    >>> walk = from_pairs(
    ...     np.array([0, 1]), np.array([0, 0]), np.array([0.25, 0.75]),
    ...     targets=["north", "south"], sources=["town"], rule="by area",
    ... )
    >>> walk.conserves()
    True
    """
    shape = (len(targets), len(sources))
    matrix = sparse.csr_array(
        sparse.coo_array((weights, (target_index, source_index)), shape=shape),
    )
    matrix.sort_indices()
    return Crosswalk(matrix, tuple(targets), tuple(sources), rule, tuple(sorted(set(credits))))


def to_parents(zones: Sequence[str], parents: Sequence[str]) -> Crosswalk:
    """Crosswalk that counts every zone whole in its municipality, in the order they stand.

    Examples
    --------
    >>> to_parents(["a", "b"], ["37201", "37201"]).targets
    ('37201',)
    """
    codes, row = by_parent(parents)
    return from_pairs(
        row,
        np.arange(len(zones)),
        np.ones(len(zones)),
        targets=codes,
        sources=zones,
        rule="zones to their municipality",
    )


def compose(outer: Crosswalk, inner: Crosswalk) -> Crosswalk:
    """Crosswalk that does both: sources of the inner straight to targets of the outer.

    Parameters
    ----------
    outer
        Places to targets ``(T, M)``, such as a reach on the places where people stand. [ratio]
    inner
        Zones to those places ``(M, Z)``, such as dwelling. [ratio]

    Returns
    -------
    Crosswalk
        ``outer · inner`` ``(T, Z)``.

    Raises
    ------
    LabelError
        If the outer's sources are not the inner's targets in the same order.

    Examples
    --------
    Half of a block stands in the near house, and only that house is in reach:

    >>> import numpy as np
    >>> stand = from_pairs(np.array([0, 1]), np.array([0, 0]), np.array([0.5, 0.5]),
    ...                    targets=["near", "far"], sources=["block"], rule="houses")
    >>> reach = from_pairs(np.array([0]), np.array([0]), np.array([1.0]),
    ...                    targets=["hall"], sources=["near", "far"], rule="800 m")
    >>> compose(reach, stand).weights.toarray().tolist()
    [[0.5]]
    """
    if outer.sources != inner.targets:
        raise LabelError(_mismatch(inner.targets, outer.sources))
    product = sparse.csr_array(outer.weights @ inner.weights)
    product.sort_indices()
    return Crosswalk(
        product,
        outer.targets,
        inner.sources,
        f"{outer.rule}, of {inner.rule}",
        tuple(sorted({*outer.credits, *inner.credits})),
    )


def stack(parts: Sequence[Crosswalk], targets: Sequence[str]) -> Crosswalk:
    """Crosswalks of the same sources to different targets, as one.

    Parameters
    ----------
    parts
        Crosswalks ``(T_i, Z)``; no target stands in two of them.
    targets
        All targets in the order wanted; where no crosswalk leads, nobody counts.

    Raises
    ------
    LabelError
        If sources differ, or a target stands twice or is not wanted.

    Examples
    --------
    >>> import numpy as np
    >>> def to(target):
    ...     return from_pairs(np.array([0]), np.array([0]), np.ones(1), targets=[target],
    ...                       sources=["town"], rule="example")
    >>> stack([to("school"), to("hall")], ["hall", "library", "school"]).weights.toarray().tolist()
    [[1.0], [0.0], [1.0]]
    """
    if any(part.sources != parts[0].sources for part in parts):
        raise LabelError("crosswalks to stack have different sources")
    row = {target: i for i, target in enumerate(targets)}
    found = [target for part in parts for target in part.targets]
    if len(set(found)) != len(found) or not set(found) <= set(row):
        raise LabelError(f"targets stand twice or are not wanted: {sorted(set(found) - set(row))}")
    held = [part.weights.tocoo() for part in parts]
    place = [np.array([row[t] for t in part.targets], dtype=np.intp) for part in parts]
    return from_pairs(
        np.concatenate([rows[one.row] for rows, one in zip(place, held, strict=True)]),
        np.concatenate([one.col for one in held]).astype(np.intp),
        np.concatenate([one.data for one in held]),
        targets=targets,
        sources=parts[0].sources,
        rule="; ".join(dict.fromkeys(part.rule for part in parts)),
        credits=[credit for part in parts for credit in part.credits],
    )


def gather(population: Population, crosswalk: Crosswalk) -> Population:
    """Count a population in other zones.

    Parameters
    ----------
    population
        Persons in the crosswalk's source zones, in the same order. [persons]
    crosswalk
        Weights ``(T, Z)``. [ratio]

    Returns
    -------
    Population
        Persons in the target zones; flags are OR-ed over the contributing zones and the
        imputed share is the people-weighted one. A catchment is a population like any other.

    Raises
    ------
    LabelError
        If the zones are not the crosswalk's sources in the same order.

    Examples
    --------
    >>> import numpy as np
    >>> from futuremap.core.ages import AgeGroups
    >>> people = Population.build(
    ...     np.full((1, 2, 2, 1), 10.0), years=[2020], zones=["a", "b"], ages=AgeGroups((0,))
    ... )
    >>> walk = from_pairs(np.array([0, 0]), np.array([0, 1]), np.array([1.0, 0.5]),
    ...                   targets=["hall"], sources=["a", "b"], rule="example")
    >>> gather(people, walk).totals()
    array([[30.]])
    """
    if population.zones != crosswalk.sources:
        raise LabelError(_mismatch(population.zones, crosswalk.sources))
    years, zones, sexes, ages = population.persons.shape
    weights = crosswalk.weights
    by_zone = np.moveaxis(population.persons, 1, 0).reshape(zones, -1)
    gathered = np.asarray(weights @ by_zone).reshape(-1, years, sexes, ages)
    persons = np.moveaxis(gathered, 0, 1)
    totals = persons.sum(axis=(2, 3))
    imputed = (weights @ (population.totals() * population.imputed_share).T).T
    share = np.divide(imputed, totals, out=np.zeros_like(totals), where=totals > 0)
    return Population.build(
        persons,
        years=population.years,
        zones=crosswalk.targets,
        ages=population.ages,
        flag=_or_flags(population.flag, weights),
        imputed_share=share,
        sources=(*population.sources, *crosswalk.credits),
    )


def _or_flags(flags: NDArray[np.uint8], weights: sparse.csr_array) -> NDArray[np.uint8]:
    # one bit at a time: a bit stands in a target where any contributing source has it
    touches = (weights > 0).astype(np.float64)
    gathered = np.zeros((flags.shape[0], weights.shape[0]), dtype=np.uint8)
    for bit in range(8):
        mask = np.uint8(1 << bit)
        has = ((flags & mask) > 0).astype(np.float64)
        if has.any():
            gathered |= np.where((touches @ has.T).T > 0, mask, np.uint8(0))
    return gathered


def _mismatch(have: tuple[str, ...], want: tuple[str, ...]) -> str:
    extra = sorted(set(have) - set(want))[:5]
    lacking = sorted(set(want) - set(have))[:5]
    return (
        f"the {len(have)} zones given are not the crosswalk's {len(want)} sources "
        f"in order; only given: {extra}; only in the crosswalk: {lacking}"
    )
