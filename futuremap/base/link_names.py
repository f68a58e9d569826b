"""Which town blocks of two dates may be the same, as far as codes, names and shapes tell."""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from futuremap.core.zones import Zones

EVIDENCE = ("code", "name", "overlap", "town")
_DIGITS = {digit: i for i, digit in enumerate("一二三四五六七八九", 1)}
_NUMERAL = re.compile("[一二三四五六七八九十]+(?=丁目|条|号|線|区|番)")
_SECTION = re.compile("大字(.+?)小?字(.+)")
_PREFIX = re.compile("^(?:大字|小字|字)(?=.)")
_BLOCK = re.compile("(?<=.)[0-9]+丁目.*$")
# spellings that registers, maps and the census use for one another
_SAME = str.maketrans(
    "ヶがガのﾉ之乃龍澤廣濱籠國瀧嶋嶌邊邉槇齋齊櫻眞壽條濵劔曾藪",
    "ケケケノノノノ竜沢広浜篭国滝島島辺辺槙斎斉桜真寿条浜剣曽薮",
)
_TOWN, _BLOCKS = 9, 11  # digits of a KEY_CODE down to the town and to its 丁目


def plain(name: str) -> str:
    """The name of a town block, written in one way.

    NFKC, no blanks, 丁目 and the like in digits, no 大字, 字 and 小字 before a name, and one
    spelling of ヶ and ケ, ノ and の, 濱 and 浜 and a few more.

    Examples
    --------
    >>> plain("大字木太町字洲端"), plain("塩上町　十二丁目"), plain("旅籠町"), plain("十字街")
    ('木太町洲端', '塩上町12丁目', '旅篭町', '十字街')
    """
    text = "".join(unicodedata.normalize("NFKC", name).split()).translate(_SAME)
    parts = _SECTION.fullmatch(text)
    text = parts[1] + parts[2] if parts else _PREFIX.sub("", text)
    return _NUMERAL.sub(_number, text)


def _number(found: re.Match[str]) -> str:
    tens, ten, ones = found[0].rpartition("十")
    if not all(len(part) <= 1 and part != "十" for part in (tens, ones)):
        return found[0]  # digits in a row are no number
    return str((_DIGITS.get(tens, 1) * 10 if ten else 0) + _DIGITS.get(ones, 0))


