"""The written documents: valid, exact, the same every time."""

import hashlib
import io
import zipfile
from itertools import pairwise

import numpy as np
import pytest
import shapely

from futuremap.core.layer import View
from futuremap.errors import ExportError
from futuremap.export.kml import EARTH_PRO, EARTH_WEB, write_earth
from futuremap.export.kml.schema import schema_errors

NASTY = [
    "A & B",
    "<script>x</script>",
    "]]>",
    "\x0b\x00",
    "$[name]",
    "\ud800",
    "\U0001f3eb",
    "日本語",
    "'\"",
    "",
]
PROFILES = pytest.mark.parametrize("profile", [EARTH_WEB, EARTH_PRO], ids=lambda p: p.name)


def signed_area(ring):
    return sum(a[0] * b[1] - b[0] * a[1] for a, b in pairwise(ring))


@PROFILES
def test_nasty_names_are_valid_and_read_back(make_states, tmp_path, read, profile):
    ids = sorted(NASTY)
    (path,) = write_earth(make_states(len(NASTY), names=NASTY, ids=ids), tmp_path, profile=profile)
    assert schema_errors(path) == []
    names = read(path).texts("//Placemark/name")[: len(NASTY)]
    assert names == [
        "A & B",
        "<script>x</script>",
        "]]>",
        "��",
        "$[name]",
        "�",
        "\U0001f3eb",
        "日本語",
        "'\"",
        "",
    ]
    for text in read(path).texts("//Placemark/description"):
        assert "<script" not in text
        assert "$[" not in text


@PROFILES
def test_titles_notes_and_credits_are_escaped(make_layer, tmp_path, read, profile):
    from futuremap.core.layer import Text

    nasty = Text("<b>&]]>$[name]\x0b", "<i>")
    layer = make_layer(title=nasty, place=nasty, notes=(nasty,))
    (path,) = write_earth([layer], tmp_path, profile=profile)
    assert schema_errors(path) == []
    assert read(path).texts("//Document/name")[0].startswith("<b>&]]>$[name]�")
    assert "<b>&]" not in read(path).texts("//Document/description")[0]


@PROFILES
def test_two_runs_write_the_same_bytes(make_states, tmp_path, profile):
    states = make_states(50, synthetic=True)
    runs = [write_earth(states, tmp_path / run, profile=profile)[0] for run in ("a", "b")]
    assert len({hashlib.sha256(path.read_bytes()).hexdigest() for path in runs}) == 1


def test_kmz_starts_with_the_document_and_has_no_dates(make_states, tmp_path, read):
    (path,) = write_earth(make_states(), tmp_path, profile=EARTH_WEB)
    members = read(path).members
    assert [m.filename for m in members] == ["doc.kml", "files/legend.png"]
    assert {m.date_time for m in members} == {(1980, 1, 1, 0, 0, 0)}
    assert {m.compress_type for m in members} == {zipfile.ZIP_DEFLATED}
    assert {m.flag_bits & 0x08 for m in members} == {0}


@PROFILES
def test_only_the_first_state_is_shown(make_states, tmp_path, read, profile):
    (path,) = write_earth(make_states(4), tmp_path, profile=profile)
    doc = read(path)
    folders = [f for f in doc.all("//Folder") if f.get("id") != "states"]
    names = [f.findtext("{*}name") for f in folders]
    assert names == ["現況（2020年）", "将来（2050年）", "増減（2020→2050年）"]
    assert [f.findtext("{*}visibility") for f in folders] == ["1", "0", "0"]
    assert [f.findtext("{*}open") for f in folders] == ["1", "0", "0"]
    assert doc.texts("//Placemark/visibility") == ["1"] * 4 + ["0"] * 8


def test_pro_shows_one_state_at_a_time_and_web_knows_no_lists(make_states, tmp_path, read):
    (pro,) = write_earth(make_states(), tmp_path / "pro", profile=EARTH_PRO)
    (web,) = write_earth(make_states(), tmp_path / "web", profile=EARTH_WEB)
    assert read(pro).texts("//ListStyle/listItemType") == ["radioFolder"]
    assert read(pro).texts("//Folder/styleUrl") == ["#style-radio"]
    assert read(web).all("//ListStyle") == []


def test_ids_are_unique_over_all_states(make_states, tmp_path, read):
    (path,) = write_earth(make_states(9), tmp_path, profile=EARTH_PRO)
    ids = read(path).root.xpath("//@id")
    assert len(ids) == len(set(ids))
    assert {"now-z000000", "y2050-z000000", "change-z000000"} <= set(ids)


