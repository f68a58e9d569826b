"""Years in service."""

import numpy as np

from futuremap.catchment.life_cycle import years_in_service


def test_grow_with_time_and_are_unknown_before_opening():
    age = years_in_service([1990, 2030, np.nan], [2023, 2053])
    np.testing.assert_array_equal(age, [[33, np.nan, np.nan], [63, 23, np.nan]])
