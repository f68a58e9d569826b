"""Faults that take more than one other cell: what they do to a clean file."""

import io
import sqlite3
import zipfile

import geopandas as gpd
import numpy as np
import rasterio

from tests.catalogue import clean
from tests.catalogue.breaking import (
    body,
    features,
    rows,
)
from tests.sources.shapes import SOUTH, STEP, WEST, geotiff

OLE2 = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600)
VRT = b"<VRTDataset rasterXSize='1' rasterYSize='1'><SRS>EPSG:6668</SRS></VRTDataset>"
HTML = "<html><table><tr><td>地域名</td></tr></table></html>".encode()


def in_cp932(found):
    """The text as a spreadsheet saves it in Japan."""
    return found.encode("cp932")


def mojibake(found):
    """UTF-8 that was once taken for CP932, and saved so."""
    return found.encode().decode("cp932", "ignore").encode()


def spoilt(name):
    """What is left of a name in CP932 that was read as UTF-8."""
    return name.encode("cp932").decode("utf-8", "replace")


def one_line(number, encode):
    """One line of the file in another encoding."""

    def change(found):
        lines = found.splitlines(keepends=True)
        lines[number - 1] = encode(lines[number - 1].decode("utf-8"))
        return b"".join(lines)

    return body(change)


def wrong_cpg(path):
    """CP932 that says it is UTF-8."""
    path.with_suffix(".cpg").write_bytes(b"UTF-8")
    dbf = path.with_suffix(".dbf")
    dbf.write_bytes(dbf.read_bytes().replace("町0".encode(), "町00".encode("cp932")))


def broken_text_in_gpkg(name, path):
    """A name that is no UTF-8."""
    path.write_bytes(clean.clean(name, path.parent).read_bytes())
    with sqlite3.connect(path) as database:
        sql = f"UPDATE {_table(database)} SET name = CAST(x'8380' AS TEXT) WHERE fid = 2"  # noqa: S608
        _without_triggers(database)
        database.execute(sql)
    database.close()
    return path


def _table(database):
    return database.execute("SELECT table_name FROM gpkg_contents").fetchone()[0]


def _without_triggers(database):
    # those of the spatial index call functions that only GDAL has
    for (trigger,) in database.execute(
        "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    ).fetchall():
        database.execute(f'DROP TRIGGER "{trigger}"')


def no_contents(_, path):
    """An SQLite database that is no GeoPackage."""
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE town (key TEXT, name TEXT)")
    database.close()
    return path


def two_layers(name, path):
    """A GeoPackage of two layers."""
    found = gpd.read_file(clean.clean(name, path.parent))
    for layer in ("town", "village"):
        found.to_file(path, layer=layer)
    return path


def two_shapefiles(parts):
    """The same shapefile twice in a zip."""
    return {f"{name}/{entry}": found for name in "ab" for entry, found in parts.items()}


def merged_heading(table):
    """Sexes above ages, as merged cells leave them."""
    head = table[0]
    above = [*head[:3], "男", "", "", "", "女", "", "", "", head[-1]]
    return [above, ["", "", "", *clean.AGES, *clean.AGES, ""], *table[1:]]


def long_register(table):
    """A row for each sex."""
    head = ["#property", "regionName", "性別", "年齢", "人口"]
    return [head, *([row[0], "塩屋町", sex, "0～4歳", "5"] for row in table[1:] for sex in "男女")]


def add_people(line, places, more):
    """More people in some of the 60 columns of a small area."""

    def change(table):
        for place in places:
            table[line - 1][7 + place] = str(int(table[line - 1][7 + place]) + more)
        return table

    return rows(change)


def without_october(table):
    """All months but the second."""
    return [row for row in table if row[0] != "2020-10"]


def repeated_month(table):
    """The second month has the figures of the first."""
    first = [row for row in table if row[0] == "2020-09"]
    others = [row for row in table if row[0] not in {"2020-09", "2020-10"}]
    return [others[0], *first, *(["2020-10", *row[1:]] for row in first), *others[1:]]


def ipss_sheet(change):
    """The sheet of the town, changed."""

    def build(_, path):
        made = clean.ipss_rows()
        change(made)
        return clean.write_ipss(path, made)

    return build


def meshes(change):
    """Meshes whose rows are changed."""

    def build(_, path):
        made = clean.mesh_rows()
        change(made)
        return clean.write_mesh(path, made)

    return build


def no_ages(made):
    """A mesh with people but without ages, alone."""
    clean.fill_ages(made[1], [0.0] * 20)


def hidden(made):
    """The ages of the second mesh counted in the first, as the publisher does."""
    five = [made[0][f"PT{n:02d}_2025"] + made[1][f"PT{n:02d}_2025"] for n in range(1, 21)]
    clean.fill_ages(made[0], five)
    clean.fill_ages(made[1], [0.0] * 20)
    made[0]["HITOKU2025"] = "@"
    made[1] |= {"HITOKU2025": "*", "GASSAN2025": str(made[0]["MESH_ID"])}


def without(columns):
    """Features without some of their properties."""

    def change(found):
        for one in found["features"]:
            for column in columns:
                one["properties"].pop(column)

    return features(change)


def raster(values=None, **options):
    """Another raster in place of the clean one."""
    numbers = np.ones((10, 30), np.float32) if values is None else values
    return lambda _, path: geotiff(path, numbers, **options)


def negative():
    """-9999 that is not said to be nodata."""
    numbers = np.ones((10, 30), np.float32)
    numbers[4, 7] = -9999
    return numbers


def far_cell(found):
    """The last cell that a sheet can have."""
    found.worksheets[0]["XFD1048576"] = 1


def archive_inside(parts):
    """A zip in the zip."""
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("town.shp", b"")
    return parts | {"inner.zip": inner.getvalue()}


def with_doctype(parts):
    """A document type in the sheet."""
    name = next(entry for entry in parts if entry.startswith("xl/worksheets/"))
    return parts | {name: b'<!DOCTYPE x [<!ENTITY a "b">]>' + parts[name]}


def one_row_more(path):
    """A table with a row for which there is no shape."""
    shx = path.with_suffix(".shx")
    shx.write_bytes(shx.read_bytes()[:-8])


def total_row(table, name="合計"):
    # a row of totals under the areas
    head, areas = table[0], table[1:]
    counts = range(head.index("totalPopulation"), head.index("numberOfHouseholds"))
    total = list(areas[-1])
    for place in counts:
        total[place] = str(sum(int(row[place]) for row in areas))
    total[0], total[head.index("regionName")], total[-1] = "9", name, "34.35,134.08"
    return total


def wrong_sum(table):
    # under a mapped table, wrong in the last cell
    sums = [sum(int(row[place]) for row in table[1:]) for place in range(3, len(table[0]))]
    return ["", "合計", "2023", *map(str, sums[:-1]), str(sums[-1] + 1)]


def merged_elsewhere(table):
    # the block also holds a block that the file does not have
    table[3][4:7] = ["1", "", "012090099"]
    return table


def turned(_, path):
    geotiff(path, np.ones((10, 30), np.float32))
    with rasterio.open(path, "r+") as out:
        size = STEP / 10
        out.transform = rasterio.Affine(size, size / 2, WEST, size / 2, -size, SOUTH + STEP)
    return path
