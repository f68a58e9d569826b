"""Facilities that move, close and open again: reach once, each year its own place."""

import numpy as np
import pandas as pd
import pytest
import shapely

from futuremap.catchment.life_cycle import timeline
from futuremap.catchment.versions import active, by_facility, table_by_facility, versions
from futuremap.core.ages import AgeGroups
from futuremap.core.facilities import Facilities
from futuremap.core.population import Population
from futuremap.core.table import Table
from futuremap.core.zones import Zones
from futuremap.errors import LabelError

NAN = np.nan
YEARS = [2020, 2030, 2040, 2050]


def town():
    """a moves 2035; b merges into a 2045; c is without place until it moves 2030; d 2025-2040."""
    ids = ["a", "b", "c", "d"]
    table = pd.DataFrame(
        {"name": ids, "facility_class": "hall", "address": "", "parent": "34204",
         "opened": [1980.0, NAN, 1990.0, NAN]},
        index=ids,
    )  # fmt: skip
    points = shapely.points([133.0, 133.1, 133.3], [34.4, 34.4, 34.4])
    located = Zones.build(["a", "b", "d"], points, names=["a", "b", "d"], parents=["34204"] * 3,
                          kind="facility", plane_zone=3, sources=["x"])  # fmt: skip
    events = pd.DataFrame(
        [("d", 2040, "close", "", NAN, NAN), ("b", 2045, "merge", "a", NAN, NAN),
         ("a", 2035, "move", "", 133.5, 34.5), ("c", 2030, "move", "", 133.6, 34.5),
         ("d", 2025, "open", "", NAN, NAN), ("d", 2050, "open", "", NAN, NAN),
         ("a", 2022, "renew", "", NAN, NAN)],
        columns=["facility", "year", "event", "into", "longitude", "latitude"],
    )  # fmt: skip
    return Facilities(table, located, events)


def test_each_stretch_of_service_at_a_place_is_a_version():
    every = versions(town())
    assert every.zones.ids == ("a", "a@2035", "b", "c", "d", "d@2050")
    np.testing.assert_array_equal(every.facility, [0, 0, 1, 2, 3, 3])
    np.testing.assert_array_equal(every.first, [1980, 2035, -np.inf, 2030, 2025, 2050])
    np.testing.assert_array_equal(every.last, [2034, np.inf, 2044, np.inf, 2039, np.inf])
    assert [point.x for point in every.zones.geometry] == [133, 133.5, 133.1, 133.6, 133.3, 133.3]
    assert every.zones.sources == ("x",)


def test_versions_in_service_are_the_open_facilities_with_a_place():
    facilities, every = town(), versions(town())
    then = timeline(facilities, range(2015, 2060), life_years={})
    for i, year in enumerate(then.years):
        served = every.facility[active(every, year)]
        assert len(set(served)) == len(served)
        without = {2} if year < 2030 else set()
        assert set(served) == set(np.flatnonzero(then.open[i])) - without


def people(every):
    """1, 2, 4, 8, 16, 32 people at the versions, in each year."""
    counts = 2.0 ** np.arange(len(every.first))
    cube = np.broadcast_to(counts[None, :, None, None] / 2, (4, len(counts), 2, 1))
    return Population.build(cube, years=YEARS, zones=every.zones.ids, ages=AgeGroups((0,)))


def test_people_count_at_the_place_of_the_year_and_at_the_successor_if_they_go_along():
    facilities, every = town(), versions(town())
    then = timeline(facilities, YEARS, life_years={})
    own = by_facility(people(every), every, timeline=then, inherit=False)
    assert own.zones == ("a", "b", "c", "d")
    np.testing.assert_array_equal(
        own.totals(), [[1, 4, 0, 0], [1, 4, 8, 16], [2, 4, 8, 0], [2, 0, 8, 32]]
    )
    along = by_facility(people(every), every, timeline=then, inherit=True)
    np.testing.assert_array_equal(along.totals()[3], [2 + 4, 0, 8, 32])
    np.testing.assert_array_equal(along.totals()[:3], own.totals()[:3])


def test_indicators_are_those_of_the_place_of_the_year():
    every = versions(town())
    then = timeline(town(), YEARS, life_years={})
    values = np.broadcast_to(np.arange(6.0), (4, 6))
    table = Table.build({"people_in_reach": values}, years=YEARS, zones=every.zones.ids,
                        intervals={"people_in_reach": (values - 1, values + 1)})  # fmt: skip
    folded = table_by_facility(table, every, timeline=then)
    expected = [[0, 2, NAN, NAN], [0, 2, 3, 4], [1, 2, 3, NAN], [1, NAN, 3, 5]]
    np.testing.assert_array_equal(folded.frame("people_in_reach"), expected)
    np.testing.assert_array_equal(folded.column("people_in_reach", 2050, "high"), [2, NAN, 4, 6])


def test_other_years_or_zones_are_refused():
    every = versions(town())
    then = timeline(town(), [2020], life_years={})
    with pytest.raises(LabelError):
        by_facility(people(every), every, timeline=then, inherit=False)
    table = Table.build({"population": np.ones((1, 1))}, years=[2020], zones=["a"])
    with pytest.raises(LabelError):
        table_by_facility(table, every, timeline=then)
