"""Open a GeoPackage in headless QGIS as GIS staff would; report what applies by itself, and draw it.

    QT_QPA_PLATFORM=offscreen /usr/bin/python3 inspect_gpkg.py FILE.gpkg OUTPUT_FOLDER

Runs under the system's Python, for which python3-qgis is made, so it uses nothing of this project.
Prints one JSON object; writes layer_NAME.png and project_NAME.png into the folder.
"""

import json
import os
import sqlite3
import sys
from pathlib import Path

WIDTH, HEIGHT = 1200, 900


def column(database, sql):
    """List the first column of a query, or nothing where the table is absent."""
    try:
        return [row[0] for row in database.execute(sql)]
    except sqlite3.OperationalError:
        return []


def class_labels(renderer):
    """List the labels of the classes, whichever kind of classed renderer it is."""
    for method in ("ranges", "categories"):
        if hasattr(renderer, method):
            return [item.label() for item in getattr(renderer, method)()]
    if hasattr(renderer, "rootRule"):
        return [rule.label() for rule in renderer.rootRule().children()]
    return []


def draw(layers, crs, path, moment=None):
    """Draw the layers to PNG and count the colours seen on a coarse grid."""
    from qgis.core import (
        QgsCoordinateTransform,
        QgsMapRendererParallelJob,
        QgsMapSettings,
        QgsProject,
        QgsRectangle,
    )
    from qgis.PyQt.QtCore import QSize
    from qgis.PyQt.QtGui import QColor

    box = QgsRectangle()
    box.setMinimal()
    for layer in layers:
        transform = QgsCoordinateTransform(layer.crs(), crs, QgsProject.instance())
        box.combineExtentWith(transform.transformBoundingBox(layer.extent()))
    settings = QgsMapSettings()
    settings.setLayers(layers)
    settings.setDestinationCrs(crs)
    settings.setOutputSize(QSize(WIDTH, HEIGHT))
    settings.setBackgroundColor(QColor("white"))
    settings.setExtent(box.buffered(max(box.width(), box.height()) * 0.03))
    if moment is not None and not moment.isInfinite():
        settings.setIsTemporal(True)
        settings.setTemporalRange(moment)
    job = QgsMapRendererParallelJob(settings)
    job.start()
    job.waitForFinished()
    image = job.renderedImage()
    image.save(str(path))
    return len({image.pixel(x, y) for x in range(0, WIDTH, 7) for y in range(0, HEIGHT, 7)})


def inspect_layer(gpkg, table, output):
    """Open one table; QGIS applies the file's default style by itself, or doesn't."""
    from qgis.core import QgsVectorLayer, QgsWkbTypes

    layer = QgsVectorLayer(f"{gpkg}|layername={table}", table, "ogr")
    if not layer.isValid():
        return {"valid": False}
    renderer = layer.renderer()
    return {
        "valid": True,
        "features": layer.featureCount(),
        "geometry": QgsWkbTypes.geometryDisplayString(layer.geometryType()).lower(),
        "crs": layer.crs().authid(),
        "renderer": type(renderer).__name__,
        "classed_by": renderer.classAttribute() if hasattr(renderer, "classAttribute") else "",
        "classes": class_labels(renderer),
        "aliases": {f.name(): layer.attributeDisplayName(i) for i, f in enumerate(layer.fields())},
        "temporal": layer.temporalProperties().isActive(),
        "renderer3d": type(layer.renderer3D()).__name__,
        "labels": layer.labelsEnabled(),
        "map_tip": bool(layer.mapTipTemplate()),
        "colours": draw([layer], layer.crs(), output / f"layer_{table}.png")
        if layer.featureCount()
        else 0,
    }


def inspect_project(gpkg, name, output):
    """Read a project that is stored in the file, and draw what it shows at first."""
    from qgis.core import QgsProject

    project = QgsProject.instance()
    if not project.read(f"geopackage:{gpkg}?projectName={name}"):
        return {"read": False}
    nodes = project.layerTreeRoot().findLayers()
    shown = [node.layer() for node in nodes if node.isVisible() and node.layer()]
    moment = project.timeSettings().temporalRange()
    return {
        "read": True,
        "title": project.title(),
        "crs": project.crs().authid(),
        "layers": {layer.name(): layer.isValid() for layer in project.mapLayers().values()},
        "shown": [layer.name() for layer in shown],
        "begin": moment.begin().toString("yyyy-MM-dd"),
        "colours": draw(shown, project.crs(), output / f"project_{name}.png", moment)
        if shown
        else 0,
    }


def main(gpkg, output):
    """Report on every layer and project of the file."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from qgis.core import Qgis, QgsApplication

    QgsApplication.setPrefixPath("/usr", True)  # noqa: FBT003
    application = QgsApplication([], False)  # noqa: FBT003
    application.initQgis()
    gpkg, output = Path(gpkg).resolve(), Path(output)
    output.mkdir(parents=True, exist_ok=True)
    database = sqlite3.connect(f"{gpkg.as_uri()}?mode=ro", uri=True)
    features = "select table_name from gpkg_contents where data_type = 'features'"
    projects = column(database, "select name from qgis_projects")
    report = {
        "qgis": Qgis.QGIS_VERSION,
        "styles": len(column(database, "select id from layer_styles")),
        "metadata": len(column(database, "select id from gpkg_metadata")),
        "layers": {t: inspect_layer(gpkg, t, output) for t in column(database, features)},
        "projects": {name: inspect_project(gpkg, name, output) for name in projects},
    }
    print(json.dumps(report, ensure_ascii=False, indent=1), flush=True)  # noqa: T201
    os._exit(0)  # QGIS without a window may crash while Python takes it down


if __name__ == "__main__":
    main(*sys.argv[1:])
