"""Mesh projections of KSJ in the columns of both editions: made here, then broken."""

import json
import zipfile

import geopandas
import numpy as np
import pytest
import shapely

from futuremap.core import mesh
from futuremap.core.population import Flag
from futuremap.problems import Report
from futuremap.sources import dbf, ksj_mesh

from .variants import found

TOWN, NEIGHBOUR = "34204", "34205"
CODES = mesh.children("51337700", "500m").tolist() + mesh.children("51337701", "500m").tolist()
BROAD = {"A": (1, 3), "B": (4, 13), "C": (14, None), "D": (16, None), "E": (17, None)}


def records(edition=2024, *, years=(2025, 2030), codes=CODES):
    """Eight meshes, the last of another town; ages of a mesh proportional to its code's digit."""
    groups, form = (20, "PT{:02d}_{}") if edition == 2024 else (19, "PT{}_{}")
    rng = np.random.default_rng(20)
    rows = []
    for i, code in enumerate(codes):
        row = {"MESH_ID": int(code), "SHICODE": int(NEIGHBOUR if i == 7 else TOWN)}
        if edition == 2024:
            row["PTN_2020"] = 100.0
        for year in years:
            five = np.round(rng.uniform(1, 9, groups), 4)
            row[f"PTN_{year}"] = round(five.sum(), 4)
            fill(row, five, year, form)
            row[f"HITOKU{year}"] = ""
            if edition == 2024:
                row[f"GASSAN{year}"] = ""
        rows.append(row)
    return rows


def fill(row, five, year, form="PT{:02d}_{}"):
    row[form.format(0, year)] = round(float(sum(five)), 4)
    for group, people in enumerate(five, start=1):
        row[form.format(group, year)] = float(people)
    for letter, (first, last) in BROAD.items():
        row[f"PT{letter}_{year}"] = round(float(sum(five[first - 1 : last])), 4)


def ages(row, year, groups=20):
    return np.array([row[f"PT{group:02d}_{year}"] for group in range(1, groups + 1)])


def hide(rows, hidden, partner, year):
    """Count the ages of one mesh in another, as the publisher does with small ones."""
    together = np.round(ages(rows[hidden], year) + ages(rows[partner], year), 4)
    fill(rows[hidden], np.zeros(20), year)
    fill(rows[partner], together, year)
    rows[hidden][f"HITOKU{year}"] = "*"
    rows[hidden][f"GASSAN{year}"] = str(rows[partner]["MESH_ID"])
    rows[partner][f"HITOKU{year}"] = "@"


def shape(row):
    code = str(row["MESH_ID"])
    if not mesh.validate(code):
        return shapely.box(133.0, 34.3, 133.1, 34.4)
    south, west, north, east = mesh.bounds(code)
    return shapely.box(west, south, east, north)


def write(path, rows):
    """The rows as GeoJSON, GeoPackage, Shapefile or a zip of one."""
    if path.suffix == ".geojson":
        features = [
            {"type": "Feature", "properties": row, "geometry": shapely.geometry.mapping(shape(row))}
            for row in rows
        ]
        path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
        return path
    frame = geopandas.GeoDataFrame(rows, geometry=[shape(row) for row in rows], crs=6668)
    if path.suffix != ".zip":
        frame.to_file(path)
        return path
    frame.to_file(path.with_suffix(".shp"))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for ending in (".shp", ".shx", ".dbf", ".prj"):
            archive.write(path.with_suffix(ending), f"folder/{path.stem}{ending}")
    return path


def read(path, report, codes=(TOWN,)):
    return ksj_mesh.read(path, codes=codes, credit="ksj_mesh", report=report)


@pytest.mark.parametrize("name", ["a.geojson", "a.gpkg", "a.shp", "a.zip"])
def test_every_format_gives_the_same(name, tmp_path, report):
    rows = records()
    projection = read(write(tmp_path / name, rows), report)
    assert not report.problems
    assert projection.zones == tuple(sorted(CODES[:7]))
    assert projection.years == (2020, 2025, 2030)
    assert projection.age_years == (2025, 2030)
    assert projection.ages.open_age == 95
    by_code = {str(row["MESH_ID"]): row for row in rows}
    for z, code in enumerate(projection.zones):
        assert projection.totals[:, z].tolist() == [
            by_code[code][f"PTN_{y}"] for y in projection.years
        ]
        assert np.array_equal(projection.persons[1, z], ages(by_code[code], 2030))
    assert (projection.flag == Flag.PROJECTED).all()


