import dataclasses
import hashlib
import json
import resource
import sqlite3
from contextlib import closing
from xml.etree import ElementTree as ET

import geopandas as gpd
import numpy as np
import pyogrio
import pytest
import shapely

from futuremap.core.classes import AGEING_RATE, SERVICE_YEARS, Classes
from futuremap.core.credits import Credit, register
from futuremap.core.layer import Layer, Text, View
from futuremap.errors import ExportError
from futuremap.export.geopackage import write_geopackage
from futuremap.export.geopackage.check import verify
from futuremap.export.geopackage.drawing import state_drawing, style_name
from futuremap.export.geopackage.expressions import by_class
from futuremap.export.geopackage.tables import theme_notes, theme_tables
from futuremap.export.geopackage.write import all_tables

TITLE = Text("試験市の将来", "Future of Test")
METADATA = {"versions": {"futuremap": "1"}, "credits": ["出典"]}
MADE_UP = Credit("made_up", "町の <年齢> [% 1 %]", "ages", licence="CC0", synthetic=True)
CHANGE = Classes(
    (-10.0, 10.0),
    ("減少", "横ばい", "増加"),
    ("less", "same", "more"),
    ("#b2182b", "#f7f7f7", "#2166ac"),
)
NOW, FUTURE = 2023, 2053


def layers_of(features, *, theme, kind, columns, classes, balloon, shown=None, credit=MADE_UP):
    count = len(features)
    shown = shown or {}
    titles = {"town_blocks": "町丁", "facilities": "施設"}
    return [
        Layer(
            theme=theme,
            title=Text(titles[theme], theme),
            place=Text("試験市", "Test"),
            kind=kind,
            state=state,
            year=NOW if state == "now" else FUTURE,
            base_year=NOW,
            features=features,
            height=columns[state][0],
            colour=columns[state][1],
            classes=classes[state],
            metres_per_unit=50.0,
            shown=np.asarray(shown.get(state, np.ones(count, dtype=bool))),
            balloon=balloon,
            notes=(Text(f"{theme}の注記", "note"),),
            credits=(register()["census"], credit),
            view=View(134.0, 34.3, 20_000.0),
        )
        for state in ("now", "future", "change")
    ]


def town_layers(*, hide=False, credit=MADE_UP):
    """Five squares whose ageing rates stand on, beside and between the class limits."""
    below = float(np.nextafter(30.0, 0.0))
    square = shapely.box(134.0, 34.3, 134.01, 34.31)
    shapes = [shapely.affinity.translate(square, 0.01 * i) for i in range(5)]
    shapes[4] = shapely.MultiPolygon([shapes[4]])
    features = gpd.GeoDataFrame(
        {
            "name": ["本町", "<b>&'\"町", "東町", "=西町", "南町"],
            "density_2023": [10.0, 20.0, 0.1, 40.0, 50.0],
            "density_2053": [8.0, 25.0, 0.1, 30.0, 50.0],
            "density_change_2053": [-2.0, 5.0, 0.0, -10.0, 0.0],
            "ageing_rate_2023": [20.0, below, 30.0, 50.0, 19.0],
            "ageing_rate_2053": [25.0, 35.0, 45.0, 55.0, 10.0],
            "change_rate_2053": [-20.0, 25.0, -10.0, -25.0, 10.0],
        },
        index=["01", "02", "03", "04", "05"],
        geometry=shapes,
        crs=6668,
    )
    unseen = np.array([True, True, False, True, True])
    return layers_of(
        features,
        theme="town_blocks",
        kind="town_block",
        columns={
            "now": ("density_2023", "ageing_rate_2023"),
            "future": ("density_2053", "ageing_rate_2053"),
            "change": ("density_change_2053", "change_rate_2053"),
        },
        classes={"now": AGEING_RATE, "future": AGEING_RATE, "change": CHANGE},
        balloon=("density_2023", "density_2053", "ageing_rate_2023"),
        shown={"now": unseen} if hide else None,
        credit=credit,
    )


