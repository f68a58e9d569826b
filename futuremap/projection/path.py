"""From the path of any method to a projection: stocks with their account, totals met."""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from futuremap.core.population import Population
from futuremap.core.rates import Rates
from futuremap.core.table import Table
from futuremap.errors import LabelError
from futuremap.projection.project import Projection, account
from futuremap.projection.rake import Controls, rake_zones


def follow(
    base: Population,
    path: NDArray[np.float64],
    *,
    rates: Rates,
    totals: NDArray[np.float64] | None = None,
) -> Projection:
    """Take the path of a method as the projection of a population.

    Parameters
    ----------
    base
        One year, in the zones of the path. [persons]
    path
        The base and every later step ``(1 + steps, Z, S, A)``. [persons]
    rates
        Rates of the same zones from the same counts, which say who belongs to which parent,
        what the counts went through, and where nobody was there to make a ratio from.
    totals
        Control totals of the parents ``(1 + steps, P)``, NaN where there is none. [persons]

    Raises
    ------
    LabelError
        If shapes or zones disagree, or `base` has several years.
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
    >>> ages = AgeGroups((0, 5))
    >>> base = Population.build(people, years=[2020], zones=["a"], ages=ages)
    >>> rates = Rates.build({"imputed": np.zeros((1, 2, 2))}, zones=["a"], parents=["37201"],
    ...                     parent_of=np.array([0]), ages=ages, interval=5)
    >>> path = np.concatenate([people, people * 0.5, people * 0.375])
    >>> done = follow(base, path, rates=rates, totals=np.array([[np.nan], [8.0], [np.nan]]))
    >>> done.population.totals().ravel().tolist()
    [10.0, 8.0, 6.0]
    """
    if path.shape[1:] != base.persons.shape[1:] or len(base.years) != 1:
        raise LabelError(f"a path {path.shape} for a population {base.persons.shape}")
    if base.zones != rates.zones:
        raise LabelError("base and rates do not share their zones")
    codes, parent_of = rates.parents, rates.parent_of
    starts = np.searchsorted(parent_of, np.arange(len(codes)))
    years = [base.years[0] + base.ages.width * i for i in range(len(path))]
    factors = np.ones((len(path), len(codes)))
    controls = Controls(parents=codes, years=tuple(years))
    persons, moved = path.copy(), np.zeros_like(path[1:])
    level = np.ones(len(codes))
    for t in range(1, len(path)):
        unscaled = path[t] * level[parent_of][:, None, None]
        persons[t] = unscaled
        if totals is not None:
            named = partial(controls.place, t)
            raked = rake_zones(persons[t], totals[t], parent_starts=starts, name_of=named)
            factors[t] = raked.total_factor
            level = level * factors[t]
        moved[t - 1] = persons[t] - unscaled
    population, flows = account(base, rates, persons, adjustment=moved)
    table = Table.build({"control_factor": factors}, years=years, zones=codes)
    every = np.broadcast_to(factors[:, :, None, None], (*factors.shape, *path.shape[2:]))
    return Projection(population, flows, table, every)
