"""Rasters as weights: windows, nodata, classes, and what is refused before it is read."""

import struct

import numpy as np
import pytest
import rasterio

from futuremap.core.zones import Zones
from futuremap.sources import raster

from .shapes import SOUTH, STEP, WEST, geotiff, squares
from .variants import found


@pytest.fixture
def zones():
    return Zones.build(
        ["a", "b", "c"], squares(), names=["甲", "乙", "丙"], parents=["22212"] * 3,
        kind="town_block", plane_zone=8,
    )  # fmt: skip


def numbers(columns=30, dtype="float32"):
    return np.arange(10 * columns, dtype=dtype).reshape(10, columns)


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint32", "float32", "float64"])
def test_sums_are_those_of_the_cells(dtype, zones, tmp_path, report):
    values = np.minimum(numbers(), 250).astype(dtype)
    found_cells = raster.read(geotiff(tmp_path / "a.tif", values), zones, report=report)
    assert found_cells.sums().tolist() == [values[:, i : i + 10].sum() for i in (0, 10, 20)]
    assert (found_cells.weight > 0).all()
    first = np.argmin(found_cells.longitude)
    assert found_cells.longitude[first] == pytest.approx(WEST + STEP / 20, abs=1e-9)
    assert not report.problems


def test_only_the_window_is_read(zones, tmp_path, report):
    values = np.zeros((200, 300), dtype="float32")
    values[95:105, 100:130] = 1.0
    values[0, 0] = 99
    path = geotiff(tmp_path / "a.tif", values, west=WEST - 0.1, north=SOUTH + STEP + 0.095)
    cells = raster.read(path, zones, report=report)
    assert cells.sums().tolist() == [100, 100, 100]
    assert 99 not in cells.weight


@pytest.mark.parametrize("epsg", [4612, 2450, 6676, 32654])
def test_other_systems(epsg, zones, tmp_path, report):
    east, north = 0.0, 0.0
    options = {}
    if epsg != 4612:
        from futuremap.sources import crs

        easts, norths = crs.from_degrees(
            np.array([WEST - 0.01]), np.array([SOUTH + 0.02]), crs.from_epsg(epsg)
        )
        east, north = float(easts[0]), float(norths[0])
        options = {"west": east, "north": north, "cell": 20.0}
    values = np.ones((200, 300) if options else (10, 30), dtype="uint8")
    cells = raster.read(
        geotiff(tmp_path / "a.tif", values, epsg=epsg, **options), zones, report=report
    )
    expected = zones.areas() / 400 if options else np.full(3, 100)
    assert cells.sums() == pytest.approx(expected, rel=0.03)
    assert not report.problems


def test_nodata_and_nan_weigh_nothing(zones, tmp_path, report):
    values = numbers()
    values[0, 0], values[5, 5] = -9999, np.nan
    cells = raster.read(geotiff(tmp_path / "a.tif", values, nodata=-9999), zones, report=report)
    expected = numbers()[:, :10].sum() - numbers()[5, 5]
    assert cells.sums()[0] == expected
    assert not report.problems


def test_negative_values_without_nodata(zones, tmp_path, report):
    values = numbers()
    values[0, :2] = -9999
    assert raster.read(geotiff(tmp_path / "a.tif", values), zones, report=report) is None
    assert found(report) == [("FM552", None, "")]
    assert report.errors[0].value == "-9999"


def test_classes_of_land_use(zones, tmp_path, report):
    values = np.tile(np.array([0, 5, 7, 255, 7], dtype="uint8"), (10, 6))
    path = geotiff(tmp_path / "a.tif", values, nodata=255)
    cells = raster.read(path, zones, report=report, classes={7: 1.0, 5: 0.25, 255: 9.0})
    assert cells.sums().tolist() == [10 * 2 * (2 + 0.25)] * 3


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"epsg": None}, "FM541"),
        ({"epsg": 4301}, "FM542"),
        ({"epsg": 2154}, "FM540"),
        ({"west": WEST + 0.005}, "FM551"),
        ({"west": 100.0}, "FM551"),
        ({"transform": rasterio.Affine(0.001, 0, WEST, 0, 0.001, SOUTH)}, "FM550"),
        ({"transform": rasterio.Affine(0.001, 0.0001, WEST, 0, -0.001, SOUTH + STEP)}, "FM550"),
        ({"dtype": "complex64"}, "FM550"),
    ],
)
def test_what_cannot_be_used(change, code, zones, tmp_path, report):
    assert (
        raster.read(geotiff(tmp_path / "a.tif", numbers(), **change), zones, report=report) is None
    )
    assert found(report) == [(code, None, "")]


