"""Mapped tables: every layout gives the same people, every fault stands in its place."""

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from futuremap.core.ages import AgeGroups
from futuremap.problems import Report
from futuremap.sources import mapped, mapped_ages, mapped_grid, mapped_guess
from futuremap.sources.mapped import TableMapping
from futuremap.sources.mapped_ages import Ages, Meaning, Span

from .variants import found, write_csv, write_xlsx

ZONES = {"01": "塩屋町", "02": "築地町", "03": "一番町"}
AGES = AgeGroups((0, 5, 10, 85))
LABELS = ["0～4歳", "５～９歳", "10-84", "85歳以上"]
SEXES = ["男", "女"]
YEAR = "令和5年10月1日現在"
WIDE = TableMapping(zone_code="コード", zone_name="町名", date="調査日")


def persons(zone, sex, age):
    return 100 * zone + 10 * sex + age


def wide():
    head = [
        "コード",
        "町名",
        "調査日",
        *(f"{sex} {age}" for sex in SEXES for age in LABELS),
        "総数",
    ]
    rows = [head]
    for z, (code, name) in enumerate(ZONES.items()):
        people = [persons(z, s, a) for s in range(2) for a in range(4)]
        rows.append([code, name, YEAR, *map(str, people), str(sum(people))])
    return rows


def sex_above_age():
    head = ["町丁別人口", "", ""], ["町名", "", "総数", "男", "", "", "", "", "女"]
    below = ["", "調査日", "", "計", *LABELS, "計", *LABELS, "世帯数"]
    rows = [*head, below]
    total = [0] * 11
    for z, name in enumerate(ZONES.values()):
        by_sex = [[persons(z, s, a) for a in range(4)] for s in range(2)]
        line = [sum(map(sum, by_sex)), *(n for part in by_sex for n in (sum(part), *part))]
        total = [a + b for a, b in zip(total, line, strict=True)]
        rows.append([name, "R5.10.1", *map(str, line), "7"])
    rows.append(["合　計", "2023/10/1", *map(str, total), ""])
    rows.append(["（注）外国人を含む"])
    return rows


def age_above_sex():
    head = ["コード", *(cell for age in LABELS for cell in (age, "", ""))]
    rows = [head, ["", *["男女計", "男性", "女性"] * 4]]
    for z, code in enumerate(ZONES):
        pairs = [(persons(z, 0, a), persons(z, 1, a)) for a in range(4)]
        rows.append([code, *(str(n) for m, f in pairs for n in (m + f, m, f))])
    return rows


def sex_in_rows():
    rows = [["町名", "性別", *LABELS, "計"], ["", "", *["人"] * 5]]
    for z, name in enumerate(ZONES.values()):
        for s, word in enumerate(["男性", "F", "総数"]):
            of = [0, 1] if s == 2 else [s]
            people = [sum(persons(z, one, a) for one in of) for a in range(4)]
            rows.append([name if s == 0 else "", word, *map(str, people), str(sum(people))])
    return rows


def long():
    rows = [["年", "町名", "男女", "年齢", "人口"]]
    for z, name in enumerate(ZONES.values()):
        for s in range(2):
            rows += [["2023", name, str(s + 1), LABELS[a], str(persons(z, s, a))] for a in range(4)]
            rows.append(
                ["2023", name, str(s + 1), "総数", str(sum(persons(z, s, a) for a in range(4)))]
            )
    return rows


def age_in_rows():
    rows = [["町名", "年齢", "男", "女", "計"]]
    for z, name in enumerate(ZONES.values()):
        for a in range(4):
            people = [persons(z, s, a) for s in range(2)]
            rows.append([name, LABELS[a], *map(str, people), str(sum(people))])
    return rows


LAYOUTS = {
    "wide": (wide, WIDE),
    "sex above age": (sex_above_age, TableMapping(zone_name="町名", date="調査日", header_rows=2)),
    "age above sex": (age_above_sex, TableMapping(zone_code="コード", year=2023, header_rows=2)),
    "sex in rows": (sex_in_rows, TableMapping(zone_name="町名", sex="性別", year=2023, carry_down=True)),
    "long": (long, TableMapping(zone_name="町名", date="年", sex="男女", age="年齢", value="人口")),
    "age in rows": (age_in_rows, TableMapping(zone_name="町名", age="年齢", year=2023)),
}  # fmt: skip


def read(path, report, mapping=WIDE, **more):
    return mapped.read(path, mapping=mapping, credit="c", report=report, **more)


