"""Indicators by hand."""

import numpy as np
import pytest

from futuremap.core.ages import AgeGroups
from futuremap.core.population import Population
from futuremap.indicators.people import age_structure, density
from futuremap.indicators.reach import covered, reach

AGES = AgeGroups((0, 15, 65, 75))


def people():
    cube = np.zeros((2, 2, 2, 4))
    cube[0, 0] = [[10, 30, 5, 5], [10, 30, 5, 5]]
    cube[1, 0] = [[5, 20, 10, 5], [5, 20, 10, 5]]
    return Population.build(cube, years=[2020, 2025], zones=["a", "empty"], ages=AGES)


def test_age_structure():
    table = age_structure(people())
    assert table.column("population", 2020).tolist() == [100, 0]
    assert table.column("population_0_14", 2025).tolist() == [10, 0]
    assert table.column("population_15_64", 2025).tolist() == [40, 0]
    assert table.column("population_65_over", 2025).tolist() == [30, 0]
    assert table.column("population_75_over", 2025).tolist() == [10, 0]
    assert table.column("ageing_rate", 2020)[0] == pytest.approx(0.2)
    assert table.column("change_rate", 2025)[0] == pytest.approx(-0.2)
    assert np.isnan(table.column("ageing_rate", 2020)[1])
    assert np.isnan(table.column("change_rate", 2025)[1])


def test_density_is_per_hectare():
    table = density(people(), np.array([20_000.0, 10_000.0]))
    assert table.column("density", 2020).tolist() == [50, 0]
    assert table.column("density_change", 2025).tolist() == [-10, 0]


def test_reach_and_coverage():
    years = np.array([[10.0, np.nan], [15.0, np.nan]])
    table = reach(people(), years_in_service=years, outside=np.array([0.0, 0.3]))
    assert table.column("reach_change", 2025).tolist() == [-20, 0]
    assert table.column("reach_outside_share", 2025).tolist() == [0, 0.3]
    within = people().only(["a"])
    shares = covered(people(), within)
    assert shares.column("coverage_rate", 2020)[0] == 1
    assert np.isnan(shares.column("coverage_rate", 2020)[1])
    assert np.isnan(covered(people(), None).column("people_covered", 2020)).all()
