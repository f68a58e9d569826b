"""The page that greets the reader of an output folder: what to open, the numbers, their sources."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import numpy as np

from futuremap.core.credits import Credit
from futuremap.core.fields import Field, field
from futuremap.core.layer import Layer, Text
from futuremap.core.table import Table
from futuremap.export.chart import NAMESPACE
from futuremap.export.geopackage.tables import theme_notes
from futuremap.export.text import clean
from futuremap.problems import Problem

PAGE = "README.html"
SHOWN_PER_CODE = 5  # more of a kind are counted; all stand in the manifest
# what the page shows of a table, so that a phone has room for it; all stands in data/
HEADLINE = (
    "population",
    "population_0_14",
    "population_65_over",
    "ageing_rate",
    "people_covered",
    "coverage_rate",
    "households_projected",
    "nursery_children",
    "pupils_primary",
    "pupils_lower_secondary",
    "classes_expected",
    "inpatients",
    "care_certified",
    "ambulance_transports",
    "deaths_per_year",
)
# one room a reader: folder, who, and how its files are opened
ROOMS = (
    (
        "earth/web/",
        Text("企画の方へ（Google Earth ウェブ版）", "Planners: Google Earth on the web"),
        Text(
            "Google Earth を開き、「プロジェクト」→「ファイルを開く」で選びます。"
            "左の一覧で現況・将来・増減を切り替えます。",
            "Open Google Earth, Projects, Open file. Switch Now, Future and Change in the list.",
        ),
    ),
    (
        "earth/pro/",
        Text("企画の方へ（Google Earth プロ）", "Planners: Google Earth Pro"),
        Text("ファイルをダブルクリックします。", "Double-click a file."),
    ),
    (
        "qgis/",
        Text("GIS担当の方へ（QGIS）", "GIS officers: QGIS"),
        Text(
            "ファイルを QGIS の画面に放します。色と日本語の項目名が付いて開きます。"
            "将来・増減はレイヤの「スタイル」で選びます。",
            "Drop the file on QGIS. It opens styled; Future and Change are styles of each layer.",
        ),
    ),
    (
        "excel/",
        Text("表計算で使う方へ（Excel）", "Spreadsheet users"),
        Text("ダブルクリックします。", "Double-click."),
    ),
    (
        "report/",
        Text("印刷して配る方へ（報告書）", "For print: the report"),
        Text("PDF はそのまま A4 に印刷できます。", "The PDF prints on A4 as it is."),
    ),
    (
        "raster/",
        Text("GIS担当の方へ（GeoTIFF）", "GIS officers: GeoTIFF"),
        Text(
            "メッシュの数字を画像として、年ごとのバンドで収めています（JGD2011）。",
            "Numbers of the mesh as pixels, a band a year (JGD2011).",
        ),
    ),
    (
        "geoparquet/",
        Text("分析する方へ（形つきの表）", "Analysts: tables with shapes"),
        Text(
            "形とすべての項目を GeoPandas・DuckDB・R で読めます。",
            "Shapes and all columns for GeoPandas, DuckDB and R.",
        ),
    ),
    (
        "web/",
        Text("ワークショップの方へ（ブラウザー）", "Workshops: the browser"),
        Text("ダブルクリックします。通信は要りません。", "Double-click. No network is needed."),
    ),
    (
        "data/",
        Text("分析する方へ（表データ）", "Analysts: plain tables"),
        Text(
            "CSV は表計算でそのまま開けます。Parquet は同じ内容を Python・R・DuckDB で読めます。",
            "CSV opens in a spreadsheet; Parquet holds the same for Python, R and DuckDB.",
        ),
    ),
    (
        "",
        Text("記録", "Records"),
        Text(
            "町の比較の図と、入力・設定・版・出力の控えです。",
            "Towns compared; what went in, with what settings and versions, and what came out.",
        ),
    ),
)
STYLE = """
:root { color-scheme: light; }
body { margin: 0 auto; max-width: 52rem; padding: 1rem; color: #1b1b1b; background: #fff;
  font-family: "Hiragino Sans", "Yu Gothic UI", Meiryo, "Noto Sans CJK JP", sans-serif;
  line-height: 1.7; overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; line-height: 1.3; margin: .5rem 0; }
