"""People against capacity and floor area."""

import numpy as np
import pytest

from futuremap.catchment.load import load, per_head, served
from futuremap.core.ages import AgeGroups
from futuremap.core.population import Population
from futuremap.errors import DemographyError, LabelError

IDS = ["a", "b", "c"]
PEOPLE = np.array([[40.0, 40.0, 0.0], [20.0, 10.0, 6.0]])


def population():
    cube = np.arange(1.0, 9.0).reshape(1, 1, 2, 4)
    return Population.build(cube, years=[2020], zones=["a"], ages=AgeGroups((0, 15, 65, 75)))


def test_the_ages_served():
    assert served(population()).tolist() == [[36.0]]
    assert served(population(), stop=15).tolist() == [[1.0 + 5.0]]
    assert served(population(), start=15, stop=75).tolist() == [[2 + 3 + 6 + 7.0]]
    assert served(population(), start=75).tolist() == [[4.0 + 8.0]]


def test_ages_are_not_guessed():
    with pytest.raises(LabelError, match="begins at 6"):
        served(population(), start=6, stop=15)
    with pytest.raises(LabelError, match="at least 65 and under 15"):
        served(population(), start=65, stop=15)


def test_people_per_bed():
    found = load(PEOPLE, np.array([20.0, np.nan, 8.0]), facilities=IDS)
    assert found[:, [0, 2]].tolist() == [[2.0, 0.0], [1.0, 0.75]]
    assert np.isnan(found[:, 1]).all()


def test_capacity_by_year():
    beds = np.array([[20.0, 10.0, 8.0], [np.nan, 5.0, 12.0]])
    found = load(PEOPLE, beds, facilities=IDS)
    assert found[:, 1].tolist() == [4.0, 2.0]
    assert np.isnan(found[1, 0])


def test_floor_area_per_head():
    found = per_head(np.array([400.0, np.nan, 30.0]), PEOPLE, facilities=IDS)
    assert found[:, 0].tolist() == [10.0, 20.0]
    assert np.isnan(found[:, 1]).all()
    assert np.isnan(found[0, 2])  # nobody in reach
    assert found[1, 2] == 5


@pytest.mark.parametrize("size", [0.0, -3.0, np.inf])
def test_a_size_that_no_facility_has_is_refused(size):
    with pytest.raises(DemographyError, match=rf"capacity is {size} at b.*1 such"):
        load(PEOPLE, np.array([20.0, size, 8.0]), facilities=IDS)
    with pytest.raises(DemographyError, match="floor_area"):
        per_head(np.array([20.0, size, 8.0]), PEOPLE, facilities=IDS)


def test_shapes_are_checked():
    with pytest.raises(LabelError, match="capacity has shape"):
        load(PEOPLE, np.ones(2), facilities=IDS)
    with pytest.raises(LabelError, match="people"):
        load(PEOPLE, np.ones(3), facilities=IDS[:2])