def test_the_edition_of_2018_spells_its_ages_otherwise(tmp_path, report):
    rows = records(2018, years=(2015, 2020))
    projection = read(write(tmp_path / "a.geojson", rows), report)
    assert not report.problems
    assert projection.ages.open_age == 90
    assert projection.persons.shape == (2, 7, 19)
    assert projection.persons[0].sum() == pytest.approx(projection.totals[0].sum(), abs=1e-2)


def test_quarter_meshes(tmp_path, report):
    codes = mesh.children(CODES[0], "250m").tolist() + mesh.children(CODES[1], "250m").tolist()
    projection = read(write(tmp_path / "a.shp", records(codes=codes)), report)
    assert projection.zones == tuple(sorted(codes[:7]))
    assert not report.problems


@pytest.mark.parametrize("name", ["a.geojson", "a.gpkg", "a.shp"])
def test_hidden_ages_are_put_back_with_totals_kept(name, tmp_path, report):
    rows = records()
    hide(rows, 1, 0, 2030)
    projection = read(write(tmp_path / name, rows), report)
    assert [problem.code for problem in report.problems] == ["FM458"]
    assert np.abs(projection.persons.sum(axis=2) - projection.totals[1:]).max() < 1e-3
    shown, hidden = (projection.zones.index(CODES[i]) for i in (0, 1))
    assert projection.flag[1, hidden] == Flag.PROJECTED | Flag.MERGED | Flag.IMPUTED
    # the ages of the receiving mesh are no longer what was published of it
    assert projection.flag[1, shown] == Flag.PROJECTED | Flag.MERGED | Flag.IMPUTED
    assert (projection.flag[0] == Flag.PROJECTED).all()
    group = projection.persons[1, [shown, hidden]].sum(axis=0)
    assert np.allclose(group, ages(rows[0], 2030), atol=1e-3)
    shares = projection.persons[1, [shown, hidden]] / projection.totals[2, [shown, hidden], None]
    assert np.allclose(shares[0], shares[1], atol=1e-6)


def test_a_partner_in_another_town_is_looked_up(tmp_path, report):
    rows = records()
    hide(rows, 1, 7, 2030)
    projection = read(write(tmp_path / "a.zip", rows), report)
    hidden = projection.zones.index(CODES[1])
    assert projection.persons[1, hidden].sum() == pytest.approx(projection.totals[2, hidden])
    assert len(projection.zones) == 7
    # the partner's other company in another year does not matter to us
    rows[7]["HITOKU2025"], rows[7]["GASSAN2025"] = "*", "5133999999"
    assert read(write(tmp_path / "b.zip", rows), Report()) is not None


def test_a_partner_that_is_not_there(tmp_path, report):
    rows = records()
    hide(rows, 1, 7, 2030)
    assert read(write(tmp_path / "cut.geojson", rows[:7]), report) is None
    assert found(report) == [("FM455", 2, "GASSAN2030")]


def test_an_edition_without_partners_cannot_hide(tmp_path, report):
    rows = records(2018, years=(2020,))
    rows[2]["HITOKU2020"] = "*"
    assert read(write(tmp_path / "a.geojson", rows), report) is None
    assert found(report) == [("FM455", 3, "HITOKU2020")]


def test_totals_win_over_ages_and_people_without_ages_are_refused(tmp_path, report):
    rows = records()
    rows[2]["PTN_2030"] += 10
    projection = read(write(tmp_path / "a.geojson", rows), report)
    z = projection.zones.index(CODES[2])
    assert projection.persons[1, z].sum() == pytest.approx(rows[2]["PTN_2030"])
    assert found(report) == [("FM456", 3, "PT00_2030")]
    fill(rows[3], np.zeros(20), 2025)
    other = Report()
    assert read(write(tmp_path / "b.geojson", rows), other) is None
    assert ("FM457", 4, "PT00_2025") in found(other)


@pytest.mark.parametrize(
    ("column", "value", "expected"),
    [
        ("PTN_2030", -1.0, ("FM302", 3, "PTN_2030")),
        ("PT07_2030", None, ("FM301", 3, "PT07_2030")),
        ("PT07_2030", "many", ("FM303", 3, "PT07_2030")),
        ("PTA_2030", 999.0, ("FM454", 3, "PTA_2030")),
        ("PT00_2025", 1.0, ("FM454", 3, "PT00_2025")),
        ("MESH_ID", 513377009, ("FM453", 3, "MESH_ID")),
        ("MESH_ID", 5133770011, ("FM453", 3, "MESH_ID")),
        ("MESH_ID", int(CODES[0]), ("FM411", 3, "MESH_ID")),
        ("HITOKU2030", "?", ("FM455", 3, "GASSAN2030")),
    ],
)
def test_one_fault_is_found_where_it_stands(column, value, expected, tmp_path, report):
    rows = records()
    rows[2][column] = value
    assert read(write(tmp_path / "a.geojson", rows), report) is None
    assert expected in found(report)


