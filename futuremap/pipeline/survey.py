"""What lies in a folder, and what a run would still need: the first step with one's own data."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from futuremap.config.model import INTERVAL
from futuremap.pipeline.survey_found import Survey
from futuremap.pipeline.survey_starter import starter
from futuremap.pipeline.survey_towns import TownPlan, plan
from futuremap.pipeline.survey_words import UNVERIFIED
from futuremap.problems import Report
from futuremap.sources.recognise import recognise
from futuremap.sources.recognised import Lack, Recognised

__all__ = ["Survey", "starter", "survey_folder", "survey_lines"]

COUNTED = {"register", "census", "estat_small_area", "register_series"}
MAX_FILES = 400
NAMED_TOWNS = 3
MAX_DEPTH = 6  # folders in folders
OURS = "manifest.json"  # a folder that holds it is the output of a run


def survey_folder(path: Path) -> Survey:
    """Recognise every file of a folder and say what a run would still need.

    Parameters
    ----------
    path
        The folder. Folders in it are gone through, but for hidden ones and outputs of a run;
        links are followed only to files inside it.

    Returns
    -------
    Survey
        Nothing is written, and nothing is raised whatever the files hold.
    """
    report = Report()
    if not path.is_dir():
        report.add("FM101", file=str(path))
        return Survey(path, (), (), None, (), (), report)
    files = []
    for file in _files(path, report):
        found = recognise(file)
        if found.kind == "part":
            continue
        files.append(found)
        if found.kind == "unknown":
            ja, en = found.lacks[0]
            name = file.relative_to(path).as_posix()
            report.add("FM107", file=name, reason_ja=ja, reason_en=en)
    towns, base_year = plan(files)
    lacks = tuple(_lacks(towns, base_year, files))
    survey = Survey(path, tuple(files), towns, base_year, lacks, tuple(_wishes(towns)), report)
    _note(survey)
    return survey


def _files(folder: Path, report: Report) -> Iterator[Path]:
    root, count = folder.resolve(), 0
    for parent, folders, names in os.walk(folder):
        here = Path(parent)
        depth = len(here.relative_to(folder).parts)
        if folders and depth >= MAX_DEPTH:
            ja, en = "フォルダーの入れ子が深すぎます", "folders in it are nested too deep"
            report.add("FM107", file=_shown(here, folder), reason_ja=ja, reason_en=en)
        folders[:] = sorted(
            name
            for name in folders
            if depth < MAX_DEPTH
            and not name.startswith(".")
            and not (here / name).is_symlink()
            and not (here / name / OURS).exists()
        )
        for name in sorted(names):
            file = here / name
            if name.startswith((".", "~$")) or not _may_open(file, root, folder, report):
                continue
            count += 1
            if count > MAX_FILES:
                report.add("FM108", file=folder.name, count=MAX_FILES)
                return
            yield file


def _may_open(file: Path, root: Path, folder: Path, report: Report) -> bool:
    # pipes and devices would never end; a name that is no text could not stand in project.toml
    name, shown = file.relative_to(folder).as_posix(), _shown(file, folder)
    if file.is_symlink() and not _leads_inside(file, root):
        report.add("FM109", file=shown)
        return False
    if not file.is_file():
        return False
    if shown != name or not name.isprintable():
        ja, en = "ファイル名に文字でないものがあります", "its name holds what is no text"
        report.add("FM107", file=ascii(name), reason_ja=ja, reason_en=en)
        return False
    return True


def _shown(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix().encode("utf-8", "replace").decode()


def _leads_inside(link: Path, root: Path) -> bool:
    try:
        return link.resolve(strict=True).is_relative_to(root)
    except (OSError, RuntimeError):  # it leads nowhere, or in a circle
        return False


def _lacks(
    towns: tuple[TownPlan, ...],
    base: int | None,
    files: list[Recognised],
) -> Iterator[Lack]:
    if not towns:
        yield (
            "どの市区町村かを決めるファイル（その市区町村の住民基本台帳か、行政区域 N03）",
            "a file that says which municipality is meant (its register or its outline, N03)",
        )
    for town in towns:
        name = town.name or town.code
        if not town.form:
            yield _no_people(name, base, files)
        if town.form == "estat_small_area" and town.places.blocks is None:
            yield (
                f"{name}：町丁・字等別境界（e-Stat）",
                f"{name}: boundaries of its blocks (e-Stat)",
            )
        if town.outline is None:
            yield f"{name}：境界（国土数値情報 N03）", f"{name}: outline (N03)"
        for wrong in town.corrections:
            if wrong.place is None:
                zone = wrong.zone
                yield f"{name}：{zone} の正しい緯度・経度", f"{name}: the right place of {zone}"


def _no_people(name: str, base: int | None, files: list[Recognised]) -> Lack:
    counted = [file for file in files if file.kind in COUNTED and file.usable]
    years = sorted({year for file in counted for year in file.years})
    if base is not None:
        ja, en = f"{base - INTERVAL}年と{base}年の人口", f"people of {base - INTERVAL} and {base}"
        return f"{name}：{ja}", f"{name}: {en}"
    whole = {"census", "estat_small_area"}  # people who need no points
    located = {y for f in counted if f.kind in whole or f.clues.located for y in f.years}
    without = [year for year in years if year - INTERVAL in years and year not in located]
    if without:
        return (
            f"{name}：{without[-1]}年の台帳の緯度・経度（区域の代表点）",
            f"{name}: latitude and longitude of the areas of {without[-1]}",
        )
    there = "、".join(map(str, years))
    kinds = "地域・年齢別人口、国勢調査か e-Stat 小地域"
    return (
        f"{name}：{INTERVAL}年はなれた2つの年の人口（{kinds}。ある年：{there or 'なし'}）",
        f"{name}: people in two years, {INTERVAL} years apart (there are: {there or 'none'})",
    )


def _wishes(towns: tuple[TownPlan, ...]) -> Iterator[Lack]:
    without = [town for town in towns if town.control is None]
    if without:
        ja, en = (
            "市区町村の将来推計（総数を合わせるため）",
            "a municipal projection, to meet its totals",
        )
        yield f"{_names(without)}：{ja}", f"{_names(without)}: {en}"
    without = [town for town in towns if not town.facilities]
    if without:
        yield f"{_names(without)}：施設の一覧", f"{_names(without)}: a list of facilities"
    for town in towns:
        if len(town.plane_zones) > 1:
            name, zones = town.name or town.code, "、".join(map(str, town.plane_zones))
            yield (
                f"{name}：平面直角座標系の系番号を確かめる（{zones}）",
                f"{name}: its plane rectangular zone ({zones})",
            )


def _names(towns: list[TownPlan]) -> str:
    shown = "、".join(town.name or town.code for town in towns[:NAMED_TOWNS])
    more = len(towns) - NAMED_TOWNS
    return f"{shown} … (+{more})" if more > 0 else shown


def _note(survey: Survey) -> None:
    for ja, en in survey.lacks:
        survey.report.add("FM009", file=survey.folder.name, lack_ja=ja, lack_en=en)
    for town in survey.towns:
        base = town.people.get(survey.base_year or 0)
        for wrong in town.corrections:
            if base is None or wrong.place is None:
                continue
            place = f"{wrong.place[0]}, {wrong.place[1]}"
            survey.report.add(
                "FM110",
                file=survey.relative(base),
                value=wrong.seen,
                zone=wrong.zone,
                expected_ja=f"正しい位置（仮：{place}）",
                expected_en=f"its right place (stand-in: {place})",
            )


def survey_lines(survey: Survey) -> list[str]:
    """The survey as it stands on a terminal, Japanese before English."""
    shown = [f"{survey.folder}：{len(survey.files)} 件 / files"]
    for file in survey.files:
        shown += _file_lines(survey, file)
    for town in survey.towns:
        shown += _town_lines(survey, town)
    for title, entries in (
        ("足りないもの / still missing", survey.lacks),
        ("あるとよいもの / would help", survey.wishes),
    ):
        if entries:
            shown += ["", title, *(f"  ・{ja} / {en}" for ja, en in entries)]
    return shown


def _file_lines(survey: Survey, file: Recognised) -> list[str]:
    mark = "×" if file.kind == "unknown" else "○" if file.usable else "△"
    facts = [f"{file.title_ja} / {file.title_en}"]
    if file.years:
        first, last = file.years[0], file.years[-1]
        facts.append(f"{first}年" if first == last else f"{first}～{last}年（{len(file.years)}）")
    if file.zones is not None:
        facts.append(f"区域・件数/zones {file.zones:,}")
    if file.people is not None:
        facts.append(f"{file.people:,.0f} 人/persons")
    if not file.verified:
        facts.append(f"{UNVERIFIED}/layout not verified")
    shown = [f"{mark} {survey.relative(file)}", "    " + "  ".join(facts)]
    return shown + [f"    ・{ja} / {en}" for ja, en in file.lacks]


def _town_lines(survey: Survey, town: TownPlan) -> list[str]:
    base = survey.base_year
    parts = [f"平面直角座標系/plane zone {town.plane_zones[0]}"]
    if town.form and base is not None:
        years = (base - INTERVAL, base)
        parts += [f"{year}年 {survey.relative(town.people[year])}" for year in years]
        more = len(town.people) - 2
        parts += [f"ほか {more} 年分/more years"] if more else []
    places = town.places.blocks
    parts += [f"町丁の場所/blocks {survey.relative(places)}"] if places else []
    for ja, file in (("境界/outline", town.outline), ("総数/control", town.control)):
        parts += [f"{ja} {survey.relative(file)}"] if file else []
    if town.facilities:
        parts.append(f"施設/facilities {len(town.facilities)}")
    for ja, file in (
        *(("メッシュ統計/mesh statistics", file) for file in town.extra.margins),
        *(("通学区域/districts", file) for file in town.extra.districts),
        *(("比べる推計/rival", file) for file in town.extra.rivals),
        ("生命表/life table", town.extra.oldest),
    ):
        parts += [f"{ja} {survey.relative(file)}"] if file else []
    shown = ["", f"{town.name or '（名前なし）'}（{town.code}）", *(f"  {part}" for part in parts)]
    for file, (ja, en) in town.left_out:
        shown.append(f"  使わないファイル/left out {survey.relative(file)}：{ja} / {en}")
    return shown
