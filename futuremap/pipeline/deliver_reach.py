"""Tables of reach beside the maps: every facility in every year, and supply per person by block."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from pathlib import Path

import numpy as np
import pandas as pd

from futuremap.core.credits import SYNTHETIC
from futuremap.core.table import stack
from futuremap.export.tabular import write_rows, write_table
from futuremap.pipeline.run import Outcome, TownOutcome


def write_reach(outcome: Outcome, folder: Path, made_up: AbstractSet[str]) -> None:
    """Write ``facility_years`` and, where a class asks for it, ``accessibility``.

    Parameters
    ----------
    outcome
        A finished run.
    folder
        Where tables go.
    made_up
        Municipalities and blocks whose data are made up.
    """
    parts = [_years(town, made_up) for town in outcome.towns if town.reach is not None]
    if parts:
        rows = pd.concat(parts, ignore_index=True)
        known = [name for name in rows.columns if rows[name].notna().any()]
        write_rows(rows[known], folder / "facility_years")
    tables = [
        town.reach.accessibility
        for town in outcome.towns
        if town.reach is not None and town.reach.accessibility is not None
    ]
    if tables:
        names = {
            f"{zone}/{kind}": f"{block} {ja}"
            for town in outcome.towns
            for zone, block in zip(town.town.blocks.ids, town.town.blocks.names, strict=True)
            for kind, ja in town.town.class_names.items()
        }
        synthetic = {name for name in names if name.rpartition("/")[0] in made_up}
        write_table(stack(tables), folder / "accessibility", names=names, made_up=synthetic)


def _years(town: TownOutcome, made_up: AbstractSet[str]) -> pd.DataFrame:
    """One row a facility and year, by facility and then by year."""
    if town.reach is None or town.town.facilities is None:
        raise AssertionError(f"{town.town.code} has no facilities")
    cycle, table = town.reach.life_cycle, town.town.facilities.table
    table = table.loc[list(cycle.zones)]
    count = len(cycle.years)
    listed = {
        "zone": table.index,
        "name": table["name"],
        "facility_class": table["facility_class"].map(town.town.class_names),
        "parent": table["parent"],
    }
    frame = pd.DataFrame({key: np.repeat(np.asarray(row), count) for key, row in listed.items()})
    frame["year"] = np.tile(np.asarray(cycle.years), len(cycle.zones))
    for name, values in zip(cycle.indicators, cycle.data["value"].values, strict=True):
        frame[name] = values.T.ravel()
    frame["in_service"] = frame["in_service"].astype(np.int64)
    if made_up:
        frame["remark"] = SYNTHETIC[0] if town.town.code in made_up else ""
    return frame
