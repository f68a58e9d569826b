"""Tiles of a country of mesh cells: small files, whole sums, one mesh at every distance."""

import hashlib
import posixpath
import re
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from lxml import etree

from futuremap.core import mesh
from futuremap.errors import ExportError
from futuremap.export.kml import EARTH_PRO, EARTH_WEB, write_overlay
from futuremap.export.kml.labels import Label
from futuremap.export.kml.lint import lint
from futuremap.export.kml.schema import schema_errors

BENCH = Path(__file__).resolve().parents[3] / "scripts" / "bench"
K = {"k": "http://www.opengis.net/kml/2.2"}


@pytest.fixture(scope="module")
def meshes():
    sys.path.insert(0, str(BENCH))
    try:
        from kml_prefecture import prefecture
    finally:
        sys.path.remove(str(BENCH))
    return prefecture(1, 2, empty=0.6)


@pytest.fixture(scope="module")
def written(meshes, tmp_path_factory):
    (path,) = write_overlay(meshes, tmp_path_factory.mktemp("tiles"), profile=EARTH_PRO)
    return path


@pytest.fixture(scope="module")
def documents(written):
    with zipfile.ZipFile(written) as archive:
        names = [name for name in archive.namelist() if name.endswith(".kml")]
        return {name: etree.fromstring(archive.read(name)) for name in names}


def of_state(documents, key):
    return {n: d for n, d in documents.items() if n.startswith(f"tiles/{key}/")}


def codes(root):
    return [e.text for e in root.xpath("//k:Placemark/k:name", namespaces=K)]


def test_it_is_valid_sound_and_the_same_every_time(meshes, written, tmp_path):
    assert schema_errors(written) == []
    assert lint(written, profile=EARTH_PRO, doubts=True) == []
    (again,) = write_overlay(meshes[::-1], tmp_path, profile=EARTH_PRO)
    digests = {hashlib.sha256(path.read_bytes()).hexdigest() for path in (written, again)}
    assert len(digests) == 1
    assert written.name == "mesh250.kmz"
    assert list(tmp_path.iterdir()) == [again]


def test_every_cell_that_is_shown_stands_in_one_tile(meshes, documents):
    for number, key in enumerate(("now", "y2050", "change")):
        found = {}
        for name, root in of_state(documents, key).items():
            cells = codes(root)
            assert len(cells) <= 1600
            assert len({code[:6] for code in cells}) == 1 or len(posixpath.basename(name)) == 8
            for code in cells:
                assert found.setdefault(code, name) == name
        for states in meshes:
            layer = states[number]
            shown = set(layer.features.index[layer.shown])
            level = {len(code) for code in shown}
            assert {code for code in found if {len(code)} == level} == shown


def test_every_parent_is_the_sum_of_its_children(documents):
    people = {}
    for name, root in of_state(documents, "now").items():
        for place in root.xpath("//k:Placemark", namespaces=K):
            code = place.findtext("k:name", namespaces=K)
            (value,) = place.xpath(
                "k:ExtendedData/k:Data[@name='population_2020']/k:value", namespaces=K
            )
            people[code] = (float(value.text), name)
    checked = 0
    for level in ("10km", "1km", "500m"):
        span = len(mesh.encode(34.01, 132.01, level=level))
        digits = {"10km": 8, "1km": 9, "500m": 10}[level]
        for code, (count, _) in people.items():
            if len(code) != span:
                continue
            parts = [v for c, (v, _) in people.items() if len(c) == digits and c.startswith(code)]
            # every written number is rounded to a tenth, and cells under half a person left out
            slack = 0.05 * (len(parts) + 1) + 0.5 * (mesh.Level(level).span ** 2)
            assert abs(count - sum(parts)) <= slack
            checked += 1
    assert checked > 500


