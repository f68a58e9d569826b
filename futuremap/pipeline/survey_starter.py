"""A project.toml to start from, written from what was found in a folder."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from futuremap.config.model import INTERVAL
from futuremap.pipeline.survey_extra import districts_of, extra_lines, ruled_classes
from futuremap.pipeline.survey_found import Survey
from futuremap.pipeline.survey_towns import HORIZON, TownPlan, is_of_nowhere
from futuremap.pipeline.survey_words import (
    CREDITS,
    STAR,
    UNVERIFIED,
    credit_of,
    entry,
    quoted,
    remark,
)
from futuremap.sources.recognised import Recognised

NAMED_TOWNS = 3  # towns that the title names
LONGEST = 40  # letters of a name that a folder is called by


def starter(survey: Survey) -> str:
    """Text of a project.toml for what was found.

    Parameters
    ----------
    survey
        What was found.

    Returns
    -------
    str
        What the user has to look at is marked with ★. If nothing is missing it can be loaded as
        it is; else what is missing stands in it as a comment.
    """
    text = [*_top(survey), *_header(survey)]
    ruled = _ruled(survey)
    for town in survey.towns:
        text += _town(survey, town, ruled)
    text += ["[reach]", "radius_m = 800.0                   # 利用圏：施設から 800 m 以内", ""]
    for name in ruled:
        text += ["[[reach.rule]]", f"class = {quoted(name)}", 'rule = "districts"', ""]
    text += ["[mesh]", 'level = "250m"                     # 4分の1地域メッシュ', ""]
    text += [*_credits(survey), *_others(survey)]
    return "\n".join(text).rstrip() + "\n"


def _top(survey: Survey) -> list[str]:
    text = [
        f"# フォルダーの中身から作ったひな形です。{STAR} の行を確かめてから使ってください。",
        "# Written from the files in this folder: look at the lines with a star first.",
    ]
    if not survey.ready:
        text += [
            "#",
            f"# {STAR} まだ足りないもの（このままでは動きません / not enough for a run）：",
        ]
        text += [remark(f"  {ja}") for ja, _ in survey.lacks]
    return [*text, ""]


def _header(survey: Survey) -> list[str]:
    base = survey.base_year
    towns = survey.towns
    names = "と".join(town.name or town.code for town in towns[:NAMED_TOWNS])
    if len(towns) > NAMED_TOWNS:
        names = f"{len(towns)}市区町村"
    years = (
        [f"base_year = {base}", f"end_year = {base + HORIZON}"]
        if base
        else [f"# base_year = 2020      # {STAR}", f"# end_year = 2050       # {STAR}"]
    )
    fallback = f"town_{towns[0].code}" if towns else "town"
    names = names or "（市区町村名）"
    name = _slug(survey.folder.resolve().name) or fallback
    return [
        "[project]",
        f"name = {quoted(name)}",
        f"title = {quoted(f'{names}の現況と将来')}  # {STAR} 題名",
        *years,
        "",
    ]


def _slug(text: str) -> str:
    plain = re.sub(r"[^a-z0-9_-]+", "_", text.lower()).strip("_-")
    return plain[:LONGEST].rstrip("_-")


def _ruled(survey: Survey) -> list[str]:
    classes = [_classes(survey, town) for town in survey.towns]
    districts = [districts_of(t.extra, c) for t, c in zip(survey.towns, classes, strict=True)]
    return ruled_classes(list(zip(classes, districts, strict=True)))


def _districts(survey: Survey, town: TownPlan, ruled: Sequence[str]) -> dict[str, Recognised]:
    found = districts_of(town.extra, _classes(survey, town))
    return {name: file for name, file in found.items() if name in ruled}


def _town(survey: Survey, town: TownPlan, ruled: Sequence[str]) -> list[str]:
    zone = town.plane_zones[0]
    several = len(town.plane_zones) > 1
    others = "、".join(map(str, town.plane_zones))
    remark = f"  # {STAR} {others} のどれか" if several else "  # 平面直角座標系"
    name = f"name = {quoted(town.name or town.code)}"
    return [
        "[[municipality]]",
        f"code = {quoted(town.code)}",
        name if town.name else f"{name}  # {STAR} 名前",
        f"plane_zone = {zone}{remark}",
        "",
        *_people(survey, town),
        *_outline(survey, town),
        *_corrections(town),
        *_totals(survey, town),
        *_facilities(survey, town),
        *extra_lines(town.extra, _districts(survey, town, ruled), survey.relative),
        *_left_out(survey, town),
    ]


def _entry(survey: Survey, file: Recognised) -> list[str]:
    return entry(survey.relative, file)


def _people(survey: Survey, town: TownPlan) -> Iterator[str]:
    if not town.form:
        yield f"# {STAR} {INTERVAL}年はなれた2つの年の人口が要ります："
        yield "# [[municipality.population]]"
        yield "# year = 2020"
        yield '# file = "…"'
        yield '# format = "register"'
        yield '# credit = "my_register"'
        yield ""
        return
    base = survey.base_year or 0
    for year, file in sorted(town.people.items()):
        if year not in {base, base - INTERVAL}:
            yield "# 推計には使わず、過去を当てる試し（backtest）に使う年"
        yield "[[municipality.population]]"
        yield f"year = {year}"
        yield f'format = "{town.form}"'
        if year in town.places.months:
            yield f'month = "{town.places.months[year]}"'
        yield from _entry(survey, file)
        yield ""
        if year in town.places.past_blocks:
            yield "# その年の境界。今の境界とのつなぎは名前・番号・重なりから作る"
            yield "[municipality.population.blocks]"
            yield 'format = "estat_boundary"'
            yield from _entry(survey, town.places.past_blocks[year])
            yield ""
    yield from _blocks(survey, town)


def _blocks(survey: Survey, town: TownPlan) -> Iterator[str]:
    blocks, ages = town.places.blocks, town.places.ages
    if blocks is not None:
        yield "# 町丁・字等の場所"
        yield "[municipality.blocks]"
        is_points = blocks.kind == "register"
        yield f'format = "{"register" if is_points else "estat_boundary"}"'
        yield from _entry(survey, blocks)
        yield ""
    elif town.form == "estat_small_area":
        yield f"# {STAR} 町丁・字等別境界が要ります："
        yield "# [municipality.blocks]"
        yield '# format = "estat_boundary"'
        yield '# file = "…"'
        yield '# credit = "my_boundary"'
        yield ""
    if ages is not None:
        yield "# 75歳以上を細かく分けるための、市区町村の年齢別人口"
        yield "[municipality.ages]"
        yield from _entry(survey, ages)
        yield ""


def _outline(survey: Survey, town: TownPlan) -> list[str]:
    if town.outline is None:
        lines = ("[municipality.outline]", 'file = "…"', 'format = "n03"', 'credit = "my_outline"')
        return [f"# {STAR} 境界（国土数値情報 N03）が要ります：",
                *(f"# {line}" for line in lines), ""]  # fmt: skip
    return ["[municipality.outline]", 'format = "n03"', *_entry(survey, town.outline), ""]


def _corrections(town: TownPlan) -> Iterator[str]:
    for wrong in town.corrections:
        hidden = "# " if wrong.place is None else ""
        latitude, longitude = wrong.place or (0.0, 0.0)
        yield f"# {STAR} 代表点が市区町村の外です（{wrong.seen}）。正しい位置に書き換えてください"
        if not hidden:
            yield "#    下は同じ町名の区域の真ん中で、調べた位置ではありません（仮）"
        yield f"{hidden}[[municipality.point_correction]]"
        yield f"{hidden}zone = {quoted(wrong.zone)}"
        yield f"{hidden}lat = {latitude}"
        yield f"{hidden}lon = {longitude}"
        reason = f"公開データの点（{wrong.seen}）が市区町村の外。同じ町名の区域の真ん中（仮の位置）"
        yield f"{hidden}reason = {quoted(reason)}"
        yield ""


def _totals(survey: Survey, town: TownPlan) -> Iterator[str]:
    if town.control is not None:
        yield "# 総数を公表された将来推計に合わせる。台帳と国勢調査の差が気になるときは growth"
        yield "[municipality.control]"
        is_book = town.control.kind == "ipss_workbook"
        yield f'format = "{"ipss_workbook" if is_book else "municipal_csv"}"'
        yield 'basis = "level"'
        yield from _entry(survey, town.control)
        yield ""
    if town.check is not None and survey.base_year is not None:
        steps = range(survey.base_year + INTERVAL, survey.base_year + HORIZON + 1, INTERVAL)
        year = next(year for year in town.check.years if year in steps)
        yield "# あとの年の数え上げを、推計の横に並べて確かめる"
        yield "[municipality.check]"
        yield f"year = {year}"
        yield 'name = "国勢調査"'
        yield from _entry(survey, town.check)
        yield ""


def _classes(survey: Survey, town: TownPlan) -> dict[str, Recognised]:
    """Lists of facilities by the class that a starter gives them."""
    classes: dict[str, Recognised] = {}
    for file in town.facilities:
        stem = Path(survey.relative(file)).stem
        plain = _slug(re.sub(r"[-_]?[0-9]{5,}$", "", stem)) or "facility"
        again = (f"{plain[: LONGEST - 4]}_{i}" for i in range(2, len(classes) + 3))
        classes[next(slug for slug in (plain, *again) if slug not in classes)] = file
    return classes


def _facilities(survey: Survey, town: TownPlan) -> Iterator[str]:
    for slug, file in _classes(survey, town).items():
        yield "[[municipality.facilities]]"
        yield f"class = {quoted(slug)}"
        product, _, title = file.clues.detail.partition(" ")
        stem = Path(survey.relative(file)).stem
        name = title.partition(" ")[0] if file.kind == "ksj_points" and product else stem
        yield f"name = {quoted(name)}  # {STAR} 施設の種類の名前"
        if file.clues.form not in ("", "list"):
            yield f'format = "{file.clues.form}"'
        if is_of_nowhere(file):
            yield "inside_only = true  # 市区町村コードがないので、境界の中の点だけを読む"
        yield from _entry(survey, file)
        yield ""


def _left_out(survey: Survey, town: TownPlan) -> Iterator[str]:
    for file, (ja, _) in town.left_out:
        yield remark(f"使わなかったファイル：{survey.relative(file)}（{ja}）")
    if town.left_out:
        yield ""


def _named(survey: Survey) -> dict[Path, Recognised]:
    files: list[Recognised | None] = []
    ruled = _ruled(survey)
    for town in survey.towns:
        files += [*town.extra.files(), *_districts(survey, town, ruled).values()]
        files += [town.places.blocks, *town.places.past_blocks.values(), town.places.ages]
        files += [*town.people.values(), town.outline, town.control, town.check, *town.facilities]
        files += [file for file, _ in town.left_out]
    return {file.path: file for file in files if file is not None}


def _credits(survey: Survey) -> Iterator[str]:
    used = {credit_of(file): file for file in _named(survey).values()}
    yield f"# 出典。どの出力にも載ります。{STAR} の行は必ず書き換えてください"
    for key, file in sorted(used.items()):
        _, text, licence = CREDITS[file.kind]
        made_up = file.clues.made_up
        yield f"[credit.{key}]"
        yield f"text_ja = {quoted(f'合成データ（{STAR}作り方を書く）' if made_up else text)}"
        yield f"licence = {quoted(licence)}"
        yield (
            "synthetic = true"
            if made_up
            else "# synthetic = true  # 作ったデータならこの行を生かす"
        )
        yield ""


def _others(survey: Survey) -> Iterator[str]:
    named = _named(survey)
    rest = [file for file in survey.files
            if file.path not in named and file.kind not in {"unknown", "project"}]  # fmt: skip
    if rest:
        yield "# まだ設定に書けない、または使わなかったファイル："
    for file in rest:
        verified = "" if file.verified else f"（{UNVERIFIED}の形式）"
        why = f"：{file.lacks[0][0]}" if file.lacks else ""
        yield remark(f"  {survey.relative(file)}  {file.title_ja}{verified}{why}")
        for line in _proposal(survey, file):
            yield remark(f"      {line}")


def _proposal(survey: Survey, file: Recognised) -> Iterator[str]:
    """How a file could be named, where only the user knows what its columns mean."""
    named = f"file = {quoted(survey.relative(file))}"
    if file.kind == "vector":
        yield "[municipality.blocks]"
        yield from (named, 'format = "vector"', f'key = "{STAR}"', 'credit = "my_boundary"')
    if file.kind == "raster":
        yield "[municipality.dwelling]  # 人・建物・土地利用のラスターで、町丁をメッシュに分ける"
        yield from (named, 'format = "raster"', f'credit = "{STAR}"')
        yield 'classes = { "7" = 1.0 }  # 土地利用のときだけ：人が住む分類の番号と重み'
    if file.kind == "districts":
        yield '[[municipality.districts]]  # [[reach.rule]] に rule = "districts" も要る'
        yield from (f'class = "{STAR}"', named, 'credit = "my_districts"')
    if file.kind == "estat_mesh":
        yield "[municipality.mesh_margins]  # 基準年と同じ年の、[mesh] と同じか細かいメッシュ"
        yield from (
            f"files = [{quoted(survey.relative(file))}]",
            f"year = {file.years[-1] if file.years else STAR}",
        )
        yield 'credit = "my_mesh_statistics"'
    if file.kind == "mapped_table":
        yield "[[municipality.population]]"
        yield from (f"year = {file.years[-1]}" if file.years else f"year = {STAR}", named)
        yield from (
            'format = "mapped"',
            'credit = "my_census"',
            "[municipality.population.mapping]",
        )
        for key, value in file.clues.mapping:
            shown = quoted(value) if isinstance(value, str) else str(value).lower()
            yield f"{key} = {shown}"
