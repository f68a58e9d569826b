"""Raking: zones scaled until their parents hold the totals and the ages that were given."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from futuremap.core.ipf import TOLERANCE, NameOf, ipf
from futuremap.errors import SolveError

# where a parent must hold people of a sex and age and has none, they go to its zones in
# proportion to the first of the first three that somebody is in; an empty zone that must hold
# people gets its parent's sexes and ages
RUNGS = ("same age, other sex", "people of the zone", "inhabited zones alike", "parent's ages")
NOBODY = 1e-150  # persons; cells that hold less are empty: a factor on them could overflow


class Controls(NamedTuple):
    """What parents and zones must add up to in every step; NaN where nothing is given.

    totals
        People of each parent ``(H, P)``. [persons]
    sex_age
        People of each parent by sex and age ``(H, P, S, A)``; cells left out are free. [persons]
    zone_totals
        People of each zone ``(H, Z)``, such as a known housing project. [persons]
    parents, years
        Names of parents and steps, for errors.
    """

    totals: NDArray[np.float64] | None = None
    sex_age: NDArray[np.float64] | None = None
    zone_totals: NDArray[np.float64] | None = None
    parents: tuple[str, ...] = ()
    years: tuple[int, ...] = ()

    def place(self, step: int, parent: int) -> str:
        """Name of a parent in a step.

        Examples
        --------
        >>> Controls(parents=("34204",), years=(2028,)).place(0, 0), Controls().place(0, 0)
        ('parent 34204 in 2028', 'parent 0 in step 0')
        """
        code = self.parents[parent] if self.parents else parent
        return f"parent {code} in {self.years[step] if self.years else f'step {step}'}"


class Raked(NamedTuple):
    """What raking did.

    factor
        What each parent's cells were multiplied with ``(P, S, A)``; 1 where a cell was free,
        or empty. [ratio]
    total_factor
        The same for all people of a parent ``(P,)``. [ratio]
    placed
        People placed in cells that were empty, by rung of :data:`RUNGS` ``(P, 4)``. [persons]
    """

    factor: NDArray[np.float64]
    total_factor: NDArray[np.float64]
    placed: NDArray[np.float64]


def rake_zones(
    persons: NDArray[np.float64],
    totals: NDArray[np.float64] | None = None,
    *,
    parent_starts: NDArray[np.intp],
    sex_age: NDArray[np.float64] | None = None,
    zone_totals: NDArray[np.float64] | None = None,
    launch: NDArray[np.float64] | None = None,
    name_of: NameOf = lambda parent: f"parent {parent}",
) -> Raked:
    """Scale every parent's zones to what it must hold, in place.

    Parameters
    ----------
    persons
        ``(Z, S, A)``, zones sorted by parent. [persons]
    totals
        ``(P,)``; NaN leaves a parent as it is. [persons]
    parent_starts
        First zone of each parent ``(P,)``.
    sex_age
        ``(P, S, A)``; NaN leaves a cell free, so that a total given beside it is reached by
        the free cells. [persons]
    zone_totals
        ``(Z,)``; NaN leaves a zone free. Met together with `sex_age` or `totals` by IPF: then
        a total alone keeps the parent's structure by sex and age, and an empty zone starts
        from it. [persons]
    launch
        Persons in the base year ``(Z, S, A)``: where anybody lived then is the last rung of
        :data:`RUNGS`. [persons]
    name_of
        Says what a parent is called, for errors.

    Returns
    -------
    Raked
        The factors, and who was placed where nobody was.

    Raises
    ------
    SolveError
        If a parent is empty and its total is not, if its controls contradict each other, or if
        IPF does not converge. The parent is named.

    Examples
    --------
    >>> import numpy as np
    >>> people = np.array([[[1.0], [0.0]], [[3.0], [0.0]]])
    >>> rake_zones(people, np.array([8.0]), parent_starts=np.array([0])).total_factor.tolist()
    [2.0]
    >>> people.ravel().tolist()
    [2.0, 0.0, 6.0, 0.0]

    Four women are wanted where there are none: they go where the men are.

    >>> raked = rake_zones(people, parent_starts=np.array([0]), sex_age=np.array([[[8.0], [4.0]]]))
    >>> people.ravel().tolist(), raked.placed.tolist()
    ([2.0, 1.0, 6.0, 3.0], [[4.0, 0.0, 0.0, 0.0]])
    """
    cells = np.add.reduceat(persons, parent_starts, axis=0)
    want = _wanted(cells, totals, sex_age, name_of=name_of)
    sizes = np.diff(np.append(parent_starts, len(persons)))
    missing = (want > 0) & (cells <= NOBODY)
    placed = np.zeros((len(cells), len(RUNGS)))
    if missing.any():
        placed = _place(persons, want, missing, parent_starts=parent_starts,
                        launch=launch, name_of=name_of)  # fmt: skip
    factor = np.ones_like(cells)
    np.divide(want, cells, out=factor, where=~np.isnan(want) & (cells > NOBODY))
    if zone_totals is None or np.isnan(zone_totals).all():
        persons *= np.repeat(factor, sizes, axis=0)
    else:
        placed[:, -1] = _settle(persons, cells, zone_totals, parent_starts=parent_starts)
        flat = persons.reshape(len(persons), -1)
        columns = want.reshape(len(want), -1)
        ipf(flat, zone_totals, columns, starts=parent_starts, name_of=name_of)
        after = np.add.reduceat(persons, parent_starts, axis=0)
        np.divide(after, cells, out=factor, where=cells > NOBODY)
        return Raked(factor, _ratio(after.sum(axis=(1, 2)), cells.sum(axis=(1, 2))), placed)
    have, moved = cells.sum(axis=(1, 2)), np.where(np.isnan(want), cells, want).sum(axis=(1, 2))
    bound = ~np.isnan(want).all(axis=(1, 2))
    return Raked(factor, np.where(bound, _ratio(moved, have), 1.0), placed)


def _ratio(after: NDArray[np.float64], before: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.divide(after, before, out=np.ones_like(before), where=before > NOBODY))


def _wanted(
    cells: NDArray[np.float64],
    totals: NDArray[np.float64] | None,
    sex_age: NDArray[np.float64] | None,
    *,
    name_of: NameOf,
) -> NDArray[np.float64]:
    """What each parent's cells must hold ``(P, S, A)``, NaN where they are free.

    Examples
    --------
    Of a total of 10, 4 are given; the other two cells hold 1 and 2 and share the rest.

    >>> import numpy as np
    >>> _wanted(np.array([[[5.0], [1.0], [2.0]]]), np.array([10.0]),
    ...         np.array([[[4.0], [np.nan], [np.nan]]]), name_of=str).ravel().tolist()
    [4.0, 2.0, 4.0]
    """
    want = np.full_like(cells, np.nan) if sex_age is None else sex_age.copy()
    for what, given in (("totals", totals), ("sex and age", sex_age)):
        if given is not None and (np.any(given < 0) or np.isinf(given).any()):
            parent = int(np.argwhere((given < 0) | np.isinf(given))[0, 0])
            raise SolveError(f"{name_of(parent)}: controls by {what} hold impossible numbers")
    if totals is None:
        return want
    free = np.isnan(want)
    rest = totals - np.where(free, 0.0, want).sum(axis=(1, 2))
    open_ = np.where(free, cells, 0.0).sum(axis=(1, 2))
    slack = TOLERANCE * np.maximum(1.0, np.nan_to_num(totals))
    _refuse(
        rest,
        open_,
        slack=slack,
        full=np.asarray(~free.any(axis=(1, 2))),
        totals=totals,
        name_of=name_of,
    )
    share = np.zeros_like(rest)
    np.divide(np.maximum(rest, 0.0), open_, out=share, where=open_ > NOBODY)
    scaled = cells * share[:, None, None]
    return np.where(free & ~np.isnan(totals)[:, None, None], scaled, want)


def _refuse(
    rest: NDArray[np.float64],
    open_: NDArray[np.float64],
    *,
    slack: NDArray[np.float64],
    full: NDArray[np.bool_],
    totals: NDArray[np.float64],
    name_of: NameOf,
) -> None:
    contradiction = (rest < -slack) | (full & (rest > slack))
    if contradiction.any():
        p = int(np.argmax(contradiction))
        raise SolveError(
            f"{name_of(p)}: its sexes and ages add up to {totals[p] - rest[p]:.12g}, "
            f"its total is {totals[p]:.12g}",
        )
    empty = ~full & (rest > slack) & (open_ <= NOBODY)
    if empty.any():
        p = int(np.argmax(empty))
        raise SolveError(f"{name_of(p)} is empty and cannot meet its total {totals[p]:.12g}")


def _place(
    persons: NDArray[np.float64],
    want: NDArray[np.float64],
    missing: NDArray[np.bool_],
    *,
    parent_starts: NDArray[np.intp],
    launch: NDArray[np.float64] | None,
    name_of: NameOf,
) -> NDArray[np.float64]:
    sizes = np.diff(np.append(parent_starts, len(persons)))
    placed = np.zeros((len(want), len(RUNGS)))
    everybody = persons.sum(axis=(1, 2))
    alike = np.zeros_like(everybody)
    if launch is not None:
        alike = np.asarray(launch.any(axis=(1, 2)), dtype=np.float64)
    before = persons.copy()
    for sex, age in np.argwhere(missing.any(axis=0)):
        todo = np.where(missing[:, sex, age], want[:, sex, age], 0.0)
        other = before[:, :, age].sum(axis=1) - before[:, sex, age]
        for rung, weight in enumerate((other, everybody, alike)):
            total = np.add.reduceat(weight, parent_starts)
            per_weight = np.divide(todo, total, out=np.zeros_like(total), where=total > NOBODY)
            persons[:, sex, age] += weight * np.repeat(per_weight, sizes)
            done = np.where(total > NOBODY, todo, 0.0)
            placed[:, rung] += done
            todo = todo - done
        if todo.any():
            p = int(np.argmax(todo > 0))
            raise SolveError(f"{name_of(p)} is empty and cannot meet {todo[p]:.12g} of an age")
    return placed


def _settle(
    persons: NDArray[np.float64],
    cells: NDArray[np.float64],
    zone_totals: NDArray[np.float64],
    *,
    parent_starts: NDArray[np.intp],
) -> NDArray[np.float64]:
    empty = (persons.sum(axis=(1, 2)) <= NOBODY) & (zone_totals > 0)
    wanted = np.where(empty, zone_totals, 0.0)
    have = cells.sum(axis=(1, 2))
    people = np.zeros_like(cells)
    np.divide(cells, have[:, None, None], out=people, where=have[:, None, None] > NOBODY)
    parent_of = np.searchsorted(parent_starts, np.flatnonzero(empty), side="right") - 1
    persons[empty] = people[parent_of] * wanted[empty][:, None, None]
    return np.asarray(np.where(have > NOBODY, np.add.reduceat(wanted, parent_starts), 0.0))
