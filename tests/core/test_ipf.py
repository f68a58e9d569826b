"""Iterative proportional fitting: sums met, structure kept, contradictions located."""

import numpy as np
import pytest

from futuremap.core.ipf import ipf
from futuremap.errors import SolveError


def test_both_sums_are_met_group_by_group_and_structure_is_kept():
    rng = np.random.default_rng(0)
    table, truth = rng.gamma(1.0, 5.0, (2, 9, 6))
    starts = np.array([0, 4])
    rows, columns = truth.sum(axis=1), np.add.reduceat(truth, starts, axis=0)
    fitted = table.copy()
    ipf(fitted, rows, columns, starts=starts)
    np.testing.assert_allclose(fitted.sum(axis=1), rows, rtol=1e-10)
    np.testing.assert_allclose(np.add.reduceat(fitted, starts, axis=0), columns, rtol=1e-10)
    for part in (slice(0, 4), slice(4, 9)):
        logs = np.log(fitted[part] / table[part])
        interaction = logs - logs.mean(0) - logs.mean(1, keepdims=True) + logs.mean()
        assert np.abs(interaction).max() < 1e-9


def test_free_rows_and_columns_take_up_the_rest():
    table = np.ones((3, 2))
    nothing = np.nan
    ipf(table, np.array([4.0, nothing, nothing]), np.array([[6.0, 6.0]]), starts=np.array([0]))
    np.testing.assert_allclose(table.sum(axis=1), [4, 4, 4])
    ipf(table, np.array([1.0, 2.0, 3.0]), np.array([[2.0, nothing]]), starts=np.array([0]))
    np.testing.assert_allclose(table.sum(axis=0), [2, 4])


@pytest.mark.parametrize(
    ("table", "rows", "columns", "message"),
    [
        ([[1.0, 1.0]], [3.0], [[1.0, 1.0]], "town 1: rows add up to 3 and columns to 2"),
        ([[0.0, 0.0], [1.0, 1.0]], [1.0, 1.0], [[1.0, 1.0]], "town 1: row 0 is empty"),
        ([[1.0, 0.0], [1.0, 0.0]], [1.0, 1.0], [[1.0, 1.0]], "town 1: column 1 is empty"),
        ([[1.0, 0.0], [1.0, 1.0]], [5.0, 1.0], [[2.0, 4.0]], "town 1: no table has these sums"),
        ([[1.0, 1.0]], [-1.0], [[1.0, 1.0]], "row sum is -1"),
    ],
)
def test_what_cannot_be_is_located(table, rows, columns, message):
    fine = np.ones((2, 2))
    with pytest.raises(SolveError, match=message):
        ipf(
            np.concatenate([fine, table]),
            np.concatenate([[2.0, 2.0], rows]),
            np.concatenate([[[2.0, 2.0]], columns]),
            starts=np.array([0, 2]),
            name_of=lambda group: f"town {group}",
        )
