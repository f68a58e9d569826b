"""Bad rate tables: every fault by its code, with its line."""

import pytest

from futuremap.indicators.rate_rows import rate_rows
from futuremap.problems import Report
from tests.indicators.tables import CATALOGUE, read

FAULTS = {
    "unknown indicator": ("inpatient,,,both,0,,10,percent", "FM801", 2, "indicator"),
    "unknown level": ("care_certified,heavy,,both,65,,10,percent", "FM801", 2, "indicator"),
    "no number": ("inpatients,,,both,0,,many,percent", "FM802", 2, "rate"),
    "negative": ("inpatients,,,both,0,,-1,percent", "FM802", 2, "rate"),
    "a gap between ages": (
        "inpatients,,,both,0,4,1,percent\ninpatients,,,both,10,,1,percent", "FM803", 3, "age_from",
    ),
    "ages that overlap": (
        "inpatients,,,both,0,14,1,percent\ninpatients,,,both,10,,1,percent", "FM803", 3, "age_from",
    ),
    "ages after the open group": (
        "inpatients,,,both,0,,1,percent\ninpatients,,,both,90,,1,percent", "FM803", 3, "age_from",
    ),
    "ages that begin too late": ("inpatients,,,both,20,,1,percent", "FM804", 2, "age_from"),
    "ages that end too early": ("inpatients,,,both,0,89,1,percent", "FM804", 2, "age_to"),
    "percent given for ratio": ("inpatients,,,both,0,,12.5,ratio", "FM805", 2, "rate"),
    "above one": ("inpatients,,,both,0,,101,percent", "FM806", 2, "rate"),
    "above one in 100,000": ("inpatients,,,both,0,,100001,per_100k", "FM806", 2, "rate"),
    "only men": ("inpatients,,,male,0,,1,percent", "FM807", 2, "sex"),
    "men beside both": (
        "inpatients,,,both,0,,1,percent\ninpatients,,,male,0,,1,percent", "FM807", 2, "sex",
    ),
    "no source": ("inpatients,,,both,0,,1,percent,2020,,,", "FM808", 2, "source"),
    "no year": ("inpatients,,,both,0,,1,percent,", "FM808", 2, "year"),
    "no licence": ("inpatients,,,both,0,,1,percent,2020,,,x,,", "FM808", 2, "licence"),
    "a unit nobody knows": ("inpatients,,,both,0,,1,permille", "FM809", 2, "unit"),
    "a unit of something else": ("inpatients,,,both,0,,1,litre_day", "FM809", 2, "unit"),
    "twice": (
        "inpatients,,,both,0,,1,percent\ninpatients,,,both,0,,2,percent", "FM810", 3, "indicator",
    ),
    "a sex nobody knows": ("inpatients,,,x,0,,1,percent", "FM811", 2, "sex"),
    "ages upside down": ("inpatients,,,both,10,5,1,percent", "FM811", 2, "age_to"),
    "an age that is none": ("inpatients,,,both,0,old,1,percent", "FM811", 2, "age_to"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "code", "line", "column"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_told_with_its_place(text, code, line, column):
    _, report = read(text)
    assert [(p.code, p.file, p.line, p.column) for p in report.problems] == [
        (code, "own.csv", line, column)
    ]


def test_all_faults_are_told_at_once():
    _, report = read("inpatients,,,both,0,,x,percent\nnothing,,,both,0,,1,percent")
    assert [p.code for p in report.problems] == ["FM802", "FM801"]


def test_missing_columns_are_named():
    report = Report()
    rate_rows([(2, {"indicator": "x"})], file="own.csv", catalogue=CATALOGUE, report=report)
    assert report.problems[0].code == "FM800"
    assert "rate" in report.problems[0].text("title")


def test_a_sound_table_passes_in_both_sexes_and_units():
    rows, report = read(
        "inpatients,,,male,0,64,1,percent\ninpatients,,,male,65,,5,percent\n"
        "inpatients,,,female,0,64,900,per_100k\ninpatients,,,female,65,,0.04,ratio"
    )
    assert not report.problems
    assert [row.value for row in rows] == pytest.approx([0.01, 0.05, 0.009, 0.04])
