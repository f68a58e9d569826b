"""What a project plans for its facilities: every mistake is said, with its line, and at once."""

import numpy as np
import pandas as pd
import pytest

from futuremap.catchment.events import check_classes, check_events
from futuremap.core.facilities import Facilities
from futuremap.core.zones import Zones
from futuremap.problems import Report

NAN = np.nan


def listed():
    table = pd.DataFrame(
        {"name": ["東会館", "西会館", "北会館", "南会館", "南会館"],
         "facility_class": ["hall"] * 4 + ["libary"], "address": "", "parent": "34204",
         "opened": [1980.0, 1990.0, 2040.0, NAN, NAN]},
        index=["e", "w", "n", "s1", "s2"],
    )  # fmt: skip
    nowhere = Zones.build([], [], names=[], parents=[], kind="facility", plane_zone=3)
    return Facilities(table, nowhere, pd.DataFrame(columns=["facility", "year", "event"]))


def check(*events):
    columns = ["facility", "year", "event", "into", "longitude", "latitude"]
    rows = [dict(zip(columns, event, strict=False)) for event in events]
    report = Report()
    checked = check_events(
        listed(), pd.DataFrame(rows, columns=columns), horizon=(2020, 2050), file="project.toml",
        lines=[10 * (i + 1) for i in range(len(rows))], report=report,
    )  # fmt: skip
    return checked, report


def test_good_plans_pass_with_names_as_ids():
    checked, report = check(
        ("東会館", 2030, "renew"), ("w", 2035, "merge", "東会館"), ("s1", 2030, "open"),
        ("e", 2040, "move", "", 133.1, 34.4), ("e", 2040, "rebuild"), ("n", 2045, "close"),
        ("n", 2050, "open"),
    )  # fmt: skip
    assert report.problems == []
    assert list(checked.events["facility"]) == ["s1", "e", "w", "e", "e", "n", "n"]
    assert list(checked.events["into"]) == ["", "", "e", "", "", "", ""]


@pytest.mark.parametrize(
    ("events", "code", "detail"),
    [
        ([("東会舘", 2030, "close")], "FM640", "東会館"),
        ([("南会館", 2030, "close")], "FM640", "s1、s2"),
        ([("e", 2030, "merge", "西会舘")], "FM641", "西会館"),
        ([("e", 2030, "merge", "東会館")], "FM641", "自分自身"),
        ([("w", 2025, "close"), ("e", 2030, "merge", "w")], "FM641", "2030年に開いていません"),
        ([("e", 2030, "merge", "w"), ("w", 2030, "close")], "FM641", "2030年に開いていません"),
        ([("e", 2030, "merge", "n")], "FM641", "2030年に開いていません"),
        ([("s1", 2040, "open"), ("e", 2030, "merge", "s1")], "FM641", "2030年に開いていません"),
        ([("e", 2030, "close"), ("e", 2035, "close")], "FM642", "2030年に閉じています"),
        ([("e", 2030, "close"), ("e", 2035, "rebuild")], "FM642", "2030年に閉じています"),
        ([("n", 2030, "renew")], "FM642", "開設は2040年"),
        ([("e", 2030, "open")], "FM642", "すでに開いています"),
        ([("s1", 2030, "renew"), ("s1", 2035, "open")], "FM642", "すでに開いています"),
        ([("e", 2030, "renew"), ("e", 2030, "rebuild")], "FM643", "renew・rebuild"),
        ([("e", 2030, "renew"), ("e", 2030, "renew")], "FM643", "renew・renew"),
        ([("e", 2055, "close")], "FM644", "2050"),
        ([("e", 1999, "rebuild")], "FM644", "2020"),
        ([("e", 2030, "move"), ("e", 2030, "rebuild")], "FM646", ""),
        ([("e", 2030, "move", "", 133.0)], "FM646", ""),
        ([("e", 2030, "close", "", 133.0, 34.0)], "FM646", ""),
        ([("e", 2030, "move", "", 133.0, 34.0)], "FM647", "東会館"),
    ],
)
def test_mistakes_are_told(events, code, detail):
    _, report = check(*events)
    assert [problem.code for problem in report.problems] == [code]
    (problem,) = report.problems
    assert problem.file == "project.toml"
    assert problem.line in {10, 20}
    shown = "".join(problem.text(part) for part in ("title", "expected", "why", "fix"))
    assert detail in shown
    assert "?" not in shown + "".join(problem.text(p, "en") for p in ("title", "expected"))


def test_two_that_merge_into_each_other_have_no_place_to_go():
    checked, report = check(("e", 2030, "merge", "w"), ("w", 2030, "merge", "e"))
    assert [problem.code for problem in report.problems] == ["FM641", "FM641"]
    assert checked.events.empty


def test_all_are_told_at_once_and_warnings_let_the_event_pass():
    checked, report = check(("誰か", 2030, "close"), ("e", 2055, "close"), ("n", 2030, "renew"))
    assert sorted(problem.code for problem in report.problems) == ["FM640", "FM642", "FM644"]
    assert list(checked.events["facility"]) == ["e"]


def test_classes_without_a_life_are_noted_with_the_near_ones():
    report = Report()
    check_classes(listed(), {"hall", "library"}, file="project.toml", report=report)
    (problem,) = report.problems
    assert (problem.code, problem.value) == ("FM645", "libary")
    assert dict(problem.detail) == {"count": "1", "near": "library"}
