"""Baseline and scenarios as one long table: every value that differs, beside the baseline's."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from futuremap.core.fields import field
from futuremap.core.table import Table
from futuremap.pipeline.run import Outcome
from futuremap.pipeline.scenarios import Comparison

TABLED = {
    "municipality": ("population", "population_0_14", "population_15_64", "population_65_over",
                     "ageing_rate", "people_covered", "coverage_rate"),
    "zone": ("population", "population_0_14", "population_65_over", "ageing_rate"),
    "facility": ("people_in_reach", "people_in_reach_0_14", "people_in_reach_65_over",
                 "in_service"),
}  # fmt: skip


def comparison_rows(comparison: Comparison) -> pd.DataFrame:
    """Every value that a scenario changes, and all of the municipalities, beside the baseline.

    Parameters
    ----------
    comparison
        Baseline and scenarios.

    Returns
    -------
    DataFrame
        ``scenario, kind, zone, name, year, indicator, baseline_value, value, difference``; ratios
        as ratios.
    """
    parts = []
    for played in comparison.scenarios:
        pairs = _pairs(comparison.baseline, played.outcome)
        for kind, other, base, names in pairs:
            told = TABLED.get(kind, other.indicators)
            rows = _rows(other, base, told, keep_all=kind == "municipality")
            rows.insert(0, "scenario", played.key)
            rows.insert(1, "kind", kind)
            rows.insert(3, "name", rows["zone"].map(names).fillna(""))
            parts.append(rows)
    return pd.concat(parts, ignore_index=True)


def for_readers(rows: pd.DataFrame) -> pd.DataFrame:
    """The same rows with the indicator's name and unit, in the units that readers see.

    Parameters
    ----------
    rows
        What :func:`comparison_rows` gives, with ratios as ratios.

    Examples
    --------
    >>> rows = pd.DataFrame({"indicator": ["ageing_rate"], "baseline_value": [0.3], "value": [0.25],
    ...                      "difference": [-0.05]})
    >>> shown = for_readers(rows).iloc[0]
    >>> shown["indicator_ja"], shown["unit"], float(shown["value"]), float(shown["difference"])
    ('高齢化率', '％', 25.0, -5.0)
    """
    known = {name: field(name) for name in rows["indicator"].unique()}
    factor = rows["indicator"].map({name: one.export_factor for name, one in known.items()})
    shown = rows.assign(
        **{name: rows[name] * factor for name in ("baseline_value", "value", "difference")}
    )
    at = shown.columns.get_loc("indicator") + 1
    for key in ("name_ja", "unit_ja"):
        words = shown["indicator"].map({name: getattr(one, key) for name, one in known.items()})
        shown.insert(at, {"name_ja": "indicator_ja", "unit_ja": "unit"}[key], words)
        at += 1
    return shown


def _pairs(
    baseline: Outcome,
    outcome: Outcome,
) -> list[tuple[str, Table, Table, dict[str, str]]]:
    towns = {town.town.code: town.town.name.ja for town in baseline.towns}
    pairs = [("municipality", outcome.municipal, baseline.municipal, towns)]
    for town, like in zip(outcome.towns, baseline.towns, strict=True):
        if town.blocks is not like.blocks:
            blocks = dict(zip(town.town.blocks.ids, town.town.blocks.names, strict=True))
            pairs.append(("zone", town.blocks, like.blocks, blocks))
        if town.reach is not None and like.reach is not None and town.reach is not like.reach:
            listed = town.town.facilities
            names = {} if listed is None else dict(listed.table["name"])
            pairs.append(("facility", town.reach.table, like.reach.table, names))
    return [*pairs, *(("service", *pair) for pair in _services(baseline, outcome))]


def _services(baseline: Outcome, outcome: Outcome) -> list[tuple[Table, Table, dict[str, str]]]:
    """Services of the municipalities and areas, of the scenario and of the baseline."""
    if baseline.indicators is None or outcome.indicators is None:
        return []
    known = {(one.level, one.towns): one for one in baseline.indicators.fixed}
    return [
        (one.table, like.table, dict(one.names))
        for one in outcome.indicators.fixed
        if (like := known.get((one.level, one.towns))) is not None
        and one.table is not like.table
        and one.table.years == like.table.years
    ]


def _rows(other: Table, base: Table, names: Sequence[str], *, keep_all: bool) -> pd.DataFrame:
    place = {zone: i for i, zone in enumerate(base.zones)}
    at = np.array([place.get(zone, -1) for zone in other.zones])
    frames = []
    for name in names:
        if name not in other.indicators:
            continue
        values = other.data["value"].values[other.indicators.index(name)]
        before = np.full_like(values, 1.0 if name == "in_service" else 0.0)
        if name in base.indicators:
            before = base.data["value"].values[base.indicators.index(name)][:, at]
            before = np.where(at >= 0, before, 0.0)
        gap = values - before
        kept = ~np.isnan(values) if keep_all else np.nan_to_num(gap) != 0
        year, zone = np.nonzero(kept)
        frames.append(
            pd.DataFrame(
                {
                    "zone": np.asarray(other.zones, dtype=object)[zone],
                    "year": np.asarray(other.years)[year],
                    "indicator": name,
                    "baseline_value": before[year, zone],
                    "value": values[year, zone],
                    "difference": gap[year, zone],
                },
            ),
        )
    return pd.concat(frames, ignore_index=True)
