"""Facilities over time: age, life, sizes, successors and what renewing costs."""

import numpy as np
import pandas as pd
import pytest

from futuremap.catchment.life_cycle import by_class, renewal_costs, timeline, years_in_service
from futuremap.core.facilities import Facilities
from futuremap.core.zones import Zones
from futuremap.errors import LabelError

NAN = np.nan


def halls(opened, events=(), **columns):
    """Halls a, b, … of class hall; events as (facility, year, event, more columns)."""
    ids = list("abcdefgh"[: len(opened)])
    table = pd.DataFrame(
        {"name": [i.upper() for i in ids], "facility_class": "hall", "address": "",
         "opened": np.array(opened, float), "parent": "34204", **columns},
        index=ids,
    )  # fmt: skip
    rows = [
        {"facility": f, "year": y, "event": e, "into": "", **(more[0] if more else {})}
        for f, y, e, *more in events
    ]
    frame = pd.DataFrame(
        rows, columns=["facility", "year", "event", "into", "floor_area", "capacity"]
    )
    nowhere = Zones.build([], [], names=[], parents=[], kind="facility", plane_zone=3)
    return Facilities(table, nowhere, frame.astype({"floor_area": float, "capacity": float}))


def follow(facilities, years, **more):
    return timeline(facilities, years, **({"life_years": {"hall": 50}} | more))


def test_grow_with_time_and_are_unknown_before_opening():
    age = years_in_service([1990, 2030, np.nan], [2023, 2053])
    np.testing.assert_array_equal(age, [[33, np.nan, np.nan], [63, 23, np.nan]])


def test_without_events_a_facility_ages():
    then = follow(halls([1980, NAN, 2040]), [2020, 2030, 2045])
    np.testing.assert_array_equal(then.open, [[1, 1, 0], [1, 1, 0], [1, 1, 1]])
    np.testing.assert_array_equal(then.years_in_service[:, 0], [40, 50, 65])
    np.testing.assert_array_equal(then.years_in_service[:, 2], [NAN, NAN, 5])
    np.testing.assert_array_equal(then.life_left[:, 0], [10, 0, -15])
    assert np.isnan(then.years_in_service[:, 1]).all()
    np.testing.assert_array_equal(then.past_life, [[0, 0, 0], [1, 0, 0], [1, 0, 0]])


def test_rebuilding_starts_a_new_life_and_renewing_extends_it():
    facilities = halls([1980, 1980, NAN], [
        ("a", 2025, "renew"), ("a", 2040, "rebuild"), ("b", 2025, "renew"), ("c", 2030, "rebuild"),
    ])  # fmt: skip
    then = follow(facilities, [2024, 2025, 2045], extension_years={"hall": 20})
    np.testing.assert_array_equal(
        then.years_in_service, [[44, 44, NAN], [45, 45, NAN], [5, 65, 15]]
    )
    np.testing.assert_array_equal(then.life_left, [[6, 6, NAN], [25, 25, NAN], [45, 5, 35]])
    np.testing.assert_array_equal(then.renewals, [[0, 0, 0], [1, 1, 0], [0, 1, 0]])


def test_a_renewal_of_unsaid_length_leaves_the_life_unknown():
    then = follow(halls([1980], [("a", 2025, "renew")]), [2024, 2025])
    np.testing.assert_array_equal(then.life_left, [[6], [NAN]])
    assert not then.past_life[1, 0]


def test_life_goes_by_id_before_class_and_may_be_unknown():
    facilities = halls([1980, 1980], facility_class=["hall", "shed"])
    np.testing.assert_array_equal(by_class({"a": 70, "hall": 50}, facilities), [70, NAN])
    then = timeline(facilities, [2020], life_years={"a": 70, "hall": 50})
    np.testing.assert_array_equal(then.life_left, [[30, NAN]])


def test_closing_and_opening_again_does_not_make_a_building_younger():
    facilities = halls(
        [1980, NAN], [("a", 2030, "close"), ("a", 2040, "open"), ("b", 2035, "open")]
    )
    then = follow(facilities, [2029, 2030, 2039, 2040])
    np.testing.assert_array_equal(then.open, [[1, 0], [0, 0], [0, 1], [1, 1]])
    np.testing.assert_array_equal(then.years_in_service[:, 0], [49, NAN, NAN, 60])
    np.testing.assert_array_equal(then.years_in_service[:, 1], [NAN, NAN, 4, 5])
    np.testing.assert_array_equal(then.successor[:, 0], [0, -1, -1, 0])


def test_the_age_after_a_move_is_that_of_a_new_building_or_unknown():
    facilities = halls(
        [1980, 1980], [("a", 2030, "rebuild"), ("a", 2030, "move"), ("b", 2030, "move")]
    )
    then = follow(facilities, [2029, 2035])
    np.testing.assert_array_equal(then.years_in_service, [[49, 49], [5, NAN]])


