"""Charts: whole, safe, the same every time, and with names that can be read."""

import re

import numpy as np
import pytest
from lxml import etree

from futuremap.core.credits import Credit
from futuremap.core.layer import Text
from futuremap.errors import ExportError
from futuremap.export.chart import COLOURS, LABEL, MARK, Panel, Series, line_chart, spread, ticks

SVG = {"s": "http://www.w3.org/2000/svg"}
YEARS = [2010, 2015, 2020, 2030, 2045]
MADE_UP = Credit("made_up", "作った<数>", "made-up numbers", licence="CC0", synthetic=True)
NUMBERS = re.compile(r"-?\d+(?:\.\d+)?")


def towns(count=2, *, values=None, **changes):
    lines = [np.linspace(100, 50, len(YEARS)) + n for n in range(count)]
    return tuple(
        Series(Text(f"{n}市", f"Town {n}"), line, **changes)
        for n, line in enumerate(lines if values is None else values)
    )


def chart(*panels, **changes):
    given = {
        "years": YEARS,
        "title": Text("二つの町 <2045>", "Two towns"),
        "notes": [Text("2020年以降は推計です。", "Projected from 2020.")],
    }
    drawn = panels or (Panel(Text("人口", "Population"), "人", towns()),)
    return line_chart(drawn, **(given | changes))


def read(text):
    return etree.fromstring(text.encode())


def texts(text):
    return [element.text for element in read(text).xpath("//s:text", namespaces=SVG)]


def lines(text):
    """Paths of the series, as lists of their parts between two breaks."""
    drawn = read(text).xpath("//s:path[@stroke-width='2.4']", namespaces=SVG)
    return [
        [
            [tuple(map(float, place.split())) for place in part.split("L")]
            for part in element.get("d").split("M")[1:]
        ]
        for element in drawn
    ]


def labels(text, names):
    found = read(text).xpath("//s:text", namespaces=SVG)
    return {e.text: float(e.get("y")) for e in found if e.text in names}


def test_it_is_one_svg_that_runs_and_loads_nothing():
    text = chart(credits=[MADE_UP])
    root = read(text)
    assert {element.tag.rpartition("}")[2] for element in root.iter()} == {
        "svg", "title", "desc", "rect", "g", "path", "text",
    }  # fmt: skip
    assert not {name for e in root.iter() for name in e.attrib} & {"style", "href", "class"}
    assert text.count("http") == 1
    width, height = root.get("width"), root.get("height")
    assert root.get("viewBox") == f"0 0 {width} {height}"


def test_it_says_in_words_what_it_shows():
    values = [np.array([12_345.6, 1, 2, 3, 900.04]), np.full(5, np.nan)]
    root = read(chart(Panel(Text("人口", "x"), "人", towns(values=values))))
    title, words = (root.find(f"s:{name}", SVG) for name in ("title", "desc"))
    assert root.get("role") == "img"
    assert root.get("aria-labelledby") == title.get("id")
    assert root.get("aria-describedby") == words.get("id")
    assert title.text == "二つの町 <2045>"
    assert words.text == "人口（人）：0市 2010年 12,346、2045年 900.0；1市 ―。 Two towns"


def test_two_runs_draw_the_same_bytes_with_one_decimal():
    text = chart()
    assert text == chart()
    places = [n for d in re.findall(r' (?:d|x|y)="([^"]*)"', text) for n in NUMBERS.findall(d)]
    assert max(len(n.partition(".")[2]) for n in places) == 1
    assert "-0.0" not in places


def test_words_are_escaped():
    nasty = Text("A & <script>\x0b", "<b>")
    series = (Series(nasty, np.ones(5)),)
    text = chart(Panel(nasty, "<人>", series), title=nasty, notes=[nasty], credits=[MADE_UP])
    assert texts(text).count("A & <script>\ufffd") == 3
    assert "出典：［合成データ］作った<数>（CC0）" in texts(text)


def test_a_missing_value_breaks_the_line():
    (line,) = lines(
        chart(Panel(Text("人口", "x"), "", towns(values=[np.array([1, 2, np.nan, 3, 4.0])])))
    )
    assert [len(part) for part in line] == [2, 2]


def test_values_stand_at_their_height_and_years_at_their_distance():
    values = [np.array([100.0, 50, 0, 0, 0])]
    ((line,),) = lines(chart(Panel(Text("率", "x"), "％", towns(values=values))))
    (x, y) = zip(*line, strict=True)
    assert (y[0] + y[2]) / 2 == pytest.approx(y[1], abs=0.1)
    assert np.diff(x) / np.diff(YEARS) == pytest.approx([np.diff(x)[0] / 5] * 4, abs=0.05)


def test_names_of_twelve_lines_do_not_overlap():
    text = chart(Panel(Text("人口", "x"), "人", towns(12)))
    places = sorted(labels(text, {f"{n}市" for n in range(12)}).values())
    assert len(places) == 12
    assert min(np.diff(places)) >= LABEL


def test_names_stand_beside_their_lines_where_there_is_room():
    values = [np.full(5, 90.0), np.full(5, 10.0)]
    text = chart(Panel(Text("人口", "x"), "人", towns(values=values)))
    ends = [line[-1][-1][1] for line in lines(text)]
    found = labels(text, {"0市", "1市"})
    assert [found["0市"], found["1市"]] == pytest.approx([end + 5 for end in ends])


