"""The four cases of services: real people, areas that add up, and what is provisional says so."""

import json
from collections import Counter
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from futuremap.pipeline import deliver, open_project, run
from tests.conftest import ROOT

CASES = ROOT / "fixtures" / "geo"


@pytest.fixture(scope="module")
def outcomes():
    return {
        name: run(open_project(CASES / name))
        for name in ("tottori", "maizuru", "mie", "kumamoto_three")
    }


@pytest.mark.parametrize(("name", "count"), [("tottori", 18), ("mie", 29)])
def test_outlines_meet_without_gaps(name, count):
    text = (CASES / name / "outline_n03.geojson").read_text(encoding="utf-8")
    features = json.loads(text)["features"]
    assert len(features) == count
    edges = Counter()
    for one in features:
        shapes = one["geometry"]["coordinates"]
        for rings in shapes if one["geometry"]["type"] == "MultiPolygon" else [shapes]:
            for ring in rings:
                assert ring[0] == ring[-1]
                edges.update(frozenset(map(tuple, pair)) for pair in pairwise(ring))
    # a border inside the prefecture is told by both sides, the coast and the outer border by one
    assert max(edges.values()) == 2
    lonely = {point for edge, n in edges.items() if n == 1 for point in edge}
    ends = Counter(point for edge, n in edges.items() if n == 1 for point in edge)
    assert all(ends[point] % 2 == 0 for point in lonely)  # they close: no inner hole is open


def test_areas_of_tottori_add_up_to_its_towns(outcomes):
    found = outcomes["tottori"].indicators
    whole = found.of("municipality")[0].table
    for level in ("medical_area", "living_area"):
        for name in ("inpatients", "beds_acute", "population"):
            area = found.of(level)[0].table.frame(name).sum(axis=1)
            town = (
                (outcomes["tottori"].municipal if name == "population" else whole)
                .frame(name)
                .sum(axis=1)
            )
            assert np.allclose(area, town, rtol=1e-9)
    medical, living = (
        found.of(n)[0].table.column("inpatients", 2040) for n in ("medical_area", "living_area")
    )
    assert abs(np.sort(medical) - np.sort(living)).max() > 50  # they are not the same areas
    assert found.provisional >= {"outpatients", "beds_acute"}
    region = found.of("region")[0].table
    assert region.column("inpatients", 2040)[0] == pytest.approx(medical.sum())
    low, high = (region.column("inpatients", 2040, bound)[0] for bound in ("low", "high"))
    assert low < medical.sum() < high


def test_certified_of_mie_by_level_and_variant(outcomes):
    found = outcomes["mie"].indicators
    fixed, trend = (found.of("municipality", v)[0].table for v in ("fixed", "trend"))
    levels = ["care_support_1", "care_support_2", *(f"care_level_{i}" for i in range(1, 6))]
    for table in (fixed, trend):
        parts = sum(table.frame(name) for name in levels)
        assert np.allclose(parts, table.frame("care_certified"), rtol=1e-9)
    for year in (2040, 2050):
        ratio = trend.column("care_certified", year) / fixed.column("care_certified", year)
        assert np.allclose(ratio, (16.3 / 17.9) ** (9 / 8))
    assert set(fixed.indicators) >= set(levels)
    assert "inpatients" not in fixed.indicators


def test_staff_of_maizuru_grow_old_and_retire_later(outcomes):
    staff = outcomes["maizuru"].indicators.work.staff
    civil = staff.frame("staff")["土木"]
    assert civil[2015] == 48
    # a year in which the age of retirement rises keeps those who would have gone
    assert civil[2024] > civil[2023]
    assert (
        (staff.frame("staff_gap") == staff.frame("staff") - staff.frame("staff_needed")).all().all()
    )


def test_workload_of_three_towns(outcomes):
    work = outcomes["kumamoto_three"].indicators.work
    hours = work.hours.set_index(["zone", "task", "year"])["workload_hours"]
    assert hours["43203", "道路の維持（km）", 2050] == 450 * 12
    assert len(work.alike) == 2 * 6
    pairs = work.alike.set_index(["zone", "year"]).query("year == 2050")
    assert (pairs["profile_distance"] > 0).all()


def test_what_is_made_up_or_provisional_is_said_in_the_outputs(outcomes, tmp_path):
    maizuru = deliver(outcomes["maizuru"], tmp_path)
    assert "合成データを含みます" in (maizuru / "README.html").read_text(encoding="utf-8")
    staff = pd.read_csv(maizuru / "data" / "staff.csv", encoding="utf-8-sig", dtype=str)
    assert (staff["備考"] == "合成データ").all()
    tottori = deliver(outcomes["tottori"], tmp_path)
    page = (tottori / "README.html").read_text(encoding="utf-8")
    assert "【仮】" in page
    long = pd.read_csv(tottori / "data" / "indicators.csv", encoding="utf-8-sig", dtype=str)
    assert {"二次医療圏（仮）", "生活圏（仮）"} <= set(long["区域の種類"])
    assert (long.loc[long["指標（英名）"] == "outpatients", "仮"] == "仮").all()
    assert long.loc[long["指標（英名）"] == "inpatients", "仮"].isna().all()


@pytest.mark.parametrize("wanted", [["population_85_over"], ["inpatients"], ["births_per_year"]])
def test_only_some_indicators_may_be_wanted(wanted, tmp_path):
    prepared = open_project(CASES / "maizuru")
    setting = prepared.project.indicators.model_copy(update={"only": wanted})
    some = prepared.project.model_copy(update={"indicators": setting})
    found = run(prepared._replace(project=some))
    tables = found.indicators.tables
    assert {name for kept in tables for name in kept.table.indicators} == set(wanted)
    assert (deliver(found, tmp_path) / "data" / "indicators.csv").is_file()
