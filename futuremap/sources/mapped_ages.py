"""Labels of age groups and sexes as towns write them: 0～4歳, ０-４, 85歳以上, 男性, M …"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from enum import Enum
from functools import lru_cache
from typing import NamedTuple

from futuremap.core.ages import AgeGroups
from futuremap.sources import cells

OLDEST = 130  # years; a larger number in a label is no age
YEAR_OF_AGE = re.compile(r"歳|才|age|years?|(?:^|[^a-z])yrs?", re.IGNORECASE)
_AGE = r"(?:満|年齢|age|a)?_?([0-9]{1,3})(?:歳|才|years?)?"
_CLOSED = re.compile(rf"{_AGE}(?:-|から|to|_)([0-9]{{1,3}})(?:歳|才|years?(?:old)?)?(?:まで)?")
_OPEN = re.compile(rf"(?:>=|≥)?{_AGE}(?:以上|\+|-|p|plus|andover|orover|orolder|over)")
_AT_LEAST = re.compile(rf"(?:>=|≥){_AGE}")
_BELOW = re.compile(rf"{_AGE}未満|(?:<|under){_AGE}")
_UP_TO = re.compile(rf"{_AGE}以下|(?:<=|≤){_AGE}")
_SINGLE = re.compile(rf"{_AGE}(?:old)?")
_ALL_AGES = {
    "", "計", "合計", "総計", "総数", "総人口", "人口", "人口計", "人口総数", "全年齢", "年齢計",
    "total", "all", "population", "allages",
}  # fmt: skip
_NO_AGE = re.compile(r"(?:年齢)?「?(?:不詳|不明)」?|unknown|age(?:not|un)known|notstated")
_SEXES = {
    "male": ("男性", "男子", "男", "male", "males", "man", "men", "m"),
    "female": ("女性", "女子", "女", "female", "females", "woman", "women", "f"),
    "both": ("男女計", "男女合計", "男女総数", "男女", "総数", "合計", "計", "both", "total", "t"),
}
_IN_ROWS = {"1": "male", "2": "female", "0": "both"}
_WORDS = {word: sex for sex, words in _SEXES.items() for word in words}
_AT_ENDS = {word: sex for word, sex in _WORDS.items() if len(word) > 1 or word in {"男", "女"}}
_LONGEST_FIRST = "|".join(sorted((re.escape(word) for word in _AT_ENDS), key=len, reverse=True))
_PARTED = r"[()\[\]_:/・,|-]*"
_SEX_FIRST = re.compile(rf"\(?({_LONGEST_FIRST}){_PARTED}(.*)")
_SEX_LAST = re.compile(rf"(.*?){_PARTED}の?\(?({_LONGEST_FIRST})(?:人口)?\)?")


class Ages(Enum):
    """What stands where an age group could."""

    ALL = "all"
    UNKNOWN = "unknown"


class Span(NamedTuple):
    """Ages from `lower` up to but not including `upper`; None where the group is open."""

    lower: int
    upper: int | None


class Meaning(NamedTuple):
    """What a column counts: one sex, "both" or "" where not said; one age group."""

    sex: str
    ages: Span | Ages


class Fault(NamedTuple):
    """Where a sequence of age groups does not close; positions in what was given."""

    kind: str  # "gap", "overlap" or "open"
    position: int
    expected: str


@lru_cache(maxsize=4096)
def age(label: str) -> Span | Ages | None:
    """The age group that a label names; None if it names none.

    Examples
    --------
    >>> age("０～４歳"), age("85歳以上"), age("7歳"), age("15歳未満")
    (Span(lower=0, upper=5), Span(lower=85, upper=None), Span(lower=7, upper=8), Span(lower=0, upper=15))
    >>> age("85+") == age("８５～") == age("85歳〜"), age("総数"), age("年齢不詳"), age("世帯数")
    (True, <Ages.ALL: 'all'>, <Ages.UNKNOWN: 'unknown'>, None)
    """  # noqa: E501
    plain = cells.key(label).casefold()
    if plain in _ALL_AGES:
        return Ages.ALL
    if _NO_AGE.fullmatch(plain):
        return Ages.UNKNOWN
    span = _span(plain)
    if span is None or max(span.lower, span.upper or 0) > OLDEST:
        return None
    return span if span.upper is None or span.lower < span.upper else None


def _span(plain: str) -> Span | None:
    if found := _CLOSED.fullmatch(plain):
        return Span(int(found[1]), int(found[2]) + 1)
    if found := _OPEN.fullmatch(plain) or _AT_LEAST.fullmatch(plain):
        return Span(int(found[1]), None)
    if found := _BELOW.fullmatch(plain):
        return Span(0, int(found[1] or found[2]))
    if found := _UP_TO.fullmatch(plain):
        return Span(0, int(found[1] or found[2]) + 1)
    found = _SINGLE.fullmatch(plain)
    return Span(int(found[1]), int(found[1]) + 1) if found else None


@lru_cache(maxsize=256)
def sex(label: str) -> str | None:
    """The sex that a cell names: "male", "female" or "both"; None if it names none.

    Examples
    --------
    >>> [sex(label) for label in ("男", "女性", "Ｍ", "2", "男女計", "不詳")]
    ['male', 'female', 'male', 'female', 'both', None]
    """
    plain = cells.key(label).casefold()
    return _WORDS.get(plain) or _IN_ROWS.get(plain)


@lru_cache(maxsize=4096)
def meaning(heading: str) -> Meaning | None:
    """What a heading says of sex and ages; None if it is about something else.

    Examples
    --------
    >>> meaning("0-4歳の男性")
    Meaning(sex='male', ages=Span(lower=0, upper=5))
    >>> meaning("女 85歳以上").sex, meaning("総人口"), meaning("世帯数")
    ('female', Meaning(sex='', ages=<Ages.ALL: 'all'>), None)
    """
    plain = cells.key(heading).casefold()
    if not plain:
        return None
    whole = age(plain)
    if whole is not None and plain not in _WORDS:
        return Meaning("", whole)
    for pattern, of_sex, of_age in ((_SEX_FIRST, 1, 2), (_SEX_LAST, 2, 1)):
        found = pattern.fullmatch(plain)
        rest = None if found is None else age(found[of_age].strip("()[]_:/・,|の"))
        if found is not None and rest is not None:
            return Meaning(_AT_ENDS[found[of_sex]], rest)
    return Meaning(_WORDS[plain], Ages.ALL) if plain in _WORDS else None


def is_like_age(heading: str) -> bool:
    """Whether a heading that names no age group was surely meant to.

    Examples
    --------
    >>> is_like_age("男 8O～84歳"), is_like_age("世帯数"), is_like_age("男"), is_like_age("備考1")
    (True, False, False, False)
    """
    plain = cells.key(heading).casefold()
    if not plain or meaning(heading) is not None:
        return False
    with_sex = _SEX_FIRST.fullmatch(plain) or _SEX_LAST.fullmatch(plain)
    has_digit = any(letter.isdigit() for letter in plain)
    return has_digit and bool(with_sex or plain[0].isdigit() or YEAR_OF_AGE.search(plain))


def faults(spans: Sequence[Span]) -> list[Fault]:
    """Where groups leave a gap, overlap, or end without an open group.

    Parameters
    ----------
    spans
        Different groups in any order.

    Examples
    --------
    >>> faults([Span(0, 5), Span(10, None)])
    [Fault(kind='gap', position=1, expected='5')]
    >>> faults([Span(0, 5), Span(5, 10), Span(0, 15), Span(10, None)])[0].kind
    'overlap'
    """
    order = sorted(range(len(spans)), key=lambda i: (spans[i].lower, spans[i].upper or OLDEST + 1))
    found, reached = [], 0
    for i in order:
        lower, upper = spans[i]
        if lower != reached:
            found.append(Fault("gap" if lower > reached else "overlap", i, str(reached)))
        reached = max(reached, OLDEST + 1 if upper is None else upper)
    if order and reached <= OLDEST:
        found.append(Fault("open", order[-1], f"{reached}+"))
    return found


def groups(spans: Iterable[Span], *, five_year: bool) -> tuple[AgeGroups, AgeGroups]:
    """The groups as found, and those handed on: the same, or cut at multiples of five only.

    Examples
    --------
    >>> found, kept = groups([Span(0, 1), Span(1, 5), Span(5, None)], five_year=True)
    >>> found.lower, kept.lower
    ((0, 1, 5), (0, 5))
    """
    found = AgeGroups(tuple(sorted(span.lower for span in spans)))
    if not five_year:
        return found, found
    return found, AgeGroups(tuple(lower for lower in found.lower if lower % 5 == 0))
