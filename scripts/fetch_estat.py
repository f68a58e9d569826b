"""Download from e-Stat: tables and boundaries of 統計GIS, and tables of its API.

``gis T001082 34``            小地域 or mesh table as a zip (code: prefecture, or first mesh code)
``boundary A002005212020 34204``  boundaries of small areas as a zipped Shapefile in JGD2011 degrees
``api 0003445162 cdArea=34204``   one table of the API, page by page, as JSON

The API wants an application id: it is taken from the environment (ESTAT_APP_ID), sent to e-Stat
over https only, and neither shown nor written anywhere. 未検証: the addresses and the shape of the
answers are those of e-Stat's documents and of programs that use them; nothing here has been run
against e-Stat itself.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import urllib.parse
from pathlib import Path
from typing import Any

from fetch_console import EXIT_USAGE, FetchError, limits_of, log, parser, run
from fetching import Origin, Wanted, fetch, hide, source_file

BASE, API_BASE = "https://www.e-stat.go.jp", "https://api.e-stat.go.jp"
APP_ID = "ESTAT_APP_ID"
PAGE_ROWS = 100_000  # the most that the API gives at once
NOTICE = (
    "このサービスは、政府統計総合窓口(e-Stat)のAPI機能を使用していますが、"
    "サービスの内容は国によって保証されたものではありません。"
)
ORIGIN = Origin(
    "総務省統計局「国勢調査」（政府統計の総合窓口 e-Stat）",
    "e-Stat 利用規約（政府標準利用規約2.0、CC BY 4.0 互換）",
    "https://www.e-stat.go.jp/terms-of-use",
)


def gis_url(base: str, stats_id: str, code: str) -> str:
    """Address of one table of 統計GIS.

    Examples
    --------
    >>> gis_url("https://www.e-stat.go.jp", "T001082", "34")
    'https://www.e-stat.go.jp/gis/statmap-search/data?statsId=T001082&code=34&downloadType=2'
    """
    query = {"statsId": stats_id, "code": code, "downloadType": "2"}
    return f"{base.rstrip('/')}/gis/statmap-search/data?{urllib.parse.urlencode(query)}"


def boundary_url(base: str, survey_id: str, code: str) -> str:
    """Address of the boundaries of one prefecture or municipality."""
    query = {
        "dlserveyId": survey_id,  # spelt like this by e-Stat
        "code": code,
        "coordSys": "1",
        "format": "shape",
        "downloadType": "5",
        "datum": "2011",
    }
    return f"{base.rstrip('/')}/gis/statmap-search/data?{urllib.parse.urlencode(query)}"


def api_url(base: str, app_id: str, table: str, start: int, chosen: dict[str, str]) -> str:
    """Address of one page of a table of the API."""
    query = {
        "appId": app_id,
        "statsDataId": table,
        "startPosition": str(start),
        "limit": str(PAGE_ROWS),
        **chosen,
    }
    return f"{base.rstrip('/')}/rest/3.0/app/json/getStatsData?{urllib.parse.urlencode(query)}"


def application_id() -> str:
    """The application id from the environment.

    Raises
    ------
    FetchError
        If there is none.
    """
    found = os.environ.get(APP_ID, "").strip()
    if not found:
        raise FetchError(
            f"環境変数 {APP_ID} に e-Stat のアプリケーション ID を入れてください"
            "（e-Stat の API 機能のページで登録すると発行されます）",
            f"put your e-Stat application id into the environment variable {APP_ID}"
            " (e-Stat issues one when you register for its API)",
            place=f"${APP_ID}",
            code=EXIT_USAGE,
        )
    return found


def fetch_zips(asked: argparse.Namespace) -> None:
    """Get tables or boundaries, one zip a code."""
    address = gis_url if asked.what == "gis" else boundary_url
    base = asked.base_url or BASE
    for text in (asked.table, *asked.codes):
        _check_word(text)
    for code in asked.codes:
        wanted = Wanted(
            address(base, asked.table, code),
            asked.out / f"{asked.table}_{code}.zip",
            ORIGIN,
            kind="zip",
            sha256=asked.sha256,
        )
        fetch(wanted, limits=limits_of(asked), force=asked.force)


def fetch_table(asked: argparse.Namespace) -> None:
    """Get a table of the API, page by page, until it says that no more follows."""
    app_id = application_id()
    _check_word(asked.table)
    chosen = dict(_choice(text) for text in asked.codes)
    log(NOTICE)
    start, page = 1, 1
    while start:
        wanted = Wanted(
            api_url(asked.base_url or API_BASE, app_id, asked.table, start, chosen),
            asked.out / f"{asked.table}_{page:03d}.json",
            ORIGIN,
            kind="json",
            secret=app_id,
        )
        fetch(wanted, limits=limits_of(asked), force=True)  # tables of the API are revised
        following = _next_start(wanted)
        if following and following <= start:
            raise _bad_answer(wanted, f"NEXT_KEY {following} ≤ {start}")
        start, page = following, page + 1


def _check_word(text: str) -> None:
    if not re.fullmatch(r"[0-9A-Za-z]+", text):
        raise FetchError(
            "表の ID やコードは英数字で書いてください",
            "ids of tables and codes are letters and digits",
            place=text,
            code=EXIT_USAGE,
        )


def _choice(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not re.fullmatch(r"(cd|lv)[0-9A-Za-z]+", name) or not value:
        raise FetchError(
            "絞り込みは cdArea=34204 のように書いてください",
            "write a choice like cdArea=34204",
            place=text,
            code=EXIT_USAGE,
        )
    return name, value


def _next_start(wanted: Wanted) -> int:
    answer = _answer(wanted)
    try:
        result = answer["RESULT"]
        if int(result["STATUS"]) != 0:
            raise _bad_answer(wanted, f"{result['STATUS']} {result.get('ERROR_MSG', '')}")
        return int(answer["STATISTICAL_DATA"]["RESULT_INF"].get("NEXT_KEY", 0))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _bad_answer(wanted, type(error).__name__) from error


def _answer(wanted: Wanted) -> Any:
    try:
        return json.loads(wanted.target.read_text(encoding="utf-8"))["GET_STATS_DATA"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise _bad_answer(wanted, type(error).__name__) from error


def _bad_answer(wanted: Wanted, what: str) -> FetchError:
    # e-Stat answers with HTTP 200 and says in the text what is wrong; that is no table to keep
    for path in (wanted.target, source_file(wanted.target)):
        Path(path).unlink(missing_ok=True)
    shown = hide(what, wanted.secret)
    return FetchError(
        f"e-Stat がデータを返しませんでした：{shown}。表の ID と絞り込みを確かめてください",
        f"e-Stat answered without data: {shown}; check the table's id and the choices",
        place=wanted.shown(),
    )


def main() -> None:
    """Get what was asked for."""
    made = parser(__doc__.splitlines()[0], base_url="")
    made.add_argument("what", choices=["gis", "boundary", "api"])
    made.add_argument("table", help="T001082, A002005212020, 0003445162 …")
    made.add_argument("codes", nargs="*", help="コード / codes; api: cdArea=34204 …")
    asked = made.parse_args()
    if asked.what == "api":
        fetch_table(asked)
    elif asked.codes:
        fetch_zips(asked)
    else:
        made.error("コードを1つ以上書いてください / at least one code is needed")


if __name__ == "__main__":
    run(main)
