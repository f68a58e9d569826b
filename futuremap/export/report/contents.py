"""What the report says, in the order in which it is read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import partial

import numpy as np
import pandas as pd

from futuremap.core.credits import SYNTHETIC
from futuremap.core.fields import Field, column, describe, field
from futuremap.core.layer import Layer, Text
from futuremap.core.table import Table
from futuremap.export.brief import SYNTHETIC_NOTE, Brief
from futuremap.export.report.blocks import Block, Drawing, Frame, Grid, Section, Words
from futuremap.export.report.charts import draw_ages, draw_people, draw_pyramid
from futuremap.export.report.maps import draw_map, is_tall, legend

KEY = (
    "population",
    "population_0_14",
    "population_15_64",
    "population_65_over",
    "population_75_over",
    "ageing_rate",
    "people_covered",
    "coverage_rate",
)
MOST_LINES = 12  # municipalities in the chart and in the grid of pyramids
MOST_DOTS = 1500  # areas that are drawn as lines; more become pixels
FALLS = 12  # facilities listed that lose; half as many that gain
TOGETHER = ("population", "population_65_over", "ageing_rate", "change_rate")
PREFERRED = ("mesh", "town_block", "municipality")  # the map that shows where people live, first
ALWAYS_LISTED = 3  # horizons of past errors that are printed
NO_TEXT = "―"


def contents(brief: Brief) -> list[Section]:
    """The sections of a report."""
    sections = [_summary(brief)]
    theme = _main_theme(brief)
    if theme is not None:
        sections += [_maps(theme), _change(brief, theme)]
    sections.append(_pyramids(brief))
    if brief.facilities:
        sections.append(_facilities(brief, theme))
    sections += [_table(brief), _method(brief)]
    return sections


def _main_theme(brief: Brief) -> tuple[Layer, ...] | None:
    found = [theme for kind in PREFERRED for theme in brief.areas if theme[0].kind == kind]
    return found[0] if found else None


def _summary(brief: Brief) -> Section:
    base, future = brief.years
    blocks: list[Block] = []
    if brief.synthetic:
        said = f"［{SYNTHETIC[0]}］{SYNTHETIC_NOTE.ja} / {SYNTHETIC_NOTE.en}"
        blocks.append(Words([said], size=10, alarm=True))
    blocks.append(Words([brief.summary.ja, brief.summary.en]))
    headings = ["指標", f"{base}年（現況）", f"{future}年（将来）"]
    headings += ["80％区間の下限", "80％区間の上限", "増減率（％）"]
    several = len(brief.municipal.zones) > 1
    names = KEY[:1] if several else KEY
    rows = [
        _key_row(brief, zone, field(name), named=several)
        for zone in brief.municipal.zones
        for name in names
        if name in brief.municipal.indicators
        and np.isfinite(brief.municipal.column(name, future)).any()
    ]
    blocks.append(Grid(headings, rows, (46, 26, 26, 28, 28, 22)))
    if len(brief.municipal.zones) <= MOST_LINES:
        blocks.append(
            Drawing(
                lambda frame: draw_people(frame.axes(0.09, 0.12, 0.78, 0.76), brief),
                85,
                f"人口、{base}年から{future}年まで",
            ),
        )
    blocks.append(Words([check.ja for check in brief.checks], size=8))
    return Section(brief.title, blocks)


def _key_row(brief: Brief, zone: str, entry: Field, *, named: bool) -> list[str]:
    table, (base, future) = brief.municipal, brief.years
    z = table.zones.index(zone)
    bounds = table.intervals().get(entry.name)
    last = table.years.index(future)
    low, high = (NO_TEXT, NO_TEXT) if bounds is None else (
        _figure(entry, float(bound[last, z])) for bound in bounds
    )  # fmt: skip
    now, then = (float(table.column(entry.name, year)[z]) for year in (base, future))
    # people change by a rate; a ratio's own change would be read as one of its percents
    counted = entry.unit == "persons" and now > 0
    return [
        f"{brief.names[zone].ja} {entry.label()}" if named else entry.label(),
        _figure(entry, now),
        _figure(entry, then),
        low,
        high,
        _figure(field("change_rate"), then / now - 1) if counted else NO_TEXT,
    ]


def _figure(entry: Field, value: float) -> str:
    """A number of the program as it is printed: whole persons, percents with a decimal."""
    return shown(entry, float(entry.export(np.asarray(value))))


def shown(entry: Field, value: float) -> str:
    """A number in the readers' unit as it is printed.

    Examples
    --------
    >>> shown(field("population"), 1234.5), shown(field("ageing_rate"), 28.61)
    ('1,234', '28.6')
    """
    if pd.isna(value):
        return NO_TEXT
    decimals = 0 if entry.unit == "persons" else entry.decimals
    return f"{value:.0f}" if entry.unit == "year" else f"{value:,.{decimals}f}"


def _maps(theme: Sequence[Layer]) -> Section:
    now, future = (next(x for x in theme if x.state == state) for state in ("now", "future"))
    dots, tall = len(now.features) > MOST_DOTS, is_tall(now)

    def draw(frame: Frame) -> None:
        if tall:
            draw_map(frame.axes(0.0, 0.0, 0.41, 0.94), now, dots=dots)
            draw_map(frame.axes(0.42, 0.0, 0.41, 0.94), future, dots=dots)
            legend(frame.axes(0.83, 0.4, 0.17, 0.2), now)
        else:
            draw_map(frame.axes(0.0, 0.51, 0.8, 0.46), now, dots=dots)
            draw_map(frame.axes(0.0, 0.0, 0.8, 0.46), future, dots=dots)
            legend(frame.axes(0.81, 0.4, 0.19, 0.2), now)

    said = f"{now.place.ja}の{now.colour_field.name_ja}、{now.heading()}と{future.heading()}"
    notes = list(dict.fromkeys(note.ja for layer in (now, future) for note in layer.notes))
    words = "色分けは Google Earth・QGIS の図と同じです。"
    entry = now.colour_field
    title = Text(f"地図：現況と将来（{entry.name_ja}）", f"Maps: now and future ({entry.name_en})")
    height = 150 if tall else 215
    return Section(title, [Drawing(draw, height, said), Words([words, *notes], size=7)])


def _change(brief: Brief, theme: Sequence[Layer]) -> Section:
    layer = next(x for x in theme if x.state == "change")
    dots = len(layer.features) > MOST_DOTS

    def draw(frame: Frame) -> None:
        draw_map(frame.axes(0.0, 0.0, 0.78, 0.95), layer, dots=dots)
        legend(frame.axes(0.79, 0.3, 0.21, 0.4), layer)

    blocks: list[Block] = [Drawing(draw, 135, f"{layer.place.ja}の人口の増減率")]
    named = [t for t in brief.areas if t[0].kind in {"town_block", "municipality"}]
    if named:
        future = brief.years[1]
        blocks.append(
            _extremes(
                named[0][0].features,
                number=column("population", brief.years[0]),
                later=column("population", future),
                bounds=(column("population_low", future), column("population_high", future)),
                change=column("population_change", future),
                rate=column("change_rate", future),
                most=8,
            ),
        )
    entry = layer.colour_field
    title = Text(f"地図：増減（{entry.name_ja}）", f"Map: change ({entry.name_en})")
    return Section(title, blocks)


def _extremes(
    features: pd.DataFrame,
    *,
    number: str,
    later: str,
    bounds: tuple[str, str],
    change: str,
    rate: str,
    most: int,
    also: str = "",
) -> Grid:
    """The rows that lose most and those that gain most, in numbers."""
    known = features[features[rate].notna()]  # what opens later has nothing to be compared with
    order = known[change].sort_values(kind="stable").index
    falls = [i for i in order if known[change][i] < 0][:most]
    rises = [i for i in order[::-1] if known[change][i] > 0][: most // 2]
    wanted = [name for name in (also, number, later, *bounds, change, rate)
              if name and name in known]  # fmt: skip
    headings = ["名称"]
    for name in wanted:
        entry, year = describe(name)
        headings.append(entry.label(year=year))
    rows = []
    for i in [*falls, *rises]:
        cells = [str(known["name"][i])]
        for name in wanted:
            value = known[name][i]
            cells.append(str(value) if name == also else shown(describe(name)[0], value))
        rows.append(cells)
    texts = 2 if also in wanted else 1
    widths = [46.0, *([22.0] if texts > 1 else []), *([19.0] * (len(wanted) - texts + 1))]
    return Grid(headings, rows, widths, texts)


def _pyramids(brief: Brief) -> Section:
    zones = brief.municipal.zones
    title = Text("男女・年齢別の人口", "People by sex and age")
    if len(zones) == 1:
        return Section(title, [Drawing(partial(_pair, brief, zones[0]), 215, title.ja)])
    people = brief.municipal.column("population", brief.years[0])
    order = np.argsort(-people, kind="stable")[:MOST_LINES]
    chosen = [zones[i] for i in sorted(order)]
    left = len(zones) - len(chosen)
    words = [f"人口の多い{len(chosen)}市区町村を示します（ほか{left}）。"] if left else []
    drawn = Drawing(partial(_many, brief, chosen), 56.0 * -(-len(chosen) // 3), title.ja)
    return Section(title, [drawn, Words(words, size=8)])


def _pair(brief: Brief, zone: str, frame: Frame) -> None:
    base, future = brief.years
    draw_pyramid(frame.axes(0.09, 0.5, 0.39, 0.46), brief, zone, year=base, outline=None)
    draw_pyramid(frame.axes(0.6, 0.5, 0.39, 0.46), brief, zone, year=future, outline=base)
    draw_ages(frame.axes(0.09, 0.08, 0.9, 0.32), brief, zone)


def _many(brief: Brief, zones: Sequence[str], frame: Frame) -> None:
    base, future = brief.years
    rows = -(-len(zones) // 3)
    for n, zone in enumerate(zones):
        left, bottom = (n % 3) / 3 + 0.06, 1 - (n // 3 + 1) / rows + 0.1 / rows
        axes = frame.axes(left, bottom, 0.25, 0.72 / rows)
        draw_pyramid(axes, brief, zone, year=future, outline=base, small=True)


def _facilities(brief: Brief, areas: tuple[Layer, ...] | None) -> Section:
    """Where the facilities are and how old, and whose reach loses or gains most people."""
    blocks: list[Block] = []
    background = None if areas is None else areas[0]
    for theme in brief.facilities[:1]:
        now, future = (next(x for x in theme if x.state == s) for s in ("now", "future"))

        def draw(frame: Frame, now: Layer = now, future: Layer = future) -> None:
            dots = background is not None and len(background.features) > MOST_DOTS
            for layer, left in ((now, 0.0), (future, 0.42)):
                axes = frame.axes(left, 0.0, 0.41, 0.93)
                draw_map(axes, layer, background=background, dots=dots)
            legend(frame.axes(0.83, 0.3, 0.17, 0.4), now)

        blocks.append(
            Drawing(draw, 88, f"{now.place.ja}の施設、{now.heading()}と{future.heading()}")
        )
        blocks.append(
            Words(["点の大きさは利用圏人口です。", *(n.ja for n in now.notes[:3])], size=7)
        )
    frame = pd.concat([pd.DataFrame(theme[0].features.drop(columns="geometry"))
                       for theme in brief.facilities])  # fmt: skip
    base, year = brief.years
    blocks.append(
        _extremes(
            frame,
            number=column("people_in_reach", base),
            later=column("people_in_reach", year),
            bounds=(column("people_in_reach_low", year), column("people_in_reach_high", year)),
            change=column("reach_change", year),
            rate=column("reach_change_rate", year),
            most=FALLS,
            also="facility_class",
        ),
    )
    title = Text("施設：利用圏人口の増減が大きいもの", "Facilities whose reach changes most")
    return Section(title, blocks)


def _table(brief: Brief) -> Section:
    title = Text("市区町村の数字", "Numbers of the municipality")
    table = brief.municipal
    widths = (52, *([18] * len(table.years)))
    years = [f"{year}年" for year in table.years]
    if len(table.zones) > 1:  # a table an indicator, so that towns stand side by side
        blocks = []
        for name in TOGETHER:
            entry, values = field(name), table.frame(name).to_numpy()
            rows = [
                [brief.names[zone].ja, *(_figure(entry, float(v)) for v in values[:, z])]
                for z, zone in enumerate(table.zones)
            ]
            blocks.append(Grid([entry.label(), *years], rows, widths))
        return Section(title, blocks)
    rows = []
    for name in (*KEY, "change_rate"):
        entry = field(name)
        values = table.frame(name).to_numpy()[:, 0] if name in table.indicators else np.array([])
        if np.isfinite(values).any():
            rows.append([entry.label(), *(_figure(entry, float(v)) for v in values)])
            rows += _bound_rows(table, entry, 0)
    return Section(title, [Grid([brief.names[table.zones[0]].ja, *years], rows, widths)])


def _bound_rows(table: Table, entry: Field, z: int) -> list[list[str]]:
    pair = table.intervals().get(entry.name)
    if pair is None:
        return []
    words = ("　80％区間の下限", "　80％区間の上限")
    return [
        [word, *(_figure(entry, float(value)) for value in bound[:, z])]
        for word, bound in zip(words, pair, strict=True)
    ]


def _method(brief: Brief) -> Section:
    blocks: list[Block] = [
        Words(["これは将来の予言ではなく、仮定にもとづく推計です。"]),
        Words([f"・{sentence.ja}" for sentence in brief.method], size=8),
    ]
    if brief.errors:
        span = brief.years[1] - brief.years[0]
        horizons = sorted({e.years for e in brief.errors})
        wanted = [y for y in horizons if y % 10 == 0 and y <= span] or horizons[:ALWAYS_LISTED]
        sizes = sorted({e.size for e in brief.errors})
        by_place = {(e.years, e.size): e for e in brief.errors}
        rows = [
            [f"{size:,.0f}人以上", *(_error_cell(by_place.get((y, size))) for y in wanted)]
            for size in sizes
        ]
        headings = ["区域の人口", *(f"{y}年先の誤差（80％区間）" for y in wanted)]
        blocks.append(Words(["過去の推計の誤差（実際の人口は、推計人口に対してこの範囲。＊は引き延ばした値）"],
                            size=8))  # fmt: skip
        blocks.append(Grid(headings, rows, (36, *([44] * len(wanted)))))
    if brief.measures and len(brief.municipal.zones) == 1:
        rows = [[fact.name.ja, fact.about, _measure(fact.value)] for fact in brief.measures]
        blocks.append(Grid(["照合", "対象", "値"], rows, (70, 60, 50), texts=2))
    blocks += _warnings(brief)
    blocks.append(Words(["出典", *(f"・{credit.line()}" for credit in brief.credits)], size=8))
    return Section(Text("方法・誤差・出典", "Method, error and credits"), blocks)


def _measure(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:.6f}"


def _error_cell(error: object) -> str:
    if error is None:
        return NO_TEXT
    low, high, areas = (getattr(error, name) for name in ("low", "high", "areas"))
    return f"{low:+.1%} ～ {high:+.1%}{'' if areas else ' ＊'}"


def _warnings(brief: Brief) -> list[Block]:
    if not brief.warnings:
        return []
    counts = Counter(problem.code for problem in brief.warnings)
    first = {problem.code: problem for problem in reversed(brief.warnings)}
    lines = [
        f"・{first[code].text('title')}" + (f" ほか{count - 1}件" if count > 1 else "")
        for code, count in sorted(counts.items())
    ]
    return [Words(["入力についての注意", *lines], size=8)]
