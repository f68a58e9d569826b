"""Every indicator by hand, and which row of which table wins."""

import numpy as np
import pytest

from futuremap.indicators.trends import Trend, trends
from tests.indicators.tables import CATALOGUE, TABLES, made, of, read

HALF = "inpatients,,,both,0,,50,percent\n"
CARE = "care_certified,support,,both,65,,10,percent\ncare_certified,care,,both,65,,20,percent\n"
LEVELS = "".join(
    f"care_level,{name},,{sex},,,{count},count\n"
    for sex, counts in (("male", (1, 3, 1, 1, 1, 1, 0)), ("female", (2, 2, 4, 0, 0, 0, 0)))
    for name, count in zip(
        ("support_1", "support_2", "care_1", "care_2", "care_3", "care_4", "care_5"),
        counts,
        strict=True,
    )
)
PSYCHIATRIC = (
    "inpatients_share,all,,both,,,900,per_100k\ninpatients_share,psychiatric,,both,,,300,per_100k\n"
)
OCCUPANCY = "bed_occupancy,{0},,both,,,80,percent\nbeds,{0},,both,,,40,percent\n"


def age(found, name, years=80, sex=0):
    return of(found, name)[0, sex, years]


@pytest.mark.parametrize(
    ("text", "field", "years", "expected"),
    [
        ("households,,,both,15,,40,percent", "households_projected", 40, 0.4),
        ("household_type,single,,both,15,,40,percent", "households_single", 40, 0.4),
        ("household_type,couple,,both,15,,40,percent", "households_couple", 40, 0.4),
        (
            "household_type,couple_children,,both,15,,40,percent",
            "households_couple_children",
            40,
            0.4,
        ),
        ("household_type,single_parent,,both,15,,40,percent", "households_single_parent", 40, 0.4),
        ("household_type,other,,both,15,,40,percent", "households_other", 40, 0.4),
        ("single_elderly,,,both,65,,20,percent", "single_elderly", 70, 0.2),
        ("preschool,nursery,,both,0,5,30,percent", "nursery_children", 3, 0.3),
        ("preschool,centre,,both,0,5,30,percent", "centre_children", 3, 0.3),
        ("preschool,kindergarten,,both,0,5,30,percent", "kindergarten_children", 3, 0.3),
        ("afterschool,,,both,6,11,25,percent", "afterschool_children", 8, 0.25),
        (HALF, "inpatients", 80, 0.5),
        (HALF + PSYCHIATRIC, "inpatients_psychiatric", 80, 0.5 / 3),
        (HALF + PSYCHIATRIC, "inpatients_general", 80, 0.5 * 2 / 3),
        (HALF + "mean_stay,,,both,0,,36.5,days", "admissions", 80, 5.0),
        ("outpatients,,,both,0,,6000,per_100k", "outpatients", 80, 0.06),
        (HALF + PSYCHIATRIC + OCCUPANCY.format("acute"), "beds_acute", 80, 1 / 3 * 0.4 / 0.8),
        (HALF + PSYCHIATRIC + OCCUPANCY.format("high_acute"), "beds_high_acute", 80, 1 / 6),
        (HALF + PSYCHIATRIC + OCCUPANCY.format("recovery"), "beds_recovery", 80, 1 / 6),
        (HALF + PSYCHIATRIC + OCCUPANCY.format("chronic"), "beds_chronic", 80, 1 / 6),
        (CARE, "care_support", 80, 0.1),
        (CARE, "care_needed", 80, 0.2),
        (CARE, "care_certified", 80, 0.3),
        (CARE + LEVELS, "care_support_1", 80, 0.1 / 4),
        (CARE + LEVELS, "care_support_2", 80, 0.1 * 3 / 4),
        (CARE + LEVELS, "care_level_1", 80, 0.05),
        (CARE + LEVELS, "care_level_2", 80, 0.05),
        (CARE + LEVELS, "care_level_3", 80, 0.05),
        (CARE + LEVELS, "care_level_4", 80, 0.05),
        (CARE + LEVELS, "care_level_5", 80, 0.0),
        ("care_cost,,,both,65,,30,10k_yen", "care_cost", 80, 300_000),
        (CARE + "care_users,,,both,,,90,percent", "care_users", 80, 0.27),
        (
            CARE + "care_users,,,both,,,90,percent\ncare_workers,,,both,,,0.5,each",
            "care_workers",
            80,
            0.135,
        ),
        ("trips,,,both,0,,2.5,trips", "trips", 40, 2.5),
        ("transit_trips,,,both,0,,0.1,trips", "transit_trips", 40, 0.1),
        ("licence,,,both,16,,80,percent", "licence_holders", 40, 0.8),
        ("licence,,,both,16,,80,percent", "non_drivers_75_over", 80, 0.2),
        ("licence,,,both,16,,80,percent", "non_drivers_75_over", 74, 0.0),
        ("water,,,both,0,,280,litre_day", "water_use", 40, 0.28),
        ("water,,,both,0,,280,litre_day\nsewage,,,both,,,0.9,ratio", "sewage", 40, 0.252),
        ("waste,,,both,0,,900,gram_day", "waste", 40, 0.0009),
        ("deaths,,,both,0,,1,percent", "deaths_per_year", 80, 0.01),
        ("deaths,,,both,0,,1,percent\ncremations,,,both,,,99.9,percent", "cremations", 80, 0.00999),
        ("ambulance,,,both,0,,5000,per_100k", "ambulance_transports", 80, 0.05),
        ("fire_corps,,,both,18,64,2,percent", "fire_corps", 40, 0.02),
        ("workers,,,both,15,,60,percent", "workers", 40, 0.6),
        ("industry,farm,,both,15,,3,percent", "workers_farm", 40, 0.03),
        ("industry,construction,,both,15,,3,percent", "workers_construction", 40, 0.03),
        ("industry,manufacturing,,both,15,,3,percent", "workers_manufacturing", 40, 0.03),
        ("industry,retail,,both,15,,3,percent", "workers_retail", 40, 0.03),
        ("industry,health,,both,15,,3,percent", "workers_health", 40, 0.03),
        ("tax_base,,,both,15,,150,10k_yen", "tax_base", 40, 1_500_000),
        ("tax_base,,,both,15,,150,10k_yen\ntax,,,both,,,10,percent", "resident_tax", 40, 150_000),
        *((HALF, f"pupils_grade_{grade}", grade + 5, 1.0) for grade in range(1, 10)),
        (HALF, "pupils_primary", 6, 1.0),
        (HALF, "pupils_lower_secondary", 14, 1.0),
    ],
)
def test_each_indicator_by_hand(text, field, years, expected):
    assert age(made(text), field, years) == pytest.approx(expected, rel=1e-12)


