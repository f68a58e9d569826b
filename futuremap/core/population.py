"""Population: persons by year, zone, sex and age, with flags and sources that travel along."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntFlag

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from futuremap.core.ages import AgeGroups
from futuremap.errors import DemographyError, LabelError

SEXES = ("male", "female")
DIMS = ("year", "zone", "sex", "age")


class Flag(IntFlag):
    """What happened to a number on its way; bits of one byte."""

    OBSERVED = 1
    IMPUTED = 2
    MERGED = 4
    SYNTHETIC = 8
    PROJECTED = 16
    SHRUNK = 32
    RAKED = 64


FLAG_NAMES = {
    Flag.OBSERVED: "観測",
    Flag.IMPUTED: "補完",
    Flag.MERGED: "合算",
    Flag.SYNTHETIC: "合成",
    Flag.PROJECTED: "推計",
    Flag.SHRUNK: "市全体へ縮小",
    Flag.RAKED: "総数へ調整",
}

NOT_AS_COUNTED = Flag.IMPUTED | Flag.MERGED | Flag.SYNTHETIC


def origin(bits: int) -> str:
    """Say what happened to a number, in Japanese.

    Examples
    --------
    >>> origin(int(Flag.PROJECTED | Flag.RAKED))
    '推計・総数へ調整'
    """
    return "・".join(name for flag, name in FLAG_NAMES.items() if bits & flag)


@dataclass(frozen=True, eq=False)
class Population:
    """Persons by (year, zone, sex, age).

    Parameters
    ----------
    data
        Read-only dataset with ``persons`` (Y, Z, S, A) [persons], ``flag`` (Y, Z) or
        (Y, Z, S, A) of :class:`Flag` bits, and ``imputed_share`` (Y, Z) [ratio]: the share
        of a zone's people whose number was imputed, merged or made up.
    ages
        The age groups of the last axis.
    sources
        Credit keys of the data this population was made from.
    """

    data: xr.Dataset
    ages: AgeGroups
    sources: tuple[str, ...] = ()

    @classmethod
    def build(
        cls,
        persons: ArrayLike,
        *,
        years: Sequence[int],
        zones: Sequence[str],
        ages: AgeGroups,
        flag: ArrayLike | int = Flag.OBSERVED,
        imputed_share: ArrayLike | None = None,
        sources: Iterable[str] = (),
    ) -> Population:
        """Check and freeze an array ``(Y, Z, S, A)`` with its labels.

        Raises
        ------
        LabelError
            If the shape does not match the labels, or labels repeat.
        DemographyError
            If a number is negative or not finite.

        Examples
        --------
        >>> p = Population.build(
        ...     [[[[1.0, 2.0], [3.0, 4.0]]]], years=[2020], zones=["a"], ages=AgeGroups((0, 5))
        ... )
        >>> p.totals()
        array([[10.]])
        """
        cube = np.array(persons, dtype=np.float64)
        shape = (len(years), len(zones), len(SEXES), len(ages))
        if cube.shape != shape:
            raise LabelError(f"persons have shape {cube.shape}, their labels {shape}")
        for name, labels in (("year", years), ("zone", zones)):
            if len(set(labels)) != len(labels):
                raise LabelError(f"{name} labels repeat")
        if not np.isfinite(cube).all() or (cube < 0).any():
            where = np.argwhere(~(np.isfinite(cube) & (cube >= 0)))[0]
            labels = [years[where[0]], zones[where[1]], SEXES[where[2]], ages.lower[where[3]]]
            raise DemographyError(f"{cube[tuple(where)]} persons at {labels}")
        flags = np.asarray(flag, dtype=np.uint8)
        flags = np.full(shape[:2], flags, np.uint8) if flags.ndim == 0 else flags.copy()
        if imputed_share is None:
            imputed_share = _imputed_share(cube, flags)
        share = np.array(imputed_share, dtype=np.float64)
        for array in (cube, flags, share):
            array.flags.writeable = False
        data = xr.Dataset(
            {
                "persons": (DIMS, cube, {"units": "persons"}),
                "flag": (DIMS[: flags.ndim], flags),
                "imputed_share": (DIMS[:2], share, {"units": "1"}),
            },
            coords={
                "year": np.asarray(years, dtype=np.int64),
                "zone": np.asarray(zones, dtype=object),
                "sex": np.asarray(SEXES, dtype=object),
                "age": np.asarray(ages.lower, dtype=np.int64),
            },
        )
        return cls(data, ages, tuple(sorted(set(sources))))

    @property
    def persons(self) -> NDArray[np.float64]:
        """The numbers ``(Y, Z, S, A)``, read-only. [persons]"""
        cube: NDArray[np.float64] = self.data["persons"].values
        return cube

    @property
    def flag(self) -> NDArray[np.uint8]:
        """Bits of :class:`Flag` by year and zone ``(Y, Z)``; cell flags are OR-ed."""
        flags: NDArray[np.uint8] = self.data["flag"].values
        return np.asarray(np.bitwise_or.reduce(flags, axis=(2, 3))) if flags.ndim > 2 else flags  # noqa: PLR2004

    @property
    def imputed_share(self) -> NDArray[np.float64]:
        """Share of people not as counted, by year and zone ``(Y, Z)``. [ratio]"""
        share: NDArray[np.float64] = self.data["imputed_share"].values
        return share

    @property
    def years(self) -> tuple[int, ...]:
        """Labels of the year axis."""
        return tuple(int(year) for year in self.data["year"].values)

    @property
    def zones(self) -> tuple[str, ...]:
        """Labels of the zone axis."""
        return tuple(self.data["zone"].values)

    def totals(self) -> NDArray[np.float64]:
        """All persons by year and zone ``(Y, Z)``. [persons]"""
        return np.asarray(self.persons.sum(axis=(2, 3)))

    def at(self, year: int) -> Population:
        """The population in one of its years.

        Raises
        ------
        LabelError
            If it has no such year.
        """
        if year not in self.years:
            raise LabelError(f"no year {year}; years are {self.years}")
        return self._select(year=[self.years.index(year)])

    def only(self, zones: Sequence[str]) -> Population:
        """The population in the named zones, in that order.

        Raises
        ------
        LabelError
            If a zone is unknown.
        """
        position = {zone: i for i, zone in enumerate(self.zones)}
        missing = [zone for zone in zones if zone not in position]
        if missing:
            raise LabelError(f"{len(missing)} unknown zones, such as {missing[:5]}")
        return self._select(zone=[position[zone] for zone in zones])

    def _select(self, **positions: list[int]) -> Population:
        part = self.data.isel(positions)
        return Population.build(
            part["persons"].values,
            years=part["year"].values.tolist(),
            zones=part["zone"].values.tolist(),
            ages=self.ages,
            flag=part["flag"].values,
            imputed_share=part["imputed_share"].values,
            sources=self.sources,
        )


def mark(population: Population, flag: Flag) -> Population:
    """The same population with a flag on every number; what is made up is not observed.

    Examples
    --------
    >>> people = Population.build(
    ...     [[[[1.0], [1.0]]]], years=[2020], zones=["a"], ages=AgeGroups((0,))
    ... )
    >>> mark(people, Flag.SYNTHETIC).imputed_share.tolist()
    [[1.0]]
    """
    whole = bool(flag & NOT_AS_COUNTED)
    known: NDArray[np.uint8] = population.data["flag"].values
    kept = known & np.uint8(~Flag.OBSERVED & 0xFF) if whole else known
    return Population.build(
        population.persons,
        years=population.years,
        zones=population.zones,
        ages=population.ages,
        flag=kept | np.uint8(flag),
        imputed_share=np.ones_like(population.imputed_share) if whole else population.imputed_share,
        sources=population.sources,
    )


def with_open_age(population: Population, open_age: int) -> Population:
    """The same people in fewer age groups: all from `open_age` on in one, their flags OR-ed.

    Raises
    ------
    LabelError
        If no group begins at `open_age`.

    Examples
    --------
    >>> people = Population.build([[[[1.0, 2.0, 3.0]] * 2]], years=[2020], zones=["a"],
    ...                           ages=AgeGroups((0, 85, 90)))
    >>> with_open_age(people, 85).persons[0, 0, 0].tolist()
    [1.0, 5.0]
    """
    coarser = AgeGroups(tuple(age for age in population.ages.lower if age <= open_age))
    flags: NDArray[np.uint8] = population.data["flag"].values
    if flags.ndim > 2:  # noqa: PLR2004 - by cell
        starts = [population.ages.index(age) for age in coarser.lower]
        flags = np.bitwise_or.reduceat(flags, starts, axis=3)
    return Population.build(
        population.persons @ population.ages.merge_matrix(coarser).T,
        years=population.years,
        zones=population.zones,
        ages=coarser,
        flag=flags,
        imputed_share=population.imputed_share,
        sources=population.sources,
    )


def join_years(parts: Sequence[Population]) -> Population:
    """Populations of the same zones and ages in different years, as one.

    Raises
    ------
    LabelError
        If zones or ages differ, or a year stands twice.
    """
    first = parts[0]
    for part in parts[1:]:
        if part.zones != first.zones or part.ages != first.ages:
            raise LabelError("populations to join have different zones or ages")
    ordered = sorted(parts, key=lambda part: part.years)
    return Population.build(
        np.concatenate([part.persons for part in ordered]),
        years=[year for part in ordered for year in part.years],
        zones=first.zones,
        ages=first.ages,
        flag=_joined_flags(ordered, axis=0),
        imputed_share=np.concatenate([part.imputed_share for part in ordered]),
        sources={source for part in parts for source in part.sources},
    )


def join_zones(parts: Sequence[Population]) -> Population:
    """Populations of different zones in the same years and ages, as one.

    Raises
    ------
    LabelError
        If years or ages differ, or a zone stands twice.
    """
    first = parts[0]
    for part in parts[1:]:
        if part.years != first.years or part.ages != first.ages:
            raise LabelError("populations to join have different years or ages")
    return Population.build(
        np.concatenate([part.persons for part in parts], axis=1),
        years=first.years,
        zones=[zone for part in parts for zone in part.zones],
        ages=first.ages,
        flag=_joined_flags(parts, axis=1),
        imputed_share=np.concatenate([part.imputed_share for part in parts], axis=1),
        sources={source for part in parts for source in part.sources},
    )


def _joined_flags(parts: Sequence[Population], *, axis: int) -> NDArray[np.uint8]:
    # by cell if all of them know their cells; a zone's flags would say too much of each cell
    cells: list[NDArray[np.uint8]] = [part.data["flag"].values for part in parts]
    by_cell = all(flags.ndim > 2 for flags in cells)  # noqa: PLR2004 - (Y, Z)
    return np.concatenate(cells if by_cell else [part.flag for part in parts], axis=axis)


def _imputed_share(cube: NDArray[np.float64], flags: NDArray[np.uint8]) -> NDArray[np.float64]:
    touched = (flags & np.uint8(NOT_AS_COUNTED)) > 0
    if flags.ndim == 2:  # noqa: PLR2004 - (Y, Z)
        return np.asarray(touched, dtype=np.float64)
    totals = cube.sum(axis=(2, 3))
    people = np.where(touched, cube, 0.0).sum(axis=(2, 3))
    return np.asarray(np.divide(people, totals, out=np.zeros_like(totals), where=totals > 0))
