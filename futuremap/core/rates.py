"""Rates: what changes a population in one step, by zone, sex and age at the start."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from futuremap.core.ages import AgeGroups
from futuremap.core.population import SEXES
from futuremap.errors import DemographyError, LabelError


class Range(NamedTuple):
    """Dimensions and permitted values of a rate."""

    dims: tuple[str, ...]
    low: float
    high: float


OWN = ("zone", "sex", "age")
SHARED = ("parent", "sex", "age")
VOCABULARY: dict[str, Range] = {
    "cohort_change_ratio": Range(OWN, 0.0, np.inf),
    "child_woman_ratio": Range(("zone",), 0.0, np.inf),
    "own_weight": Range(OWN, 0.0, 1.0),
    "parent_cohort_change_ratio": Range(SHARED, 0.0, np.inf),
    "parent_child_woman_ratio": Range(("parent",), 0.0, np.inf),
    "sex_ratio_0_4": Range(("parent",), 0.5, 2.0),
    "imputed": Range(SHARED, 0.0, 1.0),
    "persistence": Range((), 0.0, 1.0),
    "survival_ratio": Range(OWN, 0.0, 1.0),
    "birth_survival_ratio": Range(("zone", "sex"), 0.0, 1.0),
    "asfr": Range(("zone", "age"), 0.0, 1.0),
    "sex_ratio_at_birth": Range(("zone",), 0.5, 2.0),
    "net_migration_rate": Range(OWN, -1.0, np.inf),
    "net_migrants": Range(OWN, -np.inf, np.inf),
    "in_migrants": Range(OWN, 0.0, np.inf),
    "out_migration_rate": Range(OWN, 0.0, 1.0),
    "emigration_rate": Range(OWN, 0.0, 1.0),
    "in_migration_share": Range(OWN, 0.0, 1.0),
    "parent_survival_ratio": Range(SHARED, 0.0, 1.0),
    "parent_birth_survival_ratio": Range(("parent", "sex"), 0.0, 1.0),
    "parent_asfr": Range(("parent", "age"), 0.0, 1.0),
    "parent_sex_ratio_at_birth": Range(("parent",), 0.5, 2.0),
    "parent_net_migration_rate": Range(SHARED, -1.0, np.inf),
    "parent_out_migration_rate": Range(SHARED, 0.0, 1.0),
    "parent_emigration_rate": Range(SHARED, 0.0, 1.0),
    "parent_immigrants": Range(SHARED, 0.0, np.inf),
}


@dataclass(frozen=True, eq=False)
class Rates:
    """Rates of one step of `interval` years.

    Parameters
    ----------
    data
        Read-only dataset of variables named in :data:`VOCABULARY`.
        ``cohort_change_ratio`` (Z, S, A) [ratio]: people n years on per person at the start,
        by age at the start; the last two ages both end in the open group.
        ``child_woman_ratio`` (Z,) [ratio]: children 0–4 per woman 15–49 at the end of a step.
        ``own_weight`` (Z, S, A) [ratio]: how much of a ratio is the zone's own experience.
        ``parent_…`` the same for the parents (P, …).
        ``imputed`` (P, S, A): 1 where nobody was there to make a ratio from, and it was taken
        from the other sex or neighbouring ages.
        ``sex_ratio_0_4`` (P,) [ratio]: boys per girl.
        ``persistence`` () [ratio per step]: what remains, step by step, of a zone's deviation
        from its parent.
        By component: ``survival_ratio`` (Z, S, A), ``birth_survival_ratio`` (Z, S) [ratio],
        ``asfr`` (Z, A) [births per woman and year], ``sex_ratio_at_birth`` (Z,) [boys per girl];
        ``net_migration_rate``, ``out_migration_rate`` (to the parent's pool) and
        ``emigration_rate`` (out of it) (Z, S, A) [per person at the start]; and by age at the
        end, ``in_migration_share`` (Z, S, A) [share of the pool], ``net_migrants``,
        ``in_migrants`` (Z, S, A) and ``parent_immigrants`` (P, S, A) into the pool [persons].
    ages
        Age groups of the age axis.
    parent_of
        Position of each zone's parent ``(Z,)``, ascending: the zones of a parent stand together.
    interval
        Length of the step. [years]
    flag
        What the populations behind a zone's rates went through, in bits of
        :class:`futuremap.core.population.Flag` ``(Z,)``.
    """

    data: xr.Dataset
    ages: AgeGroups
    parent_of: NDArray[np.intp]
    interval: int
    flag: NDArray[np.uint8]

    @classmethod
    def build(
        cls,
        variables: Mapping[str, ArrayLike],
        *,
        zones: Sequence[str],
        parents: Sequence[str],
        parent_of: NDArray[np.intp],
        ages: AgeGroups,
        interval: int,
        flag: NDArray[np.uint8] | None = None,
    ) -> Rates:
        """Check and freeze rates.

        Raises
        ------
        LabelError
            If a name or a shape is not in the vocabulary, or a parent's zones stand apart.
        DemographyError
            If a rate is not finite or leaves its range.
        """
        if len(parent_of) != len(zones) or np.any(np.diff(parent_of) < 0):
            raise LabelError("zones must stand together by parent")
        labels = {
            "zone": np.asarray(zones, dtype=object),
            "parent": np.asarray(parents, dtype=object),
            "sex": np.asarray(SEXES, dtype=object),
            "age": np.asarray(ages.lower, dtype=np.int64),
        }
        held = {name: _checked(name, given, labels) for name, given in variables.items()}
        flags = np.zeros(len(zones), dtype=np.uint8) if flag is None else flag.copy()
        return cls(xr.Dataset(held, coords=labels), ages, parent_of.copy(), interval, flags)

    def __getitem__(self, name: str) -> NDArray[np.float64]:
        """The array of one rate.

        Raises
        ------
        LabelError
            If these rates do not hold it.
        """
        if name not in self.data:
            raise LabelError(f"these rates hold no {name}; they hold {list(self.data)}")
        array: NDArray[np.float64] = self.data[name].values
        return array

    def __contains__(self, name: str) -> bool:
        """Whether these rates hold one of that name."""
        return name in self.data

    def of_zones(self, name: str) -> NDArray[np.float64] | None:
        """A rate by zone: the zones' own, or else their parent's; None if neither is held."""
        if name in self:
            return self[name]
        shared = self.of_parents(name)
        return None if shared is None else shared[self.parent_of]

    def of_parents(self, name: str) -> NDArray[np.float64] | None:
        """A rate by parent; None if it is not held."""
        held = f"parent_{name}"
        return self[held] if held in self else None  # noqa: SIM401 - Rates is no mapping

    @property
    def zones(self) -> tuple[str, ...]:
        """Labels of the zone axis."""
        return tuple(self.data["zone"].values)

    @property
    def parents(self) -> tuple[str, ...]:
        """Labels of the parent axis."""
        return tuple(self.data["parent"].values)


def _checked(
    name: str,
    given: ArrayLike,
    labels: Mapping[str, NDArray[np.object_] | NDArray[np.int64]],
) -> tuple[tuple[str, ...], NDArray[np.float64]]:
    if name not in VOCABULARY:
        raise LabelError(f"no rate is called {name!r}; known are {sorted(VOCABULARY)}")
    dims, low, high = VOCABULARY[name]
    array = np.array(given, dtype=np.float64)
    shape = tuple(len(labels[dim]) for dim in dims)
    if array.shape != shape:
        raise LabelError(f"{name} has shape {array.shape}, its labels {shape}")
    bad = ~np.isfinite(array) | (array < low) | (array > high)
    if bad.any():
        where = tuple(np.argwhere(bad)[0])
        place = [labels[dim][i] for dim, i in zip(dims, where, strict=True)]
        raise DemographyError(
            f"{name} is {array[where]} at {place}, outside [{low}, {high}]; "
            f"{int(bad.sum())} such values",
        )
    array.flags.writeable = False
    return dims, array
