"""One GeoPackage that opens styled: drag it into QGIS and every theme has its colours and names."""

from futuremap.export.geopackage.project import Scenario
from futuremap.export.geopackage.write import BASELINE, write_geopackage

__all__ = ["BASELINE", "Scenario", "write_geopackage"]
