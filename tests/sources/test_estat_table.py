"""e-Stat's text tables: the same cells as a plain reader finds, and every fault in its place."""

import csv
import gzip
import io
import time
import zipfile

import numpy as np
import pytest

from futuremap.problems import Report
from futuremap.sources import estat_bytes, estat_table
from futuremap.sources.estat_table import FAULT

from .estat_files import CLIP, changed, write


def read(path, report):
    return estat_table.read(path, report=report)


def everywhere(table):
    return np.ones(len(table), dtype=bool)


def simple(path, cells, **options):
    rows = [
        [f"{12090010 + i:09d}", "2", "夕張市", "本町", "0", "", "", *c] for i, c in enumerate(cells)
    ]
    return write(path, rows, named=["総数", "男"], **options)


def test_cells_are_those_of_a_plain_reader(report):
    table = read(CLIP, report)
    plain = list(csv.reader(io.StringIO(CLIP.read_bytes().decode("cp932"), newline="")))
    assert len(table) == len(plain) - 2
    assert table.texts["KEY_CODE"].tolist() == [cells[0] for cells in plain[2:]]
    assert table.texts["GASSAN"].tolist() == [cells[3] for cells in plain[2:]]
    places = range(4, len(plain[0]))
    counts = table.persons(places, rows=everywhere(table), report=report)
    wanted = [[np.nan if cell == "*" else float(cell) for cell in cells[4:]] for cells in plain[2:]]
    np.testing.assert_array_equal(counts.T, wanted)
    assert table.lines.tolist() == list(range(3, len(plain) + 1))
    assert not report.problems


@pytest.mark.parametrize("encoding", ["cp932", "utf-8", "utf-8-sig"])
@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
def test_any_encoding_and_line_end(tmp_path, report, encoding, end):
    names = ["本町", "﨑町①", "港～ソ表能"]  # NEC and IBM characters, second bytes of \ and |
    rows = [
        [f"01209{i:04d}", "2", "夕張市", name, "0", "", "", 5, 2] for i, name in enumerate(names)
    ]
    path = write(tmp_path / "a.txt", rows, named=["総数", "男"], encoding=encoding, end=end)
    assert read(path, report).texts["NAME"].tolist() == names


def test_states_of_cells(tmp_path, report):
    cells = ["7", "-", "－", "X", "Ｘ", "*", "***", "１２", "…"]
    table = read(simple(tmp_path / "a.txt", [(cell, 1) for cell in cells]), report)
    counts = table.persons([7], rows=everywhere(table), report=report)[0]
    np.testing.assert_array_equal(counts, [7, 0, 0, np.nan, np.nan, np.nan, np.nan, 12, np.nan])
    assert not report.problems


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("", "FM301"),
        ("-3", "FM302"),
        ("約100", "FM303"),
        ("12.5", "FM304"),
        ("1e309", "FM485"),
        ("nan", "FM303"),
    ],
)
def test_a_cell_that_is_no_count(tmp_path, report, cell, code):
    table = read(simple(tmp_path / "a.txt", [(5, 2), (5, cell)]), report)
    assert table.persons([8], rows=everywhere(table), report=report)[0].tolist() == [2, FAULT]
    (problem,) = report.problems
    assert (problem.code, problem.line, problem.column, problem.value) == (code, 4, "男", cell)


def test_fifty_faults_are_fifty_problems(tmp_path, report):
    table = read(simple(tmp_path / "a.txt", [(5, f"y{i}") for i in range(50)]), report)
    table.persons([8], rows=everywhere(table), report=report)
    assert [problem.line for problem in report.problems] == list(range(3, 53))


def test_past_a_thousand_of_a_kind_the_rest_is_not_listed(tmp_path, report, monkeypatch):
    monkeypatch.setattr(estat_table, "LISTED", 10)
    table = read(simple(tmp_path / "a.txt", [(-1, "") for _ in range(50)]), report)
    table.persons([7, 8], rows=everywhere(table), report=report)
    codes = [problem.code for problem in report.problems]
    assert sorted(codes) == ["FM301"] * 10 + ["FM302"] * 10 + ["FM312"] * 2
    table.note_rows("FM313", np.arange(50), column="KEY_CODE", expected="", report=report)
    assert [p.value for p in report.warnings] == ["FM302", "FM301", "FM313"]


