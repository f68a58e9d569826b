"""An answer in words that a pupil understands: how many families, where, each year."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from futuremap.backcast.answer import Pull, Reached
from futuremap.config.scenario import LeverEntry
from futuremap.core.fields import field
from futuremap.core.layer import Text
from futuremap.scenario.bundles import Bundle, whole_numbers

MOST_SENTENCES = 12
THREE_DIGITS = 100


def people_words(
    bundle: Bundle,
    place: Text,
    years: tuple[int, int],
    amount: float,
    sure: tuple[float, float],
) -> Text:
    """A lever of households as a sentence; its range is for as many years as its number.

    Examples
    --------
    >>> from futuremap.scenario.bundles import presets
    >>> text = people_words(presets()["family_30s"], Text("本町", "Honmachi"), (2026, 2045), 3.0,
    ...                     (1.5, 5.0))
    >>> text.ja
    '本町に、毎年、30代夫婦と子を3組（2026～2045年。見込みの幅 1.5～5組）'
    >>> said, who = text.en.split(", each ")
    >>> said
    'Honmachi: 3 households a year'
    >>> who
    'a couple in the thirties with a child (2026-2045; likely 1.5-5)'
    >>> people_words(presets()["family_30s"], Text("本町", ""), (2026, 2045), 10 / 3, (2.0, 5.0)).ja
    '本町に、2年で、30代夫婦と子を7組（2026～2045年。見込みの幅 4～10組）'
    """
    count, every = whole_numbers(amount)
    often = "毎年" if every == 1 else f"{every}年で"
    often_en = "a year" if every == 1 else f"every {every} years"
    width, width_en = _range((sure[0] * every, sure[1] * every), "組")
    return Text(
        f"{place.ja}に、{often}、{bundle.name.ja}を{count}組"
        f"（{years[0]}～{years[1]}年{'。' if width else ''}{width}）",
        f"{place.en}: {count} household{'s' if count > 1 else ''} {often_en}, each "
        f"{bundle.name.en} ({years[0]}-{years[1]}{width_en})",
    )


def _range(sure: tuple[float, float], unit: str) -> tuple[str, str]:
    low, high = sure
    if np.isnan(low):
        return "", ""
    if np.isinf(high):
        return (
            f"見込みの幅 {_short(low)}{unit}～上限でも届かない",
            f"; likely {_short(low)} or out of reach",
        )
    return (
        f"見込みの幅 {_short(low)}～{_short(high)}{unit}",
        f"; likely {_short(low)}-{_short(high)}",
    )


def _short(value: float) -> str:
    """Three digits of a small number, all of a large one.

    Examples
    --------
    >>> _short(1834.2), _short(12.345), _short(0.5), _short(0.0)
    ('1,834', '12.3', '0.5', '0')
    """
    return f"{value:,.0f}" if value >= THREE_DIGITS else f"{value:.3g}"


def bent_words(
    entry: LeverEntry,
    place: Text,
    years: tuple[int, int],
    amount: float,
    *,
    now: float = float("nan"),
) -> Text:
    """A lever that is no number of households as a sentence.

    Parameters
    ----------
    entry, place, years, amount
        The lever, where and when, and how far it is pulled.
    now
        The radius or the count of facilities without it, if there is one.
    """
    when = Text(f"（{years[0]}～{years[1]}年）", f" ({years[0]}-{years[1]})")
    if entry.lever == "fertility":
        return Text(
            f"{place.ja}の出生率を今の{amount:.3f}倍に{when.ja}",
            f"{place.en}: births per woman {amount:.3f} times as now{when.en}",
        )
    if entry.lever == "net_loss":
        ages = f"{entry.age_from}～{'' if entry.age_to is None else entry.age_to}歳"
        fewer = f"{100 * (1 - amount):.1f}％減らす"
        return Text(
            f"{place.ja}の{ages}の転出超過を今の{amount:.3f}倍に（{fewer}）{when.ja}",
            f"{place.en}: net losses at {entry.age_from}-{entry.age_to or ''} "
            f"{amount:.3f} times as now{when.en}",
        )
    if entry.lever == "radius_m":
        today, today_en = (f"今は{now:,.0f}m", f"now {now:,.0f} m") if now > 0 else ("", "")
        if amount <= now:
            return Text(
                f"{place.ja}の利用圏は半径{amount:,.0f}mで足りる（{today}）",
                f"{place.en}: a reach of {amount:,.0f} m is enough ({today_en})",
            )
        return Text(
            f"{place.ja}の利用圏を半径{amount:,.0f}mに広げる"
            f"（{'、'.join(filter(None, (today, '送迎・バスなど')))}）",
            f"{place.en}: a reach of {amount:,.0f} m "
            f"({'; '.join(filter(None, (today_en, 'by bus or pick-up')))})",
        )
    there, there_en = (f"（今は{now:.0f}か所）", f" of {now:.0f}") if now > 0 else ("", "")
    return Text(
        f"{place.ja}を{amount:.0f}か所残す{there}",
        f"{place.en}: {amount:.0f}{there_en} kept",
    )


def sentences(
    pulls: Sequence[Pull],
    targets: Sequence[Reached],
    unreachable: Sequence[int],
) -> tuple[Text, ...]:
    """The whole answer."""
    if unreachable:
        return tuple(_out_of_reach(targets, unreachable))
    if not pulls:
        met = "今のままで、目標はすべて達成される見込みです。"
        return (Text(met, "Nothing is needed: all targets are met without any effort."),)
    lines = [Text("目標を達成するには：", "What it would take:")]
    lines += [Text(f"・{pull.words.ja}", f"- {pull.words.en}") for pull in pulls[:MOST_SENTENCES]]
    more = len(pulls) - MOST_SENTENCES
    if more > 0:
        lines.append(Text(f"・ほか{more}件", f"- and {more} more"))
    for target in targets:
        lines.append(_met(target))
    return tuple(lines)


def _met(target: Reached) -> Text:
    shown = field(target.indicator)
    values = [_figure(target.indicator, v) for v in (target.without, target.value)]
    mark = (
        Text("。これがいちばん厳しい目標です", "; this one decides")
        if target.binding
        else Text("", "")
    )
    return Text(
        f"{target.name.ja}：何もしないと{values[0]}{shown.unit_ja}、"
        f"こうすると{values[1]}{shown.unit_ja}{mark.ja}",
        f"{target.name.en}: {values[0]} without, {values[1]} with it{mark.en}",
    )


def _out_of_reach(targets: Sequence[Reached], unreachable: Sequence[int]) -> list[Text]:
    together = len(unreachable) > 1 and all(np.isnan(targets[i].best) or _alone(targets[i])
                                            for i in unreachable)  # fmt: skip
    lines = [
        Text(
            "次の目標は、この手段の上限まで行っても"
            f"{'同時には' if together else ''}達成できません：",
            f"Out of reach {'together ' if together else ''}within the bounds of the levers:",
        ),
    ]
    for i in unreachable:
        target = targets[i]
        shown = field(target.indicator)
        best = Text("", "")
        if not np.isnan(target.best):
            figure = _figure(target.indicator, target.best)
            best = Text(f"（いちばん良くて{figure}{shown.unit_ja}）", f" (at best: {figure})")
        lines.append(Text(f"・{target.name.ja}{best.ja}", f"- {target.name.en}{best.en}"))
    lines.append(
        Text(
            "手段の上限を上げるか、手段を増やすか、目標を下げると答えが出ます。",
            "Raise the bounds, add a lever, or ask for less.",
        ),
    )
    return lines


def _alone(target: Reached) -> bool:
    return target.best >= target.bound if target.least else target.best <= target.bound


def _figure(indicator: str, value: float) -> str:
    shown = field(indicator)
    if np.isnan(value):
        return "—"
    return f"{float(shown.export(np.array([value]))[0]):,.{max(shown.decimals, 1)}f}"
