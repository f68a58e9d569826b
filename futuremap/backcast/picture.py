"""The trade-off of an answer as a chart: effort against the height of the target."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from futuremap.backcast.answer import Answer
from futuremap.core.credits import Credit
from futuremap.core.fields import field
from futuremap.core.layer import Text
from futuremap.export.chart import Panel, Series, line_chart

SETTINGS = {
    "radius_m": Text("半径（m）と目標の高さ", "level of the target by radius [m]"),
    "facilities": Text("残す数と目標の高さ", "level of the target by facilities kept"),
}


def trade_off(answer: Answer, title: Text, credits: Sequence[Credit]) -> str:  # noqa: A002
    """The curve of an answer as SVG.

    Parameters
    ----------
    answer
        One with a curve.
    title
        Of the project.
    credits
        Of its data.
    """
    if answer.pulls[0].entry.lever in SETTINGS:
        return _by_setting(answer, title, credits)
    target = answer.targets[answer.curve_of]
    shown = field(target.indicator)
    # the axis of the chart is the way to the target in percent, the target itself at 100
    way = (answer.curve[:, 0] - target.without) / (target.bound - target.without)
    percent, kept = _ascending(100 * way)
    levels, costs = shown.export(answer.curve[kept, 0]), answer.curve[kept, 1]
    return line_chart(
        [
            Panel(Text("必要な努力（費用）", "Effort needed"), "",
                  (Series(Text("努力", "effort"), costs),)),
            Panel(Text(shown.name_ja, shown.name_en), shown.unit_ja,
                  (Series(Text("目標の高さ", "level of the target"), levels),)),
        ],
        years=percent,
        title=Text(f"{title.ja}：目標の高さと努力（100＝目標）",
                   f"{title.en}: effort by level of the target (100 = the target)"),
        notes=(target.name,),
        credits=credits,
        base_year=100,
        base_word="目標",
    )  # fmt: skip


def _by_setting(answer: Answer, title: Text, credits: Sequence[Credit]) -> str:  # noqa: A002
    """What was tried of a radius or a count, and what each came to."""
    target, pull = answer.targets[answer.curve_of], answer.pulls[0]
    shown = field(target.indicator)
    settings, kept = _ascending(answer.curve[:, 1] / pull.entry.cost)
    levels = shown.export(answer.curve[kept, 0])
    said = SETTINGS[pull.entry.lever]
    return line_chart(
        [Panel(Text(shown.name_ja, shown.name_en), shown.unit_ja,
               (Series(Text("こうすると", "level of the target"), levels),))],
        years=settings,
        title=Text(f"{title.ja}：{said.ja}", f"{title.en}: {said.en}"),
        notes=(target.name,),
        credits=credits,
        base_year=round(pull.amount),
        base_word="答え",
    )  # fmt: skip


def _ascending(values: np.ndarray) -> tuple[list[int], list[int]]:
    """Whole numbers that rise, and the positions they come from.

    Examples
    --------
    >>> _ascending(np.array([10.0, 10.2, 20.0]))
    ([10, 20], [0, 2])
    """
    whole = [round(float(value)) for value in values]
    kept = [i for i, value in enumerate(whole) if i == 0 or value > max(whole[:i])]
    return [whole[i] for i in kept], kept
