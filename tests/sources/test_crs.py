"""Coordinate systems: taken, or refused with what to do."""

import numpy as np
import pyproj
import pytest
import shapely

from futuremap.sources import crs
from futuremap.sources.limits import Refused

from .shapes import CLIPS

TOKYO_PRJ = (
    'PROJCS["Tokyo_Japan_Zone_3",GEOGCS["GCS_Tokyo",DATUM["D_Tokyo",SPHEROID["Bessel_1841",'
    '6377397.155,299.1528128]],PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]],'
    'PROJECTION["Transverse_Mercator"],PARAMETER["False_Easting",0.0],PARAMETER["False_Northing",'
    '0.0],PARAMETER["Central_Meridian",132.1666666666667],PARAMETER["Scale_Factor",0.9999],'
    'PARAMETER["Latitude_Of_Origin",36.0],UNIT["Meter",1.0]]'
)
MIHARA = (133.08, 34.40)


@pytest.mark.parametrize("code", [c for codes in crs.SYSTEMS.values() for c in codes])
@pytest.mark.parametrize("spelling", ["number", "urn", "wkt1", "esri"])
def test_every_system_in_every_spelling(code, spelling):
    system = pyproj.CRS.from_epsg(code)
    written = {
        "number": f"EPSG:{code}",
        "urn": f"urn:ogc:def:crs:EPSG::{code}",
        "wkt1": system.to_wkt("WKT1_GDAL"),
        "esri": system.to_wkt("WKT1_ESRI"),
    }[spelling]
    found = crs.parse(written, file="a.prj")
    assert found.epsg == code
    assert found.accuracy == (0 if found.datum == "JGD2011" else 1)


@pytest.mark.parametrize("name", ["elementary_school_district", "junior_high_school_district"])
def test_the_prj_of_real_files(name):
    text = (CLIPS / "yaizu" / f"{name}.prj").read_text()
    assert crs.parse(text, file="a.prj").epsg == (2450 if name[0] == "e" else 6668)


def test_towgs84_beside_a_system_changes_nothing():
    wkt = pyproj.CRS("+proj=longlat +ellps=GRS80 +towgs84=0,0,0 +type=crs").to_wkt("WKT1_GDAL")
    with pytest.raises(Refused) as refused:  # an ellipsoid alone names no datum
        crs.parse(wkt, file="a.prj")
    assert refused.value.code == "FM540"
    jgd = 'GEOGCS["JGD2000",DATUM["Japanese_Geodetic_Datum_2000",SPHEROID["GRS 1980",6378137,298.257222101],TOWGS84[0,0,0,0,0,0,0]],PRIMEM["Greenwich",0],UNIT["degree",0.0174532925199433],AUTHORITY["EPSG","4612"]]'
    assert crs.parse(jgd, file="a.prj").epsg == 4612


@pytest.mark.parametrize(
    ("written", "around"),
    [
        ("EPSG:4301", MIHARA),
        (pyproj.CRS.from_epsg(4301).to_wkt("WKT1_ESRI"), MIHARA),
        (TOKYO_PRJ, (83_900.0, -177_400.0)),
        ("EPSG:30163", (83_900.0, -177_400.0)),
        (pyproj.CRS.from_epsg(4301).to_wkt("WKT1_GDAL"), MIHARA),
    ],
)
def test_tokyo_datum_is_refused_with_its_shift(written, around):
    with pytest.raises(Refused) as refused:
        crs.parse(written, file="a.prj", around=around)
    assert refused.value.code == "FM542"
    assert refused.value.detail["shift"] == "430"


@pytest.mark.parametrize("zone", range(30161, 30180))
def test_all_plane_zones_of_tokyo_datum(zone):
    for written in (f"EPSG:{zone}", pyproj.CRS.from_epsg(zone).to_wkt("WKT1_ESRI")):
        with pytest.raises(Refused, match="FM542"):
            crs.parse(written, file="a.prj")


def test_without_a_declaration_the_file_is_named_and_what_to_write():
    with pytest.raises(Refused) as refused:
        crs.parse("  \0", file="town.prj")
    assert refused.value.code == "FM541"
    assert refused.value.detail["prj"] == "town.prj"
    assert crs.parse(refused.value.detail["wkt"], file="town.prj").epsg == 6668


@pytest.mark.parametrize(
    "written",
    [
        "EPSG:2154", "EPSG:99999", "http://example.invalid/crs.wkt", "/etc/passwd", "+proj=longlat",
        "WGS84", "PROJCS[", 'GEOGCS["x"]', "GEOGCS[" * 500, "A[" + "9" * 30_000,
        pyproj.CRS.from_epsg(27700).to_wkt("WKT1_ESRI"),
        TOKYO_PRJ.replace("Tokyo", "JGD_2011").replace("Bessel_1841", "Clarke"),
        'LOCAL_CS["drawing",UNIT["m",1]]',
    ],
)  # fmt: skip
def test_what_is_not_known_is_refused(written):
    with pytest.raises(Refused, match="FM540"):
        crs.parse(written, file="a.prj")


@pytest.mark.parametrize("zone", [3, 8, 12])
def test_there_and_back(zone):
    system = crs.from_epsg(2442 + zone)
    east, north = crs.from_degrees(np.array([138.3]), np.array([34.85]), system)
    back = crs.degrees_of(east, north, system)
    assert np.allclose([back[0][0], back[1][0]], [138.3, 34.85], atol=1e-9, rtol=0)
    theirs = pyproj.Transformer.from_crs(4612, 2442 + zone, always_xy=True).transform(138.3, 34.85)
    assert np.allclose([east[0], north[0]], theirs, atol=1e-4, rtol=0)


def check(shapes, epsg, near=None):
    raw, system = np.array(shapes, dtype=object), crs.from_epsg(epsg)
    return crs.check_place(crs.to_degrees(raw, system), raw, system, near=near)


def test_exchanged_axes_are_noticed():
    with pytest.raises(Refused, match="FM543"):
        check([shapely.box(34.3, 133.0, 34.4, 133.1)], 6668)
    with pytest.raises(Refused, match="FM574"):
        check([shapely.box(0, 0, 1, 1)], 6668)
    with pytest.raises(Refused, match="FM574"):  # plane metres said to be degrees
        check([shapely.box(-20_000, -130_000, -19_000, -129_000)], 6668)


def test_exchanged_plane_axes_are_noticed_near_the_town():
    near = (138.2, 34.7, 138.4, 35.0)
    right, turned = (
        shapely.box(-20e3, -130e3, -19e3, -129e3),
        shapely.box(-130e3, -20e3, -129e3, -19e3),
    )
    check([right], 2450, near)
    check([turned], 2450)  # it lies in Japan as well, and nothing says that it should not
    with pytest.raises(Refused, match="FM543"):
        check([turned], 2450, near)
    with pytest.raises(Refused, match="FM574"):  # the coordinates of zone VIII declared as III
        check([right], 2445, near)


def test_one_wrong_place_does_not_refuse_the_rest():
    assert check([*[shapely.Point(138.3, 34.8)] * 3, shapely.Point(0, 0), None], 6668) is None
    assert check([None, shapely.Point()], 6668) is None
