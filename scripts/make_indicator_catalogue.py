"""Writes docs/indicators.md, the catalogue of indicators, from the tables of the program.

python scripts/make_indicator_catalogue.py [--check]

With --check nothing is written; the exit code says whether the page is as the tables are.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from futuremap.core.fields import field
from futuremap.indicators.catalogue import TOPICS, UNITS, Indicator
from futuremap.indicators.make_rates import Made, Setting, person_rates
from futuremap.indicators.rate_rows import ALIASES
from futuremap.pipeline.read_indicators import sourced

PAGE = Path(__file__).resolve().parents[1] / "docs" / "indicators.md"
HEAD = """# 指標の一覧 / Catalogue of indicators

このページは `futuremap/indicators/tables/*.csv` から
`scripts/make_indicator_catalogue.py` が作ります（手で直さない）。
This page is generated from the tables; do not edit it by hand.

指標は、男女・年齢別の人口に1人あたりの率を掛けて足したものです（weigh）。
町丁・メッシュ・施設の利用圏・学校区・市区町村・圏域・危険区域のどれでも同じ率で数えるので、
足し合わせても一致します。80％区間は人口と同じ乱数から作ります。

- 既定「全国」：出典のある全国の率が付いています。
- 既定「利用者」：利用者の表（`[[indicators.table]]`）があるときだけ計算します。
- 既定「人口」：人口だけから計算します（学級数は学校区が要ります）。

率は 利用者の市区町村・都道府県・全国 → 付属の市区町村・都道府県・全国 の順に選びます。

Indicators are persons by sex and age times rates per person, the same on every kind of zone,
so that they add up. Default: 全国 = a sourced national table comes with the program;
利用者 = runs only with your own table; 人口 = from people alone (classes need school districts).
Your rows win over those that came with the program, a municipality's over a prefecture's over
the country's.
"""
FACILITY_FIELDS = (
    "years_in_service", "life_left", "floor_area_per_head", "load", "rebuild_cost", "repair_cost",
    "renewal_cost",
)  # fmt: skip
TABLE_HEAD = (
    "| 指標（英名） | 名前 / name | 単位 / unit | 既定 | 方法 / method | 出典 / source "
    "| 限界 / limits |\n|---|---|---|---|---|---|---|"
)
SOURCE_HEAD = (
    "| 出典 / source | 年 / years | ライセンス / licence "
    "| 利用条件を確かめた場所 / terms seen | アドレス / address |"
)
OWN = """
## 自分の率の表 / your own table

`project.toml`：

```toml
[indicators]
month = 10                 # 人口の基準日の月（学年の計算に使う）
on = ["municipality", "block", "mesh", "facility", "area"]

[[indicators.table]]
file = "own_rates.csv"     # CSV（UTF-8・CP932）か XLSX
credit = "my_rates"        # [credit.my_rates] か台帳の出典
```

列（日本語の見出しも可） / columns: {columns}

単位 / units: {units}。
`count` は観測された数（市区町村の基準年）で、率をその数に合わせます / observed numbers of the base
year, which rates are scaled to meet.
`status` が `仮`（provisional）の行から計算した値には「仮」と表示します。

