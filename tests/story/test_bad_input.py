"""Bad input: a located problem, exit 3, and nothing changed."""

import csv
import re
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest

REGISTER = "register_202311.xlsx"
MALE_0_4 = "man1"


def edit_register(folder: Path, change: Callable, name: str = REGISTER) -> None:
    book = openpyxl.load_workbook(folder / name)
    change(book.active)
    book.save(folder / name)


def column(sheet, heading: str) -> int:
    return next(cell.column for cell in sheet[1] if cell.value == heading)


def put(heading: str, row: int, value: object) -> Callable:
    def change(sheet) -> None:
        sheet.cell(row, column(sheet, heading)).value = value

    return change


def edit_text(folder: Path, old: str, new: str, name: str = "project.toml") -> int:
    file = folder / name
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    return text[: text.index(old)].count("\n") + 1


def edit_csv(folder: Path, row: int, **values: str) -> None:
    file = folder / "medical.csv"
    with file.open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    rows[row - 2].update(values)
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)


def found(report, code: str):
    return [problem for problem in report.problems if problem.code == code]


def test_the_bundled_project_has_no_error(project, checked):
    assert checked(project).errors == []


@pytest.mark.parametrize(
    "name",
    [REGISTER, "register_201811.xlsx", "outline_n03.geojson", "ipss2018.csv", "medical.csv"],
)
def test_missing_file(project, checked, name):
    (project / name).unlink()
    (problem,) = found(checked(project), "FM101")
    assert name in problem.place()


def test_missing_column_with_a_suggestion(project, checked):
    edit_register(project, put(MALE_0_4, 1, "mann1"))
    (problem,) = found(checked(project), "FM201")
    assert problem.file == REGISTER
    assert "man1" in problem.text("title")
    assert "mann1" in problem.text("fix") + problem.text("fix", "en")


@pytest.mark.parametrize(
    ("value", "code"),
    [(-3, "FM302"), ("約100", "FM303"), (None, "FM301"), (12.5, "FM304")],
)
def test_impossible_population(project, checked, value, code):
    edit_register(project, put(MALE_0_4, 17, value))
    (problem,) = found(checked(project), code)
    assert (problem.file, problem.line) == (REGISTER, 17)
    assert MALE_0_4 in problem.column


def test_all_faults_of_a_file_are_listed_at_once(project, checked):
    def change(sheet) -> None:
        for row in range(2, 52):
            put(MALE_0_4, row, -1)(sheet)
        put("location", 60, None)(sheet)

    edit_register(project, change)
    report = checked(project)
    assert sorted(problem.line for problem in found(report, "FM302")) == list(range(2, 52))
    assert [problem.line for problem in found(report, "FM521")] == [60]


def test_town_without_a_point(project, checked):
    edit_register(project, put("location", 9, None))
    (problem,) = found(checked(project), "FM521")
    assert (problem.file, problem.line) == (REGISTER, 9)


def test_wrong_point_is_refused_unless_corrected(project, checked):
    edit_text(project, "[[municipality.point_correction]]", "[[municipality.point_correction_off]]")
    text = (project / "project.toml").read_text(encoding="utf-8")
    cut = re.sub(r"\[\[municipality.point_correction_off\]\](\n\w.*)*", "", text)
    (project / "project.toml").write_text(cut, encoding="utf-8")
    (problem,) = found(checked(project), "FM523")
    assert "松島町３丁目" in problem.text("title")
    assert (problem.file, problem.sheet, problem.line) == (REGISTER, "Sheet0", 45)


def test_correction_of_an_unknown_town(project, checked):
    line = edit_text(project, 'zone = "松島町３丁目"', 'zone = "松島町９丁目"')
    (problem,) = found(checked(project), "FM526")
    assert (problem.file, problem.line) == ("project.toml", line)
    assert "松島町" in problem.text("fix")


def test_duplicate_ids(project, checked):
    edit_register(project, put("regionName", 5, "塩屋町"))
    problems = found(checked(project), "FM411")
    assert problems
    assert problems[0].line == 5


def test_swapped_coordinates_of_a_town_and_of_a_facility(project, checked):
    edit_register(project, put("location", 12, "134.05,34.34"))
    edit_csv(project, 7, latitude="134.05", longitude="34.34")
    said = checked(project)
    lines = {(p.code, p.file, p.line) for code in ("FM522", "FM572") for p in found(said, code)}
    assert lines == {("FM522", REGISTER, 12), ("FM572", "medical.csv", 7)}


def test_a_facility_outside_is_a_warning_with_a_count(project, checked):
    edit_csv(project, 7, latitude="34.6617", longitude="133.9350")  # 岡山市
    edit_csv(project, 8, latitude="34.6618", longitude="133.9351")
    report = checked(project)
    assert report.errors == []
    (problem,) = found(report, "FM611")
    assert "2 件" in problem.text("title")
    assert "2 facilities" in problem.text("title", "en")


def test_end_year_before_base_year(project, checked):
    line = edit_text(project, "end_year = 2053", "end_year = 2013")
    (problem,) = checked(project).errors
    assert (problem.code, problem.line) == ("FM005", line)


def test_end_year_off_the_step(project, checked):
    line = edit_text(project, "end_year = 2053", "end_year = 2050")
    (problem,) = checked(project).errors
    assert (problem.code, problem.line) == ("FM006", line)


