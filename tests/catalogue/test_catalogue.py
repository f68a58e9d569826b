"""Every broken file of the catalogue is told by its own code, in its place, in two languages."""

import collections
import gzip
import re

import pytest

from futuremap.problems import CSV_COLUMNS, Report, catalogue
from tests.catalogue import clean, make_catalogue
from tests.catalogue.breaking import save_rows
from tests.sources.shapes import frame, squares, write

CATALOGUE = make_catalogue.entries()
FEWEST = {
    "encoding": 10, "table": 22, "cells": 14, "codes and years": 12, "shapes and CRS": 18,
    "facilities": 10, "files and archives": 10,
}  # fmt: skip
# what the reader itself is told to find: a mapping without areas, suppressed areas
NOT_CLEAN = {
    "mapped_unnamed": ["FM329"], "estat_merged_areas": ["FM316"], "estat_merged_meshes": ["FM316"],
}  # fmt: skip
# what is left of these is of no known kind: no rates in a life table, WPP that is not mx
TOO_LITTLE = {"T36", "C19"}
WHOLE = set()
JAPANESE = re.compile("[ぁ-んァ-ヶ一-龥]")


def read(name, path):
    report = Report()
    found = clean.READERS[name].read(path, report)
    return found, report


def places(report):
    return [(p.code, p.file, p.sheet, p.line, p.column) for p in report.problems]


def test_the_catalogue_is_complete():
    counts = collections.Counter(fault["category"] for fault in CATALOGUE)
    assert all(counts[category] >= fewest for category, fewest in FEWEST.items())
    assert counts.keys() == FEWEST.keys()
    assert sum(counts.values()) >= 96
    assert {fault["id"] for fault in CATALOGUE} == make_catalogue.FAULTS.keys()
    assert len({fault["id"] for fault in CATALOGUE}) == len(CATALOGUE)


def test_no_two_faults_share_a_code():
    counts = collections.Counter(fault["code"] for fault in CATALOGUE)
    assert [code for code, count in counts.items() if count > 1] == []
    assert counts.keys() <= catalogue().keys()


@pytest.mark.parametrize("fault", CATALOGUE, ids=lambda fault: f"{fault['id']}-{fault['code']}")
def test_each_fault_has_its_code_in_its_place(fault, tmp_path):
    path = make_catalogue.make(fault, tmp_path)
    found, report = read(fault["reader"], path)
    line = int(fault["line"]) if fault["line"] else None
    assert places(report) == [(fault["code"], path.name, fault["sheet"], line, fault["column"])]
    (problem,) = report.problems
    for part in ("title", "why", "fix"):
        assert JAPANESE.search(problem.text(part, "ja"))
        assert re.search("[a-z]{2}", problem.text(part, "en"))
    details = dict(problem.detail) | {"value": problem.value, "column": problem.column}
    for part in ("title", "expected", "why", "fix"):
        for lang in ("ja", "en"):
            template = catalogue()[problem.code][f"{part}_{lang}"]
            assert problem.text(part, lang) == template.format_map(details | {"file": path.name})
    said = " ".join(problem.text(part, "en") for part in ("title", "expected", "why"))
    assert fault["says"] in said
    assert problem.severity == "warning" or found is None or not whole(found)
    head, row = report.to_csv().splitlines()[:2]
    assert head == ",".join(CSV_COLUMNS)
    assert row.startswith(fault["code"])


@pytest.mark.parametrize("fault", CATALOGUE, ids=lambda fault: fault["id"])
def test_each_broken_file_is_recognised_or_its_fault_is_told(fault, tmp_path):
    path = make_catalogue.make(fault, tmp_path)
    if not path.exists():
        return
    said = clean.told(path, Report())
    assert said.lacks or said.tried
    if said.kind == "unknown":
        assert fault["code"] in said.lacks[0][0] or fault["id"] in TOO_LITTLE
    if fault["category"] in {"encoding", "files and archives"}:
        assert not said.tried or fault["id"] in WHOLE


def whole(found):
    """Whether a reader gave people, where people are what it gives."""
    people = getattr(found, "population", found)
    # a register keeps its areas and a list its facilities, for further checks of the same run
    return people is not None and not hasattr(found, "zones") and not hasattr(found, "table")


@pytest.mark.parametrize("name", clean.READERS)
def test_clean_files_report_nothing(name, tmp_path):
    found, report = read(name, clean.clean(name, tmp_path))
    assert [p.code for p in report.problems] == NOT_CLEAN.get(name, [])
    assert (found is None) == (name == "mapped_unnamed")