def test_a_name_has_one_colour_in_all_panels_and_no_two_look_alike():
    first, second = towns(12), towns(12)[::-1]
    text = chart(Panel(Text("a", "a"), "", first), Panel(Text("b", "b"), "", second))
    drawn = read(text).xpath("//s:path[@stroke-width='2.4']", namespaces=SVG)
    looks = [(path.get("stroke"), path.get("stroke-dasharray")) for path in drawn]
    assert looks[:12] == looks[12:][::-1]
    assert len(set(looks[:12])) == 12
    assert looks[0][1] is None
    assert looks[7] == (COLOURS[0], "2 3")


def test_dashed_lines_differ_from_those_whose_colour_comes_again():
    plain, dashed = (
        {
            path.get("stroke-dasharray")
            for path in read(chart(Panel(Text("a", "a"), "", towns(8, dashed=dashed)))).xpath(
                "//s:path[@stroke-width='2.4']", namespaces=SVG
            )
        }
        for dashed in (False, True)
    )
    assert len(plain | dashed) == 4


@pytest.mark.parametrize("count", [1, 2, 3])
def test_panels_stand_side_by_side_within_the_picture(count):
    text = chart(*[Panel(Text(f"図{n}", "x"), "人", towns()) for n in range(count)])
    width, _ = (float(read(text).get(side)) for side in ("width", "height"))
    drawn = lines(text)
    starts = [drawn[2 * n][0][0][0] for n in range(count)]
    assert starts == sorted(starts)
    assert drawn[-1][0][-1][0] < width
    assert [f"図{n}（人）" in texts(text) for n in range(count)] == [True] * count
    assert {line[0][0][1] for line in drawn[::2]} == {drawn[0][0][0][1]}


def test_the_base_year_is_marked():
    assert texts(chart(base_year=2015)).count("基準年") == 1
    assert "2015" in texts(chart(base_year=2015))
    assert "基準年" not in texts(chart())
    assert "基準年" not in texts(chart(base_year=2016))


@pytest.mark.parametrize(
    ("changes", "marked"),
    [({}, False), ({"synthetic": True}, True), ({"credits": [MADE_UP]}, True)],
)
def test_made_up_data_are_marked(changes, marked):
    text = chart(**changes)
    assert (MARK in texts(text)) == marked
    assert (MARK in read(text).findtext("s:desc", namespaces=SVG)) == marked


def test_long_titles_and_notes_are_wrapped():
    long = Text("長い言葉" * 60, "long")
    text = chart(Panel(long, "人", towns()), title=long, notes=[long])
    width = float(read(text).get("width"))
    for element in read(text).xpath("//s:text", namespaces=SVG):
        if element.get("text-anchor") is None:
            long_est = len(element.text) * float(element.get("font-size"))
            assert float(element.get("x")) + long_est <= width + 1


def test_without_numbers_there_are_axes_only():
    nothing = Panel(Text("a", "a"), "", towns(values=[np.full(5, np.nan), np.full(5, np.inf)]))
    text = chart(nothing, Panel(Text("b", "b"), "", ()))
    assert lines(text) == []
    assert texts(text).count("2045") == 2


def test_one_year_is_a_point():
    text = chart(
        Panel(Text("a", "a"), "", (Series(Text("町", "t"), np.array([5.0])),)), years=[2020]
    )
    assert len(lines(text)[0][0]) == 1


def test_axes_are_round():
    assert ticks(0, 0) == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1.0])
    assert ticks(0, 61.5) == [0, 10, 20, 30, 40, 50, 60, 70]
    assert ticks(-120, -20) == [-120, -100, -80, -60, -40, -20, 0]
    assert ticks(0, 100) == [0, 20, 40, 60, 80, 100]
    assert "0.5" in texts(chart(Panel(Text("率", "x"), "", towns(values=[np.full(5, 0.5)]))))


@pytest.mark.parametrize("seed", range(20))
def test_spread_keeps_order_distance_and_ends(seed):
    chance = np.random.default_rng(seed)
    wanted = chance.uniform(0, 300, 12)
    places = np.array(spread(wanted, gap=20, low=0, high=300))
    order = np.argsort(wanted)
    assert np.diff(places[order]).min() >= 20 - 1e-9
    assert places.min() >= 0
    assert places.max() <= 300 + 1e-9


def test_spread_moves_nothing_that_has_room():
    assert spread([30.0, 90.0, 60.0], gap=20, low=0, high=100) == [30.0, 90.0, 60.0]


@pytest.mark.parametrize(
    ("panels", "years", "message"),
    [
        ((), YEARS, "one to 3 panels"),
        ([Panel(Text("a", "a"), "", towns())] * 4, YEARS, "one to 3 panels"),
        ([Panel(Text("a", "a"), "", towns())], [2020, 2010], "ascend"),
        ([Panel(Text("a", "a"), "", towns())], [], "ascend"),
        ([Panel(Text("a", "a"), "", towns())], [2010, 2020], r"Town 0: \(5,\) values for 2 years"),
    ],
)
def test_what_cannot_be_drawn_is_refused(panels, years, message):
    with pytest.raises(ExportError, match=message):
        line_chart(panels, years=years, title=Text("a", "a"), notes=())
