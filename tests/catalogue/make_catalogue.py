"""Write the catalogue of broken files: from each clean file, copies with one fault each.

    .venv/bin/python -m tests.catalogue.make_catalogue FOLDER

What each must be told as stands in ``catalogue.csv`` beside this script, and is written by hand:
a code that no other fault has, file, sheet, line and column, and sometimes words of its reason.
Files are not kept in the repository; the tests write them anew.
"""

import csv
import gzip
import math
import sys
from pathlib import Path

import shapely

from tests.catalogue.breaking import (
    body,
    cell,
    ending,
    exchanged,
    feature,
    features,
    frames,
    heads,
    in_sheet,
    nothing,
    part_of_zip,
    rows,
    shape,
    shapefile,
    spiked,
    system,
    target,
    text,
    workbook,
)
from tests.catalogue.special import (
    HTML,
    OLE2,
    VRT,
    add_people,
    archive_inside,
    broken_text_in_gpkg,
    far_cell,
    hidden,
    in_cp932,
    ipss_sheet,
    long_register,
    merged_elsewhere,
    merged_heading,
    meshes,
    mojibake,
    negative,
    no_ages,
    no_contents,
    one_line,
    one_row_more,
    raster,
    repeated_month,
    spoilt,
    total_row,
    turned,
    two_layers,
    two_shapefiles,
    with_doctype,
    without,
    without_october,
    wrong_cpg,
    wrong_sum,
)
from tests.sources.shapes import BOWTIE, STEP, WEST

