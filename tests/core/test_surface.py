"""The noun of travel cost: what it refuses, and where its cells lie."""

import numpy as np
import pytest

from futuremap.core.surface import Surface
from futuremap.errors import LabelError


def surface(values, west=133.0, north=34.5, width=0.002, height=0.001):
    return Surface(np.asarray(values, dtype=float), west, north, width, height, ("x",))


def test_middles_of_rows_and_columns():
    ground = surface([[1, 2, 3], [4, np.nan, 6]])
    assert ground.shape == (2, 3)
    assert ground.longitude == pytest.approx([133.001, 133.003, 133.005])
    assert ground.latitude == pytest.approx([34.4995, 34.4985])
    with pytest.raises(ValueError, match="read-only"):
        ground.values[0, 0] = 9


@pytest.mark.parametrize("value", [0.0, -1.0, np.inf, -np.inf])
def test_impossible_costs(value):
    with pytest.raises(LabelError, match=r"s/m in row 1, column 0; 1 values"):
        surface([[1, 2], [value, 4]])


@pytest.mark.parametrize(
    "changed",
    [
        {"values": [1.0, 2.0]},
        {"values": np.ones((0, 3))},
        {"width": 0.0},
        {"height": -0.001},
        {"north": 91.0},
        {"north": np.nan},
    ],
)
def test_cells_that_are_nowhere(changed):
    with pytest.raises(LabelError):
        surface(**({"values": [[1.0]]} | changed))
