"""The problem catalogue and its report."""

import re
from pathlib import Path

import pytest

from futuremap.errors import InputRefused
from futuremap.problems import CSV_COLUMNS, Report, catalogue

PACKAGE = Path(__file__).resolve().parents[1] / "futuremap"


def test_every_code_used_is_in_the_catalogue_and_every_entry_is_used():
    used = {
        code
        for file in PACKAGE.rglob("*.py")
        for code in re.findall(r'"(FM\d{3})"', file.read_text(encoding="utf-8"))
    }
    assert used == set(catalogue())


@pytest.mark.parametrize("code", sorted(catalogue()))
def test_every_text_stands_in_both_languages(code):
    entry = catalogue()[code]
    assert entry["severity"] in {"error", "warning"}
    for part in ("title", "expected", "why", "fix"):
        for lang in ("ja", "en"):
            assert entry[f"{part}_{lang}"].strip(), (part, lang)


def test_report_lists_errors_first_and_refuses():
    report = Report()
    report.add("FM612", file="b.csv", line=9, name="x")
    report.raise_if_errors()
    report.add("FM302", file="a.csv", line=3, column="male", value=-3)
    assert [p.code for p in report.sorted()] == ["FM302", "FM612"]
    with pytest.raises(InputRefused) as refused:
        report.raise_if_errors()
    assert refused.value.report is report
    assert refused.value.exit_code == 3


def test_many_warnings_of_a_kind_are_counted_not_listed():
    report = Report()
    for line in range(50):
        report.add("FM612", file="a.csv", line=line, name="x")
    text = "\n".join(report.lines())
    assert text.count("warning[FM612]") == 3
    assert "ほか 47 件" in text


def test_csv_has_no_formula_from_data():
    report = Report()
    report.add("FM303", file="a.csv", line=1, value="=cmd|' /C calc'!A0", expected="0")
    rows = report.to_csv().splitlines()
    assert rows[0].split(",") == list(CSV_COLUMNS)
    assert "'=cmd" in rows[1]


def test_an_unknown_code_is_our_bug():
    with pytest.raises(KeyError):
        Report().add("FM999")


def test_the_same_finding_twice_is_one():
    report = Report()
    for _ in range(3):
        report.add("FM302", file="a.csv", line=3, value=-1)
    report.add("FM302", file="a.csv", line=4, value=-1)
    assert len(report.problems) == 2