def changed(rows, row, column, value):
    copy = [list(line) for line in rows]
    copy[row][column] = value
    return copy


@pytest.mark.parametrize("kind", ["csv", "cp932", "xlsx"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_gives_the_same_people(layout, kind, tmp_path, report):
    make, mapping = LAYOUTS[layout]
    path = tmp_path / f"table.{kind}"
    rows = make()
    write_xlsx(path, rows) if kind == "xlsx" else write_csv(
        path, rows, "cp932" if kind == "cp932" else "utf-8"
    )
    zones = {code: f"z{code}" for code in ZONES} | {
        name: f"z{code}" for code, name in ZONES.items()
    }
    people = read(path, report, mapping, zones=zones).population
    asides = {"sex above age": [("FM206", 8, "")], "sex in rows": [("FM208", 2, "")]}
    assert found(report) == asides.get(layout, [])
    assert people.zones == ("z01", "z02", "z03")
    assert (people.years, people.ages) == ((2023,), AGES)
    for z in range(3):
        for s in range(2):
            assert people.persons[0, z, s].tolist() == [persons(z, s, a) for a in range(4)]


def test_merged_headings_of_a_workbook_are_carried(tmp_path, report):
    path = write_xlsx(tmp_path / "merged.xlsx", sex_above_age())
    book = openpyxl.load_workbook(path)
    for cells in ("D2:H2", "I2:M2", "A1:C1"):
        book.active.merge_cells(cells)
    book.save(path)
    read_table = read(path, report, LAYOUTS["sex above age"][1])
    assert read_table.population.totals().sum() == sum(
        persons(z, s, a) for z in range(3) for s in range(2) for a in range(4)
    )
    assert read_table.names == {name: name for name in ZONES.values()}
    assert read_table.lines == {"塩屋町": 4, "築地町": 5, "一番町": 6}


FAULTS = [
    (2, 3, "-1", "FM302", "男 0~4歳"),
    (2, 3, "", "FM301", "男 0~4歳"),
    (2, 4, "X", "FM308", "男 5~9歳"),
    (2, 4, "－", "FM308", "男 5~9歳"),
    (2, 4, "…", "FM308", "男 5~9歳"),
    (2, 4, "100人", "FM486", "男 5~9歳"),
    (2, 4, "1e309", "FM485", "男 5~9歳"),
    (2, 4, "3000000000", "FM320", "男 5~9歳"),
    (2, 4, "12.5", "FM304", "男 5~9歳"),
    (2, 11, "99999", "FM489", "総数"),
    (2, 2, "不明", "FM328", "調査日"),
    (2, 0, "01", "FM215", "町名"),
    (2, 0, "3.42E+10", "FM218", "コード"),
    (2, 0, "", "FM414", "コード"),
    (2, 1, "1月2日", "FM217", "町名"),
    (2, 1, "長" * 201, "FM326", "町名"),
    (2, 1, "築\ufffd町", "FM568", "町名"),
    (0, 3, "男 ０～Ａ歳", "FM210", "男 0~A歳"),
    (0, 4, "男 6～9歳", "FM211", "男 6~9歳"),
    (0, 4, "男 4～9歳", "FM212", "男 4~9歳"),
    (0, 4, "男 0～4歳", "FM202", "男 0~4歳"),
    (2, 11, "853", "FM305", "総数"),
]


@pytest.mark.parametrize(("row", "column", "value", "code", "heading"), FAULTS)
def test_one_fault_is_found_where_it_stands(row, column, value, code, heading, tmp_path, report):
    path = write_csv(tmp_path / "a.csv", changed(wide(), row, column, value))
    result = read(path, report)
    assert (code, row + 1, heading) in found(report)
    assert {p.code for p in report.problems} <= {code, "FM216"}
    warning = code == "FM305"
    assert (result is None or result.population is None) != warning
    assert bool(report.errors) != warning


def test_a_file_with_many_faults_reports_them_all(tmp_path, report):
    rows = wide()
    planted = []
    for number, (_, column, value, code, heading) in enumerate(FAULTS[:17]):
        if code not in {"FM215", "FM568"}:
            rows.append([f"9{number}", f"町{number}", YEAR, *["1"] * 8, "8"])
            rows[-1][column] = value
            planted.append((code, len(rows), heading))
    read(write_csv(tmp_path / "a.csv", rows), report)
    noted = found(report)
    assert all(place in noted for place in planted)


@pytest.mark.parametrize(
    ("change", "code", "line"),
    [
        (lambda rows: [row[:-2] for row in rows[:2]] + [rows[2][:6]] + rows[3:], "FM207", 3),
        (lambda rows: [rows[0], rows[1] + ["5"], *rows[2:]], "FM203", 2),
        (lambda rows: [*rows, ["※ 秘匿あり"]], "FM206", 5),
        (lambda rows: [rows[0], ["", "", "", *["(人)"] * 9], *rows[1:]], "FM208", 2),
        (lambda rows: [*rows, ["", "合計", "2023", *["1"] * 8, "8"]], "FM325", 5),
        (lambda rows: [rows[0][:10] + rows[0][11:]] + [r[:10] + r[11:] for r in rows[1:]], "FM213", 1),
        (lambda rows: [[cell.replace("85歳以上", "85-89") for cell in rows[0]], *rows[1:]], "FM213", 1),
        (lambda rows: [["コード", "名", *rows[0][2:]], *rows[1:]], "FM480", 1),
        (lambda rows: [[cell.replace("女", "") for cell in rows[0]], *rows[1:]], "FM329", None),
    ],
)  # fmt: skip
def test_faults_of_the_whole_table(change, code, line, tmp_path, report):
    path = write_csv(tmp_path / "a.csv", change(wide()))
    read(path, report)
    assert (code, line) in [(p.code, p.line) for p in report.problems]


@pytest.mark.parametrize(
    ("row", "column", "value", "code"),
    [(3, 2, "不詳", "FM214"), (3, 3, "0～四歳", "FM210"), (3, 3, "0-4歳", "FM215"), (3, 3, "3～9歳", "FM212")],
)  # fmt: skip
def test_faults_of_a_long_table(row, column, value, code, tmp_path, report):
    path = write_csv(tmp_path / "a.csv", changed(long(), row, column, value))
    read(path, report, LAYOUTS["long"][1])
    assert (code, row + 1) in [(p.code, p.line) for p in report.problems]
    assert "FM305" not in [p.code for p in report.problems] or code != "FM210"


def test_a_missing_row_of_a_long_table_is_not_zero(tmp_path, report):
    path = write_csv(tmp_path / "a.csv", long()[:2] + long()[3:])
    assert read(path, report, LAYOUTS["long"][1]).population is None
    assert "2023 男 5-9" in next(p for p in report.problems if p.code == "FM216").text("expected")


def test_unknown_ages_are_kept_apart(tmp_path, report):
    rows = [
        [*row, "男 不詳" if i == 0 else "2", "女 年齢不詳" if i == 0 else "3"]
        for i, row in enumerate(wide())
    ]
    rows = [rows[0], *([*row[:11], str(int(row[11]) + 5), *row[12:]] for row in rows[1:])]
    result = read(write_csv(tmp_path / "a.csv", rows), report)
    assert not report.problems
    assert result.unknown.persons[0, :, :, 0].tolist() == [[2.0, 3.0]] * 3


def test_areas_are_those_asked_for(tmp_path, report):
    path = write_csv(tmp_path / "a.csv", wide())
    read(path, report, zones={"01": "a", "02": "b", "09": "c"})
    assert found(report) == [("FM412", None, ""), ("FM413", 4, "町名")]


def test_single_years_are_kept_or_added_up(tmp_path, report):
    head = [
        "町名",
        *(f"{sex}{age}歳" for sex in SEXES for age in range(12)),
        "男12歳以上",
        "女12歳以上",
    ]
    path = write_csv(tmp_path / "a.csv", [head, ["塩屋町", *["1"] * 24, "7", "8"]])
    for ages, lower in (("as_found", tuple(range(13))), ("five_year", (0, 5, 10))):
        people = read(path, report, TableMapping(zone_name="町名", year=2023, ages=ages)).population
        assert people.ages.lower == lower
    assert people.persons[0, 0].tolist() == [[5, 5, 9], [5, 5, 10]]
    assert not report.problems


def test_labels_say_what_headings_cannot(tmp_path, report):
    rows = [[cell.replace("男 ", "m").replace("女 ", "w") for cell in wide()[0]], *wide()[1:]]
    labels = tuple((new, old) for new, old in zip(rows[0], wide()[0], strict=True) if new != old)
    people = read(
        write_csv(tmp_path / "a.csv", rows),
        report,
        TableMapping(**{**vars(WIDE), "labels": labels}),
    )
    assert people.population is not None
    repeated = [[*row, "男 65歳以上" if i == 0 else "1"] for i, row in enumerate(wide())]
    left_out = TableMapping(**{**vars(WIDE), "labels": (("男 65歳以上", ""),)})
    assert read(write_csv(tmp_path / "b.csv", repeated), report, left_out).population is not None
    assert not report.problems


def test_a_dash_is_nobody_only_where_the_mapping_says_so(tmp_path, report):
    path = write_csv(tmp_path / "a.csv", changed(wide(), 1, 3, "-"))
    people = read(path, report, TableMapping(**{**vars(WIDE), "dash_is_zero": True})).population
    assert people.persons[0, 0, 0, 0] == 0
    assert not report.problems


def test_a_lost_zero_is_put_back(tmp_path, report):
    rows = wide()
    for number, row in enumerate(rows[1:], start=1):
        row[0] = f"120900{number}"
    people = read(
        write_csv(tmp_path / "a.csv", rows),
        report,
        TableMapping(**{**vars(WIDE), "municipality": "01209"}),
    )
    assert people.population.zones == ("01209001", "01209002", "01209003")
    assert {p.code for p in report.problems} == {"FM219"}


def test_several_years_and_a_year_that_is_not_meant(tmp_path, report):
    rows = wide()
    rows += [[*row[:2], "2018", *row[3:]] for row in rows[1:]]
    path = write_csv(tmp_path / "a.csv", rows)
    assert read(path, report).population.years == (2018, 2023)
    assert not report.problems
    read(path, report, TableMapping(**{**vars(WIDE), "year": 2023}))
    assert found(report) == [("FM307", line, "調査日") for line in (5, 6, 7)]


def test_further_sheets_are_named(tmp_path, report):
    path = write_xlsx(tmp_path / "a.xlsx", wide())
    book = openpyxl.load_workbook(path)
    book.create_sheet("別表")
    book.save(path)
    assert read(path, report).population is not None
    assert [(p.code, p.sheet) for p in report.problems] == [("FM327", "表")]
    assert read(path, Report(), TableMapping(**{**vars(WIDE), "sheet": "別表"})) is None


@pytest.mark.parametrize(
    "mapping",
    [
        TableMapping(),
        TableMapping(zone_name="町名"),
        TableMapping(zone_name="町名", year=1, value="x"),
    ],
)
def test_an_incomplete_mapping_is_refused(mapping, tmp_path, report):
    assert read(tmp_path / "none.csv", report, mapping) is None
    assert {p.code for p in report.problems} == {"FM329"}


@pytest.mark.parametrize(
    ("label", "span"),
    [
        ("0～4歳", (0, 5)), ("０－４", (0, 5)), ("0〜4才", (0, 5)), ("満5歳", (5, 6)), ("5", (5, 6)),
        ("85歳以上", (85, None)), ("85+", (85, None)), ("95歳～", (95, None)), ("100歳以上", (100, None)),
        ("15歳未満", (0, 15)), ("14歳以下", (0, 15)), ("15〜64歳", (15, 65)), ("85 and over", (85, None)),
        ("年齢0-4歳", (0, 5)), (">=85", (85, None)), ("a05", (5, 6)), ("a85p", (85, None)),
    ],
)  # fmt: skip
def test_labels_of_ages(label, span):
    assert mapped_ages.age(label) == Span(*span)


@pytest.mark.parametrize("label", ["世帯数", "4～0歳", "999", "5歳と6歳", "男", "備考", "2023年"])
def test_what_is_no_age(label):
    assert mapped_ages.age(label) is None


@pytest.mark.parametrize(
    ("heading", "meaning"),
    [
        ("男(0～4歳)", Meaning("male", Span(0, 5))), ("85歳以上_女性", Meaning("female", Span(85, None))),
        ("男女計 0～4歳", Meaning("both", Span(0, 5))), ("人口（女）", Meaning("female", Ages.ALL)),
        ("男性人口", Meaning("male", Ages.ALL)), ("女 年齢「不詳」", Meaning("female", Ages.UNKNOWN)),
        ("総数", Meaning("both", Ages.ALL)), ("総人口", Meaning("", Ages.ALL)), ("Male 0-4", Meaning("male", Span(0, 5))), ("世帯総数", None),
        ("男鹿市", None), ("町名", None),
    ],
)  # fmt: skip
def test_meanings_of_headings(heading, meaning):
    assert mapped_ages.meaning(heading) == meaning


def test_headings_are_joined_from_their_rows():
    assert mapped_grid.joined([("a", "男", None, None), (None, None, None, "b")]) == (
        "a",
        "男",
        "",
        "男 b",
    )


CELL = st.one_of(
    st.sampled_from(
        ["", "-", "男", "女", "0～4歳", "合計", "1", "-1", "塩屋町", "R5", "1e9", "\ufffd"]
    ),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
)
CHANGES = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 14), CELL), max_size=10)


