"""Expected classes: over draws, not of a mean; multi-grade rule; who leaves first."""

from importlib.resources import files

import numpy as np
import pytest

from futuremap.errors import SourceError
from futuremap.indicators.schools import (
    School,
    class_limits,
    classes_of,
    limits_in,
    plug_in,
    pupils_drawn,
)
from futuremap.projection.draws import uniform

DRAWS = 4000
PRIMARY = School("primary")


def drawn(mean, grades=1):
    chance = uniform([f"g{i}" for i in range(grades)], seed=1, draws=DRAWS)
    return pupils_drawn(np.full((grades, 1, DRAWS), float(mean)), chance[:, None], school=PRIMARY)


@pytest.mark.parametrize(("mean", "expected"), [(30, 1.16), (35, 1.45), (36, 1.52), (70, 2.47)])
def test_expected_classes_are_not_those_of_the_mean(mean, expected):
    found = classes_of(drawn(mean), np.array([35]), school=PRIMARY).ordinary.mean()
    assert found == pytest.approx(expected, abs=0.03)


def test_the_plain_number_is_shown_to_compare():
    assert plug_in(np.array([[35.0]]), np.array([35]), school=PRIMARY).tolist() == [1.0]
    assert plug_in(np.array([[36.0]]), np.array([35]), school=PRIMARY).tolist() == [2.0]


@pytest.mark.parametrize(
    ("kind", "pupils", "ordinary", "multi"),
    [
        ("primary", (4, 4, 9, 8, 8, 8), 4, 2),  # 1+2 of 8; 3 alone; 4+5 of 16; 6 alone
        ("primary", (5, 4, 20, 20, 20, 20), 6, 0),  # 9 with grade 1 is too many
        ("primary", (0, 0, 0, 0, 0, 0), 0, 0),
        ("primary", (0, 8, 8, 0, 40, 0), 3, 1),  # 2+3; 5 in two
        ("primary", (16, 0, 0, 0, 0, 0), 1, 0),
        ("lower_secondary", (4, 4, 9), 2, 1),
        ("lower_secondary", (5, 4, 41), 4, 0),
    ],
)
def test_multi_grade_classes_by_hand(kind, pupils, ordinary, multi):
    school = School(kind)
    limits = np.full(len(pupils), 35 if kind == "primary" else 40)
    found = classes_of(np.array(pupils).reshape(-1, 1, 1), limits, school=school)
    assert (found.ordinary.item(), found.multi.item()) == (ordinary, multi)


def test_other_schools_and_special_needs_leave_first():
    school = School("primary", elsewhere=0.1, special=0.2)
    chance = uniform(["a"], seed=1, draws=DRAWS)[:, None]
    found = pupils_drawn(np.full((1, 1, DRAWS), 100.0), chance, school=school)
    assert found.mean() == pytest.approx(72, abs=0.6)


def test_limits_of_the_law():
    text = (files("futuremap.indicators") / "tables" / "class_limits.csv").read_text("utf-8")
    limits = class_limits(text)
    assert limits_in(limits, 2020, range(1, 10)).tolist() == [35] + [40] * 8
    assert limits_in(limits, 2023, range(1, 10)).tolist() == [35] * 4 + [40] * 5
    assert limits_in(limits, 2025, range(1, 10)).tolist() == [35] * 6 + [40] * 3
    # the first grade of lower secondary schools follows in 2026; the rest has not been seen
    assert limits_in(limits, 2045, range(1, 10)).tolist() == [35] * 7 + [40] * 2
    with pytest.raises(SourceError):
        class_limits("fiscal_year,grade,limit,source,url,licence\n2025,1,35,,,")
    with pytest.raises(SourceError):
        class_limits("fiscal_year,grade\n2025,1")