CATALOGUE = Path(__file__).with_name("catalogue.csv")
FAULTS = {
    # encoding
    "E01": text(lambda found: found.encode("utf-16")),
    "E02": text(lambda found: found.encode("euc_jp")),
    "E03": text(mojibake),
    "E04": body(lambda found: found.replace("塩上町".encode(), b"\0\0\0", 1)),
    "E05": body(lambda found: found.decode("utf-8").strip().encode("cp932")[:-1]),
    "E06": one_line(3, in_cp932),
    "E07": cell(3, "regionName", "築\ufffd町"),
    "E08": cell(3, "regionName", spoilt("築地町")),
    "E09": cell(3, "regionName", spoilt("別の町")),
    "E10": shapefile(wrong_cpg),
    "E11": broken_text_in_gpkg,
    "E13": body(lambda found: found.replace("西町".encode("cp932"), b"\x80\x80", 1)),
    "E14": text(lambda found: found.encode("iso2022_jp", "ignore")),
    # table
    "T01": heads("totalPopulation", "人の数"),
    "T02": rows(lambda table: [[*row, row[table[0].index("man1")]] for row in table]),
    "T03": heads("町名", "町丁名"),
    "T04": rows(merged_heading),
    "T05": rows(long_register),
    "T06": rows(lambda table: [*table[:2], [*table[2], "5"], *table[3:]]),
    "T07": rows(lambda table: [*table[:2], table[2][:6], *table[3:]]),
    "T08": rows(lambda table: [*table, ["※ 秘匿あり"]]),
    "T09": rows(lambda table: [table[0], ["", "", "", *["(人)"] * 9], *table[1:]]),
    "T10": text(lambda found: found.replace(",", "\t").encode()),
    "T11": body(lambda found: found.replace("塩上町,".encode(), '"塩上町,'.encode(), 1)),
    "T12": body(lambda _: b""),
    "T13": rows(lambda table: table[:1]),
    "T14": rows(lambda table: [*table, total_row(table)]),
    "T15": cell(3, "町名", "1月2日"),
    "T16": cell(3, "コード", "3.42E+10"),
    "T17": cell(3, "コード", "12090002"),
    "T18": workbook(lambda book: book.create_sheet("続き").append(["塩屋町"])),
    "T19": workbook(lambda book: setattr(book.worksheets[0], "title", "別")),
    "T20": in_sheet("K3", "#REF!"),
    "T21": cell(3, "町名", "長" * 100_000),
    "T22": rows(lambda table: table),
    "T23": heads("男 0～4歳", "男 0～A歳"),
    "T24": heads("5～9歳", "6～9歳"),
    "T25": heads("5～9歳", "4～9歳"),
    "T26": heads("85歳以上", "85～89歳"),
    "T27": cell(4, "男女", "不詳"),
    "T28": rows(lambda table: [*table, table[1]]),
    "T29": rows(lambda table: [*table[:2], *table[3:]]),
    "T30": rows(lambda table: [*table[:4], [*table[4], "7"], *table[5:]]),
    "T31": rows(lambda table: [table[0], *table[2:]]),
    "T32": ending(".xls", body(lambda _: HTML)),
    "T33": body(lambda found: found.replace(b"GASSAN", b"GASAN", 1)),
    "T34": ipss_sheet(lambda made: made[2].__setitem__(slice(9, 12), ["い", "ろ", "は"])),
    "T35": ipss_sheet(lambda made: made.pop(6)),
    "T36": rows(lambda table: [row[:2] for row in table]),
    "T37": cell(5, "age", "20歳以上"),
    "T38": rows(lambda table: table[:5]),
    "T39": rows(lambda table: table[:-1]),
    "T40": without(["PTN_2025"]),
    "T41": in_sheet("K3", "=SUM(L3:N3)"),
    "T42": rows(lambda table: [*table, total_row(table, "東部")]),
    # cells
    "C01": cell(3, "man1", ""),
    "C02": cell(3, "man1", "－８"),
    "C03": cell(3, "man1", "約100"),
    "C04": cell(3, "man1", "12.5"),
    "C05": cell(3, "totalPopulation", "999"),
    "C06": cell(3, "man1", "Ｘ"),
    "C07": cell(3, "man1", "3000000000"),
    "C08": cell(3, "man1", "1e309"),
    "C09": cell(3, "man1", "8人"),
    "C10": add_people(3, (0, 20), 1),
    "C11": add_people(4, (21,), 500),
    "C12": body(lambda found: found.replace(b"5240403031,0,,,8,4,4,0,0,0,8,4", b"5240403031,0,,,8,4,4,0,0,0,8,1")),
    "C13": cell(3, "qx", "1.5"),
    "C14": meshes(lambda made: made[1].update(PTA_2025=1.0)),
    "C15": meshes(lambda made: made[1].update(PTN_2025=99.0)),
    "C16": meshes(no_ages),
    "C17": cell(3, "numberOfBeds", "多数"),
    "C18": rows(lambda table: [*table, wrong_sum(table)]),
    "C19": cell(5, "2015-2020", "…"),
    "C20": cell(3, "totalPopulation", "9999999"),
    # codes and years
    "Y01": rows(lambda table: [[cells.replace("11/1/2023", "11/1/2022") for cells in row] for row in table]),
    "Y02": rows(lambda table: [row for row in table if row[1] != "2015"]),
    "Y03": body(lambda found: found.replace(b"5240403031,0", b"5240403035,0")),
    "Y04": body(lambda found: found.replace(b"5240403031,0,", b"5240403031,7,")),
    "Y05": rows(merged_elsewhere),
    "Y06": rows(lambda table: table),
    "Y07": rows(without_october),
    "Y08": rows(repeated_month),
    "Y09": cell(3, "調査日", "不明"),
    "Y10": rows(lambda table: [*table, table[1]]),
    "Y11": rows(lambda table: table[:-1]),
    "Y12": rows(lambda table: [*table, ["5", *table[4][1:6], "新しい町", *table[4][7:-1], "34.4,134.1"]]),
    "Y13": cell(3, "regionName", ""),
    "Y14": rows(lambda table: [[cells.replace("37201", "37202") for cells in row] for row in table]),
    "Y15": rows(lambda table: [[cells.replace("37201", "37202") for cells in row] for row in table]),
    "Y16": rows(lambda table: [table[0], *table[2:]]),
    "Y17": rows(lambda table: [[cells.replace("01209", "01210") for cells in row] for row in table]),
    "Y18": meshes(lambda made: made[1].update(MESH_ID=513377995)),
    "Y19": meshes(lambda made: made[1].update(HITOKU2025="*")),
    "Y20": meshes(hidden),
    # shapes and coordinate systems
    "S01": cell(3, "location", ""),
    "S02": cell(3, "location", "134.056839,34.341274"),
    "S03": cell(3, "location", "0,0"),
    "S04": cell(3, "location", "34.342286,134.055021"),
    "S05": feature(1, "N03_007", "37202"),
    "S06": system("urn:ogc:def:crs:EPSG::4301"),
    "S07": shape(2, BOWTIE),
    "S08": shape(2, spiked()),
    "S09": system("EPSG:3395"),
    "S10": shapefile(lambda path: path.with_suffix(".prj").unlink()),
    "S11": system("urn:ogc:def:crs:EPSG::4301"),
    "S12": frames(lambda found: found.set_geometry([exchanged(one) for one in found.geometry], crs=6668)),
    "S13": feature(2, "key", None),
    "S14": feature(2, "key", "00"),
    "S15": feature(2, "key", "00"),
    "S16": frames(lambda found: found.set_geometry(found.boundary)),
    "S17": two_layers,
    "S18": turned,
    "S19": raster(west=WEST + STEP),
    "S20": raster(negative()),
    "S21": features(lambda found: found["features"][1]["properties"].update(
        KEY_CODE="012270010", SETAI=found["features"][0]["properties"]["SETAI"])),
    "S22": feature(3, "HCODE", 8154),
    "S23": without(["A27_003"]),
    "S24": features(lambda found: [one["properties"].update(KEY_CODE="012090010") for one in found["features"]]),
    "S25": shape(2, None),
    "S26": shape(2, shapely.box(10.0, 50.0, 10.1, 50.1)),
    # facilities
    "F01": cell(3, "供用開始年", "昭和50年代"),
    "F02": cell(3, "latitude", ""),
    "F03": cell(3, "#property", "1"),
    "F04": cell(3, "供用開始年", "2199"),
    "F05": cell(3, "name", ""),
    "F06": rows(lambda table: [*table, ["99", *table[2][1:]]]),
    "F07": cell(3, "都道府県コード又は市区町村コード", "221007"),
    "F08": without(["P29_004"]),
    "F09": feature(2, "P29_007", 2),
    "F10": rows(lambda table: [*table[:2], [table[2][0], table[2][2], table[2][1], *table[2][3:]], *table[3:]]),
    "F11": rows(lambda table: [*table[:2], [table[2][0], "0", "0", *table[2][3:]], *table[3:]]),
    "F12": rows(lambda table: [table[0], *([row[0], *[""] * 7] for row in table[1:])]),
    "F13": features(lambda found: found["features"][1]["geometry"].update(coordinates=[math.nan, 34.85])),
    "F14": heads("medicalSubjects", "科目"),
    "F15": rows(lambda table: [[cells.replace("循環器内科", "循環器科") for cells in row] for row in table]),
    # files and archives
    "A01": nothing,
    "A02": shapefile(lambda path: path.with_suffix(".dbf").unlink()),
    "A03": part_of_zip(two_shapefiles),
    "A04": ending(".csv.gz", body(lambda _: gzip.compress(b"1,2\n" * 2**19))),
    "A05": workbook(far_cell),
    "A06": ending(".csv.gz", body(lambda found: gzip.compress(found)[:-20])),
    "A07": part_of_zip(with_doctype),
    "A08": part_of_zip(archive_inside),
    "A09": part_of_zip(lambda parts: {f"../../{name}": found for name, found in parts.items()}),
    "A10": body(lambda _: OLE2),
    "A11": body(lambda found: found[:-40]),
    "A12": body(lambda _: "地域名,総人口\n塩屋町,5\n".encode()),
    "A13": body(lambda _: VRT),
    "A14": no_contents,
    "A15": body(lambda found: found[:-1].replace(b'"features"', b'\n\n"features"')),
    "A16": shapefile(one_row_more),
}  # fmt: skip


def entries():
    """The rows of the catalogue."""
    with CATALOGUE.open(encoding="utf-8", newline="") as text_file:
        return list(csv.DictReader(text_file))


def make(fault, folder):
    """Write the broken file of one row of the catalogue."""
    return FAULTS[fault["id"]](fault["reader"], target(folder, fault))


def main():
    """Write all of them, each in a folder of its own with the clean file it was made from."""
    folder = Path(sys.argv[1])
    for fault in entries():
        (folder / fault["id"]).mkdir(parents=True, exist_ok=True)
        print(make(fault, folder / fault["id"]))  # noqa: T201


if __name__ == "__main__":
    main()
