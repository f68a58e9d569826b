"""Our files in the programs people open them with: a globe in a browser (Cesium), and QGIS."""
