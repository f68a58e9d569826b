"""Outputs of an earlier run, read back from its GeoParquet: what two runs are compared by."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, cast

import geopandas as gpd
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import shapely

from futuremap.core.credits import Credit
from futuremap.core.fields import describe, dictionary
from futuremap.core.layer import Text
from futuremap.core.table import Table
from futuremap.core.zones import GEOGRAPHIC, Kind
from futuremap.errors import LabelError
from futuremap.problems import Report

FOLDER, ENDING = "geoparquet", "*.parquet"
ABOUT, GEOMETRY = b"futuremap", "geometry"


class Theme(NamedTuple):
    """A theme of a run: its features and what is said of them.

    name, kind
        ASCII name, and what the features are.
    title, place
        What a reader calls them.
    features
        One row a feature, sorted by id, all years in columns, in the units that readers see.
    credits
        Credits of the data.

    Notes
    -----
        What a reader must know.
    run
        What the run is called.
    file
        Where it was read; empty for a run of this moment.
    """

    name: str
    kind: Kind
    title: Text
    place: Text
    features: gpd.GeoDataFrame
    credits: tuple[Credit, ...]
    notes: tuple[Text, ...]
    run: Text
    file: str = ""

    def holds(self, names: Sequence[str]) -> bool:
        """Whether any of some indicators stands in a column a year."""
        found = (describe(name) for name in self.features.columns.drop(GEOMETRY))
        return any(entry.name in names and year is not None for entry, year in found)

    def table(self, names: Sequence[str]) -> Table:
        """Some indicators of the features, in the program's own units.

        Parameters
        ----------
        names
            Fields; those that the features do not have are left out.

        Raises
        ------
        LabelError
            If the features have none of them.
        """
        return table_of(self.features, names)


def table_of(features: gpd.GeoDataFrame, names: Sequence[str]) -> Table:
    """Indicators that stand in a column a year, as a table.

    Raises
    ------
    LabelError
        If the features have none of them.

    Examples
    --------
    >>> frame = gpd.GeoDataFrame({"ageing_rate_2020": [30.0]}, index=["a"], geometry=[None])
    >>> float(table_of(frame, ["ageing_rate"]).column("ageing_rate", 2020)[0])
    0.3
    """
    found: dict[str, dict[int, np.ndarray[Any, np.dtype[np.float64]]]] = {}
    for column in features.columns.drop(features.geometry.name):
        entry, year = describe(column)
        if entry.name in names and year is not None:
            values = features[column].to_numpy(dtype=np.float64)
            found.setdefault(entry.name, {})[year] = values / entry.export_factor
    years = sorted({year for by_year in found.values() for year in by_year})
    if not years:
        raise LabelError(f"none of {list(names)} stands in the features")
    nothing = np.full(len(features), np.nan)
    cubes = {
        name: np.stack([found[name].get(year, nothing) for year in years])
        for name in names
        if name in found
    }
    return Table.build(cubes, years=years, zones=[str(zone) for zone in features.index])


def is_published(folder: Path) -> bool:
    """Whether a folder holds themes of an earlier run."""
    return any((folder / FOLDER).glob(ENDING))


def read_published(folder: Path, report: Report) -> list[Theme]:
    """The themes of an earlier run, by name.

    Parameters
    ----------
    folder
        A published folder of outputs.
    report
        Gets a problem for every file that is not whole.
    """
    themes = []
    for path in sorted((folder / FOLDER).glob(ENDING)):
        try:
            themes.append(_read(path))
        except (OSError, ValueError, KeyError, TypeError, pa.ArrowException,
                shapely.errors.ShapelyError) as error:  # fmt: skip
            report.add("FM735", file=str(path), value=path.name,
                       reason=f"{type(error).__name__}: {error}"[:200])  # fmt: skip
    return themes


def _read(path: Path) -> Theme:
    table = pq.read_table(path)
    about: Mapping[str, Any] = json.loads(table.schema.metadata[ABOUT])
    unknown = [name for name in table.column_names
               if name != GEOMETRY and not _is_known(name)]  # fmt: skip
    if unknown:
        raise ValueError(f"columns that are not in the dictionary: {unknown[:5]}")
    shapes = shapely.from_wkb(table.column(GEOMETRY).to_numpy(zero_copy_only=False))
    frame = table.drop_columns([GEOMETRY]).to_pandas().set_index("zone").astype({"name": object})
    frame.index = frame.index.astype(object)
    features = gpd.GeoDataFrame(frame, geometry=shapes, crs=GEOGRAPHIC).sort_index()
    if features.index.has_duplicates:
        raise ValueError("a zone stands twice")
    return Theme(
        str(about["theme"]),
        cast("Kind", about["kind"]),
        Text(*about["title"]),
        Text(*about["place"]),
        features,
        tuple(Credit(**credit) for credit in about["credits"]),
        tuple(Text(*note) for note in about["notes"]),
        Text(*about["run"]),
        str(path),
    )


def _is_known(column: str) -> bool:
    if column in dictionary():
        return True
    name, _, year = column.rpartition("_")
    return year.isdigit() and name in dictionary()
