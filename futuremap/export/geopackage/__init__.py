"""One GeoPackage that opens styled: drag it into QGIS and every theme has its colours and names."""

from futuremap.export.geopackage.write import write_geopackage

__all__ = ["write_geopackage"]