def test_other_towns_and_other_files(tmp_path, report):
    path = write(tmp_path / "a.geojson", records())
    assert read(path, report, codes=["14384"]) is None
    assert read(path, report, codes=[TOWN, NEIGHBOUR]).totals.shape == (3, 8)
    for name in ("PT05_2030", "PTN_2030", "SHICODE"):
        rows = [{key: value for key, value in row.items() if key != name} for row in records()]
        assert read(write(tmp_path / "b.geojson", rows), report) is None
    assert read(tmp_path / "none.shp", report) is None
    assert [p.code for p in report.problems] == ["FM431", *["FM452"] * 3, "FM101"]


@pytest.mark.parametrize(
    "cut",
    [b"", b"\x03", b"\x03" * 40, slice(0, 500), slice(0, -50)],
    ids=["", "1", "40", "head", "end"],
)
def test_a_broken_table_of_a_shapefile(cut, tmp_path, report):
    path = write(tmp_path / "a.shp", records())
    table = path.with_suffix(".dbf")
    table.write_bytes(table.read_bytes()[cut] if isinstance(cut, slice) else cut)
    assert read(path, report) is None
    assert {problem.code for problem in report.problems} <= {"FM557", "FM549"}


def test_deleted_rows_do_not_count(tmp_path, report):
    path = write(tmp_path / "a.shp", records())
    table = path.with_suffix(".dbf")
    body = bytearray(table.read_bytes())
    body[int.from_bytes(body[8:10], "little")] = ord("*")
    table.write_bytes(body)
    assert read(path, report).zones == tuple(sorted(CODES[1:7]))


def test_as_a_table_ages_are_undefined_where_there_are_none(tmp_path, report):
    table = read(write(tmp_path / "a.geojson", records()), report).as_table()
    assert np.isnan(table.column("population_65_over", 2020)).all()
    ages_2030 = table.column("population_0_14", 2030) + table.column("population_15_64", 2030)
    total = ages_2030 + table.column("population_65_over", 2030)
    assert np.allclose(total, table.column("population", 2030), atol=1e-3)


def test_archives_that_do_not_hold_one_table(tmp_path, report):
    path = write(tmp_path / "a.zip", records())
    table = path.with_suffix(".dbf").read_bytes()
    for name, tables in (("two", ["x.dbf", "y.dbf"]), ("none", ["readme.txt"])):
        with zipfile.ZipFile(tmp_path / f"{name}.zip", "w") as archive:
            for inner in tables:
                archive.writestr(inner, table)
        assert read(tmp_path / f"{name}.zip", report) is None
    body = path.read_bytes()
    (tmp_path / "cut.zip").write_bytes(body[: len(body) // 2])
    assert read(tmp_path / "cut.zip", report) is None
    at = body.rindex(b"PK\x01\x02", 0, body.index(b"a.dbf", body.index(b"PK\x01\x02")))
    (tmp_path / "locked.zip").write_bytes(body[: at + 8] + b"\x01" + body[at + 9 :])
    assert read(tmp_path / "locked.zip", report) is None
    assert [problem.code for problem in report.problems] == ["FM576", "FM549", "FM331", "FM335"]
    chosen = ksj_mesh.read(tmp_path / "two.zip", codes=[TOWN], credit="k", report=report, layer="y")
    assert len(chosen.zones) == 7


def test_a_large_table_is_passed_over_in_blocks(tmp_path, report, monkeypatch):
    path = write(tmp_path / "a.shp", records())
    whole = read(path, report)
    monkeypatch.setattr(dbf, "BLOCK", 1)
    one_by_one = read(path, report)
    assert np.array_equal(one_by_one.persons, whole.persons)
    assert one_by_one.zones == whole.zones


def test_a_table_that_claims_to_be_huge_is_not_read(tmp_path, report):
    path = write(tmp_path / "a.shp", records())
    table = path.with_suffix(".dbf")
    body = bytearray(table.read_bytes())
    body[4:8] = b"\xff\xff\xff\x7f"
    table.write_bytes(body)
    assert read(path, report) is None
    assert [problem.code for problem in report.problems] == ["FM104"]
