"""Classes and colours: one set of limits for every client, readable by the colour-blind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from futuremap.errors import LabelError

UNKNOWN_COLOUR = "#9e9e9e"
# viridis and cividis at even steps and ColorBrewer's RdBu: lightness is monotone along the
# sequential ones, so that a grey print keeps the order
SEQUENTIAL = {
    4: ("#fde725", "#5ec962", "#21918c", "#440154"),
    5: ("#fde725", "#5ec962", "#21918c", "#3b528b", "#440154"),
    6: ("#fde725", "#7ad151", "#22a884", "#2a788e", "#414487", "#440154"),
}
DIVERGING = {
    7: ("#b2182b", "#ef8a62", "#fddbc7", "#f7f7f7", "#d1e5f0", "#67a9cf", "#2166ac"),
}
# 新しい＝青 から 古い＝赤: the order of hues that the founding proposal's figure uses
SEED_HUES = ("#2c7bb6", "#abd9e9", "#fdae61", "#d7191c")


@dataclass(frozen=True)
class Classes:
    """Ordered classes of a number.

    Parameters
    ----------
    limits
        Inner limits, ascending; a value equal to a limit belongs to the class above it.
        In the unit that readers see.
    labels_ja, labels_en
        One name a class, one more than the limits.
    colours
        One ``#rrggbb`` a class.
    unknown_ja, unknown_en
        Name of the class of values that are not known; empty if there is none.

    Raises
    ------
    LabelError
        If the lengths do not fit or the limits do not ascend.

    Examples
    --------
    >>> SERVICE_YEARS.index([0, 15, 59, 60, float("nan")]).tolist()
    [0, 1, 2, 3, 4]
    """

    limits: tuple[float, ...]
    labels_ja: tuple[str, ...]
    labels_en: tuple[str, ...]
    colours: tuple[str, ...]
    unknown_ja: str = ""
    unknown_en: str = ""

    def __post_init__(self) -> None:
        count = len(self.limits) + 1
        if {len(self.labels_ja), len(self.labels_en), len(self.colours)} != {count}:
            raise LabelError(f"{count} classes need {count} labels and colours")
        if np.any(np.diff(self.limits) <= 0):
            raise LabelError(f"class limits must ascend: {self.limits}")

    def index(self, values: ArrayLike) -> NDArray[np.intp]:
        """Class of each value; unknown values get the number of classes.

        Raises
        ------
        LabelError
            If a value is unknown and there is no class for it.
        """
        given = np.asarray(values, dtype=np.float64)
        classes = np.searchsorted(self.limits, given, side="right")
        unknown = np.isnan(given)
        if unknown.any() and not self.unknown_ja:
            raise LabelError("unknown values, but these classes have no class for them")
        return np.where(unknown, len(self.colours), classes).astype(np.intp)

    def entries(self, lang: str = "ja") -> list[tuple[str, str]]:
        """Label and colour of every class, the unknown one last."""
        labels = self.labels_ja if lang == "ja" else self.labels_en
        entries = list(zip(labels, self.colours, strict=True))
        if self.unknown_ja:
            entries.append((self.unknown_ja if lang == "ja" else self.unknown_en, UNKNOWN_COLOUR))
        return entries


def between(limits: Sequence[float], unit_ja: str, unit_en: str, colours: Sequence[str]) -> Classes:
    """Classes named after their limits.

    Examples
    --------
    >>> between([20, 30], "％", "%", ["#fde725", "#21918c", "#440154"]).labels_ja
    ('20％未満', '20～30％', '30％以上')
    """
    shown = [f"{limit:,.10g}" for limit in limits]
    pairs = list(pairwise(shown))
    inner_ja = tuple(f"{low}～{high}{unit_ja}" for low, high in pairs)
    inner_en = tuple(f"{low} to {high} {unit_en}".rstrip() for low, high in pairs)
    return Classes(
        tuple(float(limit) for limit in limits),
        (f"{shown[0]}{unit_ja}未満", *inner_ja, f"{shown[-1]}{unit_ja}以上"),
        (f"under {shown[0]} {unit_en}", *inner_en, f"{shown[-1]} {unit_en} and over"),
        tuple(colours),
    )


# 供用開始後年数, the four classes of the founding proposal and one for unknown opening years
SERVICE_YEARS = Classes(
    (15.0, 30.0, 60.0),
    ("15年未満", "15～30年", "30～60年", "60年以上"),
    ("under 15 years", "15 to 30 years", "30 to 60 years", "60 years and over"),
    SEQUENTIAL[4],
    unknown_ja="不明",
    unknown_en="unknown",
)
AGEING_RATE = between((20, 30, 40, 50), "％", "%", SEQUENTIAL[5])
CHANGE_RATE = replace(
    between((-50, -30, -10, 10, 30, 50), "％", "%", DIVERGING[7]),
    unknown_ja="基準年に0人",
    unknown_en="nobody in the base year",
)
DIFFERENCE_RATE = replace(
    between((-20, -5, -1, 1, 5, 20), "％", "%", DIVERGING[7]),
    unknown_ja="何もしない将来に0人",
    unknown_en="nobody in the baseline",
)