def test_sums_are_exact_in_the_layers(meshes):
    fine, *coarser = [states[1].features["population_2050"] for states in meshes]
    for larger in coarser:
        level = mesh.level_of(larger.index[0])
        summed = fine.groupby(mesh.parent(fine.index.tolist(), level)).sum()
        np.testing.assert_allclose(larger.loc[summed.index], summed, rtol=1e-12)


def ranges(documents, key):
    """For every tile: the widths on the screen between which each mesh is drawn."""
    found = {}
    for name, root in of_state(documents, key).items():
        for region in root.xpath("//k:Folder/k:Region | //k:Placemark/k:Region", namespaces=K):
            low, high = (int(region.findtext(f".//k:{end}LodPixels", namespaces=K))
                         for end in ("min", "max"))  # fmt: skip
            owner = region.getparent()
            code = owner.findtext("k:name", namespaces=K)
            tile = code if owner.tag.endswith("Placemark") else posixpath.basename(name)[:6]
            found.setdefault(tile, []).append((low, high))
    return found


def test_at_every_distance_one_mesh_is_drawn(documents):
    for key in ("now", "y2050", "change"):
        tiles = ranges(documents, key)
        assert len(tiles) == 2
        for spans in tiles.values():
            for pixels in (0, 1, 100, 127, 130, 255, 300, 600, 5000):
                drawn = [
                    low for low, high in spans if low <= pixels and (pixels < high or high < 0)
                ]
                assert len(drawn) == 1, (pixels, spans)


def test_links_lead_to_smaller_cells_when_their_region_is_near(documents):
    root = documents["doc.kml"]
    seen = [(name, root) for name in ("doc.kml",)]
    reached = set()
    while seen:
        name, document = seen.pop()
        for link in document.xpath("//k:NetworkLink", namespaces=K):
            href = link.findtext("k:Link/k:href", namespaces=K)
            target = posixpath.normpath(posixpath.join(posixpath.dirname(name), href))
            assert link.findtext("k:Link/k:viewRefreshMode", namespaces=K) == "onRegion"
            assert target in documents
            reached.add(target)
            seen.append((target, documents[target]))
            low = int(link.findtext("k:Region/k:Lod/k:minLodPixels", namespaces=K))
            shown = documents[target].xpath("//k:Folder/k:Region//k:minLodPixels", namespaces=K)
            assert [int(one.text) for one in shown] in ([], [low])
    assert reached == set(documents) - {"doc.kml"}
    visible = {
        folder.get("id"): {v.text for v in folder.xpath("k:NetworkLink/k:visibility", namespaces=K)}
        for folder in root.xpath("//k:Folder[starts-with(@id, 'folder-')]", namespaces=K)
    }
    assert visible == {"folder-now": {"1"}, "folder-y2050": {"0"}, "folder-change": {"0"}}


def test_regions_hold_the_roofs_and_lie_on_the_lines_of_the_mesh(documents):
    for root in of_state(documents, "now").values():
        for folder in root.xpath("//k:Folder[k:Region]", namespaces=K):
            box = folder.find("k:Region/k:LatLonAltBox", K)
            top = float(box.findtext("k:maxAltitude", namespaces=K))
            assert float(box.findtext("k:minAltitude", namespaces=K)) == 0
            corners = np.array(
                [
                    [float(part) for part in corner.split(",")]
                    for text in folder.xpath(".//k:coordinates", namespaces=K)
                    for corner in text.text.split()
                ]
            )
            assert 0 < corners[:, 2].max() <= top
            sides = {side: float(box.findtext(f"k:{side}", namespaces=K))
                     for side in ("west", "east", "south", "north")}  # fmt: skip
            assert sides["west"] - 1e-6 <= corners[:, 0].min()
            assert corners[:, 0].max() <= sides["east"] + 1e-6
            assert sides["east"] - sides["west"] == pytest.approx(0.125)
            assert sides["north"] - sides["south"] == pytest.approx(1 / 12)


