"""The account of a projection by zone: what changed the people of each step."""

from __future__ import annotations

import numpy as np

from futuremap.core.flows import Flows
from futuremap.core.population import Population
from futuremap.core.table import Table


def account(population: Population, flows: Flows) -> Table:
    """Births, net change and control adjustment of every zone, over all ages.

    Parameters
    ----------
    population
        The stock with its base year first. [persons]
    flows
        What changed it.

    Returns
    -------
    Table
        One indicator a component, undefined (NaN) in the base year. [persons]
    """
    shape = (1, len(population.zones))
    values = {
        name: np.concatenate([np.full(shape, np.nan), flows.signed(name).sum(axis=(2, 3))])
        for name in flows.names
    }
    return Table.build(values, years=population.years, zones=population.zones)