BAD = ("", "-5", "約100", "12.5", "X", "3000000000", "1e309", "…", "#REF!", "8人")
OF_BAD = ("FM301", "FM302", "FM303", "FM304", "FM308", "FM320", "FM485", "FM308", "FM484", "FM486")


def fifty(name, tmp_path, column, label):
    """The clean table made longer, with a bad cell in fifty of its lines."""
    head, *body = clean.rows_of(name, tmp_path)
    last, at = body[-1], head.index(column)
    table, expected = [head, *body], []
    for i in range(60):
        row = list(last)
        row[0], row[label] = str(100 + i), f"{last[label]}{i}"
        row[-1] = f"34.{2000 + i},134.{1000 + i}" if name == "register" else row[-1]
        if i < 50:
            row[at] = BAD[i % len(BAD)]
            expected.append((OF_BAD[i % len(BAD)], len(table) + 1, column))
        table.append(row)
    return save_rows(tmp_path / "fifty.csv", table, name), expected


@pytest.mark.parametrize(
    ("name", "column", "label"), [("register", "man1", 6), ("mapped", "男 5～9歳", 1)]
)
def test_fifty_bad_cells_are_fifty_problems(name, column, label, tmp_path):
    path, expected = fifty(name, tmp_path, column, label)
    found, report = read(name, path)
    shown = column.replace("～", "~")
    assert sorted((p.line, p.code, p.column) for p in report.problems) == [
        (line, code, shown) for code, line, _ in expected
    ]
    assert found is None or found.population is None
    assert sum(1 for line in report.to_csv().splitlines()) == 51


def test_fifty_facilities_and_fifty_shapes(tmp_path):
    head, *body = clean.rows_of("facilities", tmp_path)
    rows = [
        [str(100 + i), "", *body[0][2:3], f"学校{i}", f"町{i}", *body[0][5:]] for i in range(50)
    ]
    path = save_rows(tmp_path / "fifty.csv", [head, *body, *rows], "facilities")
    _, report = read("facilities", path)
    first = len(body) + 2
    assert places(report) == [
        ("FM612", "fifty.csv", "", line, "latitude") for line in range(first, first + 50)
    ]
    keys = [f"{i:02d}" if i < 10 else None for i in range(60)]
    shapes = write(tmp_path / "fifty.geojson", frame(squares(60), key=keys))
    found, report = read("vector", shapes)
    assert found is None
    assert places(report) == [("FM544", "fifty.geojson", "", line, "key") for line in range(11, 61)]


def test_fifty_faults_of_an_estat_table(tmp_path):
    lines = clean.clean("estat_mesh", tmp_path).read_bytes().splitlines()
    head, row = lines[:2], lines[2].split(b",")
    codes = [f"524040{i // 16:02d}{i // 4 % 4 + 1}{i % 4 + 1}".encode() for i in range(60)]
    rows = [
        b",".join([code, *row[1:4], b"abc" if i < 50 else row[4], *row[5:]])
        for i, code in enumerate(codes)
    ]
    path = tmp_path / "fifty.txt"
    path.write_bytes(b"\r\n".join([*head, *rows]) + b"\r\n")
    found, report = read("estat_mesh", path)
    assert found is None
    assert [(p.code, p.line) for p in report.problems] == [("FM303", line) for line in range(3, 53)]


@pytest.mark.parametrize("name", ["register", "mapped", "public_facilities", "parks", "facilities"])
def test_clean_files_report_nothing_in_any_honest_form(name, tmp_path):
    plain = clean.clean(name, tmp_path).read_text(encoding="utf-8")
    if name == "register":  # letters of NEC and IBM, and a wave that CP932 writes otherwise
        plain = plain.replace("塩上町,", "髙﨑①～町,")
    lines = plain.replace("\r\n", "\n")
    forms = {
        "cp932.csv": lines.encode("cp932"),
        "mark.csv": lines.encode("utf-8-sig"),
        "returns.csv": lines.replace("\n", "\r").encode(),
        "title.csv": f"令和5年度 一覧\n\n{lines}".encode(),
        "wide.csv": lines.translate(str.maketrans("12", "１２")).encode(),
        "packed.csv.gz": gzip.compress(lines.encode()),
    }
    for file, body in forms.items():
        path = tmp_path / file
        path.write_bytes(body)
        found, report = read(name, path)
        assert not report.problems, file
        assert found is not None
