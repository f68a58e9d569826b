import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from futuremap.core.credits import Credit, register
from futuremap.export.manifest import Input, RunRecord, build_manifest, versions, write_manifest
from futuremap.problems import Problem, Report

MADE_UP = Credit("made_up", "作った数", "made-up numbers", licence="CC0", synthetic=True)


@pytest.fixture
def folder(tmp_path):
    out = tmp_path / "out"
    (out / "data").mkdir(parents=True)
    (out / "data" / "b.csv").write_text("b")
    (out / "a.gpkg").write_bytes(b"aa")
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "人口.csv").write_text("12")
    (tmp_path / "shared.csv").write_text("345")
    return out


def record(folder, **changes):
    base = folder.parent / "project"
    given = {
        "base": base,
        "inputs": [
            Input(base / "人口.csv", register()["takamatsu_opendata"]),
            Input(folder.parent / "shared.csv", MADE_UP),
        ],
        "parameters": {"years": (2023, 2053), "file": base / "人口.csv", "rate": np.float64(0.5)},
        "credits": [register()["census"]],
    }
    return RunRecord(**(given | changes))


def test_inputs_with_hash_size_and_terms(folder):
    inputs = build_manifest(folder, record(folder))["inputs"]
    assert inputs == [
        {
            "path": "../shared.csv",
            "credit": "作った数",
            "licence": "CC0",
            "sha256": hashlib.sha256(b"345").hexdigest(),
            "bytes": 3,
        },
        {
            "path": "人口.csv",
            "credit": register()["takamatsu_opendata"].text_ja,
            "licence": "CC BY 4.0",
            "sha256": hashlib.sha256(b"12").hexdigest(),
            "bytes": 2,
        },
    ]


def test_outputs_are_everything_else_in_the_folder(folder):
    write_manifest(folder, record(folder))
    outputs = build_manifest(folder, record(folder))["outputs"]
    assert [entry["path"] for entry in outputs] == ["a.gpkg", "data/b.csv"]
    assert outputs[0]["sha256"] == hashlib.sha256(b"aa").hexdigest()
    assert outputs[0]["bytes"] == 2


def test_the_file_is_sorted_readable_and_the_same_every_time(folder):
    path = write_manifest(folder, record(folder))
    first = path.read_bytes()
    assert write_manifest(folder, record(folder)).read_bytes() == first
    text = first.decode("utf-8")
    assert text.endswith("}\n")
    assert "総務省統計局" in text
    read = json.loads(text)
    assert list(read) == sorted(read)
    assert str(folder.parent) not in text


def test_parameters_are_plain_and_relative(folder):
    parameters = build_manifest(folder, record(folder))["parameters"]
    assert parameters == {"years": [2023, 2053], "file": "人口.csv", "rate": 0.5}


def test_undefined_numbers_are_null(folder):
    run = record(
        folder,
        control_residuals={"37201": 1e-12, "total": float("nan")},
        register_census_ratio={"37201": 1.012},
        parameters={"list": np.array([1.0, np.inf]), "path": Path("a") / "b", "other": {1}},
    )
    manifest = build_manifest(folder, run)
    assert manifest["control_residuals"] == {"37201": 1e-12, "total": None}
    assert manifest["register_census_ratio"] == {"37201": 1.012}
    assert manifest["parameters"] == {"list": [1.0, None], "path": "a/b", "other": "{1}"}
    write_manifest(folder, run)


def test_warnings_say_what_where_and_why(folder):
    report = Report()
    report.add(
        "FM612", file=str(folder.parent / "project" / "f.csv"), line=4, column="緯度", name="会館"
    )
    problem = report.problems[0]
    assert isinstance(problem, Problem)
    (shown,) = build_manifest(folder, record(folder, warnings=report.warnings))["warnings"]
    assert (shown["code"], shown["file"], shown["line"]) == ("FM612", "f.csv", 4)
    assert shown["title_ja"] == problem.text("title")
    assert shown["fix_en"] == problem.text("fix", "en")


@pytest.mark.parametrize(("credit", "synthetic"), [(MADE_UP, True), (register()["census"], False)])
def test_made_up_data_are_marked(folder, credit, synthetic):
    manifest = build_manifest(folder, record(folder, credits=[credit]))
    assert manifest["synthetic"] is synthetic
    assert manifest["credits"][0]["key"] == credit.key


def test_seed_and_versions(folder):
    manifest = build_manifest(folder, record(folder, seed=7))
    assert manifest["seed"] == 7
    assert manifest["versions"] == versions()
    assert {"python", "gdal", "proj", "geos", "futuremap", "numpy"} <= set(versions())
    assert all(versions().values())
