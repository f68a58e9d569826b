"""Tidy tables for desks and scripts: each as Parquet (ASCII columns) and CSV (Japanese headings).

Numbers stand in the units that readers see, the same in both files.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import shapely
from numpy.typing import NDArray

from futuremap.core.credits import SYNTHETIC
from futuremap.core.fields import describe, field
from futuremap.core.population import SEXES, Population, origin
from futuremap.core.table import Table
from futuremap.errors import LabelError
from futuremap.export.text import inert_cell

DECIMALS = 6  # of a person or a percent in CSV
SEXES_JA = {"male": "男", "female": "女"}


def write_population(
    population: Population,
    stem: Path,
    *,
    names: Mapping[str, str],
    made_up: AbstractSet[str] = frozenset(),
    whole: NDArray[np.int64] | None = None,
) -> tuple[Path, Path]:
    """Write persons by zone, year, sex and age, one row a number.

    Parameters
    ----------
    population
        Persons by year, zone, sex and age.
    stem
        Path without ending; ``.parquet`` and ``.csv`` are put behind it.
    names
        Name of each zone.
    made_up
        Zones whose data are made up; if there are any, their rows say it in a last column.
    whole
        The numbers rounded to whole persons ``(Y, Z, S, A)``, a column beside them. [persons]

    Returns
    -------
    tuple of Path
        The Parquet and the CSV file.

    Raises
    ------
    LabelError
        If a zone has no name.
    OSError
        If a file cannot be written.
    """
    frame, sexes = _population_rows(population, names)
    if whole is not None:
        frame.insert(frame.columns.get_loc("persons") + 1, "persons_whole", whole.ravel())
    return _write(_marked(frame, made_up), stem, shown=_marked(frame.assign(sex=sexes), made_up))


def write_table(
    table: Table,
    stem: Path,
    *,
    names: Mapping[str, str],
    made_up: AbstractSet[str] = frozenset(),
) -> tuple[Path, Path]:
    """Write indicators, one row a value; undefined values are left out.

    Parameters
    ----------
    table
        Indicators by year and zone.
    stem
        Path without ending.
    names
        Name of each zone.
    made_up
        Zones whose data are made up; if there are any, their rows say it in a last column.

    Returns
    -------
    tuple of Path
        The Parquet and the CSV file.

    Raises
    ------
    LabelError
        If a zone has no name.
    OSError
        If a file cannot be written.
    """
    frame = _marked(table_rows(table, names), made_up)
    return _write(frame, stem, shown=frame)


def write_frame(
    features: gpd.GeoDataFrame,
    stem: Path,
) -> tuple[Path, Path]:
    """Write features as they stand in a layer, points as longitude and latitude.

    Features without a place keep their row.

    Parameters
    ----------
    features
        Frame indexed by id, its columns named in the field dictionary, in reader units.
    stem
        Path without ending.

    Returns
    -------
    tuple of Path
        The Parquet and the CSV file.

    Raises
    ------
    LabelError
        If a column is not in the field dictionary.
    OSError
        If a file cannot be written.
    """
    frame = whole_years(pd.DataFrame(features.drop(columns=features.geometry.name)))
    points = features.geometry.to_numpy()
    if (shapely.get_type_id(points) <= 0).all():  # points, or no shape at all
        frame["longitude"], frame["latitude"] = shapely.get_x(points), shapely.get_y(points)
    frame = frame.reset_index(names="zone")
    return _write(frame, stem, shown=frame)


def write_rows(frame: pd.DataFrame, stem: Path) -> tuple[Path, Path]:
    """Write any rows whose columns stand in the field dictionary, in reader units.

    Parameters
    ----------
    frame
        Rows, in the program's own units.
    stem
        Path without ending.

    Returns
    -------
    tuple of Path
        The Parquet and the CSV file.

    Raises
    ------
    LabelError
        If a column is not in the field dictionary.
    OSError
        If a file cannot be written.
    """
    scaled = {
        name: field(name).export(frame[name].to_numpy(dtype=np.float64))
        for name in frame.columns
        if pd.api.types.is_float_dtype(frame[name].dtype)
    }
    shown = frame.assign(**scaled)
    return _write(shown, stem, shown=shown)


def write_shown(frame: pd.DataFrame, stem: Path, *, as_text: bool) -> list[Path]:
    """Write rows that stand in the units that readers see already.

    Parameters
    ----------
    frame
        Rows; its columns stand in the field dictionary.
    stem
        Path without ending.
    as_text
        Whether a CSV is written beside the Parquet file.

    Returns
    -------
    list of Path
        What was written.

    Raises
    ------
    LabelError
        If a column is not in the field dictionary.
    OSError
        If a file cannot be written.
    """
    if as_text:
        return list(_write(frame, stem, shown=frame))
    for name in frame.columns:
        describe(name)
    return [_parquet(frame, stem)]


def whole_years(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with its years as whole numbers, unknown ones without a value.

    Examples
    --------
    >>> whole_years(pd.DataFrame({"opened": [1990.0, float("nan")]}))["opened"].tolist()
    [1990, <NA>]
    """
    years = [
        name
        for name in frame.columns
        if describe(name)[0].unit == "year" and (frame[name].dropna() % 1 == 0).all()
    ]
    # not frame.astype(), which takes the block of numbers apart column by column
    return frame.assign(**{name: frame[name].astype("Int64") for name in years})


