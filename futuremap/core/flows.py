"""Flows: the account of a projection, so that no stock comes without what changed it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from futuremap.core.ages import AgeGroups
from futuremap.core.population import DIMS, SEXES, Population
from futuremap.errors import LabelError

COMPONENTS = (
    "births",
    "deaths",
    "in_migrants",
    "out_migrants",
    "net_change",
    "control_adjustment",
)
LOSSES = ("deaths", "out_migrants")
BY_MOTHER = "births_by_mother"
MOTHER_DIMS = ("year", "zone", "age")


@dataclass(frozen=True, eq=False)
class Flows:
    """Persons that came and went in each step, by zone, sex and age at the end of the step.

    Parameters
    ----------
    data
        Read-only dataset of some of :data:`COMPONENTS`, each (Y, Z, S, A) [persons], labelled
        by the year in which the step ends. ``births`` are the children born in the step, or,
        where only a child–woman ratio is known, those in the youngest group at its end; and
        ``births_by_mother`` (Y, Z, A) the same by the mother's age. ``net_change`` is deaths and
        migration together where only a ratio is known; ``control_adjustment`` is what a control
        total moved.
    ages
        Age groups of the age axis.
    """

    data: xr.Dataset
    ages: AgeGroups

    @classmethod
    def build(
        cls,
        components: Mapping[str, NDArray[np.float64]],
        *,
        years: Sequence[int],
        zones: Sequence[str],
        ages: AgeGroups,
        births_by_mother: NDArray[np.float64] | None = None,
    ) -> Flows:
        """Check and freeze flows.

        Raises
        ------
        LabelError
            If a component is unknown or its shape does not match the labels.
        """
        shape = (len(years), len(zones), len(SEXES), len(ages))
        for name, array in components.items():
            if name not in COMPONENTS:
                raise LabelError(f"no flow is called {name!r}; known are {COMPONENTS}")
            if array.shape != shape:
                raise LabelError(f"{name} has shape {array.shape}, its labels {shape}")
            array.flags.writeable = False
        held: dict[str, tuple[tuple[str, ...], NDArray[np.float64], dict[str, str]]] = {
            name: (DIMS, array, {"units": "persons"}) for name, array in components.items()
        }
        if births_by_mother is not None:
            by_age = (len(years), len(zones), len(ages))
            if births_by_mother.shape != by_age:
                raise LabelError(f"{BY_MOTHER} has shape {births_by_mother.shape}, not {by_age}")
            births_by_mother.flags.writeable = False
            held[BY_MOTHER] = (MOTHER_DIMS, births_by_mother, {"units": "persons"})
        data = xr.Dataset(
            held,
            coords={
                "year": np.asarray(years, dtype=np.int64),
                "zone": np.asarray(zones, dtype=object),
                "sex": np.asarray(SEXES, dtype=object),
                "age": np.asarray(ages.lower, dtype=np.int64),
            },
        )
        return cls(data, ages)

    @property
    def names(self) -> tuple[str, ...]:
        """The components held, in the order of :data:`COMPONENTS`."""
        return tuple(name for name in COMPONENTS if name in self.data)

    def signed(self, name: str) -> NDArray[np.float64]:
        """One component as it enters the account: losses are negative. [persons]"""
        array: NDArray[np.float64] = self.data[name].values
        return -array if name in LOSSES else array


def advance_age(persons: NDArray[np.float64]) -> NDArray[np.float64]:
    """Everybody one group older, the open group kept; the youngest group is left empty.

    Parameters
    ----------
    persons
        Persons by age on the last axis ``(…, A)``. [persons]

    Examples
    --------
    >>> import numpy as np
    >>> advance_age(np.array([5.0, 4.0, 3.0])).tolist()
    [0.0, 5.0, 7.0]
    """
    aged = np.zeros_like(persons)
    aged[..., 1:] = persons[..., :-1]
    aged[..., -1] += persons[..., -1]
    return aged


def imbalance(population: Population, flows: Flows) -> float:
    """Largest fault of the account: |later − (aged + flows)| relative to max(1, zone total).

    Examples
    --------
    >>> import numpy as np
    >>> ages = AgeGroups((0, 5))
    >>> people = Population.build(
    ...     [[[[2.0, 3.0], [2.0, 3.0]]], [[[1.0, 5.0], [1.0, 5.0]]]],
    ...     years=[2020, 2025], zones=["a"], ages=ages)
    >>> born = np.zeros((1, 1, 2, 2)); born[..., 0] = 1.0
    >>> imbalance(people, Flows.build({"births": born}, years=[2025], zones=["a"], ages=ages))
    0.0
    """
    accounted = advance_age(population.persons[:-1])
    for name in flows.names:
        accounted = accounted + flows.signed(name)
    scale = np.maximum(1.0, population.totals()[1:])[:, :, None, None]
    gap = np.abs(population.persons[1:] - accounted) / scale
    return float(gap.max(initial=0.0))
