"""Areas at two levels are told by their numbers, whatever they are called, and counted once."""

import numpy as np
import pytest

from futuremap.sources import mapped, register
from futuremap.sources.levels import Sum, sums_of_others
from futuremap.sources.mapped_layout import TableMapping

AGES = (*[f"{age}-{age + 4}歳" for age in range(0, 85, 5)], "85歳以上")
LEADING = ("地域コード", "調査年月日", "地域名", "総人口", "男性", "女性")
HEADINGS = (*LEADING, *[f"{age}の{sex}" for age in AGES for sex in ("男性", "女性")])
NAMES = ("港町", "港町一丁目", "港町二丁目", "山", "谷", "西地区計", "島", "全体の数")
PARTS = {"港町": (1, 2), "西地区計": (3, 4), "全体の数": (1, 2, 3, 4, 6)}


def people(seed=0):
    """Leaves at random, and three rows that add up others, one of them sums of sums."""
    counts = np.random.default_rng(seed).poisson(4, (len(NAMES), 36))
    for name, parts in PARTS.items():
        counts[NAMES.index(name)] = counts[list(parts)].sum(axis=0)
    return counts


def csv(path, counts, names=NAMES):
    rows = [HEADINGS]
    for i, (name, of) in enumerate(zip(names, counts, strict=True)):
        men, women = of[::2].sum(), of[1::2].sum()
        rows.append((f"01209{i:04d}", "2020-10-01", name, men + women, men, women, *of))
    path.write_text("\n".join(",".join(map(str, row)) for row in rows) + "\n", "utf-8")
    return path


def test_towns_above_and_districts_below_their_areas():
    found = sums_of_others(people().astype(float), NAMES)
    assert found == [Sum(0, 1, 2), Sum(5, 3, 4), Sum(7, 1, 6)]


@pytest.mark.parametrize("seed", range(20))
def test_nothing_is_found_where_nothing_adds_up(seed):
    counts = np.random.default_rng(seed).poisson(2, (300, 36)).astype(float)
    assert sums_of_others(counts, ["町"] * 300) == []


def test_few_people_prove_nothing_and_equal_neighbours_need_a_name():
    few = np.zeros((3, 36))
    few[0, 0] = few[1, 0] = 3
    assert sums_of_others(few, ["a", "b", "c"]) == []
    twins = np.tile(np.full(36, 5.0), (2, 1))
    assert sums_of_others(twins, ["東町", "西町"]) == []
    assert sums_of_others(twins, ["東町", "東町2"]) == []
    assert sums_of_others(twins, ["東町", "東町一丁目"]) == [Sum(0, 1, 1)]
    twins[1, 0] = np.nan
    assert sums_of_others(twins, ["東町", "東町一丁目"]) == []


def said(report):
    return [(p.code, p.line, p.value) for p in report.problems if p.code == "FM490"]


WANTED = [("FM490", 2, "港町"), ("FM490", 7, "西地区計"), ("FM490", 9, "全体の数")]
LEAVES = [1, 2, 3, 4, 6]


def test_a_register_counts_nobody_twice(tmp_path, report):
    counts = people()
    found = register.read_year(
        csv(tmp_path / "r.csv", counts), year=2020, credit="x", report=report,
        ids_by_name={NAMES[i]: f"z{i}" for i in LEAVES},
    )  # fmt: skip
    assert said(report) == WANTED
    assert not report.errors
    assert found.persons.sum() == counts[LEAVES].sum()


def test_a_mapped_table_counts_nobody_twice(tmp_path, report):
    counts = people()
    mapping = TableMapping(zone_code="地域コード", zone_name="地域名", date="調査年月日")
    found = mapped.read(csv(tmp_path / "m.csv", counts), mapping=mapping, credit="x", report=report)
    assert [(code, line) for code, line, _ in said(report)] == [two[:2] for two in WANTED]
    assert not report.errors
    assert list(found.names.values()) == [NAMES[i] for i in LEAVES]
    assert found.population.persons.sum() == counts[LEAVES].sum()


def test_a_total_without_a_code_whose_name_is_not_mapped(tmp_path, report):
    counts = np.vstack([people()[LEAVES], people()[LEAVES].sum(axis=0)])
    path = csv(tmp_path / "m.csv", counts, [*(NAMES[i] for i in LEAVES), "合計"])
    path.write_text(path.read_text("utf-8").replace("012090005,", ","), "utf-8")
    mapping = TableMapping(zone_code="地域コード", date="調査年月日")
    found = mapped.read(path, mapping=mapping, credit="x", report=report)
    assert not report.problems
    assert found.population.persons.sum() == counts[:-1].sum()


def test_a_number_with_digits_too_many_is_refused(tmp_path, report):
    counts = people()[LEAVES]
    path = csv(tmp_path / "r.csv", counts, [NAMES[i] for i in LEAVES])
    first = ",".join(map(str, counts[2]))
    path.write_text(path.read_text("utf-8").replace(first, f"9999999{first}"), "utf-8")
    register.read_year(path, year=2020, ids_by_name=None, credit="x", report=report)
    assert {(p.code, p.line, p.column) for p in report.errors} == {
        ("FM489", 4, "総人口"),
        ("FM489", 4, "男性"),
    }
