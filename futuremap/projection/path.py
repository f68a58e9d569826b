"""From the path of any method to a projection: stocks with their account, totals met."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from futuremap.core.flows import Flows, advance_age
from futuremap.core.population import NOT_AS_COUNTED, Flag, Population, join_years
from futuremap.core.table import Table
from futuremap.core.zones import by_parent
from futuremap.errors import LabelError
from futuremap.projection.controls import rake
from futuremap.projection.project import Projection


def follow(
    base: Population,
    path: NDArray[np.float64],
    *,
    parents: Sequence[str],
    totals: NDArray[np.float64] | None = None,
) -> Projection:
    """Take the path of a method as the projection of a population.

    Parameters
    ----------
    base
        One year, in the zones of the path. [persons]
    path
        The base and every later step ``(1 + steps, Z, S, A)``. [persons]
    parents
        Code of each zone's municipality ``(Z,)``; a parent's zones stand together.
    totals
        Control totals of the parents ``(1 + steps, P)``, NaN where there is none. [persons]

    Raises
    ------
    LabelError
        If shapes disagree, `base` has several years, or a parent's zones stand apart.
    SolveError
        If a control total cannot be met.

    Notes
    -----
    A step's change is the path's own: births are the youngest group, what else changed is
    deaths and migration together. Where the step before was scaled to a total, the change
    starts from the scaled stock, so that it is the change per person that is kept.

    Examples
    --------
    Half of ten leave, then the town is scaled to 8 and a quarter of those leave:

    >>> import numpy as np
    >>> from futuremap.core.ages import AgeGroups
    >>> people = np.array([0.0, 10.0]) * np.ones((1, 1, 2, 2)) / 2
    >>> base = Population.build(people, years=[2020], zones=["a"], ages=AgeGroups((0, 5)))
    >>> path = np.concatenate([people, people * 0.5, people * 0.375])
    >>> done = follow(base, path, parents=["37201"], totals=np.array([[np.nan], [8.0], [np.nan]]))
    >>> done.population.totals().ravel().tolist()
    [10.0, 8.0, 6.0]
    """
    codes, parent_of = by_parent(parents)
    if path.shape[1:] != base.persons.shape[1:] or len(base.years) != 1:
        raise LabelError(f"a path {path.shape} for a population {base.persons.shape}")
    if len(parents) != len(base.zones) or np.any(np.diff(parent_of) < 0):
        raise LabelError("zones must stand together by parent")
    starts = np.searchsorted(parent_of, np.arange(len(codes)))
    years = [base.years[0] + base.ages.width * i for i in range(len(path))]
    factors = np.ones((len(path), len(codes)))
    stock = np.empty((len(path) - 1, *base.persons.shape[1:]))
    births, net, moved = (np.zeros_like(stock) for _ in range(3))
    level, before = np.ones(len(codes)), base.persons[0]
    for t in range(len(stock)):
        unscaled = path[t + 1] * level[parent_of][:, None, None]
        births[t, ..., 0] = unscaled[..., 0]
        net[t] = unscaled - advance_age(before) - births[t]
        stock[t] = unscaled
        if totals is not None:
            factors[t + 1] = rake(stock[t], totals[t + 1], parent_starts=starts)
            level = level * factors[t + 1]
        moved[t] = stock[t] - unscaled
        before = stock[t]
    later = Population.build(
        stock,
        years=years[1:],
        zones=base.zones,
        ages=base.ages,
        flag=_flags(base.flag, factors[1:, parent_of] != 1),
        imputed_share=np.repeat(base.imputed_share, len(stock), axis=0),
        sources=base.sources,
    )
    flows = Flows.build(
        {"births": births, "net_change": net, "control_adjustment": moved},
        years=years[1:],
        zones=base.zones,
        ages=base.ages,
    )
    controls = Table.build({"control_factor": factors}, years=years, zones=codes)
    return Projection(join_years([base, later]), flows, controls)


def _flags(base: NDArray[np.uint8], raked: NDArray[np.bool_]) -> NDArray[np.uint8]:
    made = (base & np.uint8(NOT_AS_COUNTED)) | np.uint8(Flag.PROJECTED | Flag.SHRUNK)
    return np.where(raked, made | np.uint8(Flag.RAKED), made).astype(np.uint8)
