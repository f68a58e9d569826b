"""Words of a starter: how a file, its credit and a remark are written in project.toml."""

from __future__ import annotations

import json
from collections.abc import Callable

from futuremap.sources.recognised import Kind, Recognised

STAR = "★"
UNVERIFIED = "未検証"
_FROM_STATISTICS = "政府標準利用規約2.0（CC BY 4.0 互換）"
_OF_TOWN = f"{STAR}利用条件（例：CC BY 4.0）"
_KSJ = ("国土交通省「国土数値情報」を加工して作成", "国土数値情報 利用約款")
_IPSS = (
    "国立社会保障・人口問題研究所「日本の地域別将来推計人口」を加工して作成",
    "出典を記載して利用",
)
_REGISTER = (f"{STAR}市区町村名「住民基本台帳 地域・年齢別人口」を加工して作成", _OF_TOWN)
_CENSUS = ("総務省統計局「国勢調査」を加工して作成", _FROM_STATISTICS)
# credit key, its text, its licence
CREDITS: dict[Kind, tuple[str, str, str]] = {
    "register": ("my_register", *_REGISTER),
    "register_series": ("my_register", *_REGISTER),
    "census": ("my_census", *_CENSUS),
    "census_totals": ("my_totals", *_CENSUS),
    "estat_small_area": (
        "my_small_areas",
        "総務省統計局「国勢調査 小地域集計」を加工して作成",
        _FROM_STATISTICS,
    ),
    "estat_mesh": (
        "my_mesh_statistics",
        "総務省統計局「国勢調査 地域メッシュ統計」を加工して作成",
        _FROM_STATISTICS,
    ),
    "boundary": (
        "my_boundary",
        "総務省統計局「国勢調査 町丁・字等別境界データ」を加工して作成",
        _FROM_STATISTICS,
    ),
    "outline": (
        "my_outline",
        "国土交通省「国土数値情報（行政区域データ）」を加工して作成",
        "国土数値情報 利用約款",
    ),
    "projection": ("my_projection", *_IPSS),
    "ipss_workbook": ("my_projection", *_IPSS),
    "ksj_mesh": ("my_ksj_mesh", *_KSJ),
    "ksj_points": ("my_ksj_points", *_KSJ),
    "districts": ("my_districts", f"{STAR}提供者名「通学区域」を加工して作成", _OF_TOWN),
    "life_table": ("my_life_table", f"{STAR}厚生労働省「生命表」を加工して作成", _OF_TOWN),
    "facilities": ("my_facilities", f"{STAR}市区町村名「公共施設一覧」を加工して作成", _OF_TOWN),
}
Relative = Callable[[Recognised], str]


def quoted(text: str) -> str:
    r"""A text as TOML writes it.

    Examples
    --------
    >>> quoted('a"b')
    '"a\\"b"'
    """
    # a JSON string is a TOML string, but for one character
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def remark(text: str) -> str:
    r"""A comment; nothing from a file may end it.

    Examples
    --------
    >>> remark("a\nb = 1")
    '# a?b = 1'
    """
    return "# " + "".join(letter if letter.isprintable() else "?" for letter in text)


def credit_of(file: Recognised) -> str:
    """Key of the credit of a file."""
    key = CREDITS[file.kind][0]
    return f"{key}_synthetic" if file.clues.made_up else key


def entry(relative: Relative, file: Recognised) -> list[str]:
    """The lines that name a file and its credit, with a star where its layout is 未検証."""
    text = [f"file = {quoted(relative(file))}", f"credit = {quoted(credit_of(file))}"]
    return text if file.verified else [f"# {STAR} {UNVERIFIED}の形式です", *text]