def test_balloons_are_filled_from_the_data_of_the_feature(documents):
    name, root = next(iter(of_state(documents, "change").items()))
    text = root.findtext(".//k:BalloonStyle/k:text", namespaces=K)
    wanted = set(re.findall(r"\$\[([^\]]+)\]", text)) - {"description"}
    (place, *_) = root.xpath("//k:Placemark", namespaces=K)
    data = {one.get("name") for one in place.iterfind(".//k:Data", K)}
    assert wanted
    assert wanted <= data, name
    for said in ("高さ：", "色：", "→ 2050年", "出典"):
        assert said in text
    assert "推計です" in place.findtext("k:description", namespaces=K)


def test_names_and_the_legend_stand_in_the_first_document(meshes, tmp_path):
    town = Label(meshes[0][0].place, 132.1, 34.05, 10.0, town=True)
    (path,) = write_overlay(meshes, tmp_path, profile=EARTH_PRO, labels=[town], lang="en")
    assert lint(path, profile=EARTH_PRO) == []
    assert schema_errors(path) == []
    with zipfile.ZipFile(path) as archive:
        text = archive.read("doc.kml").decode()
        assert "files/legend.png" in archive.namelist()
    assert "Large cells from afar" in text
    assert 'id="labels"' in text
    assert "Now (2020)" in text


def test_the_web_gets_no_tiles(meshes, tmp_path):
    with pytest.raises(ExportError, match="takes no links"):
        write_overlay(meshes, tmp_path, profile=EARTH_WEB)
    assert list(tmp_path.iterdir()) == []


def test_larger_cells_that_hold_less_are_refused(meshes, tmp_path):
    wrong = meshes[1][0].features.copy()
    wrong.iloc[7, wrong.columns.get_loc("population_2020")] += 1.0
    states = tuple(replace(layer, features=wrong) for layer in meshes[1])
    with pytest.raises(ExportError, match=rf"population_2020 of {wrong.index[7]} is"):
        write_overlay([meshes[0], states], tmp_path, profile=EARTH_PRO)
    lost = meshes[1][0].features.drop(index=wrong.index[7])
    states = tuple(replace(layer, features=lost, shown=layer.shown[:-1]) for layer in meshes[1])
    with pytest.raises(ExportError, match="is missing on 500m"):
        write_overlay([meshes[0], states], tmp_path, profile=EARTH_PRO)


def test_what_does_not_belong_together_is_refused(meshes, make_states, tmp_path):
    taller = tuple(replace(layer, metres_per_unit=9.0) for layer in meshes[1])
    for states, message in (
        ([meshes[0], taller], "height scale"),
        ([meshes[0], meshes[1][:2]], "missing on a mesh"),
        ([meshes[0], meshes[0]], "twice"),
        ([make_states(4)], "mesh|digits|code"),
        ([], "no layer"),
    ):
        with pytest.raises(Exception, match=message):
            write_overlay(states, tmp_path, profile=EARTH_PRO)


def test_one_mesh_alone_is_read_tile_by_tile(meshes, tmp_path):
    (path,) = write_overlay([meshes[0][:1]], tmp_path, profile=EARTH_PRO)
    assert lint(path, profile=EARTH_PRO) == []
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
    assert [name for name in names if "tiles" in name] == [
        "tiles/now/513200-250m.kml",
        "tiles/now/513201-250m.kml",
    ]


def test_level_roofs_stand_above_the_sea(meshes, tmp_path):
    states = [replace(layer, ground=np.full(len(layer.features), 120.0)) for layer in meshes[0][:1]]
    (path,) = write_overlay([states], tmp_path, profile=EARTH_PRO)
    assert lint(path, profile=EARTH_PRO) == []
    with zipfile.ZipFile(path) as archive:
        text = archive.read("tiles/now/513200-250m.kml").decode()
    assert "<altitudeMode>absolute</altitudeMode></LatLonAltBox>" in text
    assert "relativeToGround" not in text
