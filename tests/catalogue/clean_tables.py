"""Clean tables (合成データ in part) and their readers."""

import csv
import functools
import itertools
import shutil
from pathlib import Path

import openpyxl

from futuremap.sources import (
    census,
    census_series,
    controls,
    estat_mesh,
    estat_small_area,
    facilities,
    ipss,
    life_table_file,
    mapped,
    public_facilities,
    register,
    register_series,
    totals,
)
from futuremap.sources.mapped import TableMapping
from tests.catalogue.registry import on
from tests.sources import estat_files
from tests.sources.shapes import CLIPS, YAIZU
from tests.sources.variants import FIXTURES, TOWN, register_rows, write_csv, write_xlsx

AGES = ("0～4歳", "5～9歳", "10～84歳", "85歳以上")
WIDE = TableMapping(zone_code="コード", zone_name="町名", date="調査日", municipality="01209")
LONG = TableMapping(zone_name="町名", date="年", sex="男女", age="年齢", value="人口")


@functools.cache
def base_rows():
    """Four areas of a real register."""
    return tuple(map(tuple, register_rows(4)))


def _register(path):
    rows = [list(row) for row in base_rows()]
    return write_csv(path, rows) if path.suffix == ".csv" else write_xlsx(path, rows)


def _read_register(path, report, **more):
    return register.read(path, year=2023, report=report, **TOWN, **more)


for _ending, _kind in ((".csv", "text"), (".xlsx", "xlsx")):
    on("register" if _kind == "text" else "register_xlsx", _ending, _kind, _register)(
        _read_register
    )


def _named():
    # number of each area to its name and id
    head, *rows = base_rows()
    number, name = head.index("#property"), head.index("regionName")
    return {row[number].lstrip("0"): (row[name], f"37201-{row[number]:0>3}") for row in rows}


@on("register_names", ".csv", "text", _register)
def _read_with_names(path, report):
    # as if another month had told the names
    names = {number: zone[0] for number, zone in _named().items()}
    return _read_register(path, report, names=names)


@on("register_year", ".csv", "text", _register)
def _read_other_year(path, report):
    # the same areas as those of a base year
    ids = dict(_named().values())
    return register.read_year(path, year=2023, ids_by_name=ids, credit="c", report=report)


def _series(path):
    # three months in a row of three areas
    lines = (CLIPS / "register" / "joined_12.csv").read_text(encoding="utf-8").splitlines()
    head, body = lines[0], [line.split(",", 1) for line in lines[1:]]
    months = sorted({month for month, _ in body})[:3]
    kept = [
        f"2020-{number:02d},{rest}"
        for number, month in enumerate(months, start=9)
        for rest in [rest for found, rest in body if found == month][:3]
    ]
    path.write_text("\n".join([head, *kept]) + "\n", encoding="utf-8")
    return path


@on("register_series", ".csv", "text", _series)
def _read_series(path, report):
    return register_series.read(path, municipality="37201", credit="c", report=report)


def _censuses(path):
    with (FIXTURES.parent / "mihara_yugawara" / "census.csv").open(encoding="utf-8") as text:
        lines = text.read().splitlines()
    kept = [lines[0], *(one for one in lines[1:] if one.split(",")[1] in {"2010", "2015"})]
    path.write_text("\n".join(kept) + "\n", encoding="utf-8")
    return path


@on("census", ".csv", "text", _censuses)
def _read_census(path, report):
    return census.read(path, code="34204", name="三原市", year=2015, credit="c", report=report)


@on("census_series", ".csv", "text", _censuses)
def _read_censuses(path, report):
    codes = ("14384", "34204")
    return census_series.read(path, years=(2010, 2015), codes=codes, credit="c", report=report)


@on("controls", ".csv", "text", lambda path: Path(shutil.copy(FIXTURES / "ipss2018.csv", path)))
def _read_controls(path, report):
    return controls.read(path, code="37201", name="高松市", credit="c", report=report)


@on("totals", ".csv", "text",
     lambda path: write_csv(path, [["code", "year", "total"], ["37201", "2020", "417496"]]))  # fmt: skip
def _read_totals(path, report):
    return totals.read(path, code="37201", name="高松市", year=2020, report=report)


def _wide(path):
    head = ["コード", "町名", "調査日", *(f"{s} {a}" for s in "男女" for a in AGES), "総数"]
    rows = [head]
    for z, name in enumerate(("東町", "西町", "南町"), start=1):
        people = [100 * z + i for i in range(8)]
        code, total = f"01209000{z}", str(sum(people))
        rows.append([code, name, "令和5年10月1日現在", *map(str, people), total])
    return write_csv(path, rows) if path.suffix == ".csv" else write_xlsx(path, rows)