def facility_layers():
    """Three places, one of unknown age and one without coordinates."""
    features = gpd.GeoDataFrame(
        {
            "name": ["小学校", "病院", "会館"],
            "facility_class": ["学校", "医療", None],
            "opened": [1990.0, np.nan, 2000.0],
            "people_in_reach_2023": [1000.0, 4000.0, np.nan],
            "people_in_reach_2053": [800.0, 2000.0, np.nan],
            "reach_change_2053": [-200.0, -2000.0, np.nan],
            "years_in_service_2023": [33.0, np.nan, np.nan],
            "years_in_service_2053": [63.0, np.nan, np.nan],
            "reach_change_rate_2053": [-20.0, -50.0, np.nan],
        },
        index=["a", "b", "c"],
        geometry=[shapely.Point(134.0, 34.3), shapely.Point(134.02, 34.31), None],
        crs=6668,
    )
    located = np.array([True, True, False])
    return layers_of(
        features,
        theme="facilities",
        kind="facility",
        columns={
            "now": ("people_in_reach_2023", "years_in_service_2023"),
            "future": ("people_in_reach_2053", "years_in_service_2053"),
            "change": ("reach_change_2053", "reach_change_rate_2053"),
        },
        classes={"now": SERVICE_YEARS, "future": SERVICE_YEARS, "change": CHANGE},
        balloon=("facility_class", "opened", "people_in_reach_2023", "years_in_service_2023"),
        shown=dict.fromkeys(("now", "future", "change"), located),
    )


@pytest.fixture
def path(tmp_path):
    target = tmp_path / "試験 市.gpkg"
    layers = [*town_layers(), *facility_layers()]
    write_geopackage(layers, target, title=TITLE, metadata=METADATA)
    return target


def query(path, sql):
    with closing(sqlite3.connect(path)) as db:
        return db.execute(sql).fetchall()


def style(path, name, table="town_blocks"):
    rows = query(path, "SELECT f_table_name, styleName, styleQML FROM layer_styles")
    (text,) = [row[2] for row in rows if row[:2] == (table, name)]
    return ET.fromstring(text)  # noqa: S314 - our own file


def test_one_table_a_theme_with_all_years(path):
    assert pyogrio.list_layers(path)[:, 0].tolist() == [
        "town_blocks",
        "facilities",
        "town_blocks_by_year",
        "facilities_by_year",
        "layer_styles",
    ]
    towns = pyogrio.read_dataframe(path, layer="town_blocks", fid_as_index=True)
    assert towns.index.tolist() == [1, 2, 3, 4, 5]
    assert towns.crs.to_epsg() == 6668
    assert towns["zone"].tolist() == ["01", "02", "03", "04", "05"]
    assert set(towns.geom_type) == {"MultiPolygon"}
    expected = town_layers()[0].features
    assert list(towns.columns) == ["zone", *expected.columns]
    assert towns["ageing_rate_2023"].tolist() == expected["ageing_rate_2023"].tolist()


def test_facilities_without_coordinates_keep_their_row(path):
    places = pyogrio.read_dataframe(path, layer="facilities")
    assert places["name"].tolist() == ["小学校", "病院", "会館"]
    assert places.geometry.isna().tolist() == [False, False, True]
    assert places["opened"].tolist()[::2] == [1990, 2000]
    assert query(path, "SELECT typeof(opened) FROM facilities") == [
        ("integer",),
        ("null",),
        ("integer",),
    ]


def test_titles_notes_credits_and_the_mark_of_made_up_data(path):
    rows = query(
        path, "SELECT identifier, description FROM gpkg_contents WHERE data_type='features'"
    )
    identifier, description = rows[0]
    assert identifier == "［合成データ］試験市 町丁"
    assert description.splitlines()[:2] == ["合成データを含みます。", "town_blocksの注記"]
    assert "出典：総務省統計局「国勢調査」" in description


def test_measured_data_carry_no_such_mark(tmp_path):
    target = tmp_path / "a.gpkg"
    layers = town_layers(credit=register()["ksj_n03"])
    write_geopackage(layers, target, title=TITLE, metadata={})
    rows = query(target, "SELECT identifier, description FROM gpkg_contents")
    assert "合成" not in str(rows[0])