h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; border-bottom: 2px solid #3b528b; }
h3 { font-size: 1rem; margin: 1.2rem 0 .2rem; }
p, ul { margin: .3rem 0; } ul { padding-left: 1.4rem; }
.mark { border: 2px solid #b2182b; color: #8c1020; padding: .3rem .7rem; font-weight: bold; }
.scroll { overflow-x: auto; }
.chart { margin: 1rem 0; } .chart svg { display: block; max-width: 100%; height: auto; }
@media screen and (max-width: 40rem) { .chart svg { max-width: none; } }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { border: 1px solid #bbb; padding: .2rem .6rem; text-align: right; white-space: nowrap; }
th { background: #eef1f6; font-weight: 600; }
thead th { white-space: normal; min-width: 5rem; text-align: center; }
.key { display: inline-block; margin-right: 1rem; white-space: nowrap; }
.key i { display: inline-block; width: 1em; height: 1em; margin-right: .3em;
  border: 1px solid #777; vertical-align: -.1em; print-color-adjust: exact;
  -webkit-print-color-adjust: exact; }
small, .en { color: #444; }
@media print { body { max-width: none; padding: 0; font-size: 10pt; } h2 { break-after: avoid; }
  table, li, .chart { break-inside: avoid; } }
"""
POLICY = "default-src 'none'; style-src 'unsafe-inline'"


@dataclass(frozen=True)
class Page:
    """What the page says.

    Parameters
    ----------
    title
        What the folder is about.
    summary
        What a reader should know first.
    method
        How the numbers were made, one sentence each.
    tables
        Numbers of the whole, each with the words over it; a zone of a table is a line of years.
    zone_names
        Name of each zone of the tables.
    layers
        Layers of the maps, for their legends and notes.
    files
        What each file is, by its path in the folder.
    warnings
        Problems with which the run went on.
    credits
        Credits of the data.
    charts
        Charts of those numbers as SVG.
    checks
        Projected numbers beside counted ones, a sentence each.
    """

    title: Text
    summary: Text
    method: Sequence[Text]
    tables: Sequence[tuple[Text, Table]]
    zone_names: Mapping[str, str]
    layers: Sequence[Layer]
    files: Mapping[str, Text]
    warnings: Sequence[Problem]
    credits: Sequence[Credit]
    charts: Sequence[str] = ()
    checks: Sequence[Text] = ()

    @property
    def synthetic(self) -> bool:
        """Whether any of the data is made up."""
        return any(credit.synthetic for credit in self.credits)


def write_page(folder: Path, page: Page) -> Path:
    """Write ``README.html``: one file without script that loads nothing from elsewhere.

    Raises
    ------
    LabelError
        If a table holds an indicator that is not in the field dictionary.
    OSError
        If the file cannot be written.
    """
    path = folder / PAGE
    path.write_text(render(page), encoding="utf-8", newline="\n")
    return path


def render(page: Page) -> str:
    """The page as HTML."""
    mark = ["<p class='mark'>合成データを含みます / contains synthetic data</p>"]
    parts = [
        f"<h1>{safe(page.title.ja)}</h1>",
        *(mark if page.synthetic else []),
        f"<p>{safe(page.summary.ja)}</p>",
        "<h2>何を開くか</h2>",
        *_files(page.files),
        "<h2>全体の数字</h2>",
        *(_numbers(words, table, page.zone_names) for words, table in page.tables),
        *(["<h3>統計との照合</h3>"] if page.checks else []),
        listed([check.ja for check in page.checks]),
        *(_chart(svg) for svg in page.charts),
        "<h2>図の見方</h2>",
        *_legends(page.layers),
        "<h2>数字の作り方</h2>",
        "<p>これは将来の予言ではなく、仮定にもとづく推計です。</p>",
        listed([sentence.ja for sentence in page.method]),
        "<h2>注意</h2>",
        *_warnings(page.warnings),
        "<h2>出典</h2>",
        listed([credit.line() for credit in page.credits]),
        *_english(page),
    ]
    return whole_page(page.title, parts)


def whole_page(title: Text, parts: Sequence[str], *, more_style: str = "") -> str:
    """A page that loads and runs nothing, around its parts.

    Parameters
    ----------
    title
        Its title.
    parts
        HTML of its body, all text in it escaped.
    more_style
        Style sheet after that of all pages.
    """
    head = (
        '<!DOCTYPE html>\n<html lang="ja">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{safe(title.ja)}</title>\n<style>{STYLE}{more_style}</style>\n</head>\n"
    )
    return f"{head}<body>\n" + "\n".join(parts) + "\n</body>\n</html>\n"


def safe(text: str) -> str:
    """Text that no browser takes for markup."""
    return html.escape(clean(text))


def listed(lines: Sequence[str]) -> str:
    """Lines of text as a list; nothing if there are none."""
    if not lines:
        return ""
    return f"<ul>{''.join(f'<li>{safe(line)}</li>' for line in lines)}</ul>"


def _files(files: Mapping[str, Text]) -> list[str]:
    parts = []
    left = dict(sorted(files.items()))
    for room, who, how in ROOMS:
        here = {path: about for path, about in left.items() if path.startswith(room)}
        if not here:
            continue
        left = {path: about for path, about in left.items() if path not in here}
        items = "".join(
            f'<li><a href="{quote(path)}">{safe(path)}</a>　{safe(about.ja)}</li>'
            for path, about in here.items()
        )
        parts.append(f"<h3>{safe(who.ja)}</h3><p>{safe(how.ja)}</p><ul>{items}</ul>")
    return parts


def _numbers(words: Text, table: Table, names: Mapping[str, str]) -> str:
    fields = [field(name) for name in HEADLINE if name in table.indicators]
    heads = "".join(f"<th scope='col'>{safe(entry.label())}</th>" for entry in fields)
    rows = []
    for z, zone in enumerate(table.zones):
        for year in table.years:
            cells = [_number(table.column(entry.name, year)[z], entry) for entry in fields]
            label = f"<th scope='row'>{safe(names.get(zone, zone))} {year}年</th>"
            rows.append(f"<tr>{label}{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>")
    head = f"<thead><tr><th></th>{heads}</tr></thead>"
    body = f"<tbody>{''.join(rows)}</tbody>"
    return f"<h3>{safe(words.ja)}</h3><div class='scroll'><table>{head}{body}</table></div>"


def _chart(svg: str) -> str:
    # HTML knows the name space; without it the page names no address at all
    return f"<div class='scroll chart'>{svg.replace(NAMESPACE, '', 1)}</div>"


def _number(value: float, entry: Field) -> str:
    # parts of persons say nothing of a whole town
    decimals = 0 if entry.unit == "persons" else entry.decimals
    shown = float(entry.export(np.array([value]))[0])
    return "―" if np.isnan(shown) else f"{shown:,.{decimals}f}"


def _legends(layers: Sequence[Layer]) -> list[str]:
    """One legend a theme; states drawn with the same measures share their line."""
    parts = []
    for theme in dict.fromkeys(layer.theme for layer in layers):
        states = [layer for layer in layers if layer.theme == theme]
        first = states[0]
        lines: dict[tuple[str, str], list[str]] = {}
        for layer in states:
            lines.setdefault((_measures(layer), _keys(layer)), []).append(layer.heading())
        parts.append(f"<h3>{safe(f'{first.place.ja} {first.title.ja}')}</h3>")
        for (measures, keys), headings in lines.items():
            parts.append(f"<p><b>{safe('・'.join(headings))}</b>　{measures}<br>{keys}</p>")
        parts.append(listed(theme_notes(states)))
    return parts


def _measures(layer: Layer) -> str:
    unit = layer.height_field.unit_ja
    height = f"{layer.height_field.name_ja}（1{unit}を{layer.metres_per_unit:g}mで表す）"
    return safe(f"高さ：{height}　色：{layer.colour_field.name_ja}")


def _keys(layer: Layer) -> str:
    return "".join(
        f"<span class='key'><i style='background:{safe(colour)}'></i>{safe(label)}</span>"
        for label, colour in layer.classes.entries()
    )


def _warnings(warnings: Sequence[Problem]) -> list[str]:
    if not warnings:
        return ["<p>入力データに注意すべき点は見つかりませんでした。</p>"]
    parts = []
    for code in dict.fromkeys(problem.code for problem in warnings):
        alike = [problem for problem in warnings if problem.code == code]
        lines = [f"{p.text('title')}　{p.place()}" for p in alike[:SHOWN_PER_CODE]]
        if len(alike) > SHOWN_PER_CODE:
            lines.append(f"ほか {len(alike) - SHOWN_PER_CODE} 件（manifest.json に全件）")
        parts.append(f"<p>{safe(alike[0].text('why'))}（{code}）</p>{listed(lines)}")
    return parts


def _english(page: Page) -> list[str]:
    found = [
        f"{who.en} ({room or 'this folder'}): {how.en}"
        for room, who, how in ROOMS
        if any(path.startswith(room) for path in page.files if room or "/" not in path)
    ]
    return [
        '<div class="en" lang="en"><h2>In English</h2>',
        f"<p><b>{safe(page.title.en)}</b>: {safe(page.summary.en)}</p>",
        listed(found),
        "<p>These are projections under stated assumptions, not forecasts.</p>",
        listed([sentence.en for sentence in page.method]),
        listed([check.en for check in page.checks]),
        listed([credit.line("en") for credit in page.credits]),
        "</div>",
    ]
