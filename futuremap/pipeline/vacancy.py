"""Dwellings and vacancies of municipalities, where the project says how many dwellings stand."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from futuremap.core.table import Table
from futuremap.indicators.dwellings import dwelling_stock, vacant_houses
from futuremap.indicators.make_rates import best_rows
from futuremap.indicators.rate_rows import RateRow

HOUSEHOLDS = "households_projected"
STOCK = ("dwelling_stock", "dwelling_survival", "dwelling_new")


def provisional_of(rows: Sequence[RateRow], known: frozenset[str]) -> frozenset[str]:
    """Provisional fields, those of dwellings among them.

    Parameters
    ----------
    rows
        All rates.
    known
        Fields that are provisional already.
    """
    found = set(known)
    stock = [row for row in rows if row.indicator in STOCK]
    if any(row.provisional for row in stock):
        found.add("dwellings")
    if stock and found & {"dwellings", HOUSEHOLDS}:
        found.add("vacant_houses")
    return frozenset(found)


def with_vacancies(table: Table, rows: Sequence[RateRow]) -> Table:
    """The municipalities' indicators with their dwellings, and vacancies if households are known.

    Parameters
    ----------
    table
        Indicators of the municipalities.
    rows
        All rates; ``dwelling_stock``, ``dwelling_survival`` and ``dwelling_new`` among them.
    """
    years = np.asarray(table.years)
    stock = np.full((len(years), len(table.zones)), np.nan)
    for z, code in enumerate(table.zones):
        said = [best_rows(rows, (name, ""), area=code) for name in STOCK]
        if all(said):
            start, survival, built = (found[0].value for found in said)
            stock[:, z] = dwelling_stock(start, years=years, survival=survival, built=built)
    if np.isnan(stock).all():
        return table
    values, bounds = {"dwellings": stock}, {}
    if HOUSEHOLDS in table.indicators:
        households = table.data["value"].sel(indicator=HOUSEHOLDS).values
        values["vacant_houses"] = vacant_houses(stock, households)
        low, high = table.intervals()[HOUSEHOLDS]
        # more households are fewer vacancies
        bounds["vacant_houses"] = vacant_houses(stock, high), vacant_houses(stock, low)
    more = Table.build(values, years=table.years, zones=table.zones, intervals=bounds)
    return table.join(more)