def test_rings_turn_the_right_way_and_holes_stay(make_layer, tmp_path, read):
    hole = shapely.box(134.2, 34.2, 134.4, 34.4)
    clockwise = shapely.Polygon(
        list(shapely.box(134, 34, 135, 35).exterior.coords)[::-1], [list(hole.exterior.coords)]
    )
    islands = shapely.MultiPolygon(
        [shapely.box(136, 34, 137, 35).reverse(), shapely.box(138, 34, 139, 35)]
    )
    (path,) = write_earth([make_layer(shapes=[clockwise, islands])], tmp_path, profile=EARTH_WEB)
    doc = read(path)
    outer, inner = doc.rings("//outerBoundaryIs"), doc.rings("//innerBoundaryIs")
    assert len(outer) == 3
    assert all(signed_area(ring) > 0 for ring in outer)
    assert [signed_area(ring) < 0 for ring in inner] == [True]
    assert all(ring[0] == ring[-1] for ring in outer + inner)
    assert len(doc.all("//MultiGeometry/Polygon")) == 2


def test_heights_are_metres_above_the_ground(make_layer, tmp_path, read):
    layer = make_layer(now=[10.0, 20.26, 0.0], shapes=None, count=3, metres_per_unit=5.0)
    (path,) = write_earth([layer], tmp_path, profile=EARTH_WEB)
    doc = read(path)
    assert [{z for *_, z in ring} for ring in doc.rings("//outerBoundaryIs")] == [
        {50.0},
        {101.3},
        {0.0},
    ]
    assert doc.texts("//altitudeMode")[-3:] == [
        "relativeToGround",
        "relativeToGround",
        "clampToGround",
    ]
    assert doc.texts("//Polygon/extrude") == ["1", "1"]


def test_shapes_without_height_are_outlines(make_layer, tmp_path, read):
    (path,) = write_earth([make_layer(count=2, now=[0.0, 0.01])], tmp_path, profile=EARTH_WEB)
    doc = read(path)
    assert doc.texts("//Placemark/styleUrl") == ["#style-now-flat"] * 2
    assert doc.texts("//Style/PolyStyle/fill") == ["0"]
    assert [s.get("id") for s in doc.all("//Style")] == ["style-now-flat"]


def test_a_change_is_drawn_by_its_size_and_read_by_its_sign(make_layer, tmp_path, read):
    (path,) = write_earth(
        [make_layer("change", 1, now=[1000.0], later=[400.0])], tmp_path, profile=EARTH_WEB
    )
    doc = read(path)
    assert {z for *_, z in doc.rings("//outerBoundaryIs")[0]} == {1200.0}
    assert "人口の増減 -600.0 人" in doc.texts("//Placemark/description")[0]
    assert "-50％未満" in doc.texts("//Placemark/description")[0]


def test_unknown_colours_have_their_class(make_layer, tmp_path, read):
    layer = make_layer(count=2, ageing=[np.nan, 25.0])
    (path,) = write_earth([layer], tmp_path, profile=EARTH_WEB)
    doc = read(path)
    assert doc.texts("//Placemark/styleUrl") == ["#style-now-4", "#style-now-1"]
    assert doc.texts("//Style[@id='style-now-4']/PolyStyle/color") == ["ff9e9e9e"]
    assert "高齢化率 — ％（不明）" in doc.texts("//Placemark/description")[0]


def test_points_become_columns_of_the_right_width(make_layer, tmp_path, read):
    view = View(134.0, 34.0, 15_000.0)
    layer = make_layer(shapes=[shapely.Point(134, 34), shapely.Point(135, 45)], view=view)
    (path,) = write_earth([layer], tmp_path, profile=EARTH_WEB)
    for (longitude, latitude), ring in zip(
        [(134, 34), (135, 45)], read(path).rings("//outerBoundaryIs"), strict=True
    ):
        assert len(ring) == 13
        east = [(x - longitude) * 111_320 * np.cos(np.radians(latitude)) for x, _, _ in ring]
        north = [(y - latitude) * 111_320 for _, y, _ in ring]
        assert np.hypot(east, north) == pytest.approx(150, abs=0.15)


def test_features_that_are_not_shown_are_left_out(make_layer, tmp_path, read):
    layer = make_layer(count=3, shown=[True, False, True])
    (path,) = write_earth([layer], tmp_path, profile=EARTH_WEB)
    assert read(path).texts("//Placemark/name") == ["0丁目", "2丁目"]


def test_values_are_data_with_names(make_layer, tmp_path, read):
    (path,) = write_earth([make_layer(count=1, now=[1234.56])], tmp_path, profile=EARTH_WEB)
    doc = read(path)
    assert doc.texts("//Data/displayName")[0] == "人口 2020年（人）"
    assert doc.texts("//Data/value")[:2] == ["1234.6", "740.7"]
    assert [d.get("name") for d in doc.all("//Data")] == [
        "population_2020",
        "population_2050",
        "address",
        "ageing_rate_2020",
    ]
    assert '<td align="right">1,234.6</td>' in doc.texts("//Placemark/description")[0]


def test_made_up_data_say_so_everywhere(make_states, tmp_path, read):
    (path,) = write_earth(make_states(synthetic=True), tmp_path, profile=EARTH_WEB)
    doc = read(path)
    assert "合成データ" in doc.texts("//Document/name")[0]
    assert all("合成データ" in text for text in doc.texts("//BalloonStyle/text"))
    assert all("合成データ" in text for text in doc.texts("//Folder/description"))
    (plain,) = write_earth(make_states(), tmp_path, profile=EARTH_WEB)
    assert "合成データ" not in read(plain).text