def test_every_rate_of_the_catalogue_is_tested_by_hand():
    mark = test_each_indicator_by_hand.pytestmark[0]
    tested = {field for _, field, _, _ in mark.args[1]}
    linear = {
        entry.field
        for entry in CATALOGUE.entries
        if entry.field and entry.kind not in ("people", "special", "stock", "flow")
    }
    assert tested == linear


def test_levels_follow_the_mix_of_each_sex():
    found = made(CARE + LEVELS)
    assert age(found, "care_level_1", sex=1) == pytest.approx(0.2)  # four of four women
    assert age(found, "care_support_1", sex=1) == pytest.approx(0.05)


def test_ages_outside_a_table_ask_for_nothing():
    found = made(CARE)
    assert of(found, "care_certified")[0, 0, 64] == 0
    assert of(found, "pupils_primary").sum() == 2 * 6


def test_pupils_move_with_the_date():
    half = made(HALF, months=6.0)
    # on 1 October half of a grade has had its birthday
    assert of(half, "pupils_grade_1")[0, 0, [5, 6, 7, 8]].tolist() == [0.0, 0.5, 0.5, 0.0]
    young = made("preschool,nursery,,both,0,5,30,percent", months=6.0)
    assert of(young, "nursery_children")[0, 0, [0, 5, 6]] == pytest.approx([0.3, 0.3, 0.15])


