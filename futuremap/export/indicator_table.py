"""The long table of indicators: by kind of zone, variant, year and zone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from futuremap.core.credits import SYNTHETIC
from futuremap.core.table import Table
from futuremap.export.tabular import table_rows, write_shown

VARIANTS = {"fixed": "固定", "trend": "傾向"}
PROVISIONAL = "仮"


class Part(NamedTuple):
    """Indicators of one kind of zone.

    level, level_ja
        The kind, as code and as readers name it.
    variant
        "fixed" or "trend".
    table
        The indicators.
    names
        Name of each zone.
    synthetic
        Whether people in it are made up.
    """

    level: str
    level_ja: str
    variant: str
    table: Table
    names: Mapping[str, str]
    synthetic: bool


def write_indicators(
    parts: Sequence[Part],
    stem: Path,
    *,
    provisional: AbstractSet[str] = frozenset(),
    as_text: bool = True,
) -> list[Path]:
    """Write indicators as one long table, one row a value.

    Parameters
    ----------
    parts
        One for each kind of zone and variant.
    stem
        Path without ending.
    provisional
        Indicators that rest on rates marked 仮; their rows say so.
    as_text
        Whether a CSV is written beside the Parquet file.

    Returns
    -------
    list of Path
        What was written.

    Raises
    ------
    LabelError
        If a zone has no name.
    OSError
        If a file cannot be written.
    """
    frames = [_rows(part, provisional) for part in parts]
    columns = list(dict.fromkeys(name for frame in frames for name in frame.columns))
    frame = pd.concat([one.reindex(columns=columns) for one in frames], ignore_index=True)
    coded = [name for name in columns if frame[name].dtype == object or _is_text(frame[name])]
    frame = frame.astype(dict.fromkeys(coded, "category"))
    if not any(part.synthetic for part in parts):
        frame = frame.drop(columns="remark")
    if not (frame["provisional"] != "").any():
        frame = frame.drop(columns="provisional")
    if not as_text:  # many rows: seven digits are enough
        halved = dict.fromkeys([n for n in ("value", "low", "high") if n in frame], np.float32)
        frame = frame.astype(halved)
    return write_shown(frame, stem, as_text=as_text)


def _is_text(values: pd.Series) -> bool:
    return isinstance(values.dtype, pd.CategoricalDtype) or pd.api.types.is_string_dtype(values)


def _rows(part: Part, provisional: AbstractSet[str]) -> pd.DataFrame:
    frame = table_rows(part.table, part.names)
    marked = frame["indicator"].isin(provisional).to_numpy()
    frame.insert(0, "zone_level", part.level_ja)
    frame.insert(frame.columns.get_loc("unit"), "variant", VARIANTS[part.variant])
    frame["provisional"] = np.where(marked, PROVISIONAL, "")
    frame["remark"] = SYNTHETIC[0] if part.synthetic else ""
    return frame
