"""What the projection methods are called before readers."""

from __future__ import annotations

from futuremap.core.layer import Text
from futuremap.projection.methods import METHODS

_NAMED = {
    "raw": Text("コーホート変化率（そのまま）", "cohort-change ratios as they are"),
    "capped": Text("コーホート変化率（上下限つき）", "cohort-change ratios, capped"),
    "parent": Text("市区町村全体の変化率を一律に", "the municipality's ratios everywhere"),
    "root": Text("変化率を平方根の重みで平滑化", "ratios smoothed with √-weights"),
    "shrunk": Text("変化率を市区町村全体へ縮小（経験ベイズ）", "ratios shrunk (empirical Bayes)"),
    "shrunk_strongly": Text("変化率を強く縮小", "ratios shrunk strongly"),
    "shrunk_2": Text("2期間の変化率を縮小", "ratios of two periods, shrunk"),
    "damped": Text(
        "変化率を縮小し、差は期ごとに縮め、増加は足し算で延ばす",
        "ratios shrunk, deviations fading, growth additive",
    ),
    "differences": Text("増減数を足す", "the same numbers added again"),
    "blend": Text("増加は増減数、減少は変化率", "numbers where growing, ratios where declining"),
    "linear": Text("総数を直線で延長", "totals on a straight line"),
    "linear_2": Text("総数を2期間の直線で延長", "totals on a line through two periods"),
    "linear_damped": Text("総数の直線を期ごとに弱める", "totals on a line that flattens"),
    "exponential": Text("総数を同じ率で延長", "totals at the same rate"),
    "linear_or_exponential": Text(
        "総数：増加は直線、減少は率",
        "totals: a line where growing, a rate where declining",
    ),
    "constant": Text("総数は変わらない", "totals as they are"),
    "learnt_average": Text(
        "転出入プール型の加重平均（過去の誤差から重みを学ぶ）",
        "weighted mean of the pool methods, weights learnt from past errors",
    ),
    "mean_of_pools": Text("転出入プール型の平均", "mean of the pool methods"),
    "small_area": Text(
        "小地域向け（変化率と総数の傾向の平均）",
        "small areas: ratios averaged with damped trends",
    ),
}


def method_name(name: str) -> Text:
    """A method in words.

    Raises
    ------
    KeyError
        If there is no such method.

    Examples
    --------
    >>> method_name("pool_2_level").ja
    '転出入プール型（2期間、水準も2期間の平均）'
    """
    if name in _NAMED:
        return _NAMED[name]
    _ = METHODS[name]
    kind, periods, *more = name.split("_")
    said_ja = [f"{periods}期間"]
    said_en = [f"{periods} periods" if periods != "1" else "1 period"]
    if "level" in more:
        said_ja.append("水準も2期間の平均")
        said_en.append("level of two")
    if "improving" in more:
        said_ja.append("死亡率の低下を続ける")
        said_en.append("mortality going on to fall")
    head = Text("転出入プール型", "migrant pool") if kind == "pool" else Text(
        "差が続く変化率", "lasting ratios"
    )  # fmt: skip
    return Text(f"{head.ja}（{'、'.join(said_ja)}）", f"{head.en} ({', '.join(said_en)})")