@settings(max_examples=150, suppress_health_check=list(HealthCheck), deadline=None)
@given(layout=st.sampled_from(sorted(LAYOUTS)), changes=CHANGES)
def test_any_cells_give_errors_or_people(layout, changes, tmp_path):
    make, mapping = LAYOUTS[layout]
    rows = [list(row) for row in make()]
    for row, column, value in changes:
        line = rows[row % len(rows)]
        line[column % len(line)] = value
    report = Report()
    result = read(write_csv(tmp_path / "a.csv", rows), report, mapping)
    assert report.errors or result.population is not None
    assert not (report.errors and result is not None and result.population is not None)
    list(report.lines())


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_mapping_is_guessed(layout, tmp_path, report):
    make, mapping = LAYOUTS[layout]
    path = write_csv(tmp_path / "a.csv", make())
    guess = mapped_guess.guess(path, year=2023)
    assert guess.lacks == ()
    assert guess.sure >= 0.9
    named = ("zone_code", "zone_name", "date", "sex", "age", "value", "header_rows", "carry_down")
    assert [getattr(guess.mapping, one) for one in named] == [
        getattr(mapping, one) for one in named
    ]
    assert read(path, report, guess.mapping).population is not None


def test_a_guess_says_what_is_missing(tmp_path):
    path = write_csv(tmp_path / "a.csv", age_above_sex())
    assert mapped_guess.guess(path).lacks == ("year",)
    assert mapped_guess.guess(path).sure < 0.6
    ages_only = [[cell.replace("男 ", "") for cell in row[:7]] for row in wide()]
    assert mapped_guess.guess(write_csv(tmp_path / "b.csv", ages_only)).lacks == ("sex",)
    repeated = [
        [*row, "男 15～64歳" if i == 0 else "1", "男 0～14歳" if i == 0 else "1"]
        for i, row in enumerate(wide())
    ]
    assert mapped_guess.guess(write_csv(tmp_path / "c.csv", repeated)).mapping.labels == (
        ("男 0~14歳", ""),
    )
    assert mapped_guess.guess(write_csv(tmp_path / "d.csv", [["a", "b"], ["1", "2"]])) is None
    assert mapped_guess.guess(tmp_path / "none.csv") is None