def test_a_raster_without_a_place(zones, tmp_path, report):
    path = tmp_path / "a.tif"
    with (
        pytest.warns(rasterio.errors.NotGeoreferencedWarning),
        rasterio.open(
            path, "w", driver="GTiff", width=30, height=10, count=1, dtype="uint8"
        ) as out,
    ):
        out.write(numbers(dtype="uint8"), 1)
    assert raster.read(path, zones, report=report) is None
    assert found(report) == [("FM550", None, "")]


def test_a_missing_band(zones, tmp_path, report):
    assert raster.read(geotiff(tmp_path / "a.tif", numbers()), zones, report=report, band=2) is None
    assert found(report) == [("FM550", None, "")]


def test_a_picture_holds_no_people(zones, tmp_path, report):
    path = geotiff(tmp_path / "one.tif", numbers(dtype="uint8"), dtype="uint8")
    with rasterio.open(path) as one:
        profile = one.profile | {"count": 3, "photometric": "RGB"}
        band = one.read(1)
    with rasterio.open(tmp_path / "rgb.tif", "w", **profile) as out:
        for number in (1, 2, 3):
            out.write(band, number)
    assert raster.read(tmp_path / "rgb.tif", zones, report=report) is None
    assert found(report) == [("FM583", None, "")]


def absurd(path, *, width, height, rows=1, tile=None):
    """A TIFF of a few hundred bytes that states to be as large as it likes."""
    entries = [
        (256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, 8), (259, 3, 1, 8), (262, 3, 1, 1),
        (277, 3, 1, 1),
    ]  # fmt: skip
    if tile:
        entries += [(322, 4, 1, tile), (323, 4, 1, tile), (324, 4, 1, 8), (325, 4, 1, 8)]
    else:
        entries += [(273, 4, 1, 8), (278, 4, 1, rows), (279, 4, 1, 8)]
    entries.sort()
    body = struct.pack("<2sHIH", b"II", 42, 8, len(entries))
    body += b"".join(struct.pack("<HHII", *entry) for entry in entries) + b"\0" * 4
    path.write_bytes(body)
    return path


@pytest.mark.parametrize(
    "shape",
    [
        {"width": 2**31 - 1, "height": 2**31 - 1},
        {"width": 2**32 - 1, "height": 1},
        {"width": 1_000_000, "height": 1_000_000, "rows": 1_000_000},
        {"width": 1_000_000, "height": 1_000_000, "tile": 65_520},
        {"width": 1_999_999, "height": 1_999_999, "tile": 16},
    ],
)
def test_absurd_dimensions_end_before_anything_is_read(shape, zones, tmp_path, report):
    assert raster.read(absurd(tmp_path / "a.tif", **shape), zones, report=report) is None
    assert len(report.errors) == 1
    assert report.errors[0].code in {"FM102", "FM104", "FM550"}


@pytest.mark.parametrize("cut", [4, 8, 60, 200, 700])
def test_a_file_cut_off(cut, zones, tmp_path, report):
    path = geotiff(tmp_path / "a.tif", numbers(), compress="deflate")
    path.write_bytes(path.read_bytes()[:cut])
    assert raster.read(path, zones, report=report) is None
    assert len(report.errors) == 1


def test_what_lies_beside_is_not_followed(zones, tmp_path, report):
    path = geotiff(tmp_path / "a.tif", numbers(), epsg=None)
    (tmp_path / "a.tif.aux.xml").write_text(
        "<PAMDataset><SRS>EPSG:6668</SRS><Metadata><MDI key='x'>1</MDI></Metadata></PAMDataset>"
    )
    (tmp_path / "a.prj").write_text('GEOGCS["JGD2011"]')
    assert raster.read(path, zones, report=report) is None
    assert found(report) == [("FM541", None, "")]


@pytest.mark.parametrize(
    "body", [b"<VRTDataset/>", b"", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"PK\3\4"]
)
def test_other_formats_named_tif(body, zones, tmp_path, report):
    path = tmp_path / "a.tif"
    path.write_bytes(body)
    assert raster.read(path, zones, report=report) is None
    assert found(report) == [("FM102", None, "")]
    assert raster.read(tmp_path / "none.tif", zones, report=report) is None
    assert report.errors[-1].code == "FM101"
