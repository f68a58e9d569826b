"""Simple methods for small areas from a run of stocks, to stand beside ours."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from futuremap.core.ages import AgeGroups
from futuremap.projection.small_area import FEMALE, FERTILE_FROM, advance, fertile_to, fit_ratios
from futuremap.projection.totals import scale_to_totals, trend
from futuremap.projection.windows import cohort_change


def benchmarks(
    stocks: NDArray[np.float64],
    times: NDArray[np.float64],
    *,
    launch: NDArray[np.float64],
    ages: AgeGroups,
    parent_of: NDArray[np.intp],
    launch_time: float,
    target_time: float,
) -> dict[str, NDArray[np.float64]]:
    """Simple methods, all from the launch stock.

    Parameters
    ----------
    stocks, times, ages, parent_of, target_time
        As in :func:`futuremap.projection.small_area.project_small_areas`; the rates' period.
    launch
        Persons at the launch ``(Z, S, A)``. [persons]
    launch_time
        Its date. [years]

    Returns
    -------
    dict
        ``(Z, S, A)`` by name: "no_change"; "raw_ratios", the zones' own, the municipality's
        where nobody lived; "parent_ratios", the municipality's for all; "shrunk_ratios",
        empirical Bayes; "linear_exponential", the shrunken structure on totals by trend from
        the latest of the dates. [persons]
    """
    ratios = fit_ratios(stocks, times, ages=ages, parent_of=parent_of)
    change = cohort_change(stocks, times, ages=ages, parent_of=parent_of)
    own = np.divide(
        change.outcome, change.exposure, out=ratios.parent.copy(), where=change.exposure > 0
    )
    births = _child_woman_ratios(stocks[-1], ages, parent_of)
    years = target_time - launch_time
    rates = {
        "raw_ratios": (np.maximum(own, 0.0), births[0]),
        "parent_ratios": (ratios.parent, births[1]),
        "shrunk_ratios": (ratios.zone, ratios.child_woman_ratio),
    }
    projected = {
        name: advance(launch, ratio, ages=ages, child_woman_ratio=fertility, years=years)
        for name, (ratio, fertility) in rates.items()
    }
    totals = trend(stocks.sum(axis=(2, 3)), times, target_time=target_time).totals
    shape = projected["shrunk_ratios"]
    scaled = scale_to_totals(shape, np.where(shape.sum(axis=(1, 2)) > 0, totals, 0.0))
    return {"no_change": launch, **projected, "linear_exponential": scaled}


def _child_woman_ratios(
    persons: NDArray[np.float64],
    ages: AgeGroups,
    parent_of: NDArray[np.intp],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    # zones' own and their municipality's
    women = persons[:, FEMALE, ages.between(FERTILE_FROM, fertile_to(ages))].sum(axis=1)
    children = persons[:, :, 0].sum(axis=1)
    born, bearing = np.bincount(parent_of, children), np.bincount(parent_of, women)
    common = np.divide(born, bearing, out=np.zeros_like(born), where=bearing > 0)[parent_of]
    return np.divide(children, women, out=common.copy(), where=women > 0), common
