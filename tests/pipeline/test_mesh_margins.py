"""Mesh statistics bind the base year's meshes; city, blocks and meshes stay of one sum."""

import numpy as np
import pytest

from futuremap.base.mesh_shares import AT_MOST, EXACT
from futuremap.core.population import Flag
from futuremap.errors import InputRefused
from futuremap.pipeline import open_project, run
from futuremap.pipeline.read_mesh import _binds

from . import mesh_files
from .official import AGES, AREAS, HEADER, by_block, project, utashinai

MARGINS = """
[municipality.mesh_margins]
files = ["m.txt"]
year = {year}
credit = "estat_mesh"
"""


def opened(folder, year=2015, **more):
    """The project with a mesh table of the people put on its meshes."""
    blocks = open_project(utashinai(folder)).towns[0].blocks
    codes, cells = mesh_files.placed(blocks, 2015)
    mesh_files.write(folder / "m.txt", codes, cells.sum(axis=1), **more)
    utashinai(folder, AREAS, AGES, MARGINS.format(year=year))
    return codes, cells.sum(axis=1)


def found(report, code):
    return [problem for problem in report.problems if problem.code == code]


def test_meshes_have_what_is_published_and_all_sums_are_kept(tmp_path):
    codes, truth = opened(tmp_path / "p")
    outcome = run(open_project(tmp_path / "p"))
    (town,) = outcome.towns
    mesh = town.mesh.people
    assert mesh.years == (2015, 2020, 2025)
    # city = blocks = meshes, in every year, sex and age
    np.testing.assert_allclose(
        mesh.persons.sum(axis=1), town.people.persons.sum(axis=1), rtol=1e-9, atol=1e-9
    )
    assert mesh.zones == codes
    binds = _binds(town.mesh.zones, town.town.blocks, {code[:4] for code in codes})
    whole = binds == EXACT
    assert whole.sum() > 100
    assert (binds[~whole] == AT_MOST).all()
    groups = mesh.ages.merge_matrix(town.town.shares.ages)
    now = (mesh.persons[0] @ groups.T)[whole]
    assert town.town.shares.ages.lower == (0, 15, 65, 75)
    # two blocks were suppressed: what was restored of them is all that meshes can miss
    restored = town.people.persons[0] @ groups.T
    people = np.add.reduceat(by_block(2015), mesh_files.BROAD, axis=2)
    assert np.abs(now - truth[whole]).sum() < np.abs(restored - people).sum()
    assert np.abs(now - truth[whole]).max() <= 1.0
    # totals by sex, which are published for all of them, are nearer
    np.testing.assert_allclose(now.sum(axis=2), truth[whole].sum(axis=2), atol=0.1)
    over = (mesh.persons[0] @ groups.T)[~whole] - truth[~whole]
    assert over.max() < 0.2
    # by area they would not be near it
    by_area = utashinai(tmp_path / "area")
    plain = run(open_project(by_area)).towns[0].mesh.people.totals()[0]
    assert np.abs(plain - truth.sum(axis=(1, 2)))[whole].sum() > 500
    assert "地域メッシュ統計" in town.mesh.zones.notes[-1][0]


def test_restored_meshes_are_flagged_to_the_table(tmp_path):
    folder = tmp_path / "p"
    codes, truth = opened(folder)
    people = truth.sum(axis=(1, 2))
    hidden, holder = np.argsort(np.where(people > 0, people, 1e9))[0], people.argmax()
    mesh_files.write(folder / "m.txt", codes, truth, merged=[(codes[hidden], codes[holder])])
    outcome = run(open_project(folder))
    mesh = outcome.towns[0].mesh
    share = mesh.table.column("imputed_share", 2015)
    assert share[hidden] == share[holder] == 1.0
    assert mesh.people.flag[0, hidden] & Flag.MERGED
    assert (mesh.people.flag[:, people > 0] & Flag.IMPUTED).all()  # five-year ages by the blocks'
    assert found(outcome.prepared.report, "FM316")


def test_another_year_is_not_used_and_said_with_its_line(tmp_path):
    opened(tmp_path / "p", year=2010)
    prepared = open_project(tmp_path / "p")
    (problem,) = found(prepared.report, "FM464")
    text = (tmp_path / "p" / "project.toml").read_text(encoding="utf-8").splitlines()
    assert text[problem.line - 1] == "year = 2010"
    assert text[problem.line - 3] == "[municipality.mesh_margins]"
    assert prepared.towns[0].shares is None


def test_blocks_go_before_meshes_and_the_difference_is_said(tmp_path):
    folder = tmp_path / "p"
    codes, truth = opened(folder)
    mesh_files.write(folder / "m.txt", codes, truth * 2)
    outcome = run(open_project(folder))
    town = outcome.towns[0]
    assert town.mesh.people.totals().sum() == pytest.approx(town.people.totals().sum(), rel=1e-9)
    (problem,) = found(outcome.prepared.report, "FM466")
    assert float(problem.value.replace(",", "")) > 1000
    assert problem.file == "m.txt"
    assert "％" in problem.text("title")


