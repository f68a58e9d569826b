"""Mortality: WPP files in their true layout (a real clip of Japan), and life tables as CSV."""

import numpy as np
import pytest

from futuremap.core.population import SEXES
from futuremap.sources import life_table_file

from .variants import found, put, write_csv

# World Population Prospects 2019, Japan (392), as published: United Nations, DESA, Population
# Division, CC BY 3.0 IGO; from cran/wpp2019 @ a1693cc46274ad5905bd93327e988f91692fb4da
AGES = [0, 1, *range(5, 101, 5)]
CLIP = {
    ("male", "2015-2020"): (
        "0.00184 0.000183 9.02e-05 9.55e-05 0.000265626 0.000497867 0.000537426 "
        "0.00061216 0.000812329 0.0012687 0.00199408 0.003228205 0.005042829 0.008098448 "
        "0.012451072 0.019139357 0.032929694 0.060890339 0.11028318 0.18980234 0.30582676 "
        "0.47317146 "
    ),
    ("male", "2020-2025"): (
        "0.001651195 0.000164833 8.19e-05 8.81e-05 0.000246109 0.000463612 0.000500694 "
        "0.000571026 0.000758686 0.001188595 0.001870574 0.003030483 0.004727189 "
        "0.007582575 0.011620299 0.017783735 0.030683042 0.057232427 0.10487989 "
        "0.18266732 0.29771928 0.49356288 "
    ),
    ("female", "2015-2020"): (
        "0.00169 0.000168 7.18e-05 6.37e-05 0.000133687 0.000217489 0.000262159 "
        "0.000338623 0.00047711 0.000728808 0.001128809 0.001699102 0.002385931 "
        "0.003451245 0.005112111 0.00821799 0.015061856 0.030309696 0.063169143 "
        "0.12642732 0.22974671 0.39030783 "
    ),
    ("female", "2020-2025"): (
        "0.001476441 0.000147452 6.37e-05 5.75e-05 0.000121544 0.000198979 0.000239994 "
        "0.000310471 0.000438123 0.000671845 0.00104225 0.001570248 0.002201053 "
        "0.003179123 0.004690072 0.007498172 0.013790641 0.028054856 0.059331002 "
        "0.12052488 0.22217201 0.36948308 "
    ),
}
TABLE = ["sex,age,mx,qx,lx,nLx".split(",")]


def wpp(folder, sex, *, change=lambda rows: rows, country="392"):
    head = ["country_code", "name", "age", "2015-2020", "2020-2025"]
    both = [CLIP[sex, period].split() for period in head[3:]]
    rows = [[country, "Japan", *map(str, row)] for row in zip(AGES, *both, strict=True)]
    world = [["900", "World", str(a), "0.5", "0.5"] for a in AGES]
    path = folder / f"mx{sex}.txt"
    text = "\n".join("\t".join(row) for row in change([head, *world, *rows]))
    path.write_text(text + "\n", encoding="ascii")
    return path


def read_wpp(folder, report, **more):
    return life_table_file.read_wpp(
        wpp(folder, "male"),
        wpp(folder, "female", **more),
        country="392",
        credit="wpp",
        report=report,
    )


def life_table(ages=(0, 1, 5, 10), *, years=(None,)):
    """A life table that closes, of both sexes: survivors fall by a tenth from age to age."""
    rows = [["year", *TABLE[0]]] if years != (None,) else [list(TABLE[0])]
    for year in years:
        for sex in ("男", "女"):
            alive = 100_000.0
            for age, after in zip(ages, [*ages[1:], None], strict=True):
                dead = alive if after is None else alive / 10
                lived = 10 * alive if after is None else (after - age) * (alive - dead / 2)
                label = f"{age}歳以上" if after is None else str(age)
                row = [sex, label, dead / lived, dead / alive, alive, lived]
                rows.append([*([] if year is None else [str(year)]), *map(str, row)])
                alive -= dead
    return rows


def read(folder, rows, report):
    return life_table_file.read_csv(write_csv(folder / "a.csv", rows), credit="life", report=report)


def test_wpp_is_read_as_it_is(tmp_path, report):
    table = read_wpp(tmp_path, report)
    assert not report.problems
    assert table.periods == ((2015, 2020), (2020, 2025))
    assert table.ages == tuple(AGES)
    for s, sex in enumerate(SEXES):
        for y, period in enumerate(("2015-2020", "2020-2025")):
            assert table.values["mx"][y, s].tolist() == list(map(float, CLIP[sex, period].split()))
    assert np.array_equal(table.at(2023)["mx"], table.values["mx"][1])
    assert not table.values["mx"].flags.writeable
    with pytest.raises(KeyError):
        table.at(2025)


