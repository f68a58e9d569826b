"""GeoTIFF of meshes read back by rasterio: numbers, edges, units, colours, layout."""

from pathlib import Path

import numpy as np
import pytest
import rasterio

from futuremap.core.mesh import Level, bounds
from futuremap.errors import ExportError
from futuremap.export.raster import NO_CLASS, SIDECAR, grid_of, write_class_raster, write_raster


@pytest.fixture
def mesh(mesh_states):
    return mesh_states(ageing=[15, 25, 35, 45, 20, np.nan], later=[1, 2, 3, 4, 5, 6])


def test_bands_are_years_with_the_numbers_of_the_features(mesh, tmp_path):
    layer, path = mesh[0], tmp_path / "p.tif"
    write_raster(layer, "population", path)
    with rasterio.open(path) as image:
        assert image.driver == "GTiff"
        assert image.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert image.crs.to_epsg() == 6668
        assert image.count == 2
        assert np.isnan(image.nodata)
        assert image.units == ("人", "人")
        assert image.descriptions == ("人口 2020年（人）", "人口 2050年（人）")
        assert [image.tags(i)["YEAR"] for i in (1, 2)] == ["2020", "2050"]
        assert "架空町「人口」" in image.tags()["CREDITS"]
        bands = image.read()
        codes = layer.features.index.tolist()
        centres = bounds(codes)
        lon, lat = (centres.west + centres.east) / 2, (centres.south + centres.north) / 2
        for band, year in zip(bands, (2020, 2050), strict=True):
            for code, x, y in zip(codes, lon, lat, strict=True):
                row, column = image.index(x, y)
                assert band[row, column] == layer.features.loc[code, f"population_{year}"]
        assert np.isfinite(bands).sum() == 2 * len(codes)


def test_edges_are_those_of_the_mesh(mesh, tmp_path):
    write_raster(mesh[0], "population", tmp_path / "p.tif")
    sides = bounds(mesh[0].features.index.tolist())
    with rasterio.open(tmp_path / "p.tif") as image:
        west, south, east, north = image.bounds
    assert (west, north) == (sides.west.min(), sides.north.max())
    np.testing.assert_allclose((south, east), (sides.south.min(), sides.east.max()), atol=1e-12)


def test_a_field_is_not_taken_for_another_that_begins_alike(mesh, tmp_path):
    write_raster(mesh[0], "population_change", tmp_path / "c.tif")
    with rasterio.open(tmp_path / "c.tif") as image:
        assert image.count == 1
        assert image.tags(1)["FIELD"] == "population_change"
    with pytest.raises(ExportError, match="coverage_rate"):
        write_raster(mesh[0], "coverage_rate", tmp_path / "x.tif")


def test_classes_have_the_colours_of_the_layer(mesh, tmp_path):
    for layer in mesh:
        path = tmp_path / f"{layer.state}.tif"
        write_class_raster(layer, path)
        with rasterio.open(path) as image:
            palette = image.colormap(1)
            assert image.colorinterp[0].name == "palette"
            assert image.nodata == NO_CLASS
            drawn = image.read(1)
        grid = grid_of(layer.features.index.tolist())
        assert drawn[grid.rows, grid.columns].tolist() == layer.class_index().tolist()
        for number, (_, colour) in enumerate(layer.classes.entries()):
            assert "#{:02x}{:02x}{:02x}".format(*palette[number][:3]) == colour
        named = (tmp_path / f"{layer.state}.tif{SIDECAR}").read_text(encoding="utf-8")
        assert all(f"<Category>{label}</Category>" in named for label, _ in layer.entries())


def test_cells_that_the_map_leaves_out_have_no_class(mesh_states, tmp_path):
    shown = np.array([True, False, True, True, True, True])
    layer = mesh_states(shown=shown)[0]
    write_class_raster(layer, tmp_path / "c.tif")
    with rasterio.open(tmp_path / "c.tif") as image:
        assert (image.read(1) != NO_CLASS).sum() == shown.sum()


def test_the_same_layer_gives_the_same_bytes(mesh, tmp_path):
    for name in ("a", "b"):
        write_raster(mesh[0], "ageing_rate", tmp_path / f"{name}.tif")
        write_class_raster(mesh[0], tmp_path / f"{name}_class.tif")
    for tail in (".tif", "_class.tif"):
        assert (tmp_path / f"a{tail}").read_bytes() == (tmp_path / f"b{tail}").read_bytes()


def test_large_meshes_have_overviews_of_real_cells(mesh_states, tmp_path):
    import geopandas as gpd
    import shapely

    from futuremap.core.mesh import cover

    codes = sorted(cover(south=34.0, west=133.0, north=34.7, east=134.0, level="250m").tolist())
    sides = bounds(codes)
    values = np.arange(len(codes), dtype=float)
    frame = gpd.GeoDataFrame(
        {"name": "", "population_2020": values, "ageing_rate_2020": 20.0},
        index=codes,
        geometry=shapely.box(sides.west, sides.south, sides.east, sides.north),
        crs=6668,
    )
    from dataclasses import replace

    layer = replace(mesh_states()[0], features=frame, balloon=(), shown=np.ones(len(codes), bool))
    write_raster(layer, "population", tmp_path / "big.tif")
    with rasterio.open(tmp_path / "big.tif") as image:
        assert image.shape == (336, 320)
        assert image.overviews(1) == [2]
        assert image.block_shapes[0] == (256, 256)
        small = image.read(1, out_shape=(168, 160))
    assert set(small[np.isfinite(small)].astype(int)) <= set(range(len(codes)))


def test_meshes_of_several_levels_or_none_are_refused():
    with pytest.raises(ExportError, match="one level"):
        grid_of(["51340430", "513404301"])
    with pytest.raises(ExportError, match="one level"):
        grid_of([])
    assert grid_of(["51340430"]).transform.a == Level.KM1.size.lon


def test_town_blocks_are_no_raster(make_layer, tmp_path):
    with pytest.raises(ExportError, match="not on a mesh"):
        write_raster(make_layer(), "population", tmp_path / "x.tif")
    with pytest.raises(ExportError, match="not on a mesh"):
        write_class_raster(make_layer(), tmp_path / "x.tif")


def test_a_full_disk_is_an_error(mesh):
    with pytest.raises(OSError, match="No space left"):
        write_raster(mesh[0], "population", Path("/dev/full"))