| 指標 indicator | 区分 level | 年齢 ages | 単位 units | 値 → field |
|---|---|---|---|---|
"""


def page() -> str:
    """The page as text."""
    inputs = sourced()
    nobody = np.ones((2, 105))
    made = person_rates(inputs.rows, inputs.catalogue, Setting((2025,), "", 0.0, nobody, {}))
    parts = [HEAD]
    for topic, (ja, en) in TOPICS.items():
        rows = [_row(entry, made) for entry in inputs.catalogue.entries
                if entry.topic == topic and entry.field]  # fmt: skip
        parts.append(f"## {ja} / {en}\n\n{TABLE_HEAD}\n" + "\n".join(rows) + "\n")
    parts.append(_facilities())
    columns = "、".join(f"{name}（{ja}）" for ja, name in ALIASES.items() if ja != "license")
    parts.append(OWN.format(columns=columns, units="、".join(UNITS)).lstrip("\n").rstrip("\n"))
    parts[-1] += (
        "\n" + "\n".join(_input(e) for e in inputs.catalogue.entries if _takes_rows(e)) + "\n"
    )
    parts.append(_trends() + _sources())
    return "\n".join(parts)


def _facilities() -> str:
    lines = [
        "## 施設・インフラ / Facilities\n",
        "施設ごとに `data/facilities` と `data/renewal` に書きます。単価と年数は",
        "`futuremap/catchment/presets.csv` のものです。",
        "By facility, in `data/facilities` and `data/renewal`; costs are those of the presets.\n",
        "| 指標（英名） | 名前 / name | 単位 / unit | 方法 / method |",
        "|---|---|---|---|",
    ]
    for name in FACILITY_FIELDS:
        of = field(name)
        unit = f"{of.unit_ja} / {of.unit_en}"
        lines.append(f"| `{name}` | {of.name_ja} / {of.name_en} | {unit} | {of.definition_ja} |")
    return "\n".join(lines) + "\n"


def _takes_rows(entry: Indicator) -> bool:
    return entry.kind in ("rate", "split", "share", "stay", "per", "factor", "stock")


def _row(entry: Indicator, made: Made) -> str:
    of = field(entry.field)
    unit = f"{of.unit_ja} / {of.unit_en}" if of.unit_ja else "―"
    rows = made.used.get(entry.field, ())
    source = "<br>".join(dict.fromkeys(f"{row.source}（{row.year}年）" for row in rows))
    if entry.kind in ("people", "unit", "flow") or entry.indicator == "classes":
        default = "人口"
    else:
        default = "全国" if entry.field in made.used else "利用者"
    limits = f"{entry.limits_ja}<br>{entry.limits_en}" if entry.limits_ja else "―"
    method = f"{entry.method_ja}<br>{entry.method_en}"
    names = f"{of.name_ja} / {of.name_en}"
    cells = (f"`{entry.field}`", names, unit, default, method, source or "―", limits)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _input(entry: Indicator) -> str:
    ages = "―"
    if entry.age_from is not None:
        ages = f"{entry.age_from}～{'' if entry.age_to is None else entry.age_to}"
    target = f"`{entry.field}`" if entry.field else "（割り算に使う / divides）"
    level = f"`{entry.level}`" if entry.level else ""
    return f"| `{entry.indicator}` | {level} | {ages} | {'、'.join(entry.units)} | {target} |"


def _trends() -> str:
    lines = [
        "## 傾向 / trends\n",
        "「傾向」は公表された2つの年の値の変化を、観測された年数だけ先へ延ばし、",
        "そのあとは率を固定します。",
        "A published change goes on for as many years as it was observed; then rates stay.\n",
        "| 傾向 | 年と値 / years and values | 固定する年 / held from | 出典 / source |",
        "|---|---|---|---|",
    ]
    for one in sourced().trends.values():
        values = f"{one.year_from}: {one.value_from:g} → {one.year_to}: {one.value_to:g}"
        lines.append(f"| `{one.key}` | {values} | {one.held_from} | {one.source} |")
    return "\n".join(lines) + "\n\n"


def _sources() -> str:
    lines = [
        "## 出典とライセンス / sources and licences\n",
        SOURCE_HEAD,
        "|---|---|---|---|---|",
    ]
    found: dict[tuple[str, str, str, str], set[int]] = {}
    for row in sourced().rows:
        found.setdefault((row.source, row.licence, row.terms, row.url), set()).add(row.year)
    for (source, licence, terms, url), years in sorted(found.items()):
        when = "、".join(map(str, sorted(years)))
        lines.append(f"| {source} | {when} | {licence} | {terms} | <{url}> |")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Write the page, or compare it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    text = page()
    if parser.parse_args().check:
        return 0 if PAGE.read_text(encoding="utf-8") == text else 1
    PAGE.write_text(text, encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
