"""Download the workbooks of 社人研 日本の地域別将来推計人口 (sex × five-year age, by prefecture).

``python scripts/fetch_ipss.py --edition 2023 34 14`` gets 34.xlsx and 14.xlsx, which
``futuremap.sources.ipss`` reads. The addresses of the 2023 edition are those of the publisher's
page. 未検証: that the 2018 edition names its workbooks in the same way (its folder is known, a
file of it has not been seen). Nothing here has been run against the publisher's own server.
"""

from __future__ import annotations

from fetch_console import limits_of, parser, prefectures, run
from fetching import Origin, Wanted, fetch

BASE = "https://www.ipss.go.jp"
FOLDERS = {
    "2018": "/pp-shicyoson/j/shicyoson18/3kekka/Municipalities",
    "2023": "/pp-shicyoson/j/shicyoson23/3kekka/Municipalities",
}
PAGES = {"2018": "shicyoson18/t-page.asp", "2023": "shicyoson23/t-page.asp"}
NAMES = {"2018": "平成30(2018)年推計", "2023": "令和5(2023)年推計"}


def origin(edition: str) -> Origin:
    """Credit of one edition."""
    return Origin(
        f"国立社会保障・人口問題研究所「日本の地域別将来推計人口（{NAMES[edition]}）」",
        "出典記載（利用条件は国立社会保障・人口問題研究所のサイトで確かめてください）",
        f"{BASE}/pp-shicyoson/j/{PAGES[edition]}",
    )


def main() -> None:
    """Get the workbooks that were asked for."""
    made = parser(__doc__.splitlines()[0], base_url=BASE)
    made.add_argument("--edition", choices=sorted(FOLDERS), default="2023")
    made.add_argument("prefectures", nargs="+", help="都道府県コード / codes 01 … 47")
    asked = made.parse_args()
    for code in prefectures(asked.prefectures):
        wanted = Wanted(
            f"{asked.base_url.rstrip('/')}{FOLDERS[asked.edition]}/{code}.xlsx",
            asked.out / f"ipss{asked.edition}_{code}.xlsx",
            origin(asked.edition),
            kind="zip",
            sha256=asked.sha256,
        )
        fetch(wanted, limits=limits_of(asked), force=asked.force)


if __name__ == "__main__":
    run(main)