def test_finer_meshes_are_added_up_and_coarser_ones_refused(tmp_path):
    folder = tmp_path / "p"
    codes, truth = opened(folder)
    file = folder / "project.toml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text + '\n[mesh]\nlevel = "1km"\n', encoding="utf-8")
    mesh = run(open_project(folder)).towns[0].mesh.people
    assert mesh.zones == tuple(sorted({code[:8] for code in codes}))
    whole = dict.fromkeys(mesh.zones, 0)
    for code, people in zip(codes, truth.sum(axis=(1, 2)), strict=True):
        whole[code[:8]] += people
    assert np.abs(mesh.totals()[0] - list(whole.values())).sum() < 0.02 * sum(whole.values())
    file.write_text(text + '\n[mesh]\nlevel = "125m"\n', encoding="utf-8")
    with pytest.raises(InputRefused) as refused:
        open_project(folder)
    (problem,) = refused.value.report.errors
    assert (problem.code, problem.file, problem.value) == ("FM465", "m.txt", "250m")


def test_meshes_of_another_place(tmp_path):
    folder = tmp_path / "p"
    codes, truth = opened(folder)
    mesh_files.write(folder / "m.txt", ["5240" + code[4:] for code in codes], truth)
    with pytest.raises(InputRefused) as refused:
        open_project(folder)
    (problem,) = refused.value.report.errors
    assert (problem.code, problem.value) == ("FM114", "5240")
    assert codes[0][:4] in problem.text("expected")


def test_a_first_mesh_without_a_file_is_left_to_the_area(tmp_path):
    folder = tmp_path / "p"
    codes, truth = opened(folder)
    firsts = sorted({code[:4] for code in codes})
    assert len(firsts) > 1  # 歌志内 lies in two
    mine = np.array([code[:4] == firsts[0] for code in codes])
    mesh_files.write(folder / "m.txt", np.array(codes)[mine], truth[mine])
    assert found(open_project(folder).report, "FM115")[0].value == firsts[1]


def test_a_town_without_blocks_gets_its_mesh(tmp_path):
    census = """
    [[municipality.population]]
    year = {year}
    file = "census_2010_2015.csv"
    format = "census"
    credit = "census"
    """
    tables = [census.format(year=2010), census.format(year=2015)]
    folder = project(tmp_path / "p", *tables)
    assert run(open_project(folder)).towns[0].mesh is None
    blocks = open_project(utashinai(tmp_path / "q")).towns[0].blocks
    codes, cells = mesh_files.placed(blocks, 2015)
    folder = project(tmp_path / "p", *tables, MARGINS.format(year=2015), header=HEADER)
    mesh_files.write(folder / "m.txt", codes, cells.sum(axis=1))
    outcome = run(open_project(folder))
    town = outcome.towns[0]
    assert town.mesh.people.persons.sum(axis=1) == pytest.approx(
        town.people.persons.sum(axis=1), rel=1e-9
    )
    known = dict(zip(codes, cells.sum(axis=(1, 2, 3)), strict=True))
    truth = np.array([known.get(code, 0) for code in town.mesh.zones.ids])
    near = np.abs(town.mesh.people.totals()[0] - truth)
    assert near.sum() < 0.1 * truth.sum()  # the outline is simplified, some meshes are cut off


def test_without_the_key_nothing_is_looked_for(tmp_path):
    town = open_project(utashinai(tmp_path / "p")).towns[0]
    assert town.shares is None
    assert town.dwelling is None
    assert not town.stands_by


def test_meshes_of_125_m_from_the_table_to_the_run(tmp_path):
    folder = utashinai(tmp_path / "p")
    blocks = open_project(folder).towns[0].blocks
    codes, cells = mesh_files.placed(blocks, 2015, level="125m")
    truth = cells.sum(axis=1)
    people = truth.sum(axis=(1, 2))
    # as in any 125 m table, many have a handful of people, whose ages are merged elsewhere
    few, many = np.flatnonzero((people > 0) & (people <= 3)), np.flatnonzero(people > 3)
    pairs = list(zip(few, many, strict=False))
    merged = [(codes[a], codes[b]) for a, b in pairs]
    assert len(merged) > 100
    mesh_files.write(folder / "m.txt", codes, truth, merged=merged)
    utashinai(folder, AREAS, AGES, MARGINS.format(year=2015), '\n[mesh]\nlevel = "125m"\n')
    outcome = run(open_project(folder))
    town = outcome.towns[0]
    mesh = town.mesh.people
    assert {len(code) for code in mesh.zones} == {11}
    assert mesh.zones == codes
    np.testing.assert_allclose(
        mesh.persons.sum(axis=1), town.people.persons.sum(axis=1), rtol=1e-9, atol=1e-9
    )
    binds = _binds(town.mesh.zones, town.town.blocks, {code[:4] for code in codes})
    whole = binds == EXACT
    assert whole.sum() > 1000
    off = mesh.persons[0].sum(axis=2) - truth.sum(axis=2)
    assert np.abs(off[whole]).sum() < 0.005 * people.sum()
    touched = np.zeros(len(codes), dtype=bool)
    touched[[at for pair in pairs for at in pair]] = True
    assert ((mesh.flag[0] & Flag.MERGED) > 0)[touched].all()
    share = town.mesh.table.column("imputed_share", 2015)
    assert share[touched].min() > 0.999


def test_two_tables_with_meshes_in_common(tmp_path):
    folder = tmp_path / "p"
    codes, truth = opened(folder)
    mesh_files.write(folder / "again.txt", codes[:40], truth[:40])
    twice = MARGINS.format(year=2015).replace('"m.txt"', '"m.txt", "again.txt"')
    with pytest.raises(InputRefused) as refused:
        open_project(utashinai(folder, AREAS, AGES, twice))
    (problem,) = refused.value.report.errors
    assert (problem.code, problem.file) == ("FM584", "again.txt")
    assert "m.txt" in problem.text("expected")
