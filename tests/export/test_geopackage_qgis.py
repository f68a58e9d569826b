"""What QGIS itself makes of the file; needs the system's Python with QGIS."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from test_geopackage import METADATA, TITLE, facility_layers, town_layers

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
    parts = renderer.ranges() if hasattr(renderer, "ranges") else renderer.categories()
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
    layers = [*town_layers(hide=True), *facility_layers()]
    write_geopackage(layers, path, title=TITLE, metadata=METADATA)
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
    for seen in found.values():
        assert seen["ok"]
        assert seen["tip"]
        assert seen["crs"] == "EPSG:6668"
        assert (seen["name"], seen["scale"]) == ("name", 25_000)
    assert towns["3d"]
    assert "高齢化率 2053年（％）" in towns["aliases"]
