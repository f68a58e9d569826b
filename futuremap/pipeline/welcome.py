"""What README.html says: how the numbers were made, and what each file is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from futuremap.core.credits import Credit
from futuremap.core.fields import field
from futuremap.core.layer import Layer, Text
from futuremap.core.table import Table
from futuremap.export.page import Page
from futuremap.pipeline.compare import chart
from futuremap.pipeline.deliver_indicators import sentences as indicator_words
from futuremap.pipeline.deliver_indicators import shown_table
from futuremap.pipeline.method_names import method_name
from futuremap.pipeline.prepare import Town
from futuremap.pipeline.run import METHOD_OF_RATES, Outcome

TABLES = {
    "population": Text(
        "区域 × 年 × 男女 × 5歳階級の人口",
        "People by zone, year, sex and age",
    ),
    "flows": Text(
        "区域ごとの増減の内訳（出生、死亡と転出入、総数への調整）",
        "What changed each zone: births, deaths and migration, control adjustment",
    ),
    "municipality": Text("市区町村の人口と指標", "Indicators of the municipality"),
    "controls": Text("総数への調整係数", "Factors to the control totals"),
    "indicators": Text(
        "暮らしの指標（介護・医療・学校・救急など）：市区町村・町丁・圏域・学校区",
        "Indicators of services: municipality, block, area, school district",
    ),
    "renewal": Text("施設の更新費用（建替え・大規模改修）", "Cost of renewing facilities"),
    "staff": Text("職員数と必要な職員数（職種・年ごと）", "Staff and need by occupation and year"),
    "workload": Text("業務ごとの時間（市区町村・年ごと）", "Hours of each task"),
    "profiles": Text(
        "市区町村どうしの似かた（年齢構成・世帯・高齢化）", "How alike municipalities are"
    ),
    "indicators_mesh": Text("暮らしの指標：メッシュ", "Indicators by mesh"),
    "indicators_facility": Text("暮らしの指標：施設の利用圏", "Indicators by reach"),
}
SHRINKING = Text(
    "小さな町丁の変化率は偶然に左右されるため、人数に応じて市区町村全体の率に近づけます"
    "（経験ベイズ）。町丁と全体の差は1期ごとに縮め、増加は足し算で延ばします。",
    "Ratios of small blocks are shrunk to the municipality's (empirical Bayes); what is "
    "left of the difference fades step by step, and growth is additive.",
)
INTERVALS = Text(
    "80％区間は、過去の推計の誤差から作りました（町丁は高松市の1～3年先、市区町村は国勢調査による5～30年先）。"
    "町丁の5年以上先は、小さな市区町村の誤差の広がり方で引き延ばした値です。利用圏とメッシュの区間は、"
    "町丁の誤差を一緒に動かして数え直したもので、町丁の区間の合計ではありません。",
    "80 % intervals come from errors of past projections (blocks: Takamatsu, 1 to 3 years ahead; "
    "municipalities: censuses, 5 to 30 years). Five years and more ahead, those of blocks are "
    "drawn out as errors of small municipalities grow. Intervals of reach and mesh come from "
    "draws that move the blocks together; they are not sums of the blocks' intervals.",
)
PROJECTS = {
    ".gpkg": Text(
        "すべての主題図。QGIS に放す。現況・将来のプロジェクト入り",
        "All themes, to drag into QGIS; holds the projects of now and the future",
    ),
    ".qgz": Text("QGIS で開くと地図と印刷用レイアウト", "Opens in QGIS with map and print layout"),
}
OFFICE = {
    ".xlsx": Text(
        "概要・人口・ピラミッド・施設・指標・前提・診断・出典（グラフつき）",
        "Summary, people, pyramids, facilities, indicators, assumptions, diagnostics, credits",
    ),
    ".pdf": Text("印刷用の報告書（A4）", "The report to print (A4)"),
    ".html": Text("同じ報告書（ブラウザー用）", "The same report for a browser"),
}
CLASSES, SIDECAR = "_class", ".aux.xml"
STATES = {
    "now": Text("（現況）", " (now)"),
    "change": Text("（増減）", " (change)"),
    "years": Text("（年を動かすスライダー）", " (slider of years)"),
    "tour": Text("（現況から将来へ動くツアー）", " (tour from now to the future)"),
}


def page(
    outcome: Outcome,
    folder: Path,
    *,
    layers: Sequence[Layer],
    credits: Sequence[Credit],  # noqa: A002 - the noun of the field
) -> Page:
    """The page of a run whose files lie in a folder.

    Parameters
    ----------
    outcome
        The run.
    folder
        The set of outputs so far.
    layers
        Everything drawn.
    credits
        Credits of the data.
    """
    header = outcome.prepared.project.project
    return Page(
        title=Text(header.title, header.title_en or header.title),
        summary=summary_of(outcome),
        method=method_of(outcome),
        tables=_tables(outcome),
        zone_names={town.town.code: town.town.name.ja for town in outcome.towns},
        charts=[chart(outcome, credits)],
        checks=[
            check.text
            for check in (
                *outcome.checks.values(),
                *(one for rows in outcome.rivals.values() for one in rows),
            )
        ],
        layers=layers,
        files=_files(folder, layers),
        warnings=outcome.prepared.report.warnings,
        credits=credits,
    )


def _tables(outcome: Outcome) -> list[tuple[Text, Table]]:
    shown = [(Text("市区町村の人口", "The municipality's people"), outcome.municipal)]
    services = shown_table(outcome.indicators)
    if services is not None:
        shown.append((Text("暮らしの指標", "Indicators of services"), services))
    return shown


def summary_of(outcome: Outcome) -> Text:
    """What a reader should know first of a run."""
    base, end = outcome.prepared.project.years
    return Text(
        f"{base}年の現況と{end}年までの将来推計です。将来の数字は、これまでの変化が続いた場合の"
        "推計であり、予言ではありません。",
        f"The state of {base} and a projection to {end}: what follows if recent change "
        "goes on, not a forecast.",
    )


def method_of(outcome: Outcome) -> list[Text]:
    """How the numbers of a run were made, one sentence each."""
    setting = outcome.prepared.project
    base, past, radius = setting.project.base_year, setting.past_year, setting.reach.radius_m
    by_block = any(not town.town.is_whole for town in outcome.towns)
    sentences = [
        Text(
            f"{past}年と{base}年の男女別・5歳階級別人口から、コーホート変化率を作ります。",
            f"Cohort-change ratios are made from the populations of {past} and {base}.",
        ),
        *([_how(setting.projection.method)] if by_block else []),
        Text(
            "0～4歳は、15～49歳の女性に対する子どもの比（子ども女性比）から求めます。",
            "Children aged 0-4 follow from the child-woman ratio.",
        ),
    ]
    for town in outcome.towns:
        ratio = outcome.register_ratio.get(town.town.code)
        if ratio is not None:
            sentences.append(
                Text(
                    f"{town.town.name.ja}の総数は、公表された将来推計の年次の間を直線で補い、最終年より"
                    f"後は合わせません（{base}年の人口は推計総数の{ratio:.3f}倍）。",
                    f"Totals of {town.town.name.en} meet the published projection, interpolated, "
                    f"and none after its last year (base / projection in {base}: {ratio:.3f}).",
                ),
            )
    if by_block:
        sentences.append(
            Text(
                f"メッシュと利用圏（半径{radius:g}m）の人口は、町丁の中に人が一様に住むとみなし、"
                "重なる面積の割合で数えます。",
                f"Mesh cells and reach ({radius:g} m) count town blocks by overlap of areas.",
            ),
        )
    sentences += [_standing(town.town) for town in outcome.towns if town.town.stands_by]
    return [*sentences, INTERVALS, *indicator_words(outcome.indicators)]


def _standing(town: Town) -> Text:
    if town.shares is not None:
        return Text(
            f"{town.name.ja}のメッシュは、面積ではなく、国勢調査の地域メッシュ統計に合うように"
            "町丁の人口を分けています。",
            f"Meshes of {town.name.en} are not by area: blocks meet the census's mesh statistics.",
        )
    return Text(
        f"{town.name.ja}のメッシュは、面積ではなく、建物・住所・土地利用の位置で町丁の人口を分けています。",
        f"Meshes of {town.name.en} are not by area but by buildings, addresses or land use.",
    )


def _how(method: str) -> Text:
    if method == METHOD_OF_RATES:
        return SHRINKING
    name = method_name(method)
    return Text(f"推計の方法：{name.ja}（{method}）。", f"Method: {name.en} ({method}).")


def _files(folder: Path, layers: Sequence[Layer]) -> dict[str, Text]:
    themes = {
        layer.theme: Text(
            f"{layer.place.ja}：{layer.title.ja}",
            f"{layer.place.en}: {layer.title.en}",
        )
        for layer in layers
    }
    words: dict[str, Text] = {}
    for path in sorted(folder.rglob("*")):
        if not path.is_file():
            continue
        name = path.relative_to(folder).as_posix()
        if path.suffix == ".svg":
            words[name] = Text("町の比較の図", "Towns compared, a chart")
        elif path.stem == "towns":
            words[name] = Text(
                "町の一覧（プロでは町から町へ飛ぶツアー）", "The towns, and a tour in Pro"
            )
        elif path.suffix == ".kmz" and path.stem.endswith("_all"):
            words[name] = Text("すべての市区町村のメッシュ", "The mesh of all towns")
        elif path.suffix in PROJECTS:
            words[name] = _qgis_words(path, layers)
        elif path.parent.name in {"excel", "report"}:
            words[name] = OFFICE[path.suffix]
        elif path.parent.name == "raster":
            words[name] = _raster_words(path, themes)
        elif path.stem in TABLES:
            words[name] = TABLES[path.stem]
        else:
            theme = max((t for t in themes if path.stem.startswith(t)), key=len, default="")
            words[name] = _theme_words(path.stem, theme, themes.get(theme, Text("", "")))
    return words


def _qgis_words(path: Path, layers: Sequence[Layer]) -> Text:
    """What a file for QGIS is, and of which town where there are several."""
    places = (x.place for x in layers if f"_{x.theme.rpartition('_')[2]}_" in path.stem)
    place = next(places, None)
    words = PROJECTS[path.suffix]
    if path.suffix == ".qgz":
        now = path.stem.endswith("_now")
        state = Text("現況", "now") if now else Text("将来", "future")
        words = Text(f"{words.ja}（{state.ja}）", f"{words.en} ({state.en})")
    if place is None:
        return words
    return Text(f"{place.ja}：{words.ja}", f"{place.en}: {words.en}")


def _raster_words(path: Path, themes: Mapping[str, Text]) -> Text:
    """What a raster holds: an indicator in all years, or the colours of a map."""
    theme = max((t for t in themes if path.name.startswith(t)), key=len, default="")
    if path.name.endswith(SIDECAR):
        return Text(
            "色分けの名前（QGIS が自動で読む）", "Names of the classes, read by QGIS itself"
        )
    rest = path.stem.removeprefix(theme).strip("_")
    if rest.endswith(CLASSES):
        of = _theme_words(rest.removesuffix(CLASSES), "", Text("", ""))
        return Text(f"地図と同じ色分け{of.ja}", f"The colours of the map{of.en}")
    shown = field(rest)
    return Text(f"{shown.name_ja}（年ごとのバンド）", f"{shown.name_en}, a band a year")


def _theme_words(stem: str, theme: str, title: Text) -> Text:
    state = stem.removeprefix(theme).strip("_")
    if not state:
        return title
    tail = STATES.get(state, Text(f"（将来 {state}年）", f" (future {state})"))
    return Text(title.ja + tail.ja, title.en + tail.en)
