"""The door from the text of a cell to a value: counts, numbers, years, coordinates.

Every function is pure and returns either the value or the :class:`Reason` why there is none,
so that zero, empty, suppressed and unreadable stay four different things.
"""

from __future__ import annotations

import datetime as dt
import math
import re
import unicodedata
from enum import Enum
from functools import lru_cache

REPLACEMENT = "\ufffd"  # what a decoder leaves where it lost a character
LATITUDES = (20.0, 46.0)  # Japan, in degrees
LONGITUDES = (122.0, 154.0)
YEARS = (1600, 2200)  # outside of these a "year" is a code such as 9999 for unknown
SERIALS = (10_000, 80_000)  # Excel days since 1899-12-30, for 1927 to 2119
SLIGHT, TWICE = 10, 2  # persons, and times, past which a total and its parts cannot both be right
KEPT = 64  # letters up to which a text is likely to come again
FEWEST = 6  # letters that are not ASCII, below which a text is too short to judge
RARE_SHARE, KANA_SHARE = 0.2, 0.3  # of letters that hardly ever stand in the name of a place
_LEADS_OF_UTF8 = range(0xE3, 0xEA)  # first bytes of Japanese in UTF-8, and of rare kanji in CP932
_HALF_WIDTH_KANA = frozenset(map(chr, range(0xFF61, 0xFFA0)))  # single bytes, as in EUC-JP
LARGEST_COUNT = 2**53  # whole numbers above are no longer exact in float64
ERAS = {
    "明治": (1868, 45), "大正": (1912, 15), "昭和": (1926, 64), "平成": (1989, 31),
    "令和": (2019, 99),
    "M": (1868, 45), "T": (1912, 15), "S": (1926, 64), "H": (1989, 31), "R": (2019, 99),
}  # fmt: skip

ERRORS_OF_EXCEL = {
    "#REF!", "#N/A", "#VALUE!", "#DIV/0!", "#NAME?", "#NUM!", "#NULL!", "#SPILL!", "#CALC!",
}  # fmt: skip
_DASHES = dict.fromkeys(map(ord, "‐‑‒–—―−─"), "-")
_SUPPRESSED = re.compile(r"[-ー]+|[Xxχ*]+|\.{3}|秘匿")
_DIGITS = r"(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)"
_NUMBER = re.compile(rf"([+\-△▲]?)({_DIGITS}(?:\.[0-9]*)?|\.[0-9]+)")
_LARGE = re.compile(rf"[+\-]?(?:{_DIGITS}(?:\.[0-9]*)?[eE]\+?[0-9]+|{_DIGITS})")
_WITH_UNIT = re.compile(rf"{_DIGITS}(?:\.[0-9]*)?\s*(?:人|名|世帯|戸|床|棟|件|m2|m3|㎡|m|ha|km2?)")
_PART = r"(?:\s*[/.\-年]\s*([0-9]{1,2})(?:\s*[/.\-月]\s*([0-9]{1,2})\s*日?|\s*月)?|\s*年)?"
_CLOCK = r"(?:[T ][0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?)?"
_WESTERN = re.compile(rf"(?:西暦)?([0-9]{{4}}){_PART}{_CLOCK}")
_ERA = re.compile(rf"({'|'.join(ERAS)})\s*\.?\s*([0-9]{{1,2}}|元){_PART}", re.IGNORECASE)
_MONTH_FIRST = re.compile(rf"([0-9]{{1,2}})[/-]([0-9]{{1,2}})[/-]([0-9]{{4}}){_CLOCK}")
_COMPACT = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})")


class Reason(Enum):
    """Why a cell holds no value of the kind asked for."""

    EMPTY = "empty"
    SUPPRESSED = "suppressed"
    UNREADABLE = "unreadable"
    NEGATIVE = "negative"
    FRACTION = "fraction"


class Formula(str):
    """A formula whose result a workbook does not hold: an empty cell, but for its cause."""

    __slots__ = ()


class Place(Enum):
    """Where a pair of coordinates lies."""

    JAPAN = "japan"
    SWAPPED = "swapped"
    ELSEWHERE = "elsewhere"


def text(raw: object) -> str:
    """The cell as it is shown, without blanks around it; empty text for an empty cell.

    Width and variants of characters are kept: names are published as they were written.

    Examples
    --------
    >>> text("　松島町３丁目 "), text(37201.0), text(None)
    ('松島町３丁目', '37201', '')
    """
    if raw is None:
        return ""
    if type(raw) is str:  # nearly always
        return raw.strip()
    if isinstance(raw, Formula):
        return ""
    if isinstance(raw, float) and raw.is_integer() and abs(raw) < LARGEST_COUNT:
        raw = int(raw)
    return str(raw).strip()


