"""What README.html says: how the numbers were made, and what each file is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from futuremap.core.credits import Credit
from futuremap.core.layer import Layer, Text
from futuremap.export.page import Page
from futuremap.pipeline.compare import chart
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
    base, end = outcome.prepared.project.years
    return Page(
        title=Text(header.title, header.title_en or header.title),
        summary=Text(
            f"{base}年の現況と{end}年までの将来推計です。将来の数字は、これまでの変化が続いた場合の"
            "推計であり、予言ではありません。",
            f"The state of {base} and a projection to {end}: what follows if recent change "
            "goes on, not a forecast.",
        ),
        method=_method(outcome),
        tables=[(Text("市区町村の人口", "The municipality's people"), outcome.municipal)],
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


def _method(outcome: Outcome) -> list[Text]:
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
    return [*sentences, INTERVALS]


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
        elif path.suffix == ".gpkg":
            words[name] = Text("すべての主題図", "All themes")
        elif path.stem in TABLES:
            words[name] = TABLES[path.stem]
        else:
            theme = max((t for t in themes if path.stem.startswith(t)), key=len, default="")
            words[name] = _theme_words(path.stem, theme, themes.get(theme, Text("", "")))
    return words


def _theme_words(stem: str, theme: str, title: Text) -> Text:
    state = stem.removeprefix(theme).strip("_")
    if not state:
        return title
    tail = STATES.get(state, Text(f"（将来 {state}年）", f" (future {state})"))
    return Text(title.ja + tail.ja, title.en + tail.en)