def _read_wide(path, report, **changes):
    return mapped.read(path, mapping=WIDE, credit="c", report=report, **changes)


on("mapped", ".csv", "text", _wide)(_read_wide)
on("mapped_xlsx", ".xlsx", "xlsx", _wide)(_read_wide)


@on("mapped_zones", ".csv", "text", _wide)
def _read_wide_zones(path, report):
    return _read_wide(path, report, zones={f"01209000{z}": f"z{z}" for z in (1, 2, 3)})


@on("mapped_unnamed", ".csv", "text", _wide)
def _read_unnamed(path, report):
    return mapped.read(path, mapping=TableMapping(year=2023), credit="c", report=report)


@on("mapped_sheet", ".xlsx", "xlsx", _wide)
def _read_sheet(path, report):
    # the sheet is named in the mapping
    mapping = TableMapping(zone_code="コード", zone_name="町名", date="調査日", sheet="表")
    return mapped.read(path, mapping=mapping, credit="c", report=report)


def _long(path):
    rows = [["年", "町名", "男女", "年齢", "人口"]]
    for i, (name, sex, age) in enumerate(itertools.product(("東町", "西町"), "12", AGES)):
        rows.append(["2023", name, sex, age, str(10 + i)])
    return write_csv(path, rows)


@on("mapped_long", ".csv", "text", _long)
def _read_long(path, report):
    return mapped.read(path, mapping=LONG, credit="c", report=report)


def _by_sex(path):
    rows = [["町名", "性別", *AGES]]
    rows += [[name, sex, "5", "6", "7", "8"] for name in ("東町", "西町") for sex in "男女"]
    return write_csv(path, rows)


@on("mapped_sexes", ".csv", "text", _by_sex)
def _read_by_sex(path, report):
    mapping = TableMapping(zone_name="町名", sex="性別", year=2023)
    return mapped.read(path, mapping=mapping, credit="c", report=report)


@functools.cache
def _schools():
    page = openpyxl.load_workbook(FIXTURES / "middle_school.xlsx").worksheets[0]
    return tuple(tuple("" if v is None else v for v in row) for row in page.values)[:6]


def _facilities(path):
    rows = [[str(cell) for cell in row] for row in _schools()]
    return write_csv(path, rows) if path.suffix == ".csv" else write_xlsx(path, rows)


def _read_facilities(path, report):
    return facilities.read(path, facility_class="school", base_year=2023, report=report, **TOWN)


on("facilities", ".csv", "text", _facilities)(_read_facilities)
on("facilities_xlsx", ".xlsx", "xlsx", _facilities)(_read_facilities)


MEDICAL = ["latitude", "longitude", "address", "name", "medicalSubjects", "numberOfBeds"]


def _medical(path):
    with (FIXTURES / "medical.csv").open(encoding="utf-8-sig", newline="") as text:
        rows = [[row[heading] for heading in MEDICAL] for row in csv.DictReader(text)][:4]
    return write_csv(path, [MEDICAL, *rows])


@on("medical", ".csv", "text", _medical)
def _read_medical(path, report):
    # those of one department
    kinds = ("内科", "循環器内科")
    return facilities.read(
        path, facility_class="medical", base_year=2023, report=report, kinds=kinds, **TOWN
    )


def _first_rows(source, columns, count):
    def make(path):
        with (CLIPS / "yaizu" / source).open(encoding="utf-8-sig", newline="") as text:
            rows = [row[:columns] for row in csv.reader(text)][: count + 1]
        return write_csv(path, rows)

    return make


def _read_public(path, report):
    return public_facilities.read(
        path, facility_class="x", town=YAIZU, credit="c", base_year=2025, report=report
    )


on("public_facilities", ".csv", "text", _first_rows("city_offices.csv", 24, 4))(_read_public)
on("parks", ".csv", "text", _first_rows("park.csv", 7, 4))(_read_public)


def _ages(number):
    return [number + k % 3 for k in range(16)]


def small_areas():
    """A municipality of a block, a town of two 丁目, and a block merged into the first."""
    made = estat_files
    west, tiny = made.numbers(_ages(20), _ages(30), (1, 0)), made.numbers([1] + [0] * 15, [0] * 16)
    east = [made.numbers(_ages(5), _ages(4)), made.numbers(_ages(6), _ages(7), (0, 2))]
    together = made.add(west, tiny)
    merged = [west[p] if p % 20 == 0 else together[p] for p in range(60)]
    return [
        made.row("01209", "1", "", made.add(west, *east, tiny)),
        made.row("012090010", "2", "西町", merged, treatment="1", members="012090030"),
        made.row("012090020", "3", "東町", made.add(*east)),
        made.row("01209002001", "4", "東町１丁目", east[0]),
        made.row("01209002002", "4", "東町２丁目", east[1]),
        made.row("012090030", "2", "谷", made.withheld(tiny), treatment="2", partner="012090010"),
    ]