def heading(raw: object) -> str:
    """The cell with full and half width, and all kinds of dash, made one.

    Examples
    --------
    >>> heading(" ＮＯ "), heading("住所（番地まで）")
    ('NO', '住所(番地まで)')
    """
    plain = text(raw)
    if plain.isascii():  # numbers and codes, which normalising leaves as they are
        return plain
    return _again(plain) if len(plain) <= KEPT else _normal(plain)


def _normal(plain: str) -> str:
    return unicodedata.normalize("NFKC", plain).translate(_DASHES).strip()


_again = lru_cache(4096)(_normal)  # headings and names are looked up over and over


def misread(text: str) -> str:
    """The encoding whose bytes were taken for CP932 to give this text; empty if none was.

    Bytes of UTF-8 and of EUC-JP are often valid CP932, and then no decoder objects.

    Examples
    --------
    >>> misread("高松市塩屋町".encode().decode("cp932", "replace"))
    'UTF-8'
    >>> misread("塩屋町の人口".encode("euc_jp").decode("cp932", "replace"))
    'EUC-JP'
    >>> misread("塩屋町"), misread("ｼｵﾔ町 (regionName)")
    ('', '')
    """
    wide = [letter for letter in text if not letter.isascii() and letter not in "\u3000\ufffd"]
    if len(wide) < FEWEST:
        return ""
    # in Japanese that was decoded rightly, neither kind of letter comes in numbers
    rare = sum(letter.encode("cp932", "replace")[0] in _LEADS_OF_UTF8 for letter in wide)
    kana = sum(letter in _HALF_WIDTH_KANA for letter in wide)
    if rare >= RARE_SHARE * len(wide):
        return "UTF-8"
    return "EUC-JP" if kana >= KANA_SHARE * len(wide) else ""


def key(raw: object) -> str:
    """The cell in the form in which names and headings are compared.

    Full and half width, kinds of dash and blanks inside make no difference.

    Examples
    --------
    >>> key("松島町３丁目") == key("松島町 3丁目"), key("0～4歳の男性")
    (True, '0-4歳の男性')
    """
    plain = text(raw)
    return _key_again(plain) if len(plain) <= KEPT else _key(plain)


def _key(plain: str) -> str:
    return "".join(heading(plain).split()).replace("~", "-").replace("〜", "-")


_key_again = lru_cache(4096)(_key)


def number(raw: object) -> float | Reason:
    """A finite decimal number, full width or with thousands commas.

    Examples
    --------
    >>> number("３４．３４"), number("1,234"), number("約100"), number("-0.5")
    (34.34, 1234.0, <Reason.UNREADABLE: 'unreadable'>, -0.5)
    """
    if isinstance(raw, int | float) and not isinstance(raw, bool):
        return float(raw) if abs(raw) <= LARGEST_COUNT else Reason.UNREADABLE
    if isinstance(raw, Formula):
        return Reason.UNREADABLE
    plain = heading(raw)
    if not plain:
        return Reason.EMPTY
    if _SUPPRESSED.fullmatch(plain):
        return Reason.SUPPRESSED
    found = _NUMBER.fullmatch(plain)
    value = math.inf if found is None else float(found[2].replace(",", ""))
    if found is None or value > LARGEST_COUNT:
        return Reason.UNREADABLE
    return value if found[1] in {"", "+"} else -value


def unreadable(raw: object) -> str:
    """The problem with a cell in which a number was looked for: FM303, or a cause of its own.

    An error of a spreadsheet (FM484), a number too large to be kept (FM485), a number with its
    unit (FM486), a formula whose result was not stored (FM488).

    Examples
    --------
    >>> [unreadable(raw) for raw in ("#REF!", "1e309", "1,234人", Formula("=A1+A3"), "約100")]
    ['FM484', 'FM485', 'FM486', 'FM488', 'FM303']
    """
    if isinstance(raw, Formula):
        return "FM488"
    plain = heading(raw)
    if plain.upper() in ERRORS_OF_EXCEL:
        return "FM484"
    if _LARGE.fullmatch(plain):
        return "FM485"
    return "FM486" if _WITH_UNIT.fullmatch(plain) else "FM303"


def amount(raw: object, *, dash_is_zero: bool = False) -> float | Reason:
    """A number of persons that may have decimals: 0 or more.

    Parameters
    ----------
    raw
        What stands in the cell.
    dash_is_zero
        Whether the format says that "-" means nobody, as e-Stat does.

    Examples
    --------
    >>> amount("12.5"), amount("△3"), amount("-"), amount("-", dash_is_zero=True)
    (12.5, <Reason.NEGATIVE: 'negative'>, <Reason.SUPPRESSED: 'suppressed'>, 0.0)
    """
    if dash_is_zero and key(raw) == "-":
        return 0.0
    value = number(raw)
    if isinstance(value, Reason):
        return value
    return Reason.NEGATIVE if value < 0 else value