def test_own_rows_win_then_the_nearest_area():
    came, _ = read("inpatients,,,both,0,,1,percent\ninpatients,,37201,both,0,,9,percent", own=False)
    assert age(made("trips,,,both,0,,1,trips", more=came), "inpatients") == pytest.approx(0.09)
    assert age(made(HALF, more=came), "inpatients") == pytest.approx(0.5)
    pref = HALF + "inpatients,,37,both,0,,4,percent\n"
    assert age(made(pref), "inpatients") == pytest.approx(0.04)
    assert age(made(pref, area="34204"), "inpatients") == pytest.approx(0.5)
    town = pref + "inpatients,,37201,both,0,,3,percent\n"
    assert age(made(town), "inpatients") == pytest.approx(0.03)


def test_years_of_a_table_are_joined_by_lines_and_held_outside():
    text = "inpatients,,,both,0,,10,percent,2020\ninpatients,,,both,0,,20,percent,2030\n"
    found = made(text, years=(2015, 2025, 2040))
    assert of(found, "inpatients")[:, 0, 40] == pytest.approx([0.1, 0.15, 0.2])


def test_a_trend_moves_its_field_and_what_is_made_of_it():
    text = "care_certified,care,,both,65,,20,percent,2020,,t\n"
    text += "care_certified,support,,both,65,,10,percent,2020,,\ncare_users,,,both,,,50,percent"
    half = {"t": Trend("t", 2010, 0.2, 2020, 0.1, "", "", "")}
    fixed, moved = (
        made(text, years=(2020, 2030, 2050)),
        made(text, years=(2020, 2030, 2050), trends=half),
    )
    assert of(fixed, "care_needed")[:, 0, 80] == pytest.approx([0.2, 0.2, 0.2])
    assert of(moved, "care_needed")[:, 0, 80] == pytest.approx([0.2, 0.1, 0.1])
    assert of(moved, "care_certified")[:, 0, 80] == pytest.approx([0.3, 0.2, 0.2])
    assert moved.moved == {"care_needed", "care_certified", "care_users"}
    assert not fixed.moved


def test_observed_numbers_are_met_in_the_base_year():
    base = np.zeros((2, 105))
    base[:, 70] = 50.0
    text = CARE + LEVELS + "care_certified,all,37201,both,,,60,count\n"
    found = made(text, base=base)
    assert (of(found, "care_certified")[0] * base).sum() == pytest.approx(60)
    assert (of(found, "care_support")[0] * base).sum() == pytest.approx(20)
    levels = [f"care_level_{i}" for i in range(1, 6)]
    assert sum((of(found, name)[0] * base).sum() for name in levels) == pytest.approx(40)
    one = made(
        "deaths,,,both,0,,1,percent\ndeaths,,37201,male,,,3,count\ndeaths,,37201,female,,,1,count",
        base=base,
    )
    assert (of(one, "deaths_per_year")[0] * base).sum(axis=1) == pytest.approx([3, 1])


def test_what_is_missing_is_said():
    found = made("care_workers,,,both,,,0.5,each")
    missing = {entry.field for entry in found.missing}
    assert {"care_workers", "care_users", "care_certified", "inpatients"} <= missing
    assert found.provisional == frozenset()
    marked = made("inpatients,,,both,0,,1,percent,2020,仮")
    assert marked.provisional == {"inpatients"}


def test_trends_that_come_with_the_program():
    found = trends((TABLES / "trends.csv").read_text(encoding="utf-8"))
    care = found["care_certified"]
    assert (care.year_from, care.value_from, care.year_to, care.value_to) == (
        2015,
        17.9,
        2023,
        16.3,
    )
    assert care.held_from == 2031
    factor = care.factor(np.array([2023, 2031, 2050]), since=2023)
    assert factor == pytest.approx([1, 16.3 / 17.9, 16.3 / 17.9])
