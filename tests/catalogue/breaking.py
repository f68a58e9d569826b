"""Ways to break a clean file in one place: a builder takes a reader's name and a target path."""

import csv
import json
import shutil
import zipfile
from pathlib import Path

import geopandas as gpd
import openpyxl
import shapely

from tests.catalogue.clean import READERS, clean, rows_of
from tests.sources.shapes import SOUTH, STEP, WEST, as_geojson

CP932 = ("estat",)


def _encoding(name):
    return "cp932" if name.startswith(CP932) else "utf-8"


def save_rows(path, rows, name):
    """Rows as the reader's text format."""
    with path.open("w", encoding=_encoding(name), newline="") as out:
        csv.writer(out, delimiter="\t" if name == "wpp" else ",").writerows(rows)
    return path


def rows(change):
    """All rows of the clean table, changed."""

    def build(name, path):
        table = rows_of(name, path.parent)
        return save_rows(path, change(table), name)

    return build


def cell(line, heading, value, *, heading_line=1):
    """One other cell, in a line as an editor counts it."""

    def change(table):
        table[line - 1][table[heading_line - 1].index(heading)] = value
        return table

    return rows(change)


def heads(old, new):
    """Headings with one text put in place of another."""
    return rows(lambda table: [[text.replace(old, new) for text in table[0]], *table[1:]])


def body(change):
    """The bytes of the clean file, changed."""

    def build(name, path):
        path.write_bytes(change(clean(name, path.parent).read_bytes()))
        return path

    return build


def text(change):
    """The text of the clean file, changed into other bytes."""
    return body(lambda found: change(found.decode("utf-8")))


def ending(other, build):
    """The same under another ending."""
    return lambda name, path: build(name, path.with_suffix(other))


def workbook(change):
    """The clean workbook, changed; its first sheet is called 表."""

    def build(name, path):
        book = openpyxl.load_workbook(clean(name, path.parent))
        change(book)
        book.save(path)
        return path

    return build


def in_sheet(place, value):
    """One other cell of a workbook's first sheet, by its address."""
    return workbook(lambda book: book.worksheets[-1].__setitem__(place, value))


def part_of_zip(change):
    """The parts of a zip or workbook, changed; a dictionary of bytes by name."""

    def build(name, path):
        with zipfile.ZipFile(clean(name, path.parent)) as archive:
            parts = {entry: archive.read(entry) for entry in archive.namelist()}
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for entry, found in change(parts).items():
                archive.writestr(entry, found)
        return path

    return build


def features(change):
    """The clean GeoJSON, changed as what it holds."""

    def build(name, path):
        found = json.loads(clean(name, path.parent).read_text(encoding="utf-8"))
        change(found)
        path.write_text(json.dumps(found, ensure_ascii=False), encoding="utf-8")
        return path

    return build


def feature(number, key, value):
    """One other value of one feature; counted from 1."""
    return features(lambda found: found["features"][number - 1]["properties"].update({key: value}))


def shape(number, geometry):
    """Another shape of one feature."""
    drawn = None if geometry is None else shapely.geometry.mapping(geometry)
    return features(lambda found: found["features"][number - 1].update(geometry=drawn))


def system(name_of_crs):
    """Another declaration of the coordinate system."""
    return features(lambda found: found.update(crs={"properties": {"name": name_of_crs}}))


def frames(change):
    """The clean shapes as a data frame, changed, in the format of the reader."""

    def build(name, path):
        frame = change(gpd.read_file(clean(name, path.parent)))
        if path.suffix == ".geojson":
            path.write_text(as_geojson(frame), encoding="utf-8")
        else:
            frame.to_file(path)
        return path

    return build


def shapefile(change):
    """All parts of the clean shapefile under the new name, then changed beside it."""

    def build(name, path):
        source = clean(name, path.parent)
        for part in sorted(path.parent.glob(f"{source.stem}.*")):
            if part.suffix in {".shp", ".shx", ".dbf", ".prj", ".cpg"}:
                shutil.copy(part, path.with_suffix(part.suffix))
        change(path)
        return path

    return build


def exchanged(geometry):
    """The same shape with x and y exchanged."""
    return shapely.transform(geometry, lambda xy: xy[:, ::-1])


def spiked():
    """The second square with a crossing on its north side too small to matter."""
    left, right, top, size = WEST + STEP, WEST + 2 * STEP, SOUTH + STEP, 2e-6
    middle = left + STEP / 2
    loop = [(middle, top), (middle - size, top + size), (middle, top + size), (middle - size, top)]
    return shapely.Polygon([(left, SOUTH), (right, SOUTH), (right, top), *loop, (left, top)])


def nothing(_, path):
    """No file at all."""
    return path


def target(folder, fault):
    """Where the broken file of a row of the catalogue goes."""
    return Path(folder) / f"{fault['id']}{READERS[fault['reader']].ending}"