def test_unknown_key_with_its_line_and_a_suggestion(project, checked):
    line = edit_text(project, "radius_m = 800.0", "radus_m = 800.0")
    (problem,) = found(checked(project), "FM002")
    assert problem.line == line
    assert "radius_m" in problem.text("fix")
    assert "did you mean" in problem.text("fix", "en")


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("plane_zone = 4", 'plane_zone = "4"', "FM004"),
        ("plane_zone = 4", "plane_zone = 23", "FM004"),
        ('code = "37201"', "code = 37201", "FM004"),
        ('code = "37201"', "code = 01209", "FM001"),
        ('title = "高松市の現況と将来"', "", "FM003"),
        ('credit = "ksj_n03"', 'credit = "nobody"', "FM008"),
        ("year = 2018", "year = 2017", "FM007"),
    ],
)
def test_project_file(project, checked, old, new, code):
    line = edit_text(project, old, new)
    problems = found(checked(project), code)
    assert problems
    assert problems[0].file == "project.toml"
    if code in {"FM004", "FM001", "FM008"}:
        assert problems[0].line == line


def test_every_fault_is_refused_before_anything_is_written(project, futuremap, tmp_path):
    out = tmp_path / "out"
    kept = out / "takamatsu" / "earth" / "old.kmz"
    kept.parent.mkdir(parents=True)
    kept.write_bytes(b"earlier")
    edit_register(project, put(MALE_0_4, 17, -3))
    answer = futuremap("run", project, "--out", out)
    assert answer.code == 3
    assert "FM302" in answer.err
    assert f"{REGISTER}[Sheet0]:17" in answer.err
    assert "Traceback" not in answer.err
    assert [p for p in out.rglob("*") if p.is_file()] == [kept]
    assert kept.read_bytes() == b"earlier"


def test_check_lists_problems_as_csv(project, futuremap, tmp_path):
    edit_register(project, put(MALE_0_4, 17, -3))
    answer = futuremap("check", project, "--csv", tmp_path / "problems.csv")
    assert answer.code == 3
    with (tmp_path / "problems.csv").open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert rows[0]["code"] == "FM302"
    assert rows[0]["line"] == "17"


def add_control(folder: Path, change: Callable[[list[dict]], None]) -> None:
    file = folder / "ipss2018.csv"
    with file.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    change(rows)
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)


def test_a_control_of_nobody_is_refused(project, checked):
    def empty_2030(rows) -> None:
        for row in rows:
            if row["year"] == "2030":
                row.update(
                    dict.fromkeys([key for key in row if key not in ("code", "year", "sex")], "0")
                )

    add_control(project, empty_2030)
    (problem,) = found(checked(project), "FM437")
    assert "2030" in problem.text("title")


def test_growth_needs_the_base_year_and_level_says_nothing_of_it(
    project, checked, futuremap, tmp_path
):
    add_control(
        project,
        lambda rows: rows.__setitem__(slice(None), [r for r in rows if int(r["year"]) > 2023]),
    )
    answer = futuremap("run", project, "--out", tmp_path / "out")
    assert answer.code == 0
    assert "nan" not in answer.out
    assert "nan倍" not in (tmp_path / "out" / "takamatsu" / "README.html").read_text(
        encoding="utf-8"
    )
    edit_text(project, 'basis = "level"', 'basis = "growth"')
    assert [problem.code for problem in checked(project).errors] == ["FM435"]


def test_a_large_factor_is_a_warning(project, futuremap, tmp_path):
    def halve(rows) -> None:
        for row in rows:
            if int(row["year"]) > 2025:
                for key in row:
                    if key not in ("code", "year", "sex"):
                        row[key] = str(int(row[key]) // 2)

    add_control(project, halve)
    answer = futuremap("run", project, "--out", tmp_path / "out")
    assert answer.code == 0
    assert "FM422" in answer.err


def test_a_town_without_children_or_people_is_refused(project, checked):
    def nobody(sheet) -> None:
        for row in range(2, sheet.max_row + 1):
            for sex in ("man", "woman"):
                put(f"{sex}1", row, 0)(sheet)

    edit_register(project, nobody)
    problems = found(checked(project), "FM436")
    assert "0～4歳の子ども" in problems[0].text("title")


def test_one_class_has_one_list(project, checked):
    line = edit_text(project, 'class = "community_center"', 'class = "medical"')
    (problem,) = checked(project).errors
    assert (problem.code, problem.line) == ("FM004", line)


def test_facilities_without_any_place_are_listed_and_not_drawn(project, futuremap, tmp_path):
    with (project / "medical.csv").open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    with (project / "medical.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, rows[0].keys())
        writer.writeheader()
        writer.writerows([{**row, "latitude": "", "longitude": ""} for row in rows[:3]])
    text = (project / "project.toml").read_text(encoding="utf-8")
    cut = text[: text.index('[[municipality.facilities]]\nclass = "community_center"')]
    (project / "project.toml").write_text(cut, encoding="utf-8")
    answer = futuremap("run", project, "--out", tmp_path / "out")
    assert answer.code == 0, answer.err
    folder = tmp_path / "out" / "takamatsu"
    assert not (folder / "earth" / "web" / "facilities.kmz").exists()
    assert rows[0]["name"].strip() in (folder / "data" / "facilities.csv").read_text(
        encoding="utf-8-sig"
    )


def test_a_folder_without_project_is_surveyed_and_gets_a_draft(futuremap, project):
    (project / "project.toml").unlink()
    answer = futuremap("check", project)
    assert answer.code == 0
    assert "住民基本台帳" in answer.out
    assert "高松市（37201）" in answer.out
    assert (project / "project.toml").exists()
    assert futuremap("check", project).code == 0


def test_a_folder_that_lacks_something_says_what(futuremap, project):
    for name in ("project.toml", "outline_n03.geojson"):
        (project / name).unlink()
    answer = futuremap("check", project)
    assert answer.code == 3
    assert "FM009" in answer.err