def test_the_scale_stands_in_every_state(make_states, tmp_path, read):
    (path,) = write_earth(make_states(metres_per_unit=0.05), tmp_path, profile=EARTH_WEB)
    assert all("100 人 ＝ 5 m" in text for text in read(path).texts("//Folder/description"))


@pytest.mark.parametrize(
    "shape", [None, shapely.Point(), shapely.box(134, 34, 135, 99), shapely.Polygon()]
)
def test_what_cannot_be_drawn_is_refused_by_name(make_layer, tmp_path, shape):
    layer = make_layer(shapes=[shapely.box(134, 34, 135, 35), shape])
    with pytest.raises(ExportError, match=r"1 shapes .*: z000001"):
        write_earth([layer], tmp_path, profile=EARTH_WEB)
    assert list(tmp_path.iterdir()) == []


def test_slivers_that_rounding_makes_flat_do_no_harm(make_layer, tmp_path, read):
    sliver = shapely.box(134, 34, 134.0000001, 34.0000001)
    town = shapely.MultiPolygon([shapely.box(135, 34, 136, 35), sliver])
    (path,) = write_earth([make_layer(shapes=[sliver, town])], tmp_path, profile=EARTH_WEB)
    assert len(read(path).all("//Polygon")) == 2
    assert schema_errors(path) == []


def test_crossing_rings_do_no_harm(make_layer, tmp_path):
    bow = shapely.Polygon([(134, 34), (135, 35), (135, 34), (134, 35.5)])
    assert write_earth([make_layer(shapes=[bow, bow.reverse()])], tmp_path, profile=EARTH_WEB)


def test_layers_with_different_scales_are_refused(make_layer, tmp_path):
    layers = [make_layer("now"), make_layer("future", metres_per_unit=3.0)]
    with pytest.raises(ExportError, match="scale"):
        write_earth(layers, tmp_path, profile=EARTH_WEB)


def test_a_full_disk_is_an_export_error(make_layer, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ExportError, match="cannot be written"):
        write_earth([make_layer()], tmp_path / "file", profile=EARTH_WEB)


def test_a_refused_run_leaves_the_old_file(make_layer, tmp_path, monkeypatch):
    (path,) = write_earth([make_layer()], tmp_path, profile=EARTH_WEB)
    before = path.read_bytes()
    monkeypatch.setattr("futuremap.export.kml.document.colour", lambda *_: "blue")
    with pytest.raises(ExportError, match="aabbggrr"):
        write_earth([make_layer(count=9)], tmp_path, profile=EARTH_WEB)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_several_futures_stand_side_by_side(make_layer, tmp_path, read):
    layers = [make_layer("future", year=2040), make_layer("now"), make_layer("future", year=2050)]
    (path,) = write_earth(layers, tmp_path, profile=EARTH_WEB, prefix="x_")
    assert path.name == "x_town_blocks.kmz"
    assert read(path).texts("//Folder/name") == [
        "現況（2020年）",
        "将来（2040年）",
        "将来（2050年）",
    ]
    with pytest.raises(ExportError, match="twice"):
        write_earth([layers[0], layers[0]], tmp_path, profile=EARTH_WEB)
    with pytest.raises(ExportError, match="no layer"):
        write_earth([], tmp_path, profile=EARTH_WEB)


def test_libkml_reads_the_same(make_layer, tmp_path):
    import pyogrio

    assert "LIBKML" in pyogrio.list_drivers()  # it comes with pyogrio's wheels
    layer = make_layer("now", 7, names=["A & B <c>", *"bcdefg"])
    (path,) = write_earth([layer], tmp_path, profile=EARTH_WEB)
    doc = tmp_path / "doc.kml"
    with zipfile.ZipFile(path) as archive:
        doc.write_bytes(archive.read("doc.kml"))
    frame = pyogrio.read_dataframe(doc, layer="現況（2020年）")
    assert list(frame["Name"]) == ["A & B <c>", *"bcdefg"]
    assert list(map(float, frame["population_2020"])) == [100, 250, 400, 550, 700, 850, 1000]
    tops = [shapely.get_coordinates(g, include_z=True)[:, 2].max() for g in frame.geometry]
    assert tops == [200, 500, 800, 1100, 1400, 1700, 2000]
    assert shapely.force_2d(frame.geometry.to_numpy()[0]).equals(layer.features.geometry.iloc[0])


def test_legend_is_in_the_file_and_referred_to(make_layer, tmp_path, read):
    from PIL import Image

    (path,) = write_earth([make_layer()], tmp_path, profile=EARTH_WEB)
    assert read(path).texts("//ScreenOverlay/Icon/href") == ["files/legend.png"]
    assert Image.open(io.BytesIO(read(path).legend)).width == 380


def test_every_folder_and_the_document_have_a_first_view(make_states, tmp_path, read):
    (path,) = write_earth(make_states(), tmp_path, profile=EARTH_WEB)
    assert len(read(path).all("//Document/LookAt")) == 1
    assert len(read(path).all("//Folder/LookAt")) == 3
