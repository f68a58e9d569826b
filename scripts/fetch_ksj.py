"""Download layers of 国土数値情報 (KSJ) by prefecture: mesh projections, boundaries, facilities.

``python scripts/fetch_ksj.py mesh250-2024 34`` gets the zip of 三原市's prefecture. The address
templates are those that published catalogues of KSJ name. 未検証: none has been run against the
publisher's own server from here. The licence differs from layer to layer and year to year, so the
note beside the file says only what is known and points to the page of the layer.
"""

from __future__ import annotations

from typing import NamedTuple

from fetch_console import limits_of, parser, prefectures, run
from fetching import Origin, Wanted, fetch

BASE = "https://nlftp.mlit.go.jp"
TERMS = "国土数値情報 利用約款（使用許諾条件はレイヤごとに異なります。ページで確かめてください）"
OPEN = "CC BY 4.0"


class LayerFile(NamedTuple):
    """One layer in one edition.

    path
        Of its zip below ``/ksj/gml/data/``, with ``{pref}`` for the code of the prefecture.
    title
        As the credit names it.
    page
        Description below ``/ksj/gml/datalist/``.
    licence
        As far as it is known.
    """

    path: str
    title: str
    page: str
    licence: str = TERMS


_MESH_2024 = "メッシュ別将来推計人口（R6国政局推計）"
LAYERS = {
    "mesh500-2018": LayerFile(
        "m500h30/m500h30-18/500m_mesh_suikei_2018_shape_{pref}.zip",
        "500mメッシュ別将来推計人口（H30国政局推計）",
        "KsjTmplt-mesh500h30.html",
    ),
    "mesh1000-2024": LayerFile(
        "m1kr6/m1kr6-24/1km_mesh_2024_{pref}_SHP.zip",
        f"1km{_MESH_2024}",
        "KsjTmplt-mesh1000r6.html",
        OPEN,
    ),
    "mesh500-2024": LayerFile(
        "m500r6/m500r6-24/500m_mesh_2024_{pref}_SHP.zip",
        f"500m{_MESH_2024}",
        "KsjTmplt-mesh500r6.html",
        OPEN,
    ),
    "mesh250-2024": LayerFile(
        "m250r6/m250r6-24/250m_mesh_2024_{pref}_SHP.zip",
        f"250m{_MESH_2024}",
        "KsjTmplt-mesh250r6.html",
        OPEN,
    ),
    "N03-2023": LayerFile(
        "N03/N03-2023/N03-20230101_{pref}_GML.zip", "行政区域", "KsjTmplt-N03-2023.html"
    ),
    "A27-2023": LayerFile("A27/A27-23/A27-23_{pref}_GML.zip", "小学校区", "KsjTmplt-A27-2023.html"),
    "A32-2023": LayerFile("A32/A32-23/A32-23_{pref}_GML.zip", "中学校区", "KsjTmplt-A32-2023.html"),
    "P02-2006": LayerFile("P02/P02-06/P02-06_{pref}_GML.zip", "公共施設", "KsjTmplt-P02-2006.html"),
    "P04-2020": LayerFile("P04/P04-20/P04-20_{pref}_GML.zip", "医療機関", "KsjTmplt-P04-v3_0.html"),
    "P05-2022": LayerFile(
        "P05/P05-22/P05-22_{pref}_GML.zip",
        "市町村役場等及び公的集会施設",
        "KsjTmplt-P05-2022.html",
    ),
    "P14-2023": LayerFile("P14/P14-23/P14-23_{pref}_GML.zip", "福祉施設", "KsjTmplt-P14-2023.html"),
    "P27-2013": LayerFile("P27/P27-13/P27-13_{pref}.zip", "文化施設", "KsjTmplt-P27.html"),
    "P29-2023": LayerFile("P29/P29-23/P29-23_{pref}_GML.zip", "学校", "KsjTmplt-P29-2023.html"),
}


def origin(layer: LayerFile) -> Origin:
    """Credit of one layer."""
    page = f"{BASE}/ksj/gml/datalist/{layer.page}"
    return Origin(f"国土交通省「国土数値情報（{layer.title}）」", layer.licence, page)


def main() -> None:
    """Get the zips that were asked for."""
    made = parser(__doc__.splitlines()[0], base_url=BASE)
    made.add_argument("layer", choices=sorted(LAYERS))
    made.add_argument("prefectures", nargs="+", help="都道府県コード / codes 01 … 47")
    asked = made.parse_args()
    layer = LAYERS[asked.layer]
    for code in prefectures(asked.prefectures):
        path = layer.path.format(pref=code)
        wanted = Wanted(
            f"{asked.base_url.rstrip('/')}/ksj/gml/data/{path}",
            asked.out / path.rsplit("/", 1)[1],
            origin(layer),
            kind="zip",
            sha256=asked.sha256,
        )
        fetch(wanted, limits=limits_of(asked), force=asked.force)


if __name__ == "__main__":
    run(main)