def test_mergers_are_followed_to_the_last_that_is_open():
    facilities = halls([1980] * 4, [
        ("a", 2030, "merge", {"into": "b"}), ("b", 2040, "merge", {"into": "c"}),
        ("c", 2050, "close"),
    ])  # fmt: skip
    then = follow(facilities, [2025, 2035, 2045, 2055])
    np.testing.assert_array_equal(
        then.successor, [[0, 1, 2, 3], [1, 1, 2, 3], [2, 2, 2, 3], [-1, -1, -1, 3]]
    )
    np.testing.assert_array_equal(then.open[2], [False, False, True, True])


def test_a_long_chain_of_mergers_has_one_end():
    chain = [(f, 2030 + i, "merge", {"into": "abcdefgh"[i + 1]}) for i, f in enumerate("abcdefg")]
    then = follow(halls([1980] * 8, chain), [2050])
    np.testing.assert_array_equal(then.successor, [[7] * 8])


def test_sizes_change_with_events_and_at_the_one_that_takes_over():
    facilities = halls([1980, 1980], [
        ("a", 2030, "rebuild", {"floor_area": 800.0}),
        ("b", 2040, "merge", {"into": "a", "capacity": 90.0}),
    ], floor_area=[500.0, NAN], capacity=[50.0, 40.0])  # fmt: skip
    then = follow(facilities, [2029, 2030, 2040])
    np.testing.assert_array_equal(then.floor_area, [[500, NAN], [800, NAN], [800, NAN]])
    np.testing.assert_array_equal(then.capacity, [[50, 40], [50, 40], [90, NAN]])


def test_lists_without_sizes_have_none():
    then = follow(halls([1980]), [2020])
    assert np.isnan(then.capacity).all()
    assert np.isnan(then.floor_area).all()


def test_the_order_in_which_events_are_written_changes_nothing():
    events = [
        ("a", 2025, "renew"),
        ("a", 2030, "move"),
        ("a", 2030, "rebuild"),
        ("a", 2045, "close"),
    ]
    years = range(2020, 2050)
    first = follow(halls([1980], events), years, extension_years={"hall": 20})
    second = follow(halls([1980], events[::-1]), years, extension_years={"hall": 20})
    for one, other in zip(first[2:], second[2:], strict=True):
        np.testing.assert_array_equal(one, other)


def test_years_must_rise():
    with pytest.raises(LabelError, match="rise"):
        follow(halls([1980]), [2030, 2020])


def test_a_timeline_is_a_table():
    table = follow(halls([1980]), [2020, 2030]).table()
    np.testing.assert_array_equal(table.column("life_left", 2030), [0])


def costs(facilities, years, **more):
    units = {
        "rebuild_cost": {"hall": 4.0},
        "repair_cost": {"hall": 1.0},
        "life_years": {"hall": 60},
    }
    table = renewal_costs(facilities, years, **(units | more))
    return table.frame("rebuild_cost").to_numpy(), table.frame("repair_cost").to_numpy()


def test_costs_fall_due_once_and_count_in_the_next_year_asked_for():
    # a: repair 2010, rebuilding 2040; b: both long past, only the rebuilding is still open
    rebuild, repair = costs(halls([1980, 1950], floor_area=[10.0, 10.0]), [2020, 2035, 2050])
    np.testing.assert_array_equal(rebuild, [[0, 40], [0, 0], [40, 0]])
    np.testing.assert_array_equal(repair, [[10, 0], [0, 0], [0, 0]])


def test_planned_works_cost_when_they_are_planned():
    facilities = halls([1990, 1990], [
        ("a", 2030, "rebuild", {"floor_area": 5.0}), ("b", 2018, "renew"),
    ], floor_area=[10.0, 10.0])  # fmt: skip
    rebuild, repair = costs(facilities, [2015, 2025, 2035, 2060], extension_years={"hall": 20})
    # a: repair of 2020, rebuilding of 2030 at its new size, that one's repair of 2060
    np.testing.assert_array_equal(rebuild[:, 0], [0, 0, 20, 0])
    np.testing.assert_array_equal(repair[:, 0], [0, 10, 0, 5])
    # b: the renewal stands for the repair of 2020, and its life lasts until 2070
    np.testing.assert_array_equal(rebuild[:, 1], [0, 0, 0, 0])
    np.testing.assert_array_equal(repair[:, 1], [0, 10, 0, 0])


def test_costs_that_cannot_be_told_are_empty_and_closed_facilities_cost_nothing():
    facilities = halls([1990, NAN, 1990, 1990], [("c", 2040, "close")],
                       floor_area=[NAN, 10.0, 10.0, 10.0],
                       facility_class=["hall", "hall", "hall", "shed"])  # fmt: skip
    rebuild, repair = costs(facilities, [2015, 2025, 2055])
    np.testing.assert_array_equal(repair[:, 0], [0, NAN, 0])  # due, of unknown area
    assert np.isnan(rebuild[:, [1, 3]]).all()  # of unknown age, or of a class of unknown life
    np.testing.assert_array_equal(rebuild[:, 2], [0, 0, 0])