def test_rows_that_are_not_asked_for_are_not_noted(tmp_path, report):
    table = read(simple(tmp_path / "a.txt", [(5, ""), (5, 2)]), report)
    table.persons([8], rows=np.array([False, True]), report=report)
    assert not report.problems


def test_blank_lines_do_not_shift_line_numbers(tmp_path, report):
    path = simple(tmp_path / "a.txt", [(5, 2), (5, "y"), (5, 2)])
    body = path.read_bytes().split(b"\r\n")
    path.write_bytes(b"\r\n".join([*body[:3], b"", b"", *body[3:]]))
    table = read(path, report)
    table.persons([8], rows=everywhere(table), report=report)
    assert [problem.line for problem in report.problems] == [6]


def test_ragged_rows_are_all_noted_and_the_rest_is_read(tmp_path, report):
    path = simple(tmp_path / "a.txt", [(5, 2), (5, 2, 9), (5,), (5, "y")])
    table = read(path, report)
    table.persons([8], rows=everywhere(table), report=report)
    found = [(problem.code, problem.line, problem.value) for problem in report.problems]
    assert found == [("FM310", 4, "10"), ("FM310", 5, "8"), ("FM303", 6, "y")]
    assert not table.complete


def test_open_quotes_cannot_swallow_rows(tmp_path, report):
    cells = ['"本町', "西町", '南町"', '"北,町"']
    rows = [
        [f"01209{i:04d}", "2", "夕張市", name, "0", "", "", 5, 2] for i, name in enumerate(cells)
    ]
    table = read(write(tmp_path / "a.txt", rows, named=["総数", "男"]), report)
    assert table.texts["NAME"].tolist() == ["西町", "北,町"]
    assert [(problem.code, problem.line) for problem in report.problems] == [
        ("FM310", 3),
        ("FM310", 5),
    ]


@pytest.mark.parametrize("pack", ["gzip", "zip"])
def test_packed_as_downloaded(tmp_path, report, pack):
    path = tmp_path / "tblT001102Q5240.zip"
    if pack == "gzip":
        path.write_bytes(gzip.compress(CLIP.read_bytes()))
    else:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.write(CLIP, "tblT001102Q5240.txt")
    assert len(read(path, report)) == 129


def test_zips_of_another_kind(tmp_path, report):
    nested = io.BytesIO()
    with zipfile.ZipFile(nested, "w") as archive:
        archive.writestr("a.txt", CLIP.read_bytes())
    for name, members in {
        "two.zip": {"a.txt": b"1", "b.txt": b"2"},
        "nested.zip": {"a.zip": nested.getvalue()},
        "bomb.zip": {"a.txt": b"0" * 2**26},
    }.items():
        with zipfile.ZipFile(tmp_path / name, "w", zipfile.ZIP_DEFLATED) as archive:
            for member, body in members.items():
                archive.writestr(member, body)
        assert read(tmp_path / name, report) is None
    (tmp_path / "cut.zip").write_bytes((tmp_path / "nested.zip").read_bytes()[:200])
    assert read(tmp_path / "cut.zip", report) is None
    assert [problem.code for problem in report.problems] == ["FM102", "FM333", "FM578", "FM331"]


@pytest.mark.parametrize(
    ("changes", "code", "line"),
    [
        ({b"KEY_CODE": b"KEYCODE"}, "FM481", 2),
        ({b",,,,": b"01209,,,,"}, "FM311", 2),
        ({b"HTKSAKI": b"HTKSYORI"}, "FM202", 1),
        ({b"5240403034,0,": b"5240403034\x81,0,"}, "FM103", 5),
        ({b"5240403034,0,": b"5240403034\0,0,"}, "FM565", 5),
        ({b"5240403034,0,": b"5240403034\x80,0,"}, "FM103", None),
    ],
)  # fmt: skip
def test_broken_headings_and_bytes(tmp_path, report, changes, code, line):
    assert read(changed(CLIP, tmp_path / "a.txt", changes), report) is None
    (problem,) = report.problems
    assert problem.code == code
    assert line is None or problem.line == line


