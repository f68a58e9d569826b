"""Iterative proportional fitting: a table scaled to its row and column sums, group by group."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from futuremap.errors import SolveError

TOLERANCE = 1e-9  # of the margins, relative to max(1, the larger one)
AIM = 1e-12  # iterations stop here; what stalls between the two is still accepted
ROUNDS = 2_000
WITHOUT_GAIN = 100  # rounds after which a stalled fit is given up
NameOf = Callable[[int], str]


def ipf(
    table: NDArray[np.float64],
    rows: NDArray[np.float64],
    columns: NDArray[np.float64],
    *,
    starts: NDArray[np.intp],
    name_of: NameOf = str,
) -> int:
    """Scale the rows of each group to their sums and its columns to theirs, in place.

    Parameters
    ----------
    table
        ``(N, C)``, rows of a group together. [persons]
    rows
        Sum of every row ``(N,)``; NaN where it is free. [persons]
    columns
        Sums of each group's columns ``(G, C)``; NaN where one is free. [persons]
    starts
        First row of each group ``(G,)``.
    name_of
        Says what a group is called, for errors.

    Returns
    -------
    int
        Rounds taken.

    Raises
    ------
    SolveError
        If the sums of a group contradict each other, or its zeros leave no table that has
        them. The group is named.

    Notes
    -----
    Only the starting table's structure (its odds ratios) survives; among all tables with the
    wanted sums the result is the one nearest to it in relative entropy. Cells that are 0 stay 0.

    References
    ----------
    .. [1] W. E. Deming, F. F. Stephan, "On a least squares adjustment of a sampled frequency
       table when the expected marginal totals are known", Ann. Math. Stat. 11, 1940.
       *m_i.* and *m_.j* are `rows` and `columns`.

    Examples
    --------
    >>> import numpy as np
    >>> table = np.array([[1.0, 1.0], [1.0, 3.0]])
    >>> _ = ipf(table, np.array([3.0, 3.0]), np.array([[2.0, 4.0]]), starts=np.array([0]))
    >>> table.sum(axis=0).round(9).tolist(), table.sum(axis=1).round(9).tolist()
    ([2.0, 4.0], [3.0, 3.0])
    >>> float(table[0, 0] * table[1, 1] / (table[0, 1] * table[1, 0])).__round__(9)
    3.0
    """
    _check_margins(rows, columns, starts, name_of)
    _check_zeros(table, rows, columns, starts=starts, name_of=name_of)
    sizes = np.diff(np.append(starts, len(table)))
    best, since = np.inf, 0
    for done in range(1, ROUNDS + 1):
        have = np.add.reduceat(table, starts, axis=0)
        table *= np.repeat(_factor(columns, have), sizes, axis=0)
        sums = table.sum(axis=1)
        off = _gap(rows, sums)
        worst = float(off.max(initial=0.0))
        if worst <= AIM:
            return done
        best, since = (worst, 0) if worst < 0.999 * best else (best, since + 1)
        if since >= WITHOUT_GAIN or done == ROUNDS:
            break
        table *= _factor(rows, sums)[:, None]
    if worst <= TOLERANCE:
        return done
    row = int(np.argmax(off))
    group = int(np.searchsorted(starts, row, side="right")) - 1
    raise SolveError(
        f"{name_of(group)}: no table has these sums; after {done} rounds row "
        f"{row - starts[group]} has {sums[row]:.6g} where {rows[row]:.6g} is wanted",
    )


def _check_margins(
    rows: NDArray[np.float64],
    columns: NDArray[np.float64],
    starts: NDArray[np.intp],
    name_of: NameOf,
) -> None:
    for what, margin in (("row", rows), ("column", columns)):
        if np.any(margin < 0) or np.isinf(margin).any():
            raise SolveError(f"a {what} sum is {margin[(margin < 0) | np.isinf(margin)][0]}")
    by_rows = np.add.reduceat(np.nan_to_num(rows), starts)
    by_columns = np.nansum(columns, axis=1)
    free_row = np.logical_or.reduceat(np.isnan(rows), starts)
    free_column = np.isnan(columns).any(axis=1)
    slack = TOLERANCE * np.maximum(1.0, np.maximum(by_rows, by_columns))
    wrong = (by_rows > by_columns + slack) & ~free_column
    wrong |= (by_columns > by_rows + slack) & ~free_row
    if wrong.any():
        group = int(np.argmax(wrong))
        raise SolveError(
            f"{name_of(group)}: rows add up to {by_rows[group]:.12g} and columns to "
            f"{by_columns[group]:.12g}",
        )


def _check_zeros(
    table: NDArray[np.float64],
    rows: NDArray[np.float64],
    columns: NDArray[np.float64],
    *,
    starts: NDArray[np.intp],
    name_of: NameOf,
) -> None:
    for row in np.flatnonzero((rows > 0) & ~table.any(axis=1))[:1].tolist():
        group = int(np.searchsorted(starts, row, side="right")) - 1
        raise SolveError(
            f"{name_of(group)}: row {row - starts[group]} is empty and must hold {rows[row]:.6g}",
        )
    empty = np.add.reduceat(table, starts, axis=0) <= 0
    for group, column in np.argwhere((columns > 0) & empty)[:1].tolist():
        raise SolveError(
            f"{name_of(group)}: column {column} is empty and must hold "
            f"{columns[group, column]:.6g}",
        )


def _factor(wanted: NDArray[np.float64], have: NDArray[np.float64]) -> NDArray[np.float64]:
    factor = np.ones_like(have)
    np.divide(wanted, have, out=factor, where=~np.isnan(wanted) & (have > 0))
    return factor


def _gap(wanted: NDArray[np.float64], have: NDArray[np.float64]) -> NDArray[np.float64]:
    gap = np.abs(wanted - have) / np.maximum(1.0, wanted)
    return np.where(np.isnan(wanted), 0.0, gap)