def _population_rows(
    population: Population,
    names: Mapping[str, str],
) -> tuple[pd.DataFrame, pd.Categorical]:
    """Rows with the sexes as code names them, and the sexes as readers do."""
    shape = population.persons.shape
    flags = population.data["flag"].values
    flags = np.broadcast_to(flags.reshape(flags.shape + (1,) * (4 - flags.ndim)), shape)
    kinds, kind = np.unique(flags, return_inverse=True)
    year, zone, sex, age = (np.broadcast_to(axis, shape).ravel() for axis in _axes(shape))
    frame = pd.DataFrame(
        {
            "zone": _coded(zone, population.zones),
            "name": _named(zone, population.zones, names),
            "year": np.asarray(population.years)[year],
            "sex": _coded(sex, SEXES),
            "age": np.asarray(population.ages.lower)[age],
            "age_group": _coded(age, population.ages.labels()),
            "persons": population.persons.ravel(),
            "origin": _coded(kind.ravel(), [origin(int(bits)) for bits in kinds]),
        },
    )
    return frame, _coded(sex, [SEXES_JA[name] for name in SEXES])


def table_rows(table: Table, names: Mapping[str, str]) -> pd.DataFrame:
    """Rows of a table in the units that readers see; undefined values are left out."""
    values = table.data["value"].values
    shape = values.shape
    fields = [field(name) for name in table.indicators]
    factors = np.array([entry.export_factor for entry in fields])
    indicator, year, zone = (np.broadcast_to(axis, shape).ravel() for axis in _axes(shape))
    frame = pd.DataFrame(
        {
            "zone": _coded(zone, table.zones),
            "name": _named(zone, table.zones, names),
            "year": np.asarray(table.years)[year],
            "indicator": _coded(indicator, table.indicators),
            "indicator_ja": _coded(indicator, [entry.name_ja for entry in fields]),
            "unit": _coded(indicator, [entry.unit_ja for entry in fields]),
            **{name: table.data[name].values.ravel() * factors[indicator] for name in table.data},
        },
    )
    return frame[frame["value"].notna()]


def _axes(shape: tuple[int, ...]) -> tuple[NDArray[np.intp], ...]:
    # positions on each axis, shaped so that they broadcast to all of it
    return np.indices(shape, dtype=np.intp, sparse=True)


def _coded(codes: NDArray[np.intp], words: Sequence[str]) -> pd.Categorical:
    # words may repeat (two zones of one name), categories may not
    distinct = list(dict.fromkeys(words))
    position = {word: i for i, word in enumerate(distinct)}
    lookup = np.array([position[word] for word in words], dtype=np.intp)
    return pd.Categorical.from_codes(lookup[codes], categories=distinct)


def _named(
    codes: NDArray[np.intp],
    zones: Sequence[str],
    names: Mapping[str, str],
) -> pd.Categorical:
    missing = [zone for zone in zones if zone not in names]
    if missing:
        raise LabelError(f"{len(missing)} zones have no name, such as {missing[:5]}")
    return _coded(codes, [names[zone] for zone in zones])


def _write(
    frame: pd.DataFrame,
    stem: Path,
    *,
    shown: pd.DataFrame,
) -> tuple[Path, Path]:
    parquet, text = _parquet(frame, stem), stem.with_name(f"{stem.name}.csv")
    headings = [_heading(name) for name in shown.columns]
    columns = [_cells(shown[name]) for name in shown.columns]
    # the mark at the start tells Excel that this is UTF-8
    with text.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, lineterminator="\r\n")
        writer.writerow(headings)
        writer.writerows(zip(*columns, strict=True))
    return parquet, text


def _parquet(frame: pd.DataFrame, stem: Path) -> Path:
    path = stem.with_name(f"{stem.name}.parquet")
    # without pandas's own metadata, which names versions
    table = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)
    pq.write_table(table, path, compression="zstd")
    return path


def _marked(frame: pd.DataFrame, made_up: AbstractSet[str]) -> pd.DataFrame:
    if not made_up:
        return frame
    codes = frame["zone"].isin(made_up).to_numpy().astype(np.int8)
    return frame.assign(remark=pd.Categorical.from_codes(codes, categories=["", SYNTHETIC[0]]))


def _heading(name: str) -> str:
    entry, year = describe(name)
    return entry.label(year=year)


def _cells(values: pd.Series) -> list[str]:
    if isinstance(values.dtype, pd.CategoricalDtype):
        words = [inert_cell(word) for word in values.cat.categories]
        return list(np.array(words, dtype=object)[values.cat.codes.to_numpy()])
    if pd.api.types.is_float_dtype(values.dtype):
        return _decimals(values.to_numpy(dtype=np.float64))
    if pd.api.types.is_numeric_dtype(values.dtype):
        return ["" if pd.isna(value) else str(value) for value in values]
    return ["" if pd.isna(value) else inert_cell(str(value)) for value in values]


def _decimals(values: NDArray[np.float64]) -> list[str]:
    """Numbers as short as they can be, never in powers of ten.

    Examples
    --------
    >>> _decimals(np.array([12.5, 100.0, -0.0, 1e-9, float("nan")]))
    ['12.5', '100', '0', '0', '']
    """
    rounded = np.round(values, DECIMALS) + 0.0  # turns -0.0 into 0.0
    fixed = np.strings.mod(f"%.{DECIMALS}f", rounded)
    short = np.strings.rstrip(np.strings.rstrip(fixed, "0"), ".")
    cells: list[str] = np.where(np.isnan(values), "", short).tolist()
    return cells