def test_version_that_qgis_3_22_knows(path):
    assert query(path, "PRAGMA user_version") == [(10300,)]
    assert query(path, "PRAGMA journal_mode") == [("delete",)]
    assert query(path, "PRAGMA application_id") == [(0x47504B47,)]


def test_aliases_in_data_columns_and_in_the_style(path):
    wanted = {"zone": "区域コード", "ageing_rate_2053": "高齢化率 2053年（％）"}
    columns = dict(
        query(
            path, "SELECT column_name, name FROM gpkg_data_columns WHERE table_name='town_blocks'"
        )
    )
    aliases = {a.get("field"): a.get("name") for a in style(path, "現況2023").iter("alias")}
    assert wanted.items() <= columns.items()
    assert columns == aliases
    names = [row[1] for row in query(path, "PRAGMA table_info(town_blocks)")]
    assert set(columns) == set(names) - {"fid", "geom"}


def test_extensions_are_registered(path):
    rows = query(path, "SELECT table_name, extension_name FROM gpkg_extensions")
    assert {
        ("gpkg_data_columns", "gpkg_schema"),
        ("gpkg_data_column_constraints", "gpkg_schema"),
        ("gpkg_metadata", "gpkg_metadata"),
        ("gpkg_metadata_reference", "gpkg_metadata"),
        ("town_blocks", "gpkg_rtree_index"),
    } <= set(rows)


def test_metadata_is_the_given_json_with_the_title(path):
    ((text, kind),) = query(path, "SELECT metadata, mime_type FROM gpkg_metadata")
    assert kind == "application/json"
    assert json.loads(text) == {
        **METADATA,
        "title": {"ja": TITLE.ja, "en": TITLE.en},
    }
    assert query(path, "SELECT reference_scope, md_file_id FROM gpkg_metadata_reference") == [
        ("geopackage", 1)
    ]


def test_a_style_for_each_state_and_now_by_default(path):
    rows = query(path, "SELECT f_table_name, styleName, useAsDefault FROM layer_styles")
    states = [("現況2023", 1), ("将来2053", 0), ("増減2023-2053", 0)]
    assert rows == [
        *((table, *state) for table in ("town_blocks", "facilities") for state in states),
        ("town_blocks_by_year", "各年", 1),
        ("facilities_by_year", "各年", 1),
    ]


def test_classes_in_the_renderer(path):
    ranges = list(style(path, "現況2023").iter("range"))
    assert [r.get("label") for r in ranges] == list(AGEING_RATE.labels_ja)
    # a limit belongs to the class above it, as in Classes.index
    assert float(ranges[1].get("lower")) == 20.0
    assert float(ranges[0].get("upper")) == np.nextafter(20.0, 0.0)
    categories = list(style(path, "現況2023", "facilities").iter("category"))
    assert [c.get("label") for c in categories] == [*SERVICE_YEARS.labels_ja, "不明"]


def test_hidden_features_are_marked_in_a_column(tmp_path):
    target = tmp_path / "a.gpkg"
    write_geopackage(town_layers(hide=True), target, title=TITLE, metadata={})
    rows = query(target, "SELECT shown_now_2023, shown_future_2053 FROM town_blocks")
    assert rows == [(1, 1), (1, 1), (0, 1), (1, 1), (1, 1)]
    attr = style(target, "現況2023").find("renderer-v2").get("attr")
    assert attr == 'CASE WHEN "shown_now_2023" = 1 THEN "ageing_rate_2023" END'


def test_same_layers_same_bytes(tmp_path):
    digests = set()
    for folder in ("a", "b"):  # its projects know a file by its name
        (tmp_path / folder).mkdir()
        layers = [*town_layers(), *facility_layers()]
        path = tmp_path / folder / "town.gpkg"
        written = write_geopackage(layers, path, title=TITLE, metadata=METADATA)
        assert sorted(path.parent.iterdir()) == sorted(written)
        digests.add(tuple(hashlib.sha256(p.read_bytes()).hexdigest() for p in written))
    assert len(digests) == 1
    names = ["town.gpkg", "town_future.qgz", "town_now.qgz"]
    assert sorted(p.name for p in written) == names
    assert pyogrio.get_gdal_config_option("OGR_CURRENT_DATE") is None


