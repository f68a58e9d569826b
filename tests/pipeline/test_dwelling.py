"""Dwellings of a project: rasters, buildings and addresses share blocks over their meshes."""

import csv

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely

from futuremap.errors import InputRefused
from futuremap.pipeline import open_project, run

from .official import AGES, AREAS, utashinai

DWELLING = """
[municipality.dwelling]
file = "{file}"
format = "{format}"
credit = "census"
"""


def project(folder, file, written, more=""):
    """The project with a dwelling table."""
    tables = (AREAS, AGES, DWELLING.format(file=file, format=written) + more)
    return utashinai(folder, *tables)


def shapes(folder):
    return gpd.read_file(folder / "blocks.geojson").to_crs(6668).geometry


def houses(folder, **columns):
    """Two buildings in every block but the last: a small one and one of three times its ground."""
    places, sizes = [], []
    for shape in shapes(folder)[:-1]:
        middle = shape.representative_point()
        for size in (1, 3):
            side = 1e-4 * np.sqrt(size) / 2
            places.append(shapely.box(*(np.array([middle.x, middle.y] * 2) + side * SIGNS)))
            sizes.append(size)
    return gpd.GeoDataFrame({"戸数": sizes, **columns}, geometry=places, crs=6668)


SIGNS = np.array([-1, -1, 1, 1])


def found(report, code):
    return [problem for problem in report.problems if problem.code == code]


def refused(folder):
    with pytest.raises(InputRefused) as caught:
        open_project(folder)
    return caught.value.report


def check_kept(folder):
    """The run, whose meshes, blocks and city have the same people in every year."""
    outcome = run(open_project(folder))
    (town,) = outcome.towns
    np.testing.assert_allclose(
        town.mesh.people.persons.sum(axis=1), town.people.persons.sum(axis=1), rtol=1e-9, atol=1e-9
    )
    return outcome, town


def test_buildings_hold_the_people_of_their_block(tmp_path):
    folder = project(tmp_path / "p", "houses.gpkg", "buildings")
    houses(folder).to_file(folder / "houses.gpkg")
    outcome, town = check_kept(folder)
    walk = town.mesh.walk
    per_block = np.diff(walk.weights.tocsc().indptr)
    assert (per_block[:-1] <= 4).all()  # two houses at one place, at most on a corner of meshes
    assert per_block[-1] > 10  # no house: by area
    (problem,) = found(outcome.prepared.report, "FM474")
    assert (problem.file, problem.value) == ("houses.gpkg", "1")
    assert walk.rule == "town blocks to mesh level 250m by buildings; 1 of 9 by area"
    assert "建物や土地利用" in town.mesh.zones.notes[-1][0]
    assert "census" in town.mesh.people.sources
    # reach is not touched: it counts blocks by area
    assert town.town.dwelling is not None


def test_points_of_a_table_with_a_weight(tmp_path):
    folder = project(tmp_path / "p", "addresses.csv", "points", 'weight = "戸数"\n')
    rows = houses(folder)
    with (folder / "addresses.csv").open("w", encoding="cp932", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["住所", "緯度", "経度", "戸数"])
        for i, (size, shape) in enumerate(zip(rows["戸数"], rows.geometry, strict=True)):
            # the larger ones stand 500 m away, in another mesh of the same block or outside
            x, y = shape.centroid.x + (0.003 if i == 1 else 0.0), shape.centroid.y
            writer.writerow([f"{i}番地", f"{y:.6f}", f"{x:.6f}", size])
        writer.writerow(["番地なし", "", "", 5])
    outcome, town = check_kept(folder)
    assert found(outcome.prepared.report, "FM111")[0].value == "1"
    first = town.mesh.walk.weights.toarray()[:, 0]
    inside = shapes(folder)[0].contains(shapely.Point(*_place(folder, 2)))
    assert sorted(first[first > 0]) == pytest.approx([0.25, 0.75] if inside else [1.0])


def _place(folder, row):
    with (folder / "addresses.csv").open(encoding="cp932") as text:
        cells = list(csv.reader(text))[row]
    return float(cells[2]), float(cells[1])


def geotiff(path, values, west, north, side):
    profile = {
        "driver": "GTiff", "height": values.shape[0], "width": values.shape[1], "count": 1,
        "dtype": values.dtype, "crs": "EPSG:6668",
        "transform": rasterio.Affine(side, 0, west, 0, -side, north),
    }  # fmt: skip
    with rasterio.open(path, "w", **profile) as out:
        out.write(values, 1)


def test_land_use_of_a_raster(tmp_path):
    more = "classes = { 7 = 1.0 }\n"
    folder = project(tmp_path / "p", "use.tif", "raster", more)
    blocks = shapes(folder)
    west, south, east, north = blocks.total_bounds
    side = 0.001
    use = np.full((int((north - south) / side) + 3, int((east - west) / side) + 3), 5, np.uint8)
    row, column = use.shape[0] // 2, use.shape[1] // 2
    use[:, column - 20 : column + 20] = 7
    geotiff(folder / "use.tif", use, west - side, north + side, side)
    _, town = check_kept(folder)
    assert town.mesh.walk.rule.startswith("town blocks to mesh level 250m by land use of the cla")
    built = shapely.box(
        west - side + (column - 20) * side, south, west - side + (column + 20) * side, north
    )
    empty = ~shapely.intersects(town.mesh.zones.geometry, built)
    by_places = np.asarray(town.mesh.walk.weights.sum(axis=0)).ravel()
    assert by_places == pytest.approx(1.0, abs=1e-12)
    crossed = [i for i, shape in enumerate(blocks) if shape.intersects(built)]
    weights = town.mesh.walk.weights.toarray()[:, crossed]
    assert weights[empty].max() == 0.0
    assert row  # the strip runs from north to south


def test_a_raster_of_another_place_and_places_of_none(tmp_path):
    folder = project(tmp_path / "p", "use.tif", "raster")
    geotiff(folder / "use.tif", np.ones((5, 5), np.float32), 133.0, 34.5, 0.01)
    assert [problem.code for problem in refused(folder).errors] == ["FM551"]
    folder = project(tmp_path / "q", "far.gpkg", "points")
    gpd.GeoDataFrame(geometry=[shapely.Point(142.3, 43.2)], crs=6668).to_file(folder / "far.gpkg")
    (problem,) = refused(folder).errors
    text = (folder / "project.toml").read_text(encoding="utf-8").splitlines()
    assert (problem.code, text[problem.line - 1]) == ("FM113", 'file = "far.gpkg"')


def test_weights_that_are_none_are_all_listed(tmp_path):
    folder = project(tmp_path / "p", "houses.gpkg", "buildings", 'weight = "戸"\n')
    counts = ["2"] * 14 + ["-1", "many"]
    houses(folder, 戸=counts).to_file(folder / "houses.gpkg")
    problems = found(refused(folder), "FM112")
    assert [(p.file, p.line, p.value) for p in problems] == [
        ("houses.gpkg", 15, "-1"),
        ("houses.gpkg", 16, "many"),
    ]
    assert problems[0].column == "戸"
    folder = project(tmp_path / "q", "houses.gpkg", "buildings", 'weight = "床"\n')
    houses(folder).to_file(folder / "houses.gpkg")
    assert found(refused(folder), "FM201")[0].column == "床"
