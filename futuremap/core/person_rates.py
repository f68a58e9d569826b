"""Rates per person: what each sex and single year of age asks for, in every year."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from futuremap.core.ages import AgeGroups
from futuremap.core.fields import field
from futuremap.core.population import SEXES
from futuremap.errors import DemographyError, LabelError

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class PersonRates:
    """Rates of several indicators by year, sex and single year of age.

    Parameters
    ----------
    names
        Indicators in the field dictionary ``(I,)``.
    years
        Years of the population that they are for ``(Y,)``.
    rates
        ``(I, Y, S, W)`` per person, sexes in the order of ``SEXES``; the last year of age is
        open. [unit of the indicator per person]

    Raises
    ------
    LabelError
        If an indicator is not in the field dictionary, or shapes do not match.
    DemographyError
        If a rate is negative or no number.
    """

    names: tuple[str, ...]
    years: tuple[int, ...]
    rates: Floats

    def __post_init__(self) -> None:
        shape = (len(self.names), len(self.years), len(SEXES))
        if self.rates.ndim != 4 or self.rates.shape[:3] != shape:  # noqa: PLR2004 - (I, Y, S, W)
            raise LabelError(f"rates have shape {self.rates.shape}, their labels {shape}")
        for name in self.names:
            _ = field(name)
        bad = ~(np.isfinite(self.rates) & (self.rates >= 0))
        if bad.any():
            i, y, s, age = np.argwhere(bad)[0]
            where = f"{self.names[i]} in {self.years[y]}, {SEXES[s]} aged {age}"
            raise DemographyError(f"a rate of {self.rates[i, y, s, age]}: {where}")
        self.rates.flags.writeable = False

    @classmethod
    def build(cls, rates: Mapping[str, Floats], *, years: Sequence[int]) -> PersonRates:
        """Rates by indicator, each ``(Y, S, W)``.

        Examples
        --------
        >>> import numpy as np
        >>> one = PersonRates.build({"population": np.ones((1, 2, 3))}, years=[2020])
        >>> one.rates.shape
        (1, 1, 2, 3)
        """
        shape = (0, len(years), len(SEXES), 1)
        cube = np.stack(list(rates.values())) if rates else np.zeros(shape)
        return cls(tuple(rates), tuple(years), np.array(cube, dtype=np.float64))

    def only(self, names: Sequence[str]) -> PersonRates:
        """The rates of some indicators, in that order.

        Raises
        ------
        LabelError
            If one is not held.
        """
        missing = [name for name in names if name not in self.names]
        if missing:
            raise LabelError(f"no rates of {missing}; there are {self.names}")
        at = [self.names.index(name) for name in names]
        return PersonRates(tuple(names), self.years, self.rates[at])

    def by_group(self, ages: AgeGroups, shares: Floats) -> Floats:
        """The rates of age groups, as a mean over the people of each.

        Parameters
        ----------
        ages
            The groups.
        shares
            Share of each single year of age in its group ``(Y, S, W)``. [ratio]

        Returns
        -------
        numpy.ndarray
            ``(I, Y, S, A)``.

        Raises
        ------
        LabelError
            If shapes disagree or single years end below the open group.

        Examples
        --------
        Half of those under two are in their first year, and need two of something:

        >>> import numpy as np
        >>> two = np.array([[[2.0, 0.0, 1.0]] * 2])
        >>> need = PersonRates.build({"population": two}, years=[2020])
        >>> need.by_group(AgeGroups((0, 2)), np.array([[[0.5, 0.5, 1.0]] * 2]))[0, 0, 0].tolist()
        [1.0, 1.0]
        """
        if shares.shape != self.rates.shape[1:]:
            raise LabelError(f"shares {shares.shape} for rates {self.rates.shape[1:]}")
        if shares.shape[-1] <= ages.open_age:
            raise LabelError(f"{shares.shape[-1]} single years do not reach {ages.open_age}")
        return np.asarray(
            np.add.reduceat(self.rates * shares, np.asarray(ages.lower), axis=-1),
            dtype=np.float64,
        )