def test_a_file_that_is_there_is_replaced(path):
    write_geopackage(town_layers(), path, title=TITLE, metadata={})
    assert "facilities" not in pyogrio.list_layers(path)[:, 0]


def renamed(layer):
    return dataclasses.replace(layer, features=layer.features.assign(name="another"))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda _: [], "no layer"),
        (lambda layers: [*layers, layers[0]], "twice"),
        (lambda layers: [layers[0], renamed(layers[1])], "share their features"),
    ],
)
def test_layers_that_do_not_fit_are_refused(tmp_path, spoil, message):
    with pytest.raises(ExportError, match=message):
        write_geopackage(spoil(town_layers()), tmp_path / "a.gpkg", title=TITLE, metadata={})


def test_names_of_tables_are_plain():
    layers = town_layers()
    for theme in ("町丁", "gpkg_x", 'a"; DROP TABLE b', "layer_styles"):
        object.__setattr__(layers[0], "theme", theme)
        with pytest.raises(ExportError, match="name of a table"):
            theme_tables(layers[:1])


def test_a_folder_that_is_not_there_is_an_export_error(tmp_path):
    with pytest.raises(ExportError, match="none"):
        write_geopackage(town_layers(), tmp_path / "none" / "a.gpkg", title=TITLE, metadata={})


@pytest.mark.parametrize("size", [4_000, 120_000, 500_000])
def test_a_file_that_cannot_grow_is_an_export_error_and_the_earlier_one_stays(path, size):
    before = {p: p.read_bytes() for p in path.parent.iterdir()}
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        with pytest.raises(ExportError) as refused:
            write_geopackage(town_layers(), path, title=TITLE, metadata=METADATA)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert (refused.value.code, refused.value.file) == ("FM722", str(path))
    assert {p: p.read_bytes() for p in path.parent.iterdir()} == before


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        ("DELETE FROM layer_styles WHERE id = 2", "styles: 2 rows of 3"),
        ("DELETE FROM rtree_town_blocks_geom WHERE id = 1", "rtree_town_blocks_geom: 4 rows of 5"),
        (
            "INSERT INTO gpkg_metadata_reference VALUES ('table', 'x', NULL, NULL, '', 9, NULL)",
            "foreign key",
        ),
        ("PRAGMA journal_mode = WAL", "journal"),
    ],
)
def test_the_check_finds_what_is_missing(path, damage, message):
    with closing(sqlite3.connect(path)) as db, db:
        db.execute(damage)
    with pytest.raises(ExportError, match=message):
        verify(path, all_tables([*town_layers(), *facility_layers()]))


def test_the_check_finds_a_damaged_file(path):
    raw = bytearray(path.read_bytes())
    raw[8192:40960] = b"\xff" * 32768
    path.write_bytes(raw)
    with pytest.raises((ExportError, sqlite3.DatabaseError)):
        verify(path, theme_tables(town_layers()))


def test_words_of_the_data_are_not_run_in_map_tips():
    layers = town_layers()
    tip = state_drawing(layers[0], layers, marked=False).tip
    assert "町の &lt;年齢&gt; [&#37; 1 %]" in tip
    assert """[% replace("name", map('&','&amp;','<','&lt;','>','&gt;')) %]""" in tip


def test_the_class_expression_follows_the_limits():
    layer = facility_layers()[0]
    rule = by_class(layer.colour, layer.classes, ["a'", "b", "c", "d", "?"], only="")
    column = '"years_in_service_2023"'
    assert rule == (
        f"CASE WHEN {column} IS NULL THEN '?' WHEN {column} < 15.0 THEN 'a''' "
        f"WHEN {column} < 30.0 THEN 'b' WHEN {column} < 60.0 THEN 'c' ELSE 'd' END"
    )


def test_a_note_of_one_state_says_so():
    layers = town_layers()
    only = Text("52施設は描いていません。", "52 are not drawn.")
    object.__setattr__(layers[0], "notes", (*layers[0].notes, only))
    assert theme_notes(layers) == ["town_blocksの注記", "現況（2023年）：52施設は描いていません。"]


def test_names_of_styles_fit_their_column():
    assert max(len(style_name(layer)) for layer in town_layers()) <= 30