@pytest.mark.parametrize("body", [b"", b"\r\n\r\n", b"KEY_CODE\r\n", b"KEY_CODE,T1\r\n,x\r\n"])
def test_nothing_in_it(tmp_path, report, body):
    (tmp_path / "a.txt").write_bytes(body)
    assert read(tmp_path / "a.txt", report) is None
    assert report.problems[0].code in {"FM105", "FM311", "FM482"}


@pytest.mark.parametrize(
    ("name", "limit"),
    [
        ("MAX_TEXT", 100),
        ("MAX_DISTINCT", 100),
        ("MAX_NUMBERS", 100),
        ("MAX_ROWS", 9),
        ("MAX_COLUMNS", 9),
    ],
)
def test_limits(monkeypatch, report, name, limit):
    monkeypatch.setattr(estat_bytes, name, limit)
    assert read(CLIP, report) is None
    assert [problem.code for problem in report.problems] == ["FM104"]


def test_hostile_rows_end_soon(tmp_path):
    head = b"KEY_CODE,T1\r\n,x\r\n"
    for body in (
        head + b"1,2\r\n" * 300_000 + b'"' * 300_000,
        head + b"1," + b"9" * 5_000_000 + b"\r\n",
        head + b",".join([b"1"] * 400_000) + b"\r\n",
        head + b"\r\n" * 900_000 + b"1,2\r\n",
        head + (b"1,\xff\xfe" * 9 + b"\r\n") * 20_000,
    ):
        (tmp_path / "a.txt").write_bytes(body)
        report, start = Report(), time.perf_counter()
        table = read(tmp_path / "a.txt", report)
        assert table is not None or report.problems
        assert time.perf_counter() - start < 10


def test_a_label_that_stands_twice(tmp_path, report):
    path = write(tmp_path / "a.txt", [], named=["総数", "男０～４歳", "男 0-4歳", "備考", "備考"])
    assert estat_table.read(path, report=report, wanted=lambda label: "男" in label) is None
    assert [(p.code, p.line, p.column) for p in report.problems] == [
        ("FM202", 2, "男0~4歳"),
        ("FM202", 2, "男 0-4歳"),
    ]


def test_columns_that_are_not_wanted_are_only_counted(tmp_path, report):
    path = simple(tmp_path / "a.txt", [("?", 2), (5, 3)])
    table = estat_table.read(path, report=report, wanted=lambda label: label == "男")
    assert table.persons([8], rows=everywhere(table), report=report).tolist() == [[2, 3]]


def test_bytes_changed_at_random_never_crash(tmp_path):
    random = np.random.default_rng(20201001)
    body = bytearray(CLIP.read_bytes()[:4000])
    path = tmp_path / "a.txt"
    for _ in range(300):
        copy = bytearray(body)
        for at in random.integers(0, len(copy), 5):
            copy[at] = random.choice(list(b'\0\r\n",;\x81\xff-X*09'))
        path.write_bytes(copy)
        report = Report()
        table = read(path, report)
        if table is not None:
            places = [p for p, label in enumerate(table.labels) if label not in table.texts]
            table.persons(places, rows=everywhere(table), report=report)
            assert len(table.lines) == len(table)
        else:
            assert report.errors


def test_separators_other_than_commas(tmp_path, report):
    body = CLIP.read_bytes().replace(b",", b";")
    (tmp_path / "t.txt").write_bytes(body)
    assert read(tmp_path / "t.txt", report) is None
    assert [(p.code, p.line) for p in report.problems] == [("FM338", 1)]


def test_an_endless_heading_is_told(tmp_path, report):
    (tmp_path / "t.txt").write_bytes(b"KEY_CODE,HTKSYORI\n,," + b"x" * 200_000 + b"\n1,0\n")
    assert read(tmp_path / "t.txt", report) is None
    assert [(p.code, p.line) for p in report.problems] == [("FM339", 1)]
