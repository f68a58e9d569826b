import re
from html.parser import HTMLParser

import numpy as np
import pytest
from test_geopackage import facility_layers, town_layers

from futuremap.core.credits import Credit, register
from futuremap.core.layer import Text
from futuremap.core.table import Table
from futuremap.export.chart import Panel, Series, line_chart
from futuremap.export.page import SHOWN_PER_CODE, Page, render, write_page
from futuremap.problems import Report

MADE_UP = Credit("made_up", "作った<数>", "made-up numbers", licence="CC0", synthetic=True)
FILES = {
    "earth/web/町.kmz": Text("町丁の地図", "map of town blocks"),
    "earth/pro/town.kmz": Text("町丁の地図", "map of town blocks"),
    "qgis/test.gpkg": Text("全部の地図", "all maps"),
    "data/population.csv": Text("人口", "population"),
    "manifest.json": Text("控え", "record"),
}


class Reader(HTMLParser):
    """Checks that every tag is closed, and gathers links and what stands in cells."""

    def __init__(self):
        super().__init__()
        self.open, self.links, self.tags = [], [], set()

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        self.links += [value for key, value in attributes if key in ("href", "src")]
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def page(**changes):
    values = {
        "population": np.array([[417_496.4, 100.0], [300_000.0, 0.0]]),
        "ageing_rate": np.array([[0.2854, 0.5], [0.41, np.nan]]),
    }
    table = Table.build(values, years=[2023, 2053], zones=["37201", "37202"])
    given = {
        "title": Text("高松市の将来 <2053>", "Future of Takamatsu"),
        "summary": Text("30年で3割減ります。", "Down by three tenths in 30 years."),
        "method": [Text("一つめ。", "First."), Text("二つめ。", "Second.")],
        "tables": [(Text("市全体", "The city"), table)],
        "zone_names": {"37201": "高松市"},
        "layers": [*town_layers(), *facility_layers()],
        "files": FILES,
        "warnings": (),
        "credits": [register()["census"]],
    }
    return Page(**(given | changes))


def read(text):
    reader = Reader()
    reader.feed(text)
    assert reader.open == []
    return reader


def test_it_is_whole_loads_nothing_and_runs_nothing(tmp_path):
    path = write_page(tmp_path, page())
    text = path.read_text(encoding="utf-8")
    assert path.name == "README.html"
    reader = read(text)
    assert not reader.tags & {"script", "link", "img", "iframe", "object", "form"}
    assert not re.search(r"https?:|url\(|@import|javascript:", text)
    assert "default-src 'none'" in text
    assert 'name="viewport"' in text
    assert '<html lang="ja">' in text


def test_every_file_is_linked_once_under_its_reader():
    text = render(page())
    assert read(text).links == [
        "earth/web/%E7%94%BA.kmz", "earth/pro/town.kmz", "qgis/test.gpkg",
        "data/population.csv", "manifest.json",
    ]  # fmt: skip
    rooms = re.findall(r"<h3>(.*?)</h3>", text)
    assert rooms[:3] == [
        "企画の方へ（Google Earth ウェブ版）",
        "企画の方へ（Google Earth プロ）",
        "GIS担当の方へ（QGIS）",
    ]
    assert "「プロジェクト」→「ファイルを開く」" in text
    assert "Excel" not in text


def test_numbers_of_the_town_in_reader_units():
    text = render(page())
    assert "<th scope='row'>高松市 2023年</th><td>417,496</td><td>28.5</td>" in text
    assert "<th scope='row'>37202 2053年</th><td>0</td><td>―</td>" in text
    assert "高齢化率（％）" in text


def test_people_within_reach_stand_beside_the_population():
    values = {
        "population": np.array([[1000.0]]),
        "people_covered": np.array([[612.4]]),
        "coverage_rate": np.array([[0.6124]]),
    }
    table = Table.build(values, years=[2023], zones=["37201"])
    text = render(page(tables=[(Text("市全体", "The city"), table)]))
    assert "<td>1,000</td><td>612</td><td>61.2</td>" in text
    assert "利用圏カバー率（％）" in text


def test_checks_and_charts_follow_the_numbers():
    line = Series(Text("高松市", "Takamatsu"), np.array([417.0, 300.0]))
    charts = [
        line_chart(
            [Panel(Text(name, name), "千人", (line,))],
            years=[2023, 2053],
            title=Text(name, name),
            notes=(),
        )
        for name in ("人口", "世帯")
    ]
    check = Text(
        "高松市 2020年：推計 <91,746>人、国勢調査 90,573人（＋1.3％）", "Takamatsu 2020: +1.3 %"
    )
    text = render(page(charts=charts, checks=[check]))
    reader = read(text)
    assert {"svg", "desc"} <= reader.tags
    assert not re.search(r"https?:|url\(|@import|javascript:", text)
    assert not re.search(r"<[^>]+ style=", text[text.index("<svg") : text.rindex("</svg>")])
    assert "推計 &lt;91,746&gt;人" in text
    english = text.index("In English")
    places = [text.index(word) for word in ("</table>", "統計との照合", "<svg", "図の見方")]
    assert places == sorted(places)
    assert text.count("<svg") == 2
    assert text.index("Takamatsu 2020: +1.3 %") > english
    ids = re.findall(r' id="([^"]+)"', text)
    assert len(ids) == len(set(ids)) == 4


def test_without_checks_and_charts_there_is_no_word_of_them():
    assert "統計との照合" not in render(page())
    assert "<svg" not in render(page())


def test_legends_say_height_colour_and_classes():
    text = render(page())
    assert "高さ：人口密度（1人/haを50mで表す）" in text
    assert "<i style='background:#9e9e9e'></i>不明" in text
    assert "町丁" in text
    assert text.count("town_blocksの注記") == 1
    assert "<b>現況（2023年）・将来（2053年）</b>" in text


def test_words_are_escaped_and_made_up_data_are_marked():
    text = render(page(credits=[MADE_UP]))
    assert "&lt;2053&gt;" in text
    assert "作った&lt;数&gt;" in text
    assert "合成データを含みます" in text
    assert "合成データを含みます" not in render(page())
    read(text)


@pytest.mark.parametrize(("count", "more"), [(0, False), (3, False), (SHOWN_PER_CODE + 7, True)])
def test_warnings_of_a_kind_are_listed_up_to_a_number(count, more):
    report = Report()
    for line in range(count):
        report.add("FM612", file="f.csv", line=line + 2, name="<会館>")
    text = render(page(warnings=report.warnings))
    assert text.count("（FM612）") == min(count, 1)
    assert text.count("f.csv:") == min(count, SHOWN_PER_CODE)
    assert ("ほか 7 件" in text) == more
    assert ("注意すべき点は見つかりません" in text) == (count == 0)
    assert "<会館>" not in text


def test_english_stands_under_the_japanese():
    text = render(page())
    english = text[text.index("In English") :]
    assert "Future of Takamatsu" in english
    assert "Drop the file on QGIS" in english
    assert "Double-click. No network" not in english
    assert "this folder" in english
    assert "First." in english
    assert "Population Census" in english
