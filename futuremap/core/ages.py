"""Age groups: lower bounds, the last one open."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from futuremap.errors import LabelError


@dataclass(frozen=True)
class AgeGroups:
    """Contiguous age groups, given by their lower bounds; the last group is open.

    Parameters
    ----------
    lower
        Lower bounds, ascending from 0. [years]

    Raises
    ------
    LabelError
        If the bounds do not start at 0 or do not ascend.

    Examples
    --------
    >>> ages = AgeGroups((0, 5, 10))
    >>> ages.labels()
    ('0～4歳', '5～9歳', '10歳以上')
    """

    lower: tuple[int, ...]

    def __post_init__(self) -> None:
        if not self.lower or self.lower[0] != 0 or np.any(np.diff(self.lower) <= 0):
            raise LabelError(f"age groups must ascend from 0, got {self.lower}")

    @classmethod
    def five_year(cls, *, open_age: int) -> AgeGroups:
        """Five-year groups up to an open one.

        Examples
        --------
        >>> AgeGroups.five_year(open_age=85).lower[-3:]
        (75, 80, 85)
        """
        return cls(tuple(range(0, open_age + 1, 5)))

    def __len__(self) -> int:
        """Count of groups (A)."""
        return len(self.lower)

    @property
    def open_age(self) -> int:
        """Lower bound of the open group. [years]"""
        return self.lower[-1]

    @property
    def width(self) -> int:
        """Common width of the closed groups. [years]

        Raises
        ------
        LabelError
            If the closed groups are not all of one width.
        """
        widths = set(np.diff(self.lower).tolist())
        if len(widths) != 1:
            raise LabelError(f"age groups have no common width: {self.lower}")
        return int(widths.pop())

    def at_least(self, age: int) -> slice:
        """The groups from `age` on; `age` must be a lower bound.

        Examples
        --------
        >>> AgeGroups((0, 5, 10)).at_least(5)
        slice(1, None, None)
        """
        return slice(self.index(age), None)

    def between(self, start: int, stop: int) -> slice:
        """The groups of ages `start` up to but not including `stop`; both lower bounds."""
        return slice(self.index(start), self.index(stop))

    def index(self, age: int) -> int:
        """Position of the group that begins at `age`.

        Raises
        ------
        LabelError
            If no group begins there.
        """
        if age not in self.lower:
            raise LabelError(f"no age group begins at {age}; groups begin at {self.lower}")
        return self.lower.index(age)

    def labels(self, lang: str = "ja") -> tuple[str, ...]:
        """Names of the groups in Japanese ("ja") or English ("en")."""
        open_name = f"{self.open_age}歳以上" if lang == "ja" else f"{self.open_age}+"
        pairs = pairwise(self.lower)
        closed = (f"{a}～{b - 1}歳" if lang == "ja" else f"{a}-{b - 1}" for a, b in pairs)
        return (*closed, open_name)

    def merge_matrix(self, coarser: AgeGroups) -> NDArray[np.float64]:
        """Zero-one matrix ``(A_coarse, A)`` that adds these groups up to coarser ones.

        Raises
        ------
        LabelError
            If a coarser bound is not one of these bounds.

        Examples
        --------
        >>> AgeGroups((0, 5, 10)).merge_matrix(AgeGroups((0, 10))).tolist()
        [[1.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
        """
        for bound in coarser.lower:
            self.index(bound)
        owner = np.searchsorted(coarser.lower, self.lower, side="right") - 1
        return np.asarray(owner == np.arange(len(coarser))[:, None], dtype=np.float64)
