"""The file is a GeoPackage by the letter; and the rules find what breaks them."""

import ctypes
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pyogrio
import pytest
from gpkg_rules import findings
from test_geopackage import METADATA, TITLE, facility_layers, town_layers

from futuremap.export.geopackage import BASELINE, write_geopackage


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    path = tmp_path_factory.mktemp("rules") / "town.gpkg"
    write_geopackage([*town_layers(hide=True), *facility_layers()], path, title=TITLE,
                     metadata=METADATA, scenario=BASELINE)  # fmt: skip
    return path


def test_nothing_is_found(whole):
    assert findings(whole) == []


def test_nothing_is_found_in_what_the_demo_publishes(demo_output):
    (path,) = (demo_output / "qgis").glob("*.gpkg")
    assert findings(path) == []


@pytest.mark.parametrize(
    ("damage", "rule"),
    [
        ("PRAGMA application_id = 1", "Req 2"),
        ("PRAGMA user_version = 10400", "Req 2"),
        ("DELETE FROM gpkg_spatial_ref_sys WHERE srs_id = -1", "Req 11"),
        ("UPDATE gpkg_spatial_ref_sys SET organization='me' WHERE srs_id=6668", "Req 10"),
        ("INSERT INTO gpkg_contents (table_name, data_type) VALUES ('none', 'features')", "Req 14"),
        ("UPDATE gpkg_contents SET last_change='today' WHERE table_name='facilities'", "Req 15"),
        ("UPDATE gpkg_contents SET data_type='a' WHERE table_name='layer_styles'", "Req 17"),
        ("UPDATE gpkg_contents SET srs_id=4326 WHERE table_name='facilities'", "Req 16"),
        ("ALTER TABLE facilities ADD COLUMN x UUID", "Req 5"),
        ("DELETE FROM gpkg_geometry_columns WHERE table_name='facilities'", "Req 22-23"),
        ("UPDATE gpkg_geometry_columns SET geometry_type_name='POINT'", "Req 24-25"),
        ("UPDATE gpkg_geometry_columns SET z=1", "Req 26-28"),
        ("UPDATE facilities_by_year SET geom = zeroblob(40) WHERE fid = 1", "Req 19"),
        ("UPDATE gpkg_contents SET max_x=1 WHERE table_name='town_blocks'", "outside the bounds"),
        ("DROP TRIGGER rtree_town_blocks_geom_update1", "Req 77"),
        ("DELETE FROM rtree_town_blocks_geom WHERE id = 2", "Req 77"),
        ("UPDATE gpkg_extensions SET scope='read-write'", "Req 64"),
        ("DELETE FROM gpkg_extensions WHERE extension_name='gpkg_schema'", "Req 58"),
        ("UPDATE gpkg_data_columns SET column_name='x' WHERE column_name='opened'", "Req 104"),
        ("UPDATE gpkg_data_columns SET constraint_name='x'", "Req 106"),
        ("UPDATE gpkg_metadata_reference SET table_name='facilities'", "Req 97"),
        ("UPDATE gpkg_metadata_reference SET timestamp='now'", "Req 100"),
        ("DELETE FROM gpkg_metadata", "Req 101"),
        ("DROP TABLE gpkg_data_column_constraints", "gpkg_data_column_constraints: its columns"),
    ],
)  # fmt: skip
def test_what_breaks_a_rule_is_found(whole, tmp_path, damage, rule):
    path = shutil.copy(whole, tmp_path / "town.gpkg")
    with closing(sqlite3.connect(path)) as db, db:
        # GDAL's triggers call functions that only it has
        names = [r[0] for r in db.execute("SELECT name FROM sqlite_master WHERE type='trigger'")]
        if "UPDATE facilities_by_year" in damage:
            for name in names:
                db.execute(f'DROP TRIGGER "{name}"')
        db.execute(damage)
    assert any(rule in finding for finding in findings(path)), findings(path)


def gdal_fields(path, layer):
    """Alias and comment of every column, as the GDAL in pyogrio's wheel says through its C API."""
    folder = Path(pyogrio.__file__).parents[1]
    (library,) = [*folder.glob("pyogrio.libs/libgdal*"), *folder.glob("pyogrio/.dylibs/libgdal*")]
    gdal = ctypes.CDLL(str(library))
    pointers = ("GDALOpenEx", "GDALDatasetGetLayerByName", "OGR_L_GetLayerDefn",
                "OGR_FD_GetFieldDefn")  # fmt: skip
    for name in pointers:
        getattr(gdal, name).restype = ctypes.c_void_p
    texts = ("OGR_Fld_GetNameRef", "OGR_Fld_GetAlternativeNameRef", "OGR_Fld_GetComment")
    for name in texts:
        getattr(gdal, name).restype = ctypes.c_char_p
    gdal.GDALAllRegister()
    held = ctypes.c_void_p(gdal.GDALOpenEx(str(path).encode(), 4, None, None, None))
    table = ctypes.c_void_p(gdal.GDALDatasetGetLayerByName(held, layer.encode()))
    about = ctypes.c_void_p(gdal.OGR_L_GetLayerDefn(table))
    found = {}
    for i in range(gdal.OGR_FD_GetFieldCount(about)):
        column = ctypes.c_void_p(gdal.OGR_FD_GetFieldDefn(about, i))
        name, alias, comment = (getattr(gdal, text)(column).decode() for text in texts)
        found[name] = (alias, comment)
    gdal.GDALClose(held)
    return found


def test_gdal_reads_names_definitions_and_metadata(whole):
    # the GDAL of pyogrio; it takes the aliases of columns from gpkg_data_columns since 3.7
    about = pyogrio.read_info(whole, layer="town_blocks")
    assert about["crs"] == "EPSG:6668"
    assert about["features"] == 5
    assert about["layer_metadata"]["IDENTIFIER"] == "［合成データ］試験市 町丁"
    assert "出典：" in about["layer_metadata"]["DESCRIPTION"]
    assert '"scenario"' in about["dataset_metadata"]["GPKG_METADATA_ITEM_1"]
    fields = gdal_fields(whole, "town_blocks")
    definition = "65歳以上人口を人口で割った割合（Share aged 65 and over (%)）"
    assert fields["ageing_rate_2053"] == ("高齢化率 2053年（％）", definition)
    assert all(alias for alias, _ in fields.values())
