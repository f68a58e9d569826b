"""The printed report: pages, numbers, colours of the map, and text that stays text."""

import re
from dataclasses import replace

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import fontManager

from futuremap.core.layer import Text
from futuremap.export.report import write_report
from futuremap.export.report.blocks import Frame
from futuremap.export.report.maps import draw_map
from futuremap.export.report.style import FAMILY, drawing

PAGE = re.compile(rb"/Type\s*/Page\b")


@pytest.fixture
def printed(tmp_path, make_brief):
    def write(**changes):
        pdf, page = write_report(make_brief(**changes), tmp_path / "report")
        return pdf.read_bytes(), page.read_text(encoding="utf-8")

    return write


def test_four_to_eight_pages_of_a4(printed):
    pdf, _ = printed()
    assert 4 <= len(PAGE.findall(pdf)) <= 8
    boxes = set(re.findall(rb"/MediaBox\s*\[\s*0\s+0\s+([\d.]+)\s+([\d.]+)", pdf))
    ((wide, high),) = boxes
    assert (float(wide), float(high)) == pytest.approx((595.28, 841.89), abs=0.1)
    assert b"CreationDate" not in pdf
    assert b"NotoSansCJKjp-Regular" in pdf


def test_the_same_brief_gives_the_same_bytes(printed):
    assert printed() == printed()


def test_numbers_and_intervals_stand_in_the_tables(printed):
    _, page = printed()
    for words in ("1,000", "800", "700", "950", "30.0", "40.0", "-20.0"):
        assert f">{words}</td>" in page
    assert "-40.0% ～ +90.0%" in page
    assert "-10.0% ～ +10.0% ＊" in page  # drawn out, and says so
    assert "架空町「人口」を加工して作成" in page


def test_nothing_is_loaded_from_elsewhere(printed):
    _, page = printed()
    addresses = set(re.findall(r'(?:href|src|url)\s*[=(]\s*"?([^")\s>]+)', page))
    assert all(address.startswith(("#", "data:")) for address in addresses), addresses
    assert "<script" not in page
    assert "default-src 'none'" in page
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))


def test_names_are_escaped_and_no_mathematics(printed):
    names = ["<script>alert(1)</script>", "A & B", "$x^2$", "a\x0bb", "$\\frac{1}{0}$", "六"]
    pdf, page = printed(names=names, title=Text("$x$ & <b>", "t"))
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert "$x^2$" in page
    assert PAGE.search(pdf)


def test_made_up_data_say_so(printed):
    _, page = printed(synthetic=True)
    assert "［合成データ］" in page
    assert "<title>［合成データ］" in page
    assert "［合成データ］" not in printed()[1]


def test_the_map_has_the_colours_of_the_layer(make_brief):
    for layer in make_brief().themes[0]:
        with drawing():
            figure = Figure(figsize=(4, 4), dpi=100)
            draw_map(Frame(figure).axes(0, 0, 1, 0.9), layer)
            canvas = FigureCanvasAgg(figure)
            canvas.draw()
            pixels = np.asarray(canvas.buffer_rgba())[..., :3].reshape(-1, 3)
        seen = {"#{:02x}{:02x}{:02x}".format(*rgb) for rgb in np.unique(pixels, axis=0)}
        palette = [colour for _, colour in layer.classes.entries()]
        assert {palette[i] for i in layer.class_index()} <= seen


def test_the_readers_own_settings_are_left_alone(printed):
    before, fonts = dict(mpl.rcParams), list(fontManager.ttflist)
    printed()
    assert dict(mpl.rcParams) == before
    assert fontManager.ttflist == fonts
    assert FAMILY not in {entry.name for entry in fonts}


def test_long_lists_go_on_over_the_page(printed):
    method = [Text(f"{n}番目の文。" * 12, f"Sentence {n}.") for n in range(40)]
    short, long = printed()[0], printed(method=method)[0]
    assert len(PAGE.findall(long)) > len(PAGE.findall(short))


def test_a_town_without_maps_or_facilities_has_a_report_too(printed):
    pdf, page = printed(themes=[])
    assert len(PAGE.findall(pdf)) >= 4
    assert "地図" not in page


def test_several_towns_stand_side_by_side(make_brief, tmp_path):
    from futuremap.core.population import Population
    from futuremap.core.table import stack

    brief = make_brief()
    table = brief.municipal
    from futuremap.core.table import Table

    other = Table.build(
        dict(zip(table.indicators, table.data["value"].values * 1.0, strict=True)),
        years=table.years,
        zones=["37202"],
        intervals=table.intervals(),
    )
    people = brief.people
    both = Population.build(
        np.concatenate([people.persons] * 2, axis=1),
        years=people.years,
        zones=["37201", "37202"],
        ages=people.ages,
    )
    brief = replace(
        brief,
        municipal=stack([table, other]),
        people=both,
        names={**brief.names, "37202": Text("隣町", "Next Town")},
    )
    pdf, page = write_report(brief, tmp_path / "two")
    assert "隣町" in page.read_text(encoding="utf-8")
    assert 4 <= len(PAGE.findall(pdf.read_bytes())) <= 8
