"""What one file was taken for: kinds of files, and what is said of each."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple

from futuremap.problems import Report

Kind = Literal[
    "register", "register_series", "census", "projection", "census_totals", "mapped_table",
    "estat_small_area", "estat_mesh", "ipss_workbook", "life_table", "ksj_mesh", "boundary",
    "outline", "districts", "vector", "raster", "facilities", "ksj_points", "project", "part",
    "unknown",
]  # fmt: skip
TITLES: dict[Kind, tuple[str, str]] = {
    "register": ("住民基本台帳「地域・年齢別人口」", "resident register by area and age"),
    "register_series": ("住民基本台帳（月別をつないだ表）", "monthly registers in one table"),
    "census": ("国勢調査（市区町村・男女・5歳階級）", "census by municipality, sex and age"),
    "projection": ("将来推計人口（市区町村・男女・5歳階級）", "projection by municipality"),
    "census_totals": ("市区町村の総人口（確かめ用）", "municipal totals, to check against"),
    "mapped_table": ("男女・年齢別人口らしい表", "perhaps a table of people by sex and age"),
    "estat_small_area": ("e-Stat 小地域（町丁・字等）の年齢別人口", "e-Stat small areas by age"),
    "estat_mesh": ("e-Stat 地域メッシュ統計", "e-Stat mesh statistics"),
    "ipss_workbook": ("社人研 地域別将来推計人口のブック", "workbook of IPSS projections"),
    "life_table": ("生命表・死亡率", "life table or mortality"),
    "ksj_mesh": ("国土数値情報 将来推計人口メッシュ", "KSJ projection by mesh"),
    "boundary": ("国勢調査の町丁・字等別境界", "census boundaries of town blocks"),
    "outline": ("国土数値情報 行政区域（N03）", "municipal outlines (N03)"),
    "districts": ("通学区域", "school districts"),
    "vector": ("図形のファイル", "shapes with values"),
    "raster": ("ラスター（GeoTIFF）", "raster (GeoTIFF)"),
    "facilities": ("施設の一覧", "list of facilities"),
    "ksj_points": ("国土数値情報 施設の点", "KSJ facility points"),
    "project": ("設定ファイル", "project file"),
    "part": ("シェープファイルの一部", "part of a shapefile"),
    "unknown": ("使い道の分からないファイル", "not recognised"),
}
Lack = tuple[str, str]  # in Japanese and in English
DOUBTFUL, UNTRIED = 0.6, 0.9  # sureness with a fault, and of what was not tried
TOO_LARGE: Lack = (
    "大きいため見出しだけで判断しました",
    "told by its headings only, as it is large",
)
MOST_FAULTS = 4  # kinds of problems that are named


class Place(NamedTuple):
    """A municipality that a file speaks of; its name may be empty."""

    code: str
    name: str = ""


@dataclass(frozen=True)
class Clues:
    """What helps to put files together.

    Parameters
    ----------
    towns
        Municipalities in the file.
    month
        Month of a register, "2018-11"; empty if it says none.
    located
        Whether every area or facility has a point.
    middle
        Longitude and latitude in the middle of its points.
    made_up
        Whether the file itself says that it is 合成データ.
    tried
        Whether the file was given to its reader, and not only looked at.
    detail
        Edition or size in a word or two, such as "250 m".
    months
        Months of joined registers, "2018-11", ascending.
    form
        The format by which project.toml reads it, where its kind has several.
    extent
        West, south, east, north of its meshes in degrees, if it is of meshes.
    mapping
        What project.toml would say of a table whose columns were guessed, as key and value.
    """

    towns: tuple[Place, ...] = ()
    month: str = ""
    located: bool = False
    middle: tuple[float, float] | None = None
    made_up: bool = False
    tried: bool = True
    detail: str = ""
    months: tuple[str, ...] = ()
    form: str = ""
    extent: tuple[float, float, float, float] | None = None
    mapping: tuple[tuple[str, str | int], ...] = ()


@dataclass(frozen=True)
class Recognised:
    """What one file was taken for.

    Parameters
    ----------
    path
        The file.
    kind, title_ja, title_en
        What it is.
    years
        Years that it speaks of, ascending.
    zones
        Count of its areas, meshes, municipalities or facilities; None if not counted.
    people
        People in its last year; None if not counted or in doubt. [persons]
    lacks
        What keeps it from a run, as (Japanese, English).
    verified
        Whether the reader of this layout has been tried on a real file.
    sure
        From 0 to 1: 1 only if its reader took it without an error, 0.9 if it is too large to be
        tried here.
    clues
        What helps to put it together with others.
    """

    path: Path
    kind: Kind
    title_ja: str
    title_en: str
    years: tuple[int, ...] = ()
    zones: int | None = None
    people: float | None = None
    lacks: tuple[Lack, ...] = ()
    verified: bool = True
    sure: float = 1.0
    clues: Clues = field(default_factory=Clues)

    @property
    def usable(self) -> bool:
        """Whether nothing is known against it."""
        return self.sure >= UNTRIED

    @property
    def tried(self) -> bool:
        """Whether its reader took it without an error."""
        return self.sure == 1.0


def recognised(
    path: Path,
    kind: Kind,
    *,
    years: tuple[int, ...] = (),
    zones: int | None = None,
    people: float | None = None,
    lacks: tuple[Lack, ...] = (),
    verified: bool = True,
    clues: Clues | None = None,
) -> Recognised:
    """A file taken for something, surely if it lacks nothing; its title says the details.

    One that is sound as far as it was looked at, but too large to be tried, is nearly sure.

    Examples
    --------
    >>> found = recognised(Path("a.tif"), "raster", clues=Clues(detail="10 × 20"))
    >>> found.title_ja, found.sure
    ('ラスター（GeoTIFF）：10 × 20', 1.0)
    """
    clues = clues or Clues()
    ja, en = TITLES[kind]
    if clues.detail:
        ja, en = f"{ja}：{clues.detail}", f"{en}: {clues.detail}"
    sure = 0.0 if kind == "unknown" else DOUBTFUL if lacks else 1.0 if clues.tried else UNTRIED
    return Recognised(path, kind, ja, en, years, zones, people, lacks, verified, sure, clues)


def faults(report: Report) -> tuple[Lack, ...]:
    """The errors of a trial reading, one line a kind.

    Examples
    --------
    >>> report = Report()
    >>> report.add("FM101", file="a.csv")
    >>> faults(report)[0][0][:7]
    'FM101：フ'
    """
    errors = report.errors
    codes = list(dict.fromkeys(problem.code for problem in errors))
    lines = []
    for code in codes[:MOST_FAULTS]:
        of_code = [problem for problem in errors if problem.code == code]
        first, count = of_code[0], len(of_code)
        ja = f"（{count} 件）" if count > 1 else ""
        en = f" ({count} times)" if count > 1 else ""
        lines.append(
            (f"{code}：{first.text('title')}{ja}", f"{code}: {first.text('title', 'en')}{en}")
        )
    if len(codes) > MOST_FAULTS:
        more = len(codes) - MOST_FAULTS
        lines.append((f"ほか {more} 種類の誤り", f"{more} more kinds of errors"))
    return tuple(lines)


def reason_of(report: Report) -> Lack:
    """Why a file could not be read at all: the first error with its reason.

    Examples
    --------
    >>> report = Report()
    >>> report.add("FM105", file="a.csv")
    >>> reason_of(report)[1][:6]
    'FM105:'
    """
    if not report.errors:
        return ("読める表や図形がありません", "there is no table and no shape in it")
    first = report.errors[0]
    reason = dict(first.detail).get("reason", "")
    ja, _, en = reason.partition(" / ")
    if ja == first.text("title"):
        ja, en = "", ""
    return (
        f"{first.code}：{first.text('title')}{'：' + ja if ja else ''}",
        f"{first.code}: {first.text('title', 'en')}{': ' + (en or ja) if ja else ''}",
    )
