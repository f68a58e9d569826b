"""Small areas: the composed method, and the proof script that scores it."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from futuremap.core.ages import AgeGroups
from futuremap.errors import LabelError
from futuremap.projection.benchmarks import benchmarks
from futuremap.projection.small_area import (
    advance,
    damped_years,
    fit_ratios,
    project_small_areas,
)

AGES = AgeGroups.five_year(open_age=85)
SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "backtest" / "small_area.py"
TIMES = np.array([2018.0, 2019.0, 2020.0])


def stocks_of(zones, *, dates=3, seed=1, growth=0.0):
    rng = np.random.default_rng(seed)
    size = rng.uniform(5, 60, (zones, 1, 1))
    base = rng.poisson(size * np.linspace(1.2, 0.3, 18), (zones, 2, 18)).astype(float)
    change = 1 + growth * np.arange(dates)
    return base * change[:, None, None, None] + rng.integers(0, 3, (dates, zones, 2, 18))


def run(stocks, parent_of=None, *, target=2023.0, times=TIMES):
    parents = np.zeros(stocks.shape[1], dtype=np.intp) if parent_of is None else parent_of
    return project_small_areas(stocks, times, ages=AGES, parent_of=parents, target_time=target)


def test_five_years_are_one_step_of_the_ratios():
    rng = np.random.default_rng(3)
    people = rng.uniform(1, 50, (4, 2, 18))
    ratio = rng.uniform(0.3, 1.2, (4, 2, 17))
    fertility = rng.uniform(0.1, 0.3, 4)
    later = advance(people, ratio, ages=AGES, child_woman_ratio=fertility, years=5.0)
    expected = np.zeros_like(people)
    for zone in range(4):
        for sex in range(2):
            for age in range(17):
                expected[zone, sex, age + 1] += people[zone, sex, age] * ratio[zone, sex, age]
            expected[zone, sex, 17] += people[zone, sex, 17] * ratio[zone, sex, 16]
        women = expected[zone, 1, 3:10].sum()
        expected[zone, 0, 0] = fertility[zone] * women * 1.05 / 2.05
        expected[zone, 1, 0] = fertility[zone] * women / 2.05
    # the last closed group and the open one die differently, their sum as the ratio says
    assert np.allclose(later[..., :16], expected[..., :16])
    pooled = (people[..., 16] + people[..., 17]) * ratio[..., 16]
    assert np.allclose(later[..., 17], pooled)


@pytest.mark.parametrize("years", [0.5, 1.0, 2.0, 3.25, 7.0])
def test_closed_and_immortal_stays(years):
    people = np.random.default_rng(4).uniform(1, 50, (3, 2, 18))
    same = np.ones((3, 2, 17))
    later = advance(people, same, ages=AGES, child_woman_ratio=np.zeros(3), years=years)
    if years <= 5:
        assert later.sum() == pytest.approx(people.sum())
    assert later.min() >= 0


def test_parents_do_not_mix_and_order_does_not_matter():
    stocks = stocks_of(9)
    parent_of = np.array([0, 1, 0, 1, 1, 0, 2, 2, 2])
    together = run(stocks, parent_of).persons
    for parent in range(3):
        mine = parent_of == parent
        assert np.allclose(run(stocks[:, mine]).persons, together[mine])


@settings(max_examples=20, deadline=None)
@given(st.permutations(range(6)))
def test_the_order_of_zones_does_not_matter(order):
    stocks = stocks_of(6)
    assert np.allclose(run(stocks[:, order]).persons, run(stocks).persons[order], rtol=1e-9)


def test_a_boom_does_not_go_on():
    stocks = stocks_of(40)
    stocks[2, 0] *= 2.0  # a tower was let last year
    result = run(stocks)
    totals, now = result.persons.sum(axis=(1, 2)), stocks[2].sum(axis=(1, 2))
    assert result.limited[0]
    assert result.deviation[0] > 0.2
    others = totals[1:].sum() / now[1:].sum()
    assert 1 < totals[0] / now[0] / others < 1.2


def test_a_steady_decline_goes_on_in_part():
    stocks = stocks_of(12)
    stocks[1, 0] *= 0.98
    stocks[2, 0] *= 0.96
    plain = run(stocks_of(12)).persons[0].sum() / stocks_of(12)[2, 0].sum()
    declining = run(stocks).persons[0].sum() / stocks[2, 0].sum()
    assert 0.9 < declining / plain < 1


def test_empty_zones():
    stocks = stocks_of(6)
    stocks[:, 0] = 0  # never inhabited
    stocks[2, 1] = 0  # cleared
    stocks[0, 2] = 0  # was empty and fills
    result = run(stocks)
    assert np.isfinite(result.persons).all()
    assert not result.persons[:2].any()
    assert result.limited[2]
    assert 0 < result.persons[2].sum() < 1.3 * stocks[2, 2].sum()


def test_long_horizons_stay_bounded():
    stocks = stocks_of(10, growth=0.1)
    totals = [run(stocks, target=2020.0 + y).persons.sum() for y in (5, 10, 30)]
    assert np.isfinite(totals).all()
    assert damped_years(1e6) == pytest.approx(5 / -np.log(0.6))


def test_ratios_are_held_and_told():
    stocks = stocks_of(6)
    stocks[0, 0, :, 10] = 400
    stocks[2, 0, :, 10:13] = 0
    stocks[1, 0, :, 10:13] = 0
    ratios = fit_ratios(stocks, TIMES, ages=AGES, parent_of=np.zeros(6, dtype=np.intp))
    assert ratios.limited[0].any()
    assert (ratios.zone >= 0).all()


def test_benchmarks_stand_beside():
    stocks = stocks_of(6, dates=2)
    found = benchmarks(
        stocks,
        np.array([2015.0, 2020.0]),
        launch=stocks[1],
        ages=AGES,
        parent_of=np.zeros(6, dtype=np.intp),
        launch_time=2020.0,
        target_time=2025.0,
    )
    assert set(found) == {
        "no_change", "raw_ratios", "parent_ratios", "shrunk_ratios", "linear_exponential",
    }  # fmt: skip
    own = stocks[1, ..., 1:16] / stocks[0, ..., :15]
    raw = found["raw_ratios"][..., 1:16] / stocks[1, ..., :15]
    known = np.isfinite(own) & np.isfinite(raw) & (stocks[1, ..., :15] > 0)
    assert np.allclose(raw[known], own[known])


def test_unsound_input_is_refused():
    stocks = stocks_of(4)
    with pytest.raises(LabelError, match="must come after"):
        run(stocks, target=2020.0)


def test_a_municipality_without_fertile_women_is_flagged_and_nobody_is_born():
    stocks = stocks_of(4)
    stocks[2, :, 1, 3:10] = 0
    made = run(stocks)
    assert made.ratios.borrowed.all()
    assert np.isfinite(made.persons).all()


def write_register(path, months, *, blank=None, skip=()):
    stocks = np.random.default_rng(7).integers(5, 40, (30, 2, 18))
    names = [f"{sex}{age:02d}{'p' if age == 85 else ''}" for age in AGES.lower for sex in "mf"]
    lines = [",".join(["month", "no", "region", "total", *names])]
    for i, month in enumerate(months):
        for zone in range(30):
            cells = (stocks[zone] + (i % 3)).T.ravel().astype(str).tolist()
            total = str((stocks[zone] + (i % 3)).sum())
            if (month, zone) == blank:
                cells[5] = ""
            if month not in skip:
                lines.append(",".join([month, str(zone + 1), f"town {zone}", total, *cells]))
                if zone == 3:
                    lines.append(lines[-1])  # a row that repeats
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def script(*arguments):
    done = subprocess.run(
        [sys.executable, str(SCRIPT), *map(str, arguments), "--json"],
        check=True,
        capture_output=True,
        text=True,
    )
    return json.loads(done.stdout.splitlines()[-1]), done.stderr


MONTHS = [f"{2018 + (10 + i) // 12}-{(10 + i) % 12 + 1:02d}" for i in range(0, 61, 3)]


def test_the_script_scores_overlapping_windows(tmp_path):
    register = write_register(tmp_path / "r.csv", MONTHS, blank=("2020-02", 4), skip=("2019-02",))
    report, said = script(
        "--register", register, "--fit", "2018-11", "2022-05",
        "--launch", "2020-05", "--target", "2023-05",
    )  # fmt: skip
    assert report["overlap"] == {"years": 2.0, "of": 3.0}
    assert [check["limit"] for check in report["checks"]] == [4.7, 2.4, 3.3]
    assert {"small_area", "no_change", "raw_ratios", "parent_ratios", "shrunk_ratios"} <= set(
        report["table"]
    )
    assert report["table"]["small_area"]["areas_50"] == 30
    assert report["errors"][0]["horizon"] == 1.0
    assert "1 blank cells filled" in said
    assert "repeated rows dropped" in said


def test_the_script_knows_windows_apart_and_months_that_are_missing(tmp_path):
    register = write_register(tmp_path / "r.csv", MONTHS)
    report, _ = script(
        "--register", register, "--fit", "2018-11", "2020-11",
        "--launch", "2020-11", "--target", "2023-11",
    )  # fmt: skip
    assert report["overlap"]["years"] == 0
    assert [(c["name"], c["limit"]) for c in report["checks"]] == [("mape_50", 8.3)]
    report, said = script("--register", register, "--fit", "2018-11", "2023-11")
    assert "holds no ['2025-11']" in said
    assert not any(check["ok"] for check in report["checks"])
