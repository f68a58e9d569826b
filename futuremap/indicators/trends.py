"""Trends of rates: what was observed, carried forward no longer than it was observed."""

from __future__ import annotations

import csv
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from futuremap.errors import SourceError

NEEDED = ("source", "url", "licence")


@dataclass(frozen=True)
class Trend:
    """Two published values of a rate.

    Parameters
    ----------
    key
        Name by which rate tables refer to it.
    year_from, value_from, year_to, value_to
        The two years and their values, in one unit.
    source, url, licence
        Where they are from.
    """

    key: str
    year_from: int
    value_from: float
    year_to: int
    value_to: float
    source: str
    url: str
    licence: str

    @property
    def held_from(self) -> int:
        """Year from which the rate is held: as far ahead as the observation reached back."""
        return 2 * self.year_to - self.year_from

    def factor(self, years: NDArray[np.int64], *, since: int) -> NDArray[np.float64]:
        """What the rate of `since` is multiplied by in each year.

        Parameters
        ----------
        years
            Years ``(Y,)``.
        since
            Year of the rate.

        Examples
        --------
        A rate that halved in ten years halves again in the next ten, and no further:

        >>> half = Trend("x", 2010, 0.2, 2020, 0.1, "", "", "")
        >>> half.factor(np.array([2020, 2025, 2030, 2040]), since=2020).round(3).tolist()
        [1.0, 0.707, 0.5, 0.5]
        """
        span = self.year_to - self.year_from
        steps = (np.minimum(years, self.held_from) - since) / span
        return np.asarray((self.value_to / self.value_from) ** steps, dtype=np.float64)


def trends(text: str) -> dict[str, Trend]:
    """Trends by key, from the text of ``trends.csv``.

    Raises
    ------
    SourceError
        If one has no source, or its years or values make no trend.
    """
    found = {}
    for row in csv.DictReader(text.splitlines()):
        if any(not row[name] for name in NEEDED):
            raise SourceError(f"the trend {row['trend']!r} has no source, address or licence")
        one = Trend(
            row["trend"], int(row["year_from"]), float(row["value_from"]), int(row["year_to"]),
            float(row["value_to"]), row["source"], row["url"], row["licence"],
        )  # fmt: skip
        if one.year_to <= one.year_from or min(one.value_from, one.value_to) <= 0:
            raise SourceError(f"the trend {one.key!r} has no length, or a value of 0")
        found[one.key] = one
    return found