class Evidence(NamedTuple):
    """The blocks of two dates, and which of them have a shape ``(Z,)``."""

    earlier: Zones
    later: Zones
    earlier_shaped: NDArray[np.bool_]
    later_shaped: NDArray[np.bool_]

    def labels(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Of both dates ``code``, ``parent``, ``name`` and the towns they are part of."""
        return _labels(self.earlier), _labels(self.later)


def _labels(zones: Zones) -> pd.DataFrame:
    names = [plain(name) for name in zones.names]
    codes = [key if key.isdecimal() and len(key) in (_TOWN, _BLOCKS) else None for key in zones.ids]
    return pd.DataFrame(
        {
            "at": np.arange(len(zones)),
            "code": zones.ids,
            "parent": zones.frame["parent"].to_numpy(dtype=object),
            "name": names,
            "town": [_BLOCK.sub("", name) for name in names],
            "town_code": pd.Series([key and key[:_TOWN] for key in codes], dtype=object),
        }
    )


def candidates(evidence: Evidence, ground: pd.DataFrame) -> pd.DataFrame:
    """All pairs of blocks that share code, name or ground.

    Parameters
    ----------
    evidence
        The blocks.
    ground
        Pairs ``earlier``, ``later`` of positions with their common ``area``. [m^2]

    Returns
    -------
    DataFrame
        ``earlier``, ``later``, ``area`` (NaN without common ground) and whether they share
        ``code``, ``name`` (one that is unique, or of blocks with the same code), ``overlap``
        and ``town``; one row a pair, in order.
    """
    before, after = evidence.labels()
    by_code = before.merge(after, on="code", suffixes=("_x", "_y"))
    by_code["name"] = by_code["name_x"] == by_code["name_y"]
    key = ["parent", "name"]
    by_name = before.drop_duplicates(key, keep=False).merge(
        after.drop_duplicates(key, keep=False), on=key
    )
    parts = [
        _pairs(by_code, code=True, name=by_code["name"].to_numpy(dtype=bool)),
        _pairs(by_name, name=np.ones(len(by_name), dtype=bool)),
        ground.assign(code=False, name=False, overlap=True, town=False),
    ]
    together = pd.concat([part for part in parts if len(part)] or parts[:1])
    return together.groupby(["earlier", "later"], as_index=False).max()


def _pairs(merged: pd.DataFrame, *, name: NDArray[np.bool_], code: bool = False) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "earlier": merged["at_x"],
            "later": merged["at_y"],
            "area": np.nan,
            "code": code,
            "name": name,
            "overlap": False,
            "town": False,
        }
    )


def trusted(evidence: Evidence, pairs: pd.DataFrame) -> NDArray[np.bool_]:
    """Which pairs hold: what lies on the same ground, and what nothing speaks against.

    A pair without common ground does not hold if both blocks have ground in common with others,
    whatever they are called. By code alone it does not hold, either, if both have shapes or one
    has ground in common with another, nor if both names have gone to other codes.
    """
    i, j = pairs["earlier"].to_numpy(), pairs["later"].to_numpy()
    overlap, code, name = (pairs[kind].to_numpy(dtype=bool) for kind in ("overlap", "code", "name"))
    grounded = (
        np.bincount(i[overlap], minlength=len(evidence.earlier)) > 0,
        np.bincount(j[overlap], minlength=len(evidence.later)) > 0,
    )
    named = (
        np.bincount(i[name], minlength=len(evidence.earlier)) > 0,
        np.bincount(j[name], minlength=len(evidence.later)) > 0,
    )
    both_grounded = grounded[0][i] & grounded[1][j]
    either_grounded = grounded[0][i] | grounded[1][j]
    both_shaped = evidence.earlier_shaped[i] & evidence.later_shaped[j]
    swapped = named[0][i] & named[1][j]
    by_code = code & ~both_shaped & ~either_grounded & ~swapped
    by_name = name & ~both_grounded
    return np.asarray(overlap | by_name | by_code)


def with_towns(evidence: Evidence, pairs: pd.DataFrame) -> pd.DataFrame:
    """Add links within a town for blocks without a partner, unless all shapes are known.

    Such a block is linked to those of its town that have no partner either, and to the one that
    bears the town's own name; only if there are neither, to all that bear it.
    """
    if evidence.earlier_shaped.all() and evidence.later_shaped.all():
        return pairs
    before, after = evidence.labels()
    before["loose"] = ~before["at"].isin(pairs["earlier"])
    after["loose"] = ~after["at"].isin(pairs["later"])
    parts = [pairs]
    for key, whole in (("town", "name"), ("town_code", "code")):
        both = _of_town(before, key, whole).merge(_of_town(after, key, whole), on=["parent", key])
        loose_later = both.groupby("at_x")["loose_y"].transform("any").to_numpy(dtype=bool)
        loose_earlier = both.groupby("at_y")["loose_x"].transform("any").to_numpy(dtype=bool)
        free = (
            (both["loose_x"] & (both["loose_y"] | both["rest_y"]))
            | (both["loose_y"] & both["rest_x"])
            | (both["loose_x"] & both["alike_y"] & ~loose_later)
            | (both["loose_y"] & both["alike_x"] & ~loose_earlier)
        ).to_numpy(dtype=bool)
        found = _pairs(both[free], name=np.zeros(int(free.sum()), dtype=bool))
        parts.append(found.assign(town=True))
    together = pd.concat([part for part in parts if len(part)] or parts[:1])
    return together.groupby(["earlier", "later"], as_index=False).max()


def _of_town(labels: pd.DataFrame, key: str, whole: str) -> pd.DataFrame:
    # the rest of a town beside its 丁目 is called as the town is; several blocks that are called
    # so are parts of it, any of which may have taken in a block of which nothing else is known
    known = labels.dropna(subset=key)
    called = known[key] == known[whole]
    alone = ~known.duplicated(["parent", whole], keep=False)
    return known.assign(rest=called & alone, alike=called & ~alone)
