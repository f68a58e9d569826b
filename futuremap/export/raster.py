"""GeoTIFF of meshes: numbers with a band a year, and the classes of the map in its own colours.

Cells of JIS X 0410 are pixels of one grid in degrees, edges exact, so nothing is resampled.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.errors import RasterioError
from rasterio.io import MemoryFile
from rasterio.transform import Affine

from futuremap.core.credits import SYNTHETIC
from futuremap.core.fields import Field, describe
from futuremap.core.layer import Layer
from futuremap.core.mesh import Level, bounds, level_of
from futuremap.core.zones import GEOGRAPHIC
from futuremap.errors import ExportError
from futuremap.export.text import clean, xml_text

NO_CLASS = 255  # pixels that the map leaves empty
BLOCK = 256  # pixels
OPTIONS = {
    "driver": "COG",
    "compress": "DEFLATE",
    "blocksize": BLOCK,
    "bigtiff": "IF_SAFER",
    "overview_resampling": "NEAREST",  # a pixel of an overview is a cell's own number
}
SIDECAR = ".aux.xml"  # where GDAL looks for the names of classes


class Grid(NamedTuple):
    """Pixels of a mesh.

    rows, columns
        Place of every cell, from the north-west ``(N,)``.
    shape
        Rows and columns of the whole.
    transform
        Pixel to degrees.
    """

    rows: NDArray[np.intp]
    columns: NDArray[np.intp]
    shape: tuple[int, int]
    transform: Affine

    def spread(self, values: NDArray[np.float64], empty: float) -> NDArray[np.float64]:
        """Values of the cells as an image."""
        image = np.full(self.shape, empty)
        image[self.rows, self.columns] = values
        return image


def grid_of(codes: Sequence[str]) -> Grid:
    """The smallest grid that holds all cells.

    Parameters
    ----------
    codes
        Mesh codes of one level.

    Raises
    ------
    ExportError
        If there is no cell, or cells are of several levels.
    KeyCodeError
        If a code is malformed.

    Examples
    --------
    >>> grid = grid_of(["51340001", "51340010"])  # the eastern, the northern neighbour of …0000
    >>> grid.shape, grid.rows.tolist(), grid.columns.tolist()
    ((2, 2), [1, 0], [1, 0])
    """
    levels = sorted({str(level) for level in np.atleast_1d(level_of(list(codes)))}) if codes else []
    if len(levels) != 1:
        raise ExportError(f"a raster holds cells of one level, not of {levels}")
    size = Level(levels[0]).size
    sides = bounds(list(codes))
    north, west = sides.north.max(), sides.west.min()
    rows = np.rint((north - sides.north) / size.lat).astype(np.intp)
    columns = np.rint((sides.west - west) / size.lon).astype(np.intp)
    transform = Affine(size.lon, 0.0, float(west), 0.0, -size.lat, float(north))
    return Grid(rows, columns, (int(rows.max()) + 1, int(columns.max()) + 1), transform)


def write_raster(layer: Layer, indicator: str, path: Path) -> None:
    """Write an indicator of a mesh, a band a year, as a cloud-optimised GeoTIFF.

    Parameters
    ----------
    layer
        A layer of a mesh; its features hold the indicator in the units that readers see.
    indicator
        Name of the field.
    path
        File to write, ending in ``.tif``.

    Raises
    ------
    ExportError
        If the layer is not of a mesh or lacks the indicator, or the file does not read back.
    OSError
        If it cannot be written.
    """
    features = layer.features
    names = [name for name in features.columns.drop("geometry") if _is_of(name, indicator)]
    if layer.kind != "mesh" or not names:
        raise ExportError(f"{layer.theme}: {indicator} is not on a mesh")
    grid = grid_of(features.index.tolist())
    bands = np.stack(
        [grid.spread(features[name].to_numpy(dtype=np.float64), np.nan) for name in names]
    )
    entry = describe(names[0])[0]
    profile = {"dtype": "float64", "nodata": np.nan, "predictor": "YES"}
    with MemoryFile(ext=".tif") as memory:  # GDAL says nothing of a full disk, our own write does
        with memory.open(**_profile(grid, len(names), profile)) as image:
            image.write(bands)
            image.update_tags(**_words(layer, f"{entry.name_ja} / {entry.name_en}"))
            for number, name in enumerate(names, start=1):
                _describe_band(image, number, name)
        _publish(memory, path, bands)


def write_class_raster(layer: Layer, path: Path) -> None:
    """Write the map's classes in the map's colours, as a paletted GeoTIFF.

    The names of the classes stand in the band's metadata and in a file beside it, where GDAL and
    QGIS find them.

    Parameters
    ----------
    layer
        A layer of a mesh.
    path
        File to write, ending in ``.tif``.

    Raises
    ------
    ExportError
        If the layer is not of a mesh, or the file does not read back.
    OSError
        If it cannot be written.
    """
    if layer.kind != "mesh":
        raise ExportError(f"{layer.theme} is not on a mesh")
    grid = grid_of(layer.features.index.tolist())
    index = layer.class_index().astype(np.float64)
    index[~layer.shown] = NO_CLASS
    image_of = grid.spread(index, NO_CLASS).astype(np.uint8)[None]
    profile = {"dtype": "uint8", "nodata": NO_CLASS}
    entries = layer.entries()
    colours = dict(enumerate(colour for _, colour in layer.classes.entries()))
    with MemoryFile(ext=".tif") as memory:
        with memory.open(**_profile(grid, 1, profile)) as image:
            image.write(image_of)
            image.write_colormap(1, _palette(colours))
            image.update_tags(**_words(layer, f"{layer.title.ja} / {layer.title.en}"))
            image.set_band_description(1, f"{layer.colour_field.name_ja} {layer.heading()}")
            image.update_tags(1, **{f"CLASS_{i}": label for i, (label, _) in enumerate(entries)})
        _publish(memory, path, image_of)
    path.with_name(path.name + SIDECAR).write_text(
        _categories([label for label, _ in entries]), encoding="utf-8", newline="\n"
    )


def _is_of(column: str, indicator: str) -> bool:
    entry, year = describe(column)
    return entry.name == indicator and (year is not None or column == indicator)


def _profile(grid: Grid, count: int, further: Mapping[str, object]) -> dict[str, object]:
    height, width = grid.shape
    return {**OPTIONS, "width": width, "height": height, "count": count,
            "crs": f"EPSG:{GEOGRAPHIC}", "transform": grid.transform, **further}  # fmt: skip


def _words(layer: Layer, title: str) -> dict[str, str]:
    mark = f"［{SYNTHETIC[0]}］" if layer.synthetic else ""
    said = {
        "TITLE": f"{mark}{layer.place.ja} {title}",
        "NOTES": "\n".join(note.ja for note in layer.notes),
        "CREDITS": "\n".join(credit.line() for credit in layer.credits),
        "SYNTHETIC": SYNTHETIC[0] if layer.synthetic else "",
        "AREA_OR_POINT": "Area",
    }
    return {key: clean(value) for key, value in said.items() if value}


def _describe_band(image: rasterio.io.DatasetWriter, number: int, column: str) -> None:
    entry, year = describe(column)
    image.set_band_description(number, entry.label(year=year))
    if entry.unit:
        image.set_band_unit(number, entry.unit_ja or entry.unit)
    image.update_tags(number, **_band_tags(entry, year))


def _band_tags(entry: Field, year: int | None) -> dict[str, str]:
    tags = {
        "FIELD": entry.name,
        "NAME_EN": entry.label("en", year=year),
        "UNIT_EN": entry.unit_en,
        "DEFINITION": entry.definition_ja,
    }
    if year is not None:
        tags["YEAR"] = str(year)
    return {key: value for key, value in tags.items() if value}


def _palette(colours: Mapping[int, str]) -> dict[int, tuple[int, int, int, int]]:
    found = {
        i: (int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16), 255)
        for i, colour in colours.items()
    }
    return {**found, NO_CLASS: (0, 0, 0, 0)}


def _categories(labels: Sequence[str]) -> str:
    named = "".join(f"      <Category>{xml_text(label)}</Category>\n" for label in labels)
    return (
        '<PAMDataset>\n  <PAMRasterBand band="1">\n    <CategoryNames>\n'
        f"{named}    </CategoryNames>\n  </PAMRasterBand>\n</PAMDataset>\n"
    )


def _publish(memory: MemoryFile, path: Path, values: NDArray[np.generic]) -> None:
    path.write_bytes(memory.read())
    try:
        with warnings.catch_warnings(), rasterio.open(path, driver="GTiff") as again:
            warnings.simplefilter("error")
            same = np.array_equal(again.read(), values, equal_nan=values.dtype.kind == "f")
    except (RasterioError, Warning) as error:
        raise ExportError(f"{path}: {error}") from error
    if not same:
        raise ExportError(f"{path}: other numbers stand in it than were written")
