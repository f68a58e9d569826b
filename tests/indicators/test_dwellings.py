"""Dwellings: the stock in closed form, and what stands empty."""

import numpy as np
import pytest

from futuremap.errors import DemographyError
from futuremap.indicators.dwellings import dwelling_stock, vacant_houses


def test_the_closed_form_is_the_yearly_account():
    years = np.array([2020, 2025, 2030])
    stock, seen = 1000.0, {2020: 1000.0}
    for year in range(2020, 2030):
        stock = stock * 0.99 + 5
        seen[year + 1] = stock
    found = dwelling_stock(1000, years=years, survival=0.99, built=5)
    assert found == pytest.approx([seen[year] for year in years], rel=1e-12)
    assert dwelling_stock(10, years=years, survival=1, built=2).tolist() == [10, 20, 30]


def test_impossible_stocks_are_refused():
    with pytest.raises(DemographyError):
        dwelling_stock(10, years=np.array([2020]), survival=1.2, built=0)


def test_too_few_dwellings_are_negative_vacancies():
    assert vacant_houses(np.array([10.0]), np.array([12.0])).tolist() == [-2.0]
