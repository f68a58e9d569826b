"""Unit responses: what one household a year more comes to, everywhere and in every year, at once.

Newcomers are linear (:mod:`futuremap.projection.beyond`) and go through what their municipality
goes through, so that one path a municipality, kind of household and run of years says what every
block answers: a lever's people in a block are the block's share of the lever times that path. 235
blocks with three kinds of household in six steps are 4,230 levers and eighteen paths.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from futuremap.config.scenario import LeverEntry
from futuremap.pipeline.difference import Grounds, grounds
from futuremap.pipeline.read_scenarios import bundle_of
from futuremap.pipeline.run import Outcome
from futuremap.projection.beyond import Change, carry, with_change

Floats = NDArray[np.float64]
Rows = NDArray[np.intp]


class Unit(NamedTuple):
    """One lever that can be set by itself.

    entry
        Position of the entry it comes from.
    zone
        Position of its zone, -1 where the entry spreads people itself.
    first, last
        First and last year of its own; None where the entry says.
    """

    entry: int
    zone: int = -1
    first: int | None = None
    last: int | None = None


class Responses(NamedTuple):
    """Answers to one unit of every lever.

    levers
        The levers (J).
    spread
        Share of each lever's people in each zone ``(J, Z)``. [ratio]
    kind_of
        Position of each lever's path ``(J,)``.
    paths
        People per household a year, by path, municipality and year ``(K, P, 1 + H, S, A)``.
        [persons]
    parent_of
        Position of each zone's municipality ``(Z,)``.
    """

    levers: tuple[Unit, ...]
    spread: sparse.csr_array
    kind_of: Rows
    paths: Floats
    parent_of: Rows

    def of(self, weights: Floats, ages: Floats, year: int) -> Floats:
        """What a sum of people answers to each lever ``(J,)``.

        Parameters
        ----------
        weights
            Weight of each zone ``(Z,)``.
        ages
            Weight of each sex and age ``(S, A)``.
        year
            Position of the year.
        """
        parents = self.paths.shape[1]
        to_parents = sparse.csr_array(
            (weights, (np.arange(len(weights)), self.parent_of)), shape=(len(weights), parents)
        )
        shares = np.asarray((self.spread @ to_parents).todense())
        per_household = np.einsum("kpsa,sa->kp", self.paths[:, :, year], ages)
        return np.asarray((shares * per_household[self.kind_of]).sum(axis=1))

    def persons(self, effort: Floats) -> Floats:
        """All who are there through the levers ``(1 + H, Z, S, A)``. [persons]

        Parameters
        ----------
        effort
            Households a year of each lever ``(J,)``.
        """
        kinds = len(self.paths)
        by_kind = sparse.csr_array(
            (effort, (self.kind_of, np.arange(len(effort)))), shape=(kinds, len(effort))
        )
        households = np.asarray((by_kind @ self.spread).todense())  # (K, Z)
        everywhere = self.paths[:, self.parent_of]
        return np.asarray(np.einsum("kz,kztsa->tzsa", households, everywhere))


def respond(
    baseline: Outcome | Grounds,
    levers: Sequence[LeverEntry],
    *,
    change: Change | None = None,
) -> Responses:
    """Unit responses of levers that bring people.

    Parameters
    ----------
    baseline
        A finished run, or what its people go through if that is known already.
    levers
        Checked levers of bundles. One that is said `by_zone` is one lever a zone, one said
        `by_step` is one lever a step.
    change
        Rates under which people come, alike in all zones of a municipality; the baseline's if
        None.
    """
    ground = baseline if isinstance(baseline, Grounds) else grounds(baseline)
    units, rows, strengths, names = _units(ground, levers)
    if not units:
        years, _, sexes, ages = ground.path.shape
        none = np.zeros((0, ground.course.change.shape[1], years, sexes, ages))
        return Responses(units, rows, np.zeros(0, dtype=np.intp), none, ground.parent_of)
    kinds = list(dict.fromkeys(zip(names, (s.tobytes() for s in strengths), strict=True)))
    place = {kind: k for k, kind in enumerate(kinds)}
    kind_of = np.array(
        [place[name, s.tobytes()] for name, s in zip(names, strengths, strict=True)],
        dtype=np.intp,
    )
    strength = {(n, s.tobytes()): s for n, s in zip(names, strengths, strict=True)}
    return Responses(
        units,
        rows,
        kind_of,
        _paths(ground, kinds, strength, change),
        ground.parent_of,
    )


def _units(
    ground: Grounds,
    levers: Sequence[LeverEntry],
) -> tuple[tuple[Unit, ...], sparse.csr_array, list[Floats], list[str]]:
    units: list[Unit] = []
    strengths: list[Floats] = []
    names: list[str] = []
    rows, columns, shares = [], [], []
    base = ground.outcome.prepared.project.project.base_year
    for number, lever in enumerate(levers):
        whole = ground.strength(lever)
        parts: list[tuple[int | None, int | None, Floats]] = [(None, None, whole)]
        if lever.by_step:
            width = whole.shape[1]
            parts = [
                (*_ends(base + width * t + 1, whole[t]), _only(whole, t))
                for t in range(len(whole))
                if whole[t].any()
            ]
        zones = [-1]
        spread = ground.spread(lever)
        if lever.by_zone:
            zones = np.flatnonzero(ground.inside(lever)).tolist()
        for zone in zones:
            at = np.flatnonzero(spread) if zone < 0 else np.array([zone])
            share = spread[at] if zone < 0 else np.ones(1)
            for first, last, strength in parts:
                rows.append(np.full(len(at), len(units)))
                columns.append(at)
                shares.append(share)
                units.append(Unit(number, zone, first, last))
                strengths.append(strength)
                names.append(lever.bundle)
    shape = (len(units), ground.path.shape[1])
    if not units:  # every lever begins after the horizon of its own end
        return (), sparse.csr_array(shape), [], []
    where = (np.concatenate(rows), np.concatenate(columns))
    matrix = sparse.csr_array((np.concatenate(shares), where), shape=shape)
    return tuple(units), matrix, strengths, names


def _ends(first: int, strength: Floats) -> tuple[int, int]:
    holds = np.flatnonzero(strength)
    return first + int(holds[0]), first + int(holds[-1])


def _only(strength: Floats, step: int) -> Floats:
    kept = np.zeros_like(strength)
    kept[step] = strength[step]
    return kept


def _paths(
    ground: Grounds,
    kinds: Sequence[tuple[str, bytes]],
    strength: dict[tuple[str, bytes], Floats],
    change: Change | None,
) -> Floats:
    outcome = ground.outcome
    ages = outcome.projection.population.ages
    steps, width = next(iter(strength.values())).shape
    course = ground.course
    parents = course.change.shape[1]
    if change is not None:
        first = np.searchsorted(ground.parent_of, np.arange(parents))
        course = with_change(course, change, first.tolist())
    arrivals = np.zeros((steps, width, len(kinds), *ground.path.shape[2:]))
    for k, kind in enumerate(kinds):
        household = bundle_of(outcome.prepared.project, kind[0]).by_age(ages)
        arrivals[:, :, k] = strength[kind][:, :, None, None] * household
    everywhere = np.repeat(arrivals, parents, axis=2)
    came = carry(everywhere, course, parent=np.tile(np.arange(parents), len(kinds)))
    shaped = came.persons.reshape(steps + 1, len(kinds), parents, *came.persons.shape[2:])
    return np.ascontiguousarray(np.moveaxis(shaped, 0, 2))
