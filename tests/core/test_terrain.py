"""Altitude below shapes."""

import numpy as np
import pytest
import shapely

from futuremap.core.terrain import Terrain
from futuremap.errors import LabelError


def slope(rows=40, columns=60):
    """Rises by a metre a cell to the east; a cell is a hundredth of a degree."""
    return np.tile(np.arange(columns, dtype=float), (rows, 1))


def hill(values=None, **parts):
    given = {"corner": (133.0, 35.0), "cell": (0.01, 0.01), "epsg": 6668} | parts
    return Terrain(slope() if values is None else values, **given)


def test_the_mean_of_a_slope_is_its_middle():
    area = shapely.box(133.10, 34.70, 133.30, 34.90)
    assert hill().below(np.array([area]))[0] == pytest.approx(19.5, abs=0.2)


def test_a_hole_in_the_middle_does_not_count():
    low, high = slope(), shapely.box(133.10, 34.70, 133.30, 34.90)
    low[:, 15:25] = 3000.0
    around = high.difference(shapely.box(133.15, 34.6, 133.25, 34.95))
    assert hill(low).below(np.array([around]))[0] < 60


def test_what_is_not_known_is_passed_over_or_not_known():
    values = slope()
    values[:, :20] = np.nan
    half, none = shapely.box(133.1, 34.7, 133.3, 34.9), shapely.box(133.0, 34.7, 133.1, 34.9)
    found = hill(values).below(np.array([half, none, None, shapely.Point(140.0, 34.7)]))
    assert found[0] == pytest.approx(24.5, abs=0.3)
    assert np.isnan(found[1:]).all()


def test_slivers_stand_on_the_cell_in_which_they_lie():
    sliver = shapely.LineString([(133.255, 34.71), (133.255, 34.89)]).buffer(1e-7)
    assert hill().below(np.array([sliver])).tolist() == [25.0]


def test_a_plane_raster_says_the_same():
    # zone III: 36°N 132°10′E is its origin, cells of 100 m
    plane = Terrain(slope(), corner=(100_000.0, -100_000.0), cell=(100.0, 100.0), epsg=6671)
    point = np.array([133.2771]), np.array([35.0881])
    assert 0 <= plane.at(*point)[0] < 60
    east = np.array([133.2771 + 0.011]), point[1]
    assert plane.at(*east)[0] - plane.at(*point)[0] == pytest.approx(10, abs=1)


@pytest.mark.parametrize("value", [-9999.0, 5000.0, np.inf])
def test_what_is_no_altitude_is_refused(value):
    with pytest.raises(LabelError, match="altitudes"):
        hill(np.array([[1.0, value]]))
