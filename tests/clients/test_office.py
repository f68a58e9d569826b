"""The workbook in LibreOffice, without a screen: it opens, its charts are drawn, and it prints."""

import csv
import re
import subprocess

import pyogrio
import pytest

pytestmark = pytest.mark.client


def text_of(pdf, *options):
    """Words of a PDF, laid out as on the page."""
    done = subprocess.run(
        ["pdftotext", *options, str(pdf), "-"], capture_output=True, encoding="utf-8", check=True
    )
    return done.stdout


def pages_of(pdf):
    done = subprocess.run(["pdfinfo", str(pdf)], capture_output=True, encoding="utf-8", check=True)
    return dict(line.split(":", 1) for line in done.stdout.splitlines() if ":" in line)


@pytest.fixture(scope="module")
def printed(office, demo_output):
    return office(demo_output / "excel" / "takamatsu_baseline.xlsx", "pdf")


def test_the_workbook_prints_on_a4(printed):
    about = pages_of(printed)
    assert 20 <= int(about["Pages"]) <= 80
    sizes = {re.sub(r"\s+", " ", about["Page size"]).strip()}
    assert any("A4" in size for size in sizes), sizes


def test_numbers_and_headings_are_on_the_pages(printed, outcome):
    first = text_of(printed, "-f", "1", "-l", "1", "-layout")
    table = outcome.municipal
    for year in (table.years[0], table.years[-1]):
        assert f"{table.column('population', year)[0]:,.0f}" in first
    low, high = (table.column("population", table.years[-1], b)[0] for b in ("low", "high"))
    assert f"{low:,.0f}" in first
    assert f"{high:,.0f}" in first
    assert "主な数字" in first
    whole = text_of(printed)
    for words in ("塩屋町", "人口ピラミッド", "数字の作り方", "出典", "診断"):
        assert words in whole
    assert "#REF" not in whole
    assert "Err:" not in whole
    # the heading is printed on every page of the long table
    assert whole.count("区域コード") > 5


def test_charts_are_drawn_with_males_counted_as_positive(printed):
    pages = [re.sub(r"[ \n]+", "", page) for page in text_of(printed, "-layout").split("\f")]
    # a credit says the words too
    (number,) = [
        n for n, page in enumerate(pages, 1)
        if "男女・年齢別の人口" in page and "現況（2023年）" in page
    ]  # fmt: skip
    assert "将来（2053年）" in pages[number - 1]
    pyramid = text_of(printed, "-f", str(number), "-l", str(number))
    assert "0～4歳" in pyramid
    numbers = re.findall(r"-?\d{1,3}(?:,\d{3})+", pyramid)
    assert len(numbers) > 40
    assert not [number for number in numbers if number.startswith("-")]


def test_libreoffice_reads_the_numbers_of_the_gis_file(office, demo_output):
    table = office(demo_output / "excel" / "takamatsu_baseline.xlsx", "csv", sheet=2)
    rows = list(csv.reader(table.read_text(encoding="utf-8").splitlines()))
    heads = next(i for i, row in enumerate(rows) if row and row[0].startswith("区域コード"))
    at = next(i for i, cell in enumerate(rows[heads]) if cell.startswith("人口 2053年"))
    ours = {row[0]: row[at] for row in rows[heads + 1 :] if row and row[0].startswith("37201")}
    gpkg = demo_output / "qgis" / "takamatsu_baseline.gpkg"
    blocks = pyogrio.read_dataframe(gpkg, layer="town_blocks", read_geometry=False)
    assert len(ours) == len(blocks)
    for zone, value in zip(blocks["zone"], blocks["population_2053"], strict=True):
        assert float(ours[zone]) == pytest.approx(value, rel=1e-12)


@pytest.mark.usefixtures("office")
def test_the_report_is_four_to_eight_pages_with_readable_words(demo_output):
    pdf = demo_output / "report" / "takamatsu_baseline.pdf"
    about = pages_of(pdf)
    assert 4 <= int(about["Pages"]) <= 8
    assert "A4" in about["Page size"]
    assert "CreationDate" not in about
    text = text_of(pdf)
    for words in (
        "高松市の現況と将来",
        "高齢化率",
        "方法・誤差・出典",
        "国立社会保障・人口問題研究所",
    ):
        assert words in re.sub(r"\s", "", text)
