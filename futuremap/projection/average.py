"""Averages of methods, their weights learnt from earlier launches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from futuremap.core.ages import AgeGroups
from futuremap.errors import LabelError

BANDS = (0, 65)  # people below and above are projected best by different methods
# Weights go with error**-4: a method that is a fifth worse has half the weight. Tried on launches
# 1995–2010 of Japanese municipalities, each with weights from the launches before it: powers from
# 0 to 4 differ by one percent of the error, 8 is worse by two, least-absolute-deviation stacks and
# the five best alone by four and more. The middle is kept: it still drops a method that fails.
POWER = 4.0
FEWEST = 50.0  # persons; relative errors of fewer say little
SMALLEST_ERROR = 1e-6


class Evidence(NamedTuple):
    """One earlier launch against what came.

    step
        Steps from launch to what came.
    projected
        By method ``(Z, S, A)``. [persons]
    actual
        ``(Z, S, A)`` [persons]
    """

    step: int
    projected: Mapping[str, NDArray[np.float64]]
    actual: NDArray[np.float64]


class Weights(NamedTuple):
    """How methods are averaged.

    names
        Of the methods (M).
    bands
        Ages at which the bands begin (B). [years]
    shares
        By step from the first, band and method ``(H, B, M)``, adding to 1 over methods; the
        last step's serve all later ones. [ratio]
    """

    names: tuple[str, ...]
    bands: tuple[int, ...]
    shares: NDArray[np.float64]


def learn(
    evidence: Sequence[Evidence],
    *,
    ages: AgeGroups,
    candidates: Sequence[Sequence[str]],
    bands: Sequence[int] = BANDS,
    power: float = POWER,
) -> Weights:
    """Weights from errors of earlier launches.

    Parameters
    ----------
    evidence
        Launches whose targets had been counted when the weights are used; the caller leaves
        out the areas that shall not count.
    ages
        Age groups of the cells.
    candidates
        Names of the methods by step (H); those of the last step serve all later ones.
    bands
        Ages at which bands of their own weights begin. [years]
    power
        0 for the plain mean; the larger, the more the best count.

    Returns
    -------
    Weights
        Proportional to ``error ** −power``, the error being the mean absolute relative error of
        the band's total over areas with 50 people or more in it, averaged over launches. A step
        without evidence has equal weights.

    Raises
    ------
    LabelError
        If evidence lacks a candidate.

    References
    ----------
    .. [1] J. M. Bates, C. W. J. Granger, "The combination of forecasts", Oper. Res. Q. 20, 1969.

    Examples
    --------
    A method that is 2 % off against one that is 4 % off, with weights by the square of errors:

    >>> came = np.full((1, 2, 1), 100.0)
    >>> past = [Evidence(1, {"a": came * 1.02, "b": came * 0.96}, came)]
    >>> w = learn(past, ages=AgeGroups((0,)), candidates=[["a", "b"]], bands=[0], power=2)
    >>> w.shares.round(2).tolist()
    [[[0.8, 0.2]]]
    """
    methods = tuple(dict.fromkeys(name for names in candidates for name in names))
    slices = _slices(ages, bands)
    shares = np.zeros((len(candidates), len(slices), len(methods)))
    for step, names in enumerate(candidates, start=1):
        here = [methods.index(name) for name in names]
        told = [one for one in evidence if one.step == step]
        for b, band in enumerate(slices):
            errors = np.ones(len(names))
            if told:
                errors = np.mean([_errors(one, names, band) for one in told], axis=0)
            weight = np.maximum(errors, SMALLEST_ERROR) ** -power
            shares[step - 1, b, here] = weight / weight.sum()
    return Weights(methods, tuple(bands), shares)


def _slices(ages: AgeGroups, bands: Sequence[int]) -> list[slice]:
    starts = [ages.index(age) for age in bands]
    return [slice(a, b) for a, b in zip(starts, [*starts[1:], len(ages)], strict=True)]


def _errors(one: Evidence, names: Sequence[str], band: slice) -> NDArray[np.float64]:
    missing = set(names) - set(one.projected)
    if missing:
        raise LabelError(f"evidence at step {one.step} lacks {sorted(missing)}")
    came = one.actual[..., band].sum(axis=(1, 2))
    scored = came >= FEWEST
    if not scored.any():
        return np.ones(len(names))
    had = np.stack([one.projected[name][..., band].sum(axis=(1, 2)) for name in names])
    return np.asarray(np.abs(had[:, scored] / came[scored] - 1).mean(axis=1))


def average(
    paths: Mapping[str, NDArray[np.float64]],
    weights: Weights,
    *,
    ages: AgeGroups,
) -> NDArray[np.float64]:
    """Average paths of methods.

    Parameters
    ----------
    paths
        Launch and later steps by method ``(1 + steps, Z, S, A)``. [persons]
    weights
        See :func:`learn`.
    ages
        Age groups of the cells.

    Returns
    -------
    ndarray
        ``(1 + steps, Z, S, A)``; totals are the sums of the bands. [persons]

    Raises
    ------
    LabelError
        If a method of the weights has no path, or paths differ in shape.

    Examples
    --------
    >>> paths = {"a": np.full((2, 1, 1, 1), 10.0), "b": np.full((2, 1, 1, 1), 20.0)}
    >>> w = Weights(("a", "b"), (0,), np.array([[[0.8, 0.2]]]))
    >>> average(paths, w, ages=AgeGroups((0,)))[:, 0, 0, 0].tolist()
    [10.0, 12.0]
    """
    missing = set(weights.names) - set(paths)
    if missing:
        raise LabelError(f"no path of {sorted(missing)}, which the weights name")
    first = paths[weights.names[0]]
    if any(paths[name].shape != first.shape for name in weights.names):
        raise LabelError("paths of methods differ in shape")
    mean = np.zeros_like(first)
    mean[0] = first[0]
    for step in range(1, len(first)):
        row = weights.shares[min(step, len(weights.shares)) - 1]
        for b, band in enumerate(_slices(ages, weights.bands)):
            for m, name in enumerate(weights.names):
                if row[b, m]:
                    mean[step, ..., band] += row[b, m] * paths[name][step, ..., band]
    return mean