def test_what_leaves_nothing_to_count_is_said(tmp_path, report):
    only_totals = [wide()[0], ["", "合計", "2023", *["1"] * 8, "8"]]
    assert read(write_csv(tmp_path / "a.csv", only_totals), report).population is None
    no_ages = [["町名", "男", "女"], ["塩屋町", "1", "2"]]
    one_row = TableMapping(zone_name="町名", year=2023)
    assert read(write_csv(tmp_path / "b.csv", no_ages), report, one_row).population is None
    two_rows = TableMapping(zone_code="コード", year=2023)
    read(write_csv(tmp_path / "c.csv", age_above_sex()), report, two_rows)
    sex_above = list(sex_above_age()[1:-2])
    sex_above[0][1] = "調査日"
    read(
        write_csv(tmp_path / "d.csv", sex_above), report, TableMapping(zone_name="町名", year=2023)
    )
    assert [(p.file, p.code, p.line) for p in report.errors] == [
        ("a.csv", "FM105", None),
        ("b.csv", "FM329", None),
        ("c.csv", "FM205", 2),
        ("d.csv", "FM205", 2),
    ]


@pytest.mark.parametrize(("encoding", "code"), [("euc_jp", "FM571"), ("utf-8", "FM204")])
def test_a_table_in_another_encoding_is_one_problem(encoding, code, tmp_path, report):
    path = write_csv(tmp_path / "a.csv", long())
    raw = path.read_text(encoding="utf-8").replace("～", "-").encode(encoding)
    path.write_bytes(raw.decode("cp932", "replace").encode())
    assert read(path, report, LAYOUTS["long"][1]) is None
    assert found(report) == [(code, 1, "")]
