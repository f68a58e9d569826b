"""What a rule of reach may say of supply, life, costs and buses, and what not."""

import pytest

from futuremap.config.load import load
from futuremap.pipeline.read_reach import rule_of
from futuremap.problems import Report
from tests.conftest import TAKAMATSU

RULE = '\n[[reach.rule]]\nclass = "medical"\n'
BUS = """
[municipality.bus]
lines = "a.geojson"
stops = "b.csv"
speed_kmh = 15.0
wait_minutes = 5.0
credit = "ksj_n03"
"""


def loaded(tmp_path, said):
    text = (TAKAMATSU / "project.toml").read_text(encoding="utf-8")
    before, at, after = text.partition("[reach]")
    bus, _, rules = said.rpartition("\f")
    (tmp_path / "project.toml").write_text(f"{before}{bus}\n{at}{after}\n{rules}", encoding="utf-8")
    report = Report()
    return load(tmp_path, report=report), report


@pytest.mark.parametrize(
    ("said", "code", "column"),
    [
        ('rule = "nearest"\naccessibility = { supply = "count" }', "FM011", "limits"),
        ("accessibility = { limits = [3.0, 2.0], weights = [1.0, 0.5] }", "FM004", "limits"),
        ("accessibility = { limits = [1.0, 2.0], weights = [1.0] }", "FM004", "weights"),
        ('accessibility = { supply = "count", unknown = 1.0 }', "FM004", "unknown"),
        ('accessibility = { supply = "beds" }', "FM004", "supply"),
        ("accessibility = { weights = [1.5], limits = [9.0] }", "FM004", "0"),
        ('life = "long"', "FM004", "life"),
        ("rebuild_cost = -1.0", "FM004", "rebuild_cost"),
        ('rule = "bus"\nminutes = 10.0', "FM670", "rule"),
        ('rule = "bus"', "FM011", "minutes"),
        ('rule = "bus"\nminutes = 10.0\nspeed_kmh = 3.0', "FM004", "speed_kmh"),
    ],
)
def test_what_cannot_be_is_located(tmp_path, said, code, column):
    _, report = loaded(tmp_path, f"\f{RULE}{said}\n")
    found = [one for one in report.errors if one.code == code]
    assert found, [one.code for one in report.errors]
    assert found[0].column.rpartition(".")[2] == column
    assert found[0].line > 90


def test_a_bus_needs_roads_and_both_its_numbers(tmp_path):
    rule = f'{RULE}rule = "bus"\nminutes = 20.0\n'
    _, report = loaded(tmp_path, f"{BUS}\f{rule}")
    (problem,) = report.errors
    assert (problem.code, dict(problem.detail)["key"]) == ("FM670", "[municipality.roads]")
    _, report = loaded(tmp_path, f"{BUS.replace('wait_minutes = 5.0', '')}\f{rule}")
    assert ("FM003", "wait_minutes") in {
        (one.code, one.column.rpartition(".")[2]) for one in report.errors
    }
    _, report = loaded(tmp_path, f"{BUS.replace('ksj_n03', 'nobody')}\f")
    assert [one.code for one in report.errors] == ["FM008"]


def test_presets_fill_what_is_not_said(tmp_path):
    project, report = loaded(tmp_path, f'\f{RULE}preset = "hospital"\nrepair_cost = 1.0\n')
    assert not report.errors
    rule = rule_of(project, "medical")
    assert (rule.radius_m, rule.life_years) == (800.0, 39.0)  # 法定耐用年数
    assert (rule.rebuild_cost, rule.repair_cost) == (400_000.0, 1.0)
    project, _ = loaded(tmp_path, f'\f{RULE}preset = "hospital"\nlife = "target"\nradius_m = 5e3\n')
    rule = rule_of(project, "medical")
    assert (rule.radius_m, rule.life_years) == (5000.0, 60.0)
