"""合成データ: a project of 歌志内市 in official layouts, with its real totals and its real blocks."""

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import openpyxl

from tests.sources.estat_files import add, labels, numbers, row, withheld, write

GEO = Path(__file__).resolve().parents[2] / "fixtures" / "geo"
TWELVE = GEO / "twelve_municipalities"
BOUNDARY = GEO / "clips" / "boundary" / "utashinai_01227.geojson"
CODE = "01227"
OPEN = 15  # position of 75 and over
HEADER = """
[project]
name = "utashinai"
title = "歌志内市"
base_year = 2015
end_year = 2025

[[municipality]]
code = "01227"
name = "歌志内市"
plane_zone = 12
outline = { file = "outline_n03.geojson", credit = "ksj_n03" }
"""
SMALL_AREA = """
[[municipality.population]]
year = 2010
file = "T2010.txt"
format = "estat_small_area"
credit = "estat_small_area"

[[municipality.population]]
year = 2015
file = "T2015.txt"
format = "estat_small_area"
credit = "estat_small_area"
"""
AREAS = """
[municipality.blocks]
file = "blocks.geojson"
format = "estat_boundary"
credit = "estat_boundary"
"""
AGES = """
[municipality.ages]
file = "census_2010_2015.csv"
credit = "census"
"""


def municipal(name, year, code=CODE):
    """Persons by sex (M, F) and age to 90 and over, as published."""
    with (TWELVE / name).open(encoding="utf-8-sig", newline="") as text:
        rows = {
            one["sex"]: one
            for one in csv.DictReader(text)
            if (one["code"], one["year"]) == (code, str(year))
        }
    ages = [key for key in rows["M"] if key[0] == "a"]
    return np.array([[int(rows[sex][age]) for age in ages] for sex in "MF"])


def keys():
    """KEY_CODE of each block to its people in 2015, as its boundary states them."""
    features = json.loads(BOUNDARY.read_text(encoding="utf-8"))["features"]
    return {one["properties"]["KEY_CODE"]: one["properties"]["JINKO"] for one in features}


def names():
    features = json.loads(BOUNDARY.read_text(encoding="utf-8"))["features"]
    return {one["properties"]["KEY_CODE"]: one["properties"]["S_NAME"] for one in features}


def by_block(year):
    """Whole people (blocks, 2, 16) that add up to the municipality, 75 and over together."""
    ages = municipal("census_2010_2015.csv", year)
    together = np.concatenate([ages[:, :OPEN], ages[:, OPEN:].sum(axis=1, keepdims=True)], axis=1)
    share = np.array(list(keys().values()), dtype=float)
    draw = np.random.default_rng(year)
    cells = [draw.multinomial(count, share / share.sum()) for count in together.ravel()]
    return np.array(cells).T.reshape(len(share), 2, OPEN + 1)


def small_area(path, year, codes=None):
    """T001082 of 2015: the second block is suppressed and counted in the first."""
    codes = list(codes or keys())
    counts = [numbers(*block.tolist()) for block in by_block(year)]
    both = add(counts[0], counts[1])
    holder = [counts[0][at] if at % 20 == 0 else both[at] for at in range(len(both))]
    titles = list(names().values())
    rows = [row(CODE, "1", "", add(*counts))]
    rows.append(row(codes[0], "2", titles[0], holder, treatment="1", members=codes[1]))
    rows.append(row(codes[1], "2", titles[1], withheld(counts[1]), treatment="2", partner=codes[0]))
    rows += [row(codes[i], "2", titles[i], counts[i]) for i in range(2, len(codes))]
    return write(path, rows, named=labels(2015))


def project(folder, *tables, header=HEADER):
    """A project file of these tables, with the files that all of them use."""
    folder.mkdir(exist_ok=True)
    for name in ("outline_n03.geojson", "census_2010_2015.csv", "ipss2018.csv"):
        shutil.copy(TWELVE / name, folder / name)
    shutil.copy(BOUNDARY, folder / "blocks.geojson")
    (folder / "project.toml").write_text("\n".join([header, *tables]), encoding="utf-8")
    return folder


def utashinai(folder, *tables):
    """The project with small areas of two censuses."""
    made = project(folder, SMALL_AREA, *(tables or (AREAS, AGES)))
    for year in (2010, 2015):
        small_area(made / f"T{year}.txt", year)
    return made


def ipss_workbook(path):
    """The municipality's projection of 2018 in the layout of IPSS's workbooks."""
    years = range(2015, 2046, 5)
    persons = np.array([municipal("ipss2018.csv", year) for year in years])
    spans = [*(f"{age}～{age + 4}歳" for age in range(0, 90, 5)), "90歳以上"]
    blocks = [persons.sum(axis=1), persons[:, 0], persons[:, 1]]
    book = openpyxl.Workbook()
    page = book.active
    page.title = "1227_歌志内市"
    page.append(["01227", "歌志内市"])
    page.append(_beside(("男女計", "男", "女"), [[f"{year}年" for year in years]] * 3))
    page.append(_beside(["総数"] * 3, [block.sum(axis=1).tolist() for block in blocks]))
    for at, span in enumerate(spans):
        page.append(_beside([span] * 3, [block[:, at].tolist() for block in blocks]))
    book.save(path)
    return path


def _beside(heads, blocks):
    cells = []
    for head, block in zip(heads, blocks, strict=True):
        cells += [head, *block, None]
    return cells[:-1]
