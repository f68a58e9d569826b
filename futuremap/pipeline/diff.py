"""Two runs compared: what changes between them, by zone and facility, as tables and as maps."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import geopandas as gpd
import pandas as pd

from futuremap.core.credits import Credit
from futuremap.core.layer import Layer, Text
from futuremap.core.table import Table
from futuremap.export.brief import Comparison
from futuremap.export.differences import difference_features, difference_layer
from futuremap.export.geopackage import write_geopackage
from futuremap.export.geoparquet import write_geoparquet
from futuremap.export.kml import EARTH_PRO, EARTH_WEB, write_earth
from futuremap.export.manifest import RunRecord, write_manifest
from futuremap.export.page import Page, write_page
from futuremap.export.publish import publishing
from futuremap.export.tabular import write_frame
from futuremap.export.text import file_stem
from futuremap.export.workbook import write_comparisons
from futuremap.indicators.difference import COMPARED, difference, summed
from futuremap.pipeline.prepare import Progress, silent
from futuremap.pipeline.sides import Side, side_of, told_apart
from futuremap.problems import Problem, Report
from futuremap.sources.published import Theme

EARTH = {"web": EARTH_WEB, "pro": EARTH_PRO}
TOTALS = Text("市区町村の人口の差（B－A）", "Difference by municipality, B - A")
SIZE = Text(
    "高さは差の大きさで、減るところも上に伸びます。増えるか減るかは色で見分けます。",
    "Height is the size of the difference, upwards for losses too; colours tell them apart.",
)
ONLY = {"A": Text("Aだけにあります", "only in A"), "B": Text("Bだけにあります", "only in B")}


class Pair(NamedTuple):
    """One theme of both runs.

    layer
        The difference in the last year.
    comparison
        Both tables and their difference.
    """

    layer: Layer
    comparison: Comparison


class Difference(NamedTuple):
    """What two runs differ in.

    first, second
        The runs.
    pairs
        The themes that both have.
    towns
        Totals of the municipalities, where people are counted by zone.
    report
        Warnings; there are no errors.
    """

    first: Side
    second: Side
    pairs: tuple[Pair, ...]
    towns: Comparison | None
    report: Report

    @property
    def credits(self) -> tuple[Credit, ...]:
        """Credits of both."""
        found = {c.key: c for pair in self.pairs for c in pair.layer.credits}
        return tuple(found[key] for key in sorted(found))


def diff(first: Path, second: Path, *, progress: Progress = silent) -> Difference:
    """Compare two runs year by year.

    Parameters
    ----------
    first, second
        Published folders of outputs, or projects (``project.toml``), which are run.
    progress
        Is told what is being done.

    Raises
    ------
    InputRefused
        If one of them is neither, or their themes, years or zones differ; it lists all problems.
    """
    report = Report()
    sides = [side_of(path, report, progress=progress) for path in (first, second)]
    report.raise_if_errors()
    one, other = told_apart(*(side for side in sides if side is not None))
    progress("比較 / comparison")
    _check(one, other, report)
    report.raise_if_errors()
    notes = (
        Text(f"A：{one.title.ja}、B：{other.title.ja}", f"A: {one.title.en}, B: {other.title.en}"),
    )
    pairs = []
    for name in one.themes:
        found = _pair(one.themes[name], other.themes[name], notes)
        pairs.append(Pair(found[0], Comparison(one.title, other.title, *found[1:])))
    return Difference(one, other, tuple(pairs), _towns(one, other), report)


def deliver_diff(found: Difference, out: Path, *, progress: Progress = silent) -> Path:
    """Write the difference of two runs and publish it as one set.

    Parameters
    ----------
    found
        The difference.
    out
        Folder of outputs; the comparison gets a folder of its own in it.
    progress
        Is told what is being written.

    Returns
    -------
    Path
        The published folder.

    Raises
    ------
    ExportError
        If anything cannot be written.
    LockedError
        If another run is writing to the same folder.
    """
    name = f"diff_{file_stem(found.first.name)}_{file_stem(found.second.name)}"
    title = Text(
        f"比較：{found.first.title.ja}（A）と {found.second.title.ja}（B）",
        f"Compared: {found.first.title.en} (A) and {found.second.title.en} (B)",
    )
    about: dict[str, object] = {
        "run": list(title),
        "first": found.first.name,
        "second": found.second.name,
        "credits": [credit.line() for credit in found.credits],
    }
    layers = [pair.layer for pair in found.pairs]
    with publishing(out / name) as folder:
        for inside in ("qgis", "data", "geoparquet", "excel"):
            (folder / inside).mkdir()
        for layer in layers:
            progress(f"Google Earth：{layer.title.ja}")
            for client, profile in EARTH.items() if layer.shown.any() else ():
                write_earth([layer], folder / "earth" / client, profile=profile)
            write_frame(layer.features, folder / "data" / layer.theme)
            write_geoparquet([layer], folder / "geoparquet" / f"{layer.theme}.parquet", about=about)
        progress("QGIS・Excel")
        write_geopackage(layers, folder / "qgis" / f"{name}.gpkg", title=title, metadata=about)
        # a mesh has more rows than a sheet is good for; they stand in the tables
        compared = [
            (pair.layer.title, pair.comparison) for pair in found.pairs if pair.layer.kind != "mesh"
        ]
        towns = [] if found.towns is None else [(TOTALS, found.towns)]
        path = folder / "excel" / f"{name}.xlsx"
        write_comparisons([*towns, *compared], path, title=title, credits=found.credits)
        write_page(folder, _page(found, folder, title, layers))
        write_manifest(folder, _record(found, out))
    return out / name


def _record(found: Difference, out: Path) -> RunRecord:
    return RunRecord(
        base=out,
        inputs=[*found.first.inputs, *found.second.inputs],
        parameters={"first": found.first.name, "second": found.second.name},
        credits=found.credits,
        warnings=found.report.warnings,
    )


def _page(found: Difference, folder: Path, title: Text, layers: Sequence[Layer]) -> Page:
    themes = {layer.theme: layer.title for layer in layers}
    files = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            theme = max((t for t in themes if path.stem.startswith(t)), key=len, default="")
            files[path.relative_to(folder).as_posix()] = themes.get(theme, title)
    summary = Text(
        "AとBの同じ年の数字の差です（B－A）。正の数は、Bの方が多いことを示します。",
        "Differences of the same year, B less A: positive numbers mean that B has more.",
    )
    tables = [] if found.towns is None else [
        (Text("A", "A"), found.towns.tables[0]), (Text("B", "B"), found.towns.tables[1])
    ]  # fmt: skip
    warnings: Sequence[Problem] = found.report.warnings
    return Page(
        title=title,
        summary=summary,
        method=[Text(*note) for note in dict.fromkeys(n for x in layers for n in x.notes)],
        tables=tables,
        zone_names=dict(found.towns.zone_names) if found.towns is not None else {},
        layers=layers,
        files=files,
        warnings=warnings,
        credits=found.credits,
    )


def _check(one: Side, other: Side, report: Report) -> None:
    """Note every theme, year and zone that only one of the runs has."""
    for name in sorted(one.themes.keys() ^ other.themes.keys()):
        has, lacks = (one, other) if name in one.themes else (other, one)
        report.add("FM734", file=lacks.file, value=name, theme=has.themes[name].title.ja)
    for name in sorted(one.themes.keys() & other.themes.keys()):
        first, second = one.themes[name], other.themes[name]
        where = second.file or other.file
        years, wanted = (theme.table(COMPARED).years for theme in (second, first))
        if years != wanted:
            report.add("FM732", file=where, value=_listed(years), theme=first.title.ja,
                       expected_years=_listed(wanted))  # fmt: skip
        if first.kind == "facility":
            _note_facilities(first, second, (one, other), report)
            continue
        for here, there, file in (
            (first, second, first.file or one.file),
            (second, first, where),
        ):
            alone = here.features.index.difference(there.features.index)
            if len(alone):
                report.add("FM733", file=file, column="zone", value=_listed(alone[:5]),
                           theme=first.title.ja, count=len(alone))  # fmt: skip


def _note_facilities(first: Theme, second: Theme, sides: tuple[Side, Side], report: Report) -> None:
    for which, here, there, side in (
        ("A", first, second, sides[0]),
        ("B", second, first, sides[1]),
    ):
        alone = here.features.index.difference(there.features.index)
        if len(alone):
            names = here.features.loc[alone[:5], "name"]
            report.add("FM736", file=here.file or side.file, column="name",
                       value=_listed(names), which=which, count=len(alone))  # fmt: skip


def _pair(
    first: Theme, second: Theme, notes: Sequence[Text]
) -> tuple[Layer, tuple[Table, Table, Table], dict[str, str]]:
    both = first.features.index.intersection(second.features.index).sort_values()
    one, other = (
        theme._replace(features=theme.features.loc[both]).table(COMPARED)
        for theme in (first, second)
    )
    found = difference(one, other)
    credits = {credit.key: credit for credit in (*first.credits, *second.credits)}  # noqa: A001
    listed, remarks = _all_of(first, second)
    features = difference_features(
        listed, found, made_up=any(c.synthetic for c in credits.values()), remarks=remarks
    )
    layer = difference_layer(
        features,
        (found.years[0], found.years[-1]),
        theme=f"{first.name}_difference",
        kind=first.kind,
        place=first.place,
        notes=(*notes, SIZE, *first.notes),
        credits=[credits[key] for key in sorted(credits)],
    )
    names = dict(zip(both, first.features.loc[both, "name"], strict=True))
    return layer, (one, other, found), names


def _all_of(first: Theme, second: Theme) -> tuple[gpd.GeoDataFrame, pd.Series]:
    """The features of both, those of the first where both have one, and which stand alone."""
    new = second.features.index.difference(first.features.index)
    gone = first.features.index.difference(second.features.index)
    listed = pd.concat([first.features, second.features.loc[new]]) if len(new) else first.features
    listed = listed.sort_index()
    remarks = pd.Series("", index=listed.index)
    remarks[gone], remarks[new] = ONLY["A"].ja, ONLY["B"].ja
    return listed, remarks


def _towns(one: Side, other: Side) -> Comparison | None:
    names = [
        name for name, theme in one.themes.items() if theme.kind in {"town_block", "municipality"}
    ]
    if not names:
        return None
    tables = []
    for side in (one, other):
        parts = [side.themes[name] for name in names]
        features = pd.concat([part.features for part in parts])
        joined = parts[0]._replace(features=features).table(COMPARED)
        tables.append(summed(joined, features["parent"].tolist()))
    places: dict[str, str] = {}
    for name in names:
        theme = one.themes[name]
        rows = theme.features[["parent", "name"]].itertuples(index=False, name=None)
        whole = theme.kind == "municipality"
        places |= {str(code): str(label) if whole else theme.place.ja for code, label in rows}
    found = difference(tables[0], tables[1])
    return Comparison(one.title, other.title, (tables[0], tables[1], found), places)


def _listed(values: Iterable[object]) -> str:
    return ", ".join(str(value) for value in values)
