"""Which facilities to keep or to add, from a finished run and from the command line."""

import csv
import shutil
import tomllib

import numpy as np
import pytest

import futuremap as fm
from futuremap.catchment.pairs import near
from futuremap.catchment.stand import coarser, stand
from futuremap.errors import DemographyError, SolveError, UnknownNameError
from futuremap.pipeline.siting import SPACING
from tests.conftest import TAKAMATSU

YEAR = 2053


@pytest.fixture(scope="module")
def school(outcome):
    (choice,) = fm.choose(outcome, "middle_school", year=YEAR, keep=20)
    return choice


def test_so_many_stay_and_the_rest_close(outcome, school):
    table = outcome.towns[0].town.facilities.table
    located = outcome.towns[0].town.facilities.located.ids
    known = {z for z in located if table.loc[z, "facility_class"] == "middle_school"}
    assert len(school.kept) == 20
    assert set(school.kept) | set(school.closed) == known
    assert not school.new
    assert school.gap <= 1e-9
    users = [sum(getattr(row, name) for row in school.rows) for name in ("before", "after")]
    np.testing.assert_allclose(users, school.people)
    assert all(row.after == 0 for row in school.rows if row.verdict == "close")


def test_less_is_reached_but_no_other_school_could_stand_in(outcome, school):
    assert school.after.within <= school.before.within
    assert school.after.mean >= school.before.mean
    town = outcome.towns[0]
    people = town.people.at(YEAR).totals()[0]
    cells, crowd = coarser(stand(town.town.blocks), people, spacing=SPACING)
    points = town.town.facilities.located.frame
    zones = town.town.facilities.located
    every = [*school.kept, *school.closed]
    pairs = near(type(zones)(points.loc[every], "facility", zones.plane_zone), cells, radius=800.0)
    reached = np.zeros((len(every), len(cells)), dtype=bool)
    reached[pairs.facility, pairs.place] = True
    best = crowd[reached[:20].any(axis=0)].sum()
    for out in range(20):
        for back in range(20, len(every)):
            chosen = [i for i in range(20) if i != out] + [back]
            assert crowd[reached[chosen].any(axis=0)].sum() <= best + 1e-6


def test_a_school_that_is_fixed_stays(outcome, school):
    name = next(row.name for row in school.rows if row.verdict == "close")
    (choice,) = fm.choose(outcome, "middle_school", year=YEAR, keep=20, fixed=[name])
    assert school.closed[0] in choice.kept
    assert choice.after.within <= school.after.within + 1e-6


def test_the_goal_decides(outcome):
    (most,), (near_by,) = (
        fm.choose(outcome, "middle_school", year=YEAR, keep=25, goal=goal)
        for goal in ("coverage", "distance")
    )
    assert near_by.after.mean < most.after.mean
    assert near_by.after.within < most.after.within
    (cover,) = fm.choose(outcome, "community_center", year=YEAR, goal="cover")
    assert 0 < len(cover.closed) < 10
    assert cover.after.within > 0.998 * cover.before.within  # cells of 250 m beside 100 m


def test_where_to_put_one(outcome):
    (choice,) = fm.choose(outcome, "community_center", year=YEAR, add=1)
    assert not choice.closed
    assert len(choice.new) == 1
    gain = choice.after.within - choice.before.within
    assert gain > 5000
    site = next(row for row in choice.rows if row.verdict == "new")
    blocks = outcome.towns[0].town.blocks
    assert site.name == dict(zip(blocks.ids, blocks.names, strict=True))[site.facility[4:]]
    assert choice.events() == ""
    assert site.after > site.before == 0


@pytest.mark.parametrize(
    ("asked", "error", "words"),
    [
        ({"keep": 3, "add": 1}, DemographyError, "exactly one"),
        ({}, DemographyError, "exactly one"),
        ({"keep": 3, "goal": "cover"}, DemographyError, "exactly one"),
        ({"keep": 300}, SolveError, "300"),
        ({"keep": 3, "fixed": ["桜町"]}, UnknownNameError, "桜町"),
        ({"keep": 3, "year": 2051}, UnknownNameError, "2053"),
        ({"keep": 3, "facility_class": "hospital"}, UnknownNameError, "medical"),
    ],
)
def test_what_cannot_be_asked(outcome, asked, error, words):
    said = {"facility_class": "middle_school", "year": YEAR, **asked}
    name = said.pop("facility_class")
    with pytest.raises(error, match=words):
        fm.choose(outcome, name, **said)


def test_the_command_prints_events_that_a_project_takes(tmp_path, futuremap, school):
    out = tmp_path / "choice.csv"
    answer = futuremap("siting", TAKAMATSU, "--class", "middle_school", "--keep", 20,
                       "--year", YEAR, "--csv", out)  # fmt: skip
    assert answer.code == 0
    assert f"{len(school.rows)} → 20" in answer.out
    assert "proven best" in answer.out
    start = answer.out.index("[[municipality.event]]")
    events = tomllib.loads(answer.out[start:])["municipality"]["event"]
    assert {event["facility"] for event in events} == set(school.closed)
    with out.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["施設ID"] for row in rows] == [row.facility for row in school.rows]
    made = tmp_path / "p"
    shutil.copytree(TAKAMATSU, made)
    text = (made / "project.toml").read_text(encoding="utf-8")
    (made / "project.toml").write_text(f"{text}\n{answer.out[start:]}", encoding="utf-8")
    planned = fm.open_project(made).towns[0].facilities.events
    assert set(planned["facility"]) == set(school.closed)
    assert set(planned["event"]) == {"close"}


def test_the_command_says_what_it_needs(futuremap):
    answer = futuremap("siting", TAKAMATSU, "--class", "medical", "--year", YEAR)
    assert answer.code == 2
    assert "--keep" in answer.err
