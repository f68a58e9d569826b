"""Open a GeoPackage in headless QGIS as GIS staff would; report what applies by itself, and draw it.

    QT_QPA_PLATFORM=offscreen /usr/bin/python3 inspect_gpkg.py FILE.gpkg OUTPUT_FOLDER

Runs under the system's Python, for which python3-qgis is made, so it uses nothing of this project.
Prints one JSON object; writes layer_NAME.png, project_NAME.png and
project_NAME_layout.png into the folder.
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


def rows_at(layer, begin, years):
    """Count the rows that the temporal controller leaves at the first and the last step."""
    from qgis.core import (
        QgsDateTimeRange,
        QgsFeatureRequest,
        QgsVectorLayerTemporalContext,
    )

    context = QgsVectorLayerTemporalContext()
    context.setLayer(layer)
    counts = {}
    for year in years:
        start = begin.addYears(year)
        frame = QgsDateTimeRange(start, start.addYears(1), True, False)  # noqa: FBT003
        rule = layer.temporalProperties().createFilterString(context, frame)
        request = QgsFeatureRequest().setFilterExpression(rule)
        counts[start.date().year()] = sorted(f["year"] for f in layer.getFeatures(request))
    return {year: [len(found), sorted(set(found))] for year, found in counts.items()}


def colours_of(layer):
    """Tell the colour in which each feature is drawn, by zone; none for those that are not."""
    from qgis.core import QgsRenderContext

    renderer, context = layer.renderer().clone(), QgsRenderContext()
    context.expressionContext().setFields(layer.fields())
    renderer.startRender(context, layer.fields())
    found = {}
    for feature in layer.getFeatures():
        context.expressionContext().setFeature(feature)
        symbol = renderer.symbolForFeature(feature, context)
        if symbol is not None and feature.hasGeometry():
            found[feature["zone"]] = symbol.color().name()
    renderer.stopRender(context)
    return found


def print_layouts(project, path):
    """Export every print layout as a picture; say what stands on each page."""
    from qgis.core import QgsLayoutExporter, QgsLayoutItem, QgsLayoutItemLegend

    printed = {}
    for layout in project.layoutManager().printLayouts():
        settings = QgsLayoutExporter.ImageExportSettings()
        settings.dpi = 100
        file = path.with_name(f"{path.stem}_layout.png")
        done = QgsLayoutExporter(layout).exportToImage(str(file), settings)
        items = [item for item in layout.items() if isinstance(item, QgsLayoutItem)]
        legends = [item for item in items if isinstance(item, QgsLayoutItemLegend)]
        page = layout.pageCollection().page(0).pageSize()
        printed[layout.name()] = {
            "exported": done == QgsLayoutExporter.Success,
            "items": sorted(type(item).__name__ for item in items),
            "page": sorted([page.width(), page.height()]),
            "legend": [n.layerId() for x in legends for n in x.model().rootGroup().findLayers()],
            "texts": [item.text() for item in items if hasattr(item, "currentText")],
        }
    return printed


def inspect_project(gpkg, name, output):
    """Read a project that is stored in the file, and draw what it shows at first."""
    uri = f"geopackage:{gpkg}?projectName={name}"
    return read_project(uri, output / f"project_{name}.png")


def read_project(uri, picture):
    """Read a project, draw what it shows at first, print its layouts."""
    from qgis.core import QgsProject

    project = QgsProject.instance()
    if not project.read(str(uri)):
        return {"read": False}
    nodes = project.layerTreeRoot().findLayers()
    shown = [node.layer() for node in nodes if node.isVisible() and node.layer()]
    settings = project.timeSettings()
    moment = settings.temporalRange()
    timed = [x for x in project.mapLayers().values() if x.temporalProperties().isActive()]
    years = (0, moment.end().date().year() - moment.begin().date().year() - 1)
    area = project.viewSettings().defaultViewExtent()
    relations = project.relationManager().relations().values()
    return {
        "read": True,
        "title": project.title(),
        "crs": project.crs().authid(),
        "extent": [area.xMinimum(), area.yMinimum(), area.xMaximum(), area.yMaximum()],
        "layers": {layer.name(): layer.isValid() for layer in project.mapLayers().values()},
        "ids": {layer.name(): layer.id() for layer in project.mapLayers().values()},
        "tree": [node.name() for node in nodes],
        "classes": {x.name(): class_labels(x.renderer()) for x in project.mapLayers().values()},
        "shown": [layer.name() for layer in shown],
        "drawn": {
            layer.id(): colours_of(layer)
            for layer in project.mapLayers().values()
            if class_labels(layer.renderer()) and layer not in timed
        },
        "begin": moment.begin().toString("yyyy-MM-dd"),
        "end": moment.end().toString("yyyy-MM-dd"),
        "step": settings.timeStep(),
        "years": {x.name(): rows_at(x, moment.begin(), years) for x in timed},
        "relations": {relation.name(): relation.isValid() for relation in relations},
        "layouts": print_layouts(project, picture),
        "colours": draw(shown, project.crs(), picture, moment) if shown else 0,
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
        "beside": {
            path.name: read_project(path, output / f"{path.stem}.png")
            for path in sorted(gpkg.parent.glob(f"{gpkg.stem}_*.qgz"))
        },
    }
    print(json.dumps(report, ensure_ascii=False, indent=1), flush=True)  # noqa: T201
    os._exit(0)  # QGIS without a window may crash while Python takes it down


if __name__ == "__main__":
    main(*sys.argv[1:])
