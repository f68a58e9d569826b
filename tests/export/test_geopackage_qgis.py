"""What QGIS itself makes of the file; needs the system's Python with QGIS."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from test_geopackage import METADATA, TITLE, facility_layers, town_layers
from test_geopackage_tables import OUTLINE, with_reaches

from futuremap.core.classes import AGEING_RATE, SERVICE_YEARS
from futuremap.export.geopackage import write_geopackage
from futuremap.export.geopackage.drawing import style_name

PYTHON = Path(os.environ.get("QGIS_PYTHON", "/usr/bin/python3"))
# reads each stored style as QGIS's own menu does and says how every feature is drawn
SCRIPT = """
import json, os, sqlite3, sys
from qgis.core import QgsApplication, QgsRenderContext, QgsVectorLayer
from qgis.PyQt.QtXml import QDomDocument
from qgis._3d import Qgs3D
app = QgsApplication([], False)
app.initQgis()
Qgs3D.initialize()
path, found = sys.argv[1], {}
styles = sqlite3.connect(path).execute("SELECT f_table_name, styleName, styleQML FROM layer_styles")
for table, name, qml in styles.fetchall():
    layer = QgsVectorLayer(f"{path}|layername={table}", table, "ogr")
    opened = type(layer.renderer()).__name__
    document = QDomDocument()
    document.setContent(qml)
    ok, _ = layer.importNamedStyle(document)
    renderer, context = layer.renderer(), QgsRenderContext()
    parts = getattr(renderer, "ranges", getattr(renderer, "categories", list))()
    renderer.startRender(context, layer.fields())
    drawn = []
    for feature in layer.getFeatures():
        context.expressionContext().setFeature(feature)
        symbol = renderer.symbolForFeature(feature, context)
        drawn.append(symbol.color().name() if symbol else None)
    renderer.stopRender(context)
    settings = layer.labeling().settings()
    found[f"{table} {name}"] = {
        "ok": ok, "opened": opened, "renderer": type(renderer).__name__, "drawn": drawn,
        "labels": [part.label() for part in parts], "crs": layer.crs().authid(),
        "aliases": [layer.attributeDisplayName(i) for i in range(layer.fields().count())],
        "tip": bool(layer.mapTipTemplate()), "3d": layer.renderer3D() is not None,
        "rings": [s.symbolLayer(0).strokeColor().name() for s in renderer.symbols(context)],
        "filled": [s.symbolLayer(0).brushStyle() != 0 for s in renderer.symbols(context)
                   if hasattr(s.symbolLayer(0), "brushStyle")],
        "scale": settings.minimumScale, "name": settings.fieldName,
    }
print(json.dumps(found))
sys.stdout.flush()
os._exit(0)
"""


def run(code, *arguments):
    environment = {
        "QT_QPA_PLATFORM": "offscreen",
        "PATH": os.environ["PATH"],
        "HOME": "/nonexistent",
    }
    return subprocess.run(
        [PYTHON, "-c", code, *arguments],
        check=False,
        capture_output=True,
        text=True,
        env=environment,
    )


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    path = tmp_path_factory.mktemp("qgis") / "試験市.gpkg"
    layers = [*town_layers(hide=True), *with_reaches(facility_layers())]
    write_geopackage(layers, path, title=TITLE, metadata=METADATA, outlines=[OUTLINE])
    result = run(SCRIPT, str(path))
    assert "Warning" not in result.stderr
    return json.loads(result.stdout)


@pytest.mark.client
def test_classes_and_colours_are_those_of_every_other_client(found):
    layers = [*town_layers(hide=True), *facility_layers()]
    for layer in layers:
        seen = found[f"{layer.theme} {style_name(layer)}"]
        assert seen["labels"] == [label for label, _ in layer.classes.entries()]
        colours = [*layer.classes.colours, *([] if not layer.classes.unknown_ja else ["#9e9e9e"])]
        located = layer.features.geometry.notna()
        for drawn, shown, place, value in zip(
            seen["drawn"], layer.shown, located, layer.features[layer.colour], strict=True
        ):
            if shown:
                assert drawn == colours[layer.classes.index([value])[0]]
            elif place:
                assert drawn is None


@pytest.mark.client
def test_it_opens_styled_with_japanese_names(found):
    towns, places = found["town_blocks 将来2053"], found["facilities 将来2053"]
    assert (towns["renderer"], places["renderer"]) == (
        "QgsGraduatedSymbolRenderer",
        "QgsCategorizedSymbolRenderer",
    )
    assert towns["opened"] == "QgsGraduatedSymbolRenderer"
    assert places["opened"] == "QgsCategorizedSymbolRenderer"
    assert towns["labels"] == list(AGEING_RATE.labels_ja)
    assert places["labels"] == [*SERVICE_YEARS.labels_ja, "不明"]
    for key, seen in found.items():
        assert seen["ok"], key
        assert seen["tip"], key
        assert seen["crs"] == "EPSG:6668", key
        assert (seen["name"], seen["scale"]) == ("name", 25_000), key
    assert towns["3d"]
    assert "高齢化率 2053年（％）" in towns["aliases"]


@pytest.mark.client
def test_prisms_are_as_high_and_of_the_same_colour_as_in_earth(found, tmp_path):
    layer = town_layers(hide=True)[0]
    path = tmp_path / "town.gpkg"
    write_geopackage(town_layers(hide=True), path, title=TITLE, metadata=METADATA)
    code = SCRIPT.replace(
        "print(json.dumps(found))",
        """
from qgis.core import QgsExpression, QgsExpressionContext
layer = QgsVectorLayer(f"{path}|layername=town_blocks", "x", "ogr")
document = QDomDocument()
element = document.createElement("renderer-3d")
from qgis.core import QgsReadWriteContext
layer.renderer3D().writeXml(element, QgsReadWriteContext())
document.appendChild(element)
print(json.dumps(document.toString()))
""",
    )
    result = run(code, str(path))
    text = json.loads(result.stdout)
    assert f"* {layer.metres_per_unit!r}" in text.replace("&quot;", '"')
    for colour in layer.classes.colours:
        assert colour in text
    assert found["town_blocks 現況2023"]["3d"]


@pytest.mark.client
def test_rings_and_boundaries_hide_nothing(found):
    rings, edge = found["facilities_reach 現況2023"], found["boundary 境界"]
    colours = [colour for _, colour in SERVICE_YEARS.entries()]
    assert rings["rings"] == colours
    assert not any(rings["filled"] + edge["filled"])
    assert rings["drawn"].count(None) == 2  # those of 2053
    assert [part for part in edge["labels"] if part] == []


@pytest.mark.client
def test_a_renamed_file_still_opens_styled(tmp_path):
    path = tmp_path / "a.gpkg"
    write_geopackage(town_layers(hide=True), path, title=TITLE, metadata=METADATA)
    renamed = path.rename(tmp_path / "三原市 別名.gpkg")
    seen = json.loads(run(SCRIPT, str(renamed)).stdout)["town_blocks 現況2023"]
    assert seen["opened"] == "QgsGraduatedSymbolRenderer"
    assert "高齢化率 2053年（％）" in seen["aliases"]