def count(raw: object, *, dash_is_zero: bool = False) -> int | Reason:
    """A whole number of persons, 0 or more.

    Examples
    --------
    >>> count("1,234"), count("１２"), count(7.0), count("")
    (1234, 12, 7, <Reason.EMPTY: 'empty'>)
    >>> count("12.5"), count("***")
    (<Reason.FRACTION: 'fraction'>, <Reason.SUPPRESSED: 'suppressed'>)
    """
    value = amount(raw, dash_is_zero=dash_is_zero)
    if isinstance(value, Reason):
        return value
    return int(value) if value.is_integer() else Reason.FRACTION


def total_fault(stated: float, parts: float) -> str:
    """The problem with a total that is not the sum of its parts: FM305, or FM489 if far from it.

    Examples
    --------
    >>> total_fault(1205, 1210), total_fault(1205, 100_001_200), total_fault(3, 9)
    ('FM305', 'FM489', 'FM305')
    """
    low, high = sorted((stated, parts))
    return "FM489" if high - low > SLIGHT and high > TWICE * low else "FM305"


def year(raw: object) -> int | Reason:
    """Year of a date, written in the Western or the Japanese way.

    Examples
    --------
    >>> [year(date) for date in ("1983/4/1", "4/1/1983", "昭和58年4月1日", "S58.4.1", 1983)]
    [1983, 1983, 1983, 1983, 1983]
    >>> year("平成元年"), year(45292), year("不明")
    (1989, 2024, <Reason.UNREADABLE: 'unreadable'>)
    """
    if isinstance(raw, dt.date):
        return raw.year
    plain = heading(raw)
    if not plain:
        return Reason.EMPTY
    if plain.isascii() and plain.isdigit():
        return _year_of_digits(plain)
    if found := _WESTERN.fullmatch(plain):
        return _checked(int(found[1]), found[2], found[3])
    if found := _MONTH_FIRST.fullmatch(plain):
        return _year_written_last(*(int(part) for part in found.groups()))
    found = _ERA.fullmatch(plain)
    return Reason.UNREADABLE if found is None else _year_of_era(*found.groups())


def _year_of_digits(digits: str) -> int | Reason:
    value = int(digits[:9])
    if len(digits) == 5 and SERIALS[0] <= value < SERIALS[1]:  # noqa: PLR2004 - days
        return (dt.date(1899, 12, 30) + dt.timedelta(days=value)).year
    if found := _COMPACT.fullmatch(digits):
        return _checked(int(found[1]), found[2], found[3])
    return _checked(value, None, None)


def _year_written_last(first: int, second: int, western: int) -> int | Reason:
    # whether the day or the month comes first makes no difference to the year
    if _is_date(western, second, first):
        return western
    return _checked(western, first, second)


def _year_of_era(era: str, written: str, month: str | None, day: str | None) -> int | Reason:
    start, length = ERAS[era.upper()]
    of_era = 1 if written == "元" else int(written)
    if not 1 <= of_era <= length:
        return Reason.UNREADABLE
    return _checked(start + of_era - 1, month, day)


def _checked(western: int, month: int | str | None, day: int | str | None) -> int | Reason:
    is_date = _is_date(western, 1 if month is None else int(month), 1 if day is None else int(day))
    return western if is_date else Reason.UNREADABLE


def _is_date(western: int, month: int, day: int) -> bool:
    if not YEARS[0] <= western <= YEARS[1]:
        return False
    try:
        dt.date(western, month, day)
    except ValueError:
        return False
    return True


def latitude_longitude(raw: object) -> tuple[float, float] | Reason:
    """Two numbers with a comma between them.

    Examples
    --------
    >>> latitude_longitude("34.342286,134.055021")
    (34.342286, 134.055021)
    """
    plain = heading(raw)
    if not plain:
        return Reason.EMPTY
    first, comma, second = plain.partition(",")
    pair = number(first), number(second)
    if not comma or isinstance(pair[0], Reason) or isinstance(pair[1], Reason):
        return Reason.UNREADABLE
    return pair[0], pair[1]


def place(latitude: float, longitude: float) -> Place:
    """Whether coordinates lie in Japan, would do so when swapped, or lie elsewhere.

    Examples
    --------
    >>> place(134.05, 34.34)
    <Place.SWAPPED: 'swapped'>
    """
    if within(latitude, LATITUDES) and within(longitude, LONGITUDES):
        return Place.JAPAN
    if within(longitude, LATITUDES) and within(latitude, LONGITUDES):
        return Place.SWAPPED
    return Place.ELSEWHERE


def within(value: float, limits: tuple[float, float]) -> bool:
    """Whether a finite number lies in a range, bounds included."""
    return math.isfinite(value) and limits[0] <= value <= limits[1]
