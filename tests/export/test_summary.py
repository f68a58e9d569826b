"""The page to decide by: escaped, without script, marked where data are made up."""

from futuremap.core.credits import Credit
from futuremap.core.layer import Text
from futuremap.export.summary import BAD, GOOD, Grid, Summary, render_summary, write_summary

REAL = Credit("a", "出典A", "source A", "CC BY 4.0")
MADE_UP = Credit("b", "合成データB", "synthetic B", "CC BY 4.0", synthetic=True)


def summary(**other):
    said = {
        "title": Text("比較<script>alert(1)</script>", "compared"),
        "lead": [Text("・本町に、毎年、3組", "- 3 a year")],
        "grids": [Grid(Text("数字", "numbers"), ["", "値"], [["<b>本町</b>", f"{GOOD}達成"],
                                                         ["港町", f"{BAD}届かない"]])],
        "charts": [],
        "files": {"data/a b.csv": Text("表", "table")},
        "notes": [Text("仮定にもとづく推計です。", "under assumptions")],
        "credits": [REAL],
    }  # fmt: skip
    return Summary(**{**said, **other})


def test_text_from_data_is_escaped_and_nothing_runs():
    page = render_summary(summary())
    assert "<script" not in page
    assert "&lt;b&gt;本町" in page
    assert "default-src 'none'" in page
    assert 'href="data/a%20b.csv"' in page


def test_targets_are_marked_in_words_and_colour():
    page = render_summary(summary())
    assert "<td class='good'>○ 達成</td>" in page
    assert "<td class='bad'>× 届かない</td>" in page
    assert "<li>本町に、毎年、3組</li>" in page  # the terminal's own bullet is not doubled


def test_made_up_data_is_said_first(tmp_path):
    assert "合成データを含みます" not in render_summary(summary())
    path = write_summary(tmp_path, summary(credits=[REAL, MADE_UP]))
    text = path.read_text(encoding="utf-8")
    assert path.name == "README.html"
    assert text.index("合成データを含みます") < text.index("数字")
    assert "In English" in text


def test_long_tables_stand_behind_the_sheet_that_is_read():
    """A mayor's sheet ends with the chart; notes and long tables begin one of their own."""
    long = Grid(Text("長い表", "long"), ["地区", "人"], [["一", "1"]])
    page = render_summary(summary(charts=["<svg>chart</svg>"], appendix=[long]))
    assert page.index("<svg>chart") < page.index("<div class='more'>") < page.index("長い表")
    assert ".more, .en { break-before: page; }" in page
    assert "<li>long</li>" in page
