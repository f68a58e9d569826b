"""What projects get wrong about scenarios and backcasts: refused, all at once, each with its line."""

import numpy as np
import pytest

from futuremap.errors import InputRefused
from futuremap.pipeline import check_project, open_project, run
from futuremap.pipeline.scenarios import run_scenarios
from tests.conftest import one_of_two

NEW = """
[[scenario.x.facility]]
class = "hall"
name = "新しい集会所"
year = 2030
latitude = 35.147
longitude = 139.08
"""
CLEARED = """
[[scenario.x.housing]]
zone = "宮上"
year = {year}
dwellings = {dwellings}
household_size = 1.0
"""
BACKCAST = """
[backcast.b]
name = "b"
[[backcast.b.target]]
year = 2045
{target}
[[backcast.b.lever]]
{lever}
"""
TARGET = 'indicator = "population"\nkeep = 0.9'
LEVER = 'bundle = "family_30s"\nmax = 3'


@pytest.fixture
def written(tmp_path):
    """A project of 湯河原町 with more at the end of its file."""
    folder = one_of_two(tmp_path / "project", "14384")
    file = folder / "project.toml"
    text = file.read_text(encoding="utf-8")

    def write(more):
        file.write_text(text + more, encoding="utf-8")
        return folder

    return write


@pytest.mark.parametrize(
    ("more", "code", "value"),
    [
        ('[scenario.x]\nname = "x"\n' + NEW * 2, "FM849", "新しい集会所"),
        ('[scenario.x]\nname = "x"\n' + CLEARED.format(year=2030, dwellings="inf"), "FM004", "inf"),
        ('[scenario.x]\nname = "x"\n' + CLEARED.format(year=2030, dwellings="nan"), "FM004", "nan"),
        ('[scenario.x]\nname = "x"\n' + CLEARED.format(year=2030, dwellings=0), "FM004", "0"),
        ('[scenario.x]\nname = "x"\n' + CLEARED.format(year=2044, dwellings=-900) * 3, "FM847",
         "2700"),
        (BACKCAST.format(target='indicator = "ageing_rate"\nat_most = 38', lever=LEVER), "FM860",
         "38"),
        (BACKCAST.format(target='indicator = "population"\nat_least = nan', lever=LEVER), "FM860",
         "nan"),
        (BACKCAST.format(target='indicator = "population"\nat_most = -5', lever=LEVER), "FM860",
         "-5"),
        (BACKCAST.format(target=TARGET, lever='bundle = "family_30s"\nmax = inf'), "FM850",
         "family_30s"),
        (BACKCAST.format(target=TARGET, lever=f"{LEVER}\ncost = inf"), "FM861", "inf"),
        (BACKCAST.format(target=TARGET, lever='lever = "net_loss"\nmax = 0.5'), "FM861", "0～0.5"),
        (BACKCAST.format(target=TARGET, lever='lever = "fertility"\nmax = 12'), "FM861", "0～12"),
        (BACKCAST.format(target=TARGET, lever='lever = "fertility"\nmax = 2\nage_from = 20'),
         "FM862", "age_from"),
        (BACKCAST.format(target='indicator = "coverage_rate"\nat_least = 0.8',
                         lever='lever = "radius_m"\nclass = "hall"\nmax = 900\nzone = "宮上"'),
         "FM862", "zone"),
        (BACKCAST.format(target=TARGET, lever='lever = "facilities"\nclass = "hall"\nmax = 7'),
         "FM863", "facilities"),
        ("".join(f'[bundle.{key}]\nname = "同じ"\nmembers = [{{ age_from = 30, age_to = 39 }}]\n'
                 for key in ("a", "b")), "FM004", "同じ"),
        (BACKCAST.format(target='indicator = "coverage_rate"\nat_least = 0.8',
                         lever='lever = "facilities"\nclass = "hall"\nmax = 7')
         .replace("year = 2045", "year = 2030") + "from_year = 2031\n", "FM843", "2031"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused_with_its_line(written, more, code, value):
    report = check_project(written(f"\n{more}"))
    found = [problem for problem in report.problems if problem.code == code]
    assert found, [problem.code for problem in report.problems]
    assert all(problem.line for problem in found)
    assert any(value in str(problem.value) for problem in found)
    for problem in found:
        for part in ("title", "expected", "why", "fix"):
            for lang in ("ja", "en"):
                assert problem.text(part, lang)
                assert "{" not in problem.text(part, lang)


def test_a_radius_is_none_of_a_class_that_goes_by_something_else(written):
    lever = 'lever = "radius_m"\nclass = "hall"\nmax = 900'
    rule = '\n[[reach.rule]]\nclass = "hall"\nrule = "nearest"\n'
    target = 'indicator = "coverage_rate"\nat_least = 0.8'
    report = check_project(written(BACKCAST.format(target=target, lever=lever) + rule))
    (found,) = report.errors
    assert found.code == "FM004"
    assert "hall" in found.value
    assert found.line


def test_a_percent_for_a_ratio_is_answered_with_the_ratio(written):
    target = 'indicator = "ageing_rate"\nat_most = 38'
    report = check_project(written(BACKCAST.format(target=target, lever=LEVER)))
    (found,) = [problem for problem in report.problems if problem.code == "FM860"]
    assert "at_most = 0.38" in found.text("fix")


def test_a_clearance_of_people_who_will_have_gone_is_refused_with_its_line(written):
    folder = written('\n[scenario.x]\nname = "x"\n' + CLEARED.format(year=2044, dwellings=-1700))
    baseline = run(open_project(folder))
    town = baseline.towns[0]
    at = town.people.zones.index(town.town.zone_named("宮上"))
    people = town.people.totals()[:, at]
    assert people[-1] < 1700 < people[0], np.round(people)
    with pytest.raises(InputRefused) as refused:
        run_scenarios(baseline)
    (problem,) = refused.value.report.problems
    assert problem.code == "FM847"
    assert problem.line
    assert "宮上" in str(problem.value)


TARGET_LINE = "indicator=population, year=2045, keep=0.7"
LEVER_LINE = "bundle=family_30s, max=300"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--target", TARGET_LINE), 3, "FM864"),
        (("--lever", LEVER_LINE), 2, "--target"),
        (("--stability", "hall", "--lever", LEVER_LINE), 2, "--lever"),
        (("--target", f"{TARGET_LINE}, keep=0.8", "--lever", LEVER_LINE), 3, "keep=0.8"),
        (("--target", "indicator=population, year=2045年, keep=70%", "--lever", LEVER_LINE), 3,
         "整数"),
        (("--target", "indicator=population", "--lever", LEVER_LINE), 3, "FM003"),
        (("nothing",), 2, "近い名前"),
    ],
)  # fmt: skip
def test_a_command_is_refused_before_anything_is_projected(
    written, futuremap, tmp_path, arguments, code, said
):
    answer = futuremap("backcast", written(""), *arguments, "--out", tmp_path / "out")
    assert answer.code == code
    assert said in answer.err
    assert "Traceback" not in answer.err
    assert "将来人口" not in answer.err
    assert not (tmp_path / "out").exists()


def test_unknown_scenarios_are_refused_before_anything_is_projected(written, futuremap, tmp_path):
    answer = futuremap("scenario", "run", written(""), "stey", "--out", tmp_path / "out")
    assert answer.code == 2
    assert "stay" in answer.err
    assert "将来人口" not in answer.err


def test_a_japanese_keyboard_and_more_than_the_file_says(written):
    from futuremap.backcast.backcast import asked

    prepared = open_project(written(BACKCAST.format(target=TARGET, lever=LEVER)))
    title, targets, levers = asked(
        prepared,
        "b",
        targets=["indicator＝population_0_14，year＝２０４５、keep＝０．５"],
        levers=["bundle=20代単身、max=10, whole=true"],
    )
    assert title.ja == "b"
    assert [(target.indicator, target.keep) for target in targets] == [
        ("population", 0.9),
        ("population_0_14", 0.5),
    ]
    assert [(lever.bundle, lever.whole) for lever in levers] == [
        ("family_30s", False),
        ("20代単身", True),
    ]