def test_order_of_rows_does_not_matter(tmp_path, report):
    other = tmp_path / "other"
    other.mkdir()
    turned = read_wpp(other, report, change=lambda rows: [rows[0], *reversed(rows[1:])])
    assert np.array_equal(turned.values["mx"], read_wpp(tmp_path, report).values["mx"])


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda rows: put(rows, 24, "2015-2020", ""), ("FM301", 25, "2015-2020")),
        (lambda rows: put(rows, 24, "2015-2020", "many"), ("FM303", 25, "2015-2020")),
        (lambda rows: put(rows, 24, "2020-2025", "12.5"), ("FM461", 25, "2020-2025")),
        (lambda rows: put(rows, 24, "age", "0"), ("FM460", 25, "age")),
        (lambda rows: put(rows, 24, "age", "?"), ("FM460", 25, "age")),
        (lambda rows: [*rows[:30], *rows[31:]], ("FM460", 31, "age")),
        (lambda rows: rows[:23], ("FM459", None, "")),
        (lambda rows: put(rows, 0, "age", "Alter"), ("FM201", 1, "age")),
        (lambda rows: [row[:4] for row in rows], ("FM462", None, "")),
        (lambda rows: [row[:3] for row in rows], ("FM459", None, "")),
        (lambda rows: rows[:1], ("FM105", None, "")),
    ],
)
def test_one_fault_of_wpp_is_found_where_it_stands(change, expected, tmp_path, report):
    assert read_wpp(tmp_path, report, change=change) is None
    assert expected in found(report)


def test_a_life_table_with_all_its_columns(tmp_path, report):
    table = read(tmp_path, life_table(), report)
    assert not report.problems
    assert table.ages == (0, 1, 5, 10)
    assert table.periods == ((0, 0),)
    assert set(table.values) == {"mx", "qx", "lx", "nLx"}
    assert table.at(2020)["lx"][1].tolist() == pytest.approx([100_000, 90_000, 81_000, 72_900])
    assert table.values["qx"][0, 0, -1] == 1


def test_japanese_headings_and_several_years(tmp_path, report):
    rows = life_table(years=(2015, 2020))
    rows[0] = ["年次", "性別", "年齢", "中央死亡率", "死亡率", "生存数", "定常人口"]
    table = read(tmp_path, rows, report)
    assert table.periods == ((2015, 2016), (2020, 2021))
    assert table.values["nLx"].shape == (2, 2, 4)
    assert not report.problems


def test_capital_and_small_letters_are_told_apart(tmp_path, report):
    rows = life_table()
    rows[0] = ["sex", "age", "mx", "qx", "lx", "Lx"]
    assert read(tmp_path, rows, report).values["nLx"][0, 0, 0] == pytest.approx(95_000)


@pytest.mark.parametrize(
    ("row", "heading", "value", "expected"),
    [
        (2, "qx", "1.5", ("FM461", 3, "qx")),
        (2, "qx", "", ("FM301", 3, "qx")),
        (2, "mx", "-0.1", ("FM303", 3, "mx")),
        (2, "mx", "4.2", ("FM461", 3, "mx")),
        (3, "lx", "95000", ("FM461", 4, "lx")),
        (3, "nLx", "5000000", ("FM461", 4, "nLx")),
        (3, "age", "1", ("FM460", 4, "age")),
        (1, "age", "2", ("FM460", 3, "age")),
        (6, "age", "-", ("FM460", 7, "age")),
        (1, "sex", "?", ("FM303", 2, "sex")),
        (0, "age", "Alter", ("FM201", 1, "age")),
    ],
)
def test_one_fault_of_a_life_table_is_found(row, heading, value, expected, tmp_path, report):
    assert read(tmp_path, put(life_table(), row, heading, value), report) is None
    assert expected in found(report)


def test_a_sex_or_all_rates_missing(tmp_path, report):
    rows = life_table()
    assert read(tmp_path, rows[:5], report) is None
    assert read(tmp_path, [row[:2] for row in rows], report) is None
    assert read(tmp_path, [*rows[:8], ["女", "12歳以上", *rows[8][2:]]], report) is None
    assert [problem.code for problem in report.problems] == ["FM463", "FM459", "FM460"]
    assert read(tmp_path, [*rows[:8], ["女", "9歳以上", *rows[8][2:]]], report) is None
    assert report.problems[-1].code == "FM462"


def test_rates_may_be_written_with_a_power_of_ten(tmp_path, report):
    table = read(tmp_path, put(life_table(), 2, "mx", "7.028e-05"), report)
    assert table.values["mx"][0, 0, 1] == 7.028e-05
