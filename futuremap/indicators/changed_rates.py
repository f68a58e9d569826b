"""Rates of use that somebody wants to change: which can be, and where people then differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from futuremap.core.population import SEXES
from futuremap.indicators.catalogue import Catalogue

Floats = NDArray[np.float64]
OF_PEOPLE = ("rate", "per")  # kinds that say how much is used; all others follow from these
OF_THE_PROJECTION = ("deaths_per_year",)  # whose rates are the projection's own to change


class ChangedRate(NamedTuple):
    """One change of how much people use.

    fields
        Fields whose rates it changes; what is made of them follows.
    factor
        Factor by year, sex and single year of age ``(Y, S, W)``, 1 in the base year. [ratio]
    zones
        Zones where people live whom it is about.
    """

    fields: tuple[str, ...]
    factor: Floats
    zones: frozenset[str]


class Group(NamedTuple):
    """Zones whose people have the same rates.

    at
        Their positions ``(K,)``.
    factors
        Factors by field ``(Y, S, W)``.
    """

    at: NDArray[np.intp]
    factors: Mapping[str, Floats]


def fields_of(catalogue: Catalogue, name: str) -> tuple[str, ...]:
    """The fields whose rates change with one: its own, or those of the parts it is the sum of.

    Parameters
    ----------
    catalogue
        The indicators.
    name
        A field of it.

    Returns
    -------
    tuple of str
        Empty if its rates cannot be changed: it is counted, or is only a part of another.
    """
    entry = catalogue.by_field(name)
    if name in OF_THE_PROJECTION:
        return ()
    if entry.kind == "sum":
        return tuple(part for whole in entry.of for part in fields_of(catalogue, whole))
    return (name,) if entry.kind in OF_PEOPLE else ()


def can_change(catalogue: Catalogue) -> tuple[str, ...]:
    """All fields whose rates can be changed, in the catalogue's order."""
    return tuple(name for name in catalogue.fields if fields_of(catalogue, name))


def factor_at(
    strength: Floats,
    *,
    factor: float,
    sex: str,
    ages: tuple[int, int | None],
    width: int,
) -> Floats:
    """Factor by year, sex and single year of age ``(Y, S, W)``.

    Parameters
    ----------
    strength
        How much of the change holds in every year ``(Y,)``.
    factor
        On the rates where it holds in full.
    sex
        "male", "female" or "both".
    ages
        First and last age, both included; no last one means all older ages.
    width
        Count of single years, the last one open (W).

    Examples
    --------
    A tenth less at 65 to 66, half of it in the second year:

    >>> found = factor_at(np.array([0.0, 0.5, 1.0]), factor=0.9, sex="both", ages=(65, 66),
    ...                   width=70)
    >>> found[:, 0, 64:68].round(3).tolist()
    [[1.0, 1.0, 1.0, 1.0], [1.0, 0.95, 0.95, 1.0], [1.0, 0.9, 0.9, 1.0]]
    """
    found = np.ones((len(strength), len(SEXES), width))
    first, last = ages
    stop = width if last is None else last + 1
    for i, own in enumerate(SEXES):
        if sex in ("both", own):
            found[:, i, first:stop] += (factor - 1) * strength[:, None]
    return found


def groups(zones: Sequence[str], changed: Sequence[ChangedRate]) -> list[Group]:
    """Zones put together by which changes hold there; one group if there are none.

    Parameters
    ----------
    zones
        Zones of one municipality ``(Z,)``.
    changed
        The changes; those of one field multiply.

    Examples
    --------
    >>> less = ChangedRate(("outpatients",), np.full((1, 2, 3), 0.5), frozenset("b"))
    >>> [(group.at.tolist(), sorted(group.factors)) for group in groups(["a", "b", "c"], [less])]
    [([0, 2], []), ([1], ['outpatients'])]
    """
    if not changed:
        return [Group(np.arange(len(zones)), {})]
    inside = np.stack([np.isin(zones, sorted(one.zones)) for one in changed], axis=1)
    patterns, which = np.unique(inside, axis=0, return_inverse=True)
    found = []
    for i, pattern in enumerate(patterns):
        factors: dict[str, Floats] = {}
        for one in (one for one, holds in zip(changed, pattern, strict=True) if holds):
            for name in one.fields:
                factors[name] = one.factor * factors.get(name, 1.0)
        found.append(Group(np.flatnonzero(which.ravel() == i), factors))
    return found
