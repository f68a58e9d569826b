"""Tables of access by hand."""

import numpy as np
import pytest

from futuremap.core.ages import AgeGroups
from futuremap.core.fields import dictionary
from futuremap.core.population import Population
from futuremap.errors import DemographyError, LabelError
from futuremap.indicators.access_table import (
    across_border,
    coverage,
    curve_rows,
    nearest_travel,
    reach_overlap,
)

AGES = AgeGroups((0, 15, 65, 75))
YEARS = [2020, 2050]


def people(*by_zone, zones=("37201", "34204"), years=YEARS):
    """The same numbers by age for both sexes; half of them in 2050."""
    cube = np.array(by_zone, dtype=float)[:, None, :] * np.ones((1, 2, 1))
    cubes = np.array([cube / (1 + i) for i in range(len(years))])
    return Population.build(cubes, years=years, zones=zones[: len(by_zone)], ages=AGES)


def test_coverage_by_age():
    table = coverage(people([10, 20, 6, 4], [0, 0, 0, 0]), people([5, 10, 1, 1], [0, 0, 0, 0]))
    assert table.column("people_covered", 2020).tolist() == [34.0, 0.0]
    rates = {"": 17 / 40, "_0_14": 0.5, "_65_over": 0.2, "_75_over": 0.25}
    for age, rate in rates.items():
        for year in YEARS:
            assert table.column(f"coverage_rate{age}", year)[0] == pytest.approx(rate)
        assert np.isnan(table.column(f"coverage_rate{age}", 2020)[1])  # nobody lives there
    assert table.column("people_covered_65_over", 2050)[0] == 2.0


def test_no_list_of_facilities_is_not_no_coverage():
    whole = people([10, 20, 6, 4], [10, 20, 6, 4])
    second = people([5, 10, 1, 1], zones=("34204",))
    table = coverage(whole, second)
    assert np.isnan(table.column("people_covered", 2020)[0])
    assert table.column("people_covered", 2020)[1] == 34
    assert np.isnan(coverage(whole, None).column("people_covered_0_14", 2050)).all()


def test_a_sum_over_facilities_is_no_coverage():
    with pytest.raises(DemographyError, match="covered at 34204"):
        coverage(people([9, 9, 9, 9], [1, 1, 1, 1]), people([9, 9, 9, 9], [1, 1, 2, 1]))
    with pytest.raises(LabelError, match="years"):
        coverage(people([9, 9, 9, 9]), people([1, 1, 1, 1], years=[2020]))


def test_how_far_and_who_is_left_out():
    travel = np.array([[[5.0, np.nan]], [[20.0, np.nan]], [[np.inf, np.nan]]])
    table = nearest_travel(travel, people=np.array([[50.0, 0.0]]), unreached=np.array([[6.0, 0.0]]),
                    years=[2020], zones=["37201", "34204"], unit="metres")  # fmt: skip
    assert table.column("nearest_metres_p50", 2020)[0] == 5
    assert np.isnan(table.column("nearest_metres_p90", 2020)).all()
    assert table.column("people_unreached", 2020).tolist() == [6.0, 0.0]
    assert table.column("unreached_share", 2020)[0] == 0.12
    with pytest.raises(LabelError, match="2 percentiles"):
        nearest_travel(travel[:2], people=np.array([[50.0, 0.0]]), unreached=np.array([[6.0, 0.0]]),
                years=[2020], zones=["37201", "34204"], unit="metres")  # fmt: skip


def test_rows_of_a_curve():
    numbers = np.arange(8.0).reshape(2, 2, 2)  # limit, year, zone
    rows = curve_rows(numbers, numbers / 10, limits=[5, 10], years=YEARS, zones=["a", "b"])
    assert set(rows.columns) <= set(dictionary())
    row = rows[(rows.zone == "b") & (rows.year == 2020) & (rows.travel_limit == 10)]
    assert row["people_within"].tolist() == [5.0]
    assert rows.zone.tolist() == ["a"] * 4 + ["b"] * 4


def test_overlap():
    table = reach_overlap(people([10, 20, 6, 4], [0, 0, 0, 0]), people([5, 10, 3, 2], [0, 0, 0, 0]))
    assert table.column("people_only_here", 2020).tolist() == [40.0, 0.0]
    assert table.column("reach_shared_share", 2050)[0] == 0.5
    assert np.isnan(table.column("reach_shared_share", 2050)[1])
    with pytest.raises(DemographyError, match="alone in reach at 37201"):
        reach_overlap(people([1, 1, 1, 1]), people([1, 1, 1, 2]))


def test_both_sides_of_the_border():
    town, beyond = people([10, 0, 0, 0], [4, 0, 0, 0]), people([3, 0, 0, 0], [0, 0, 0, 0])
    outside, missing = np.array([0.4, 0.2]), np.array([0.1, 0.2])
    table = across_border(town, beyond, outside=outside, missing=missing)
    assert table.column("reach_in_neighbours", 2020).tolist() == [6.0, 0.0]
    assert table.column("reach_both_sides", 2050).tolist() == [13.0, 4.0]
    assert table.column("reach_missing_share", 2050).tolist() == [0.1, 0.2]
    alone = across_border(town, None, outside=outside, missing=outside)
    assert np.isnan(alone.column("reach_in_neighbours", 2020)).all()
    assert alone.column("reach_both_sides", 2020).tolist() == [20.0, 8.0]


def test_neighbours_never_make_more_missing():
    town = people([10, 0, 0, 0], [4, 0, 0, 0], zones=("hall", "school"))
    with pytest.raises(DemographyError, match="missing from the reach at school"):
        across_border(town, None, outside=np.array([0.4, 0.2]), missing=np.array([0.1, 0.3]))
    with pytest.raises(LabelError):
        across_border(town, people([1, 1, 1, 1]), outside=np.zeros(2), missing=np.zeros(2))