def open_areas():
    """The same without the block that was merged: nothing is suppressed."""
    made = estat_files
    west = made.numbers(_ages(20), _ages(30), (1, 0))
    east = [made.numbers(_ages(5), _ages(4)), made.numbers(_ages(6), _ages(7), (0, 2))]
    return [
        made.row("01209", "1", "", made.add(west, *east)),
        made.row("012090010", "2", "西町", west),
        made.row("012090020", "3", "東町", made.add(*east)),
        made.row("01209002001", "4", "東町１丁目", east[0]),
        made.row("01209002002", "4", "東町２丁目", east[1]),
    ]


@on("estat_merged_areas", ".txt", "text", lambda path: estat_files.write(path, small_areas()))
@on("estat_small_area", ".txt", "text", lambda path: estat_files.write(path, open_areas()))
def _read_small(path, report):
    return estat_small_area.read(path, year=2020, municipality="01209", credit="c", report=report)


def _meshes(last):
    # lines 9 and 10 are the first pair that was merged
    def make(path):
        lines = estat_files.CLIP.read_bytes().splitlines(keepends=True)
        path.write_bytes(b"".join(lines[:last]))
        return path

    return make


@on("estat_merged_meshes", ".txt", "text", _meshes(11))
@on("estat_mesh", ".txt", "text", _meshes(8))
def _read_mesh(path, report):
    return estat_mesh.read(path, year=2020, credit="c", report=report)


def _life(path):
    rows = [["sex", "age", "mx", "qx", "lx", "nLx"]]
    for sex in "男女":
        alive = 100_000.0
        for age, after in ((0, 1), (1, 5), (5, 10), (10, None)):
            dead = alive / 10 if after else alive
            lived = (after - age) * (alive - dead / 2) if after else 10 * alive
            label = str(age) if after else f"{age}歳以上"
            rows.append(
                [sex, label, *(f"{v:.9f}" for v in (dead / lived, dead / alive, alive, lived))]
            )
            alive -= dead
    return write_csv(path, rows)


@on("life_table", ".csv", "text", _life)
def _read_life(path, report):
    return life_table_file.read_csv(path, credit="c", report=report)


WPP_AGES = (0, 1, *range(5, 101, 5))


def _wpp(path):
    head = "country_code\tname\tage\t2015-2020\t2020-2025"
    rows = [
        f"392\tJapan\t{age}\t{0.001 + age / 300:.6f}\t{0.001 + age / 310:.6f}" for age in WPP_AGES
    ]
    path.write_text("\n".join([head, *rows]) + "\n", encoding="ascii")
    return path


@on("wpp", ".txt", "text", _wpp)
def _read_wpp(path, report):
    # the same sound file for men
    male = _wpp(path.with_name(f"{path.stem}.men"))
    return life_table_file.read_wpp(male, path, country="392", credit="c", report=report)


def ipss_rows():
    """A sheet of three blocks: both sexes, men, women."""
    ages = [*(f"{age}～{age + 4}歳" for age in range(0, 90, 5)), "90歳以上"]
    years, rows = (2015, 2020, 2025), [["37201", "高松市"], []]
    rows.append(
        [
            cell
            for word in ("男女計", "男", "女")
            for cell in (word, *(f"{y}年" for y in years), None)
        ]
    )
    people = [[[100 * s + a + y for y in range(3)] for a in range(len(ages))] for s in (1, 2)]
    both = [[m + w for m, w in zip(*of_age, strict=True)] for of_age in zip(*people, strict=True)]
    blocks = [both, *people]
    sums = [[sum(column) for column in zip(*block, strict=True)] for block in blocks]
    rows.append([cell for of in sums for cell in ("総数", *of, None)])
    for a, label in enumerate(ages):
        rows.append([cell for block in blocks for cell in (label, *block[a], None)])
    return rows


def write_ipss(path, rows=None):
    """A workbook of a prefecture and a town."""
    book = openpyxl.Workbook()
    for title in ("3700_香川県", "37201_高松市"):
        page = book.create_sheet(title)
        for row in rows or ipss_rows():
            page.append(row)
    book.remove(book.worksheets[0])
    book.save(path)
    return path


@on("ipss", ".xlsx", "xlsx", write_ipss)
def _read_ipss(path, report):
    return ipss.read(path, code="37201", name="高松市", credit="c", report=report)
