"""Themes: zones and their indicators become the layers that every client draws."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from futuremap.core.credits import SYNTHETIC, Credit
from futuremap.core.facilities import FURTHER, Facilities
from futuremap.core.fields import column, field
from futuremap.core.layer import STATES, Layer, State, Text, View, metres_per_unit
from futuremap.core.table import BOUNDS, Table
from futuremap.core.zones import GEOGRAPHIC, Kind, Zones
from futuremap.export.looks import AREAS, FACILITIES, Drawn, Look, drawn

HECTARE = 10_000.0  # m²
FEWEST_SHOWN = 0.5  # persons; a cell with fewer is left out and counted
# rows of a facility's balloon, where a project gives what they need
WHERE_KNOWN = ("people_only_here", "life_left", "load", "reach_in_neighbours")
ONCE = (
    "imputed_share",
    "reach_outside_share",
    "reach_missing_share",
)  # the same in all years: one column


class Place(NamedTuple):
    """What all themes of a municipality share.

    name
        The municipality.
    years
        Base year and the last year, which is the future shown.
    credits
        Credits of the data.
    view
        First view.
    """

    name: Text
    years: tuple[int, int]
    credits: tuple[Credit, ...]
    view: View


def area_layers(
    parts: Sequence[Zones],
    table: Table,
    *,
    theme: str,
    title: Text,
    place: Place,
    look: Look = AREAS,
) -> tuple[Layer, ...]:
    """Now, Future and change of town blocks or meshes: height density, colour ageing rate.

    Parameters
    ----------
    parts
        Areas of one kind, together in the order of the table; each part is measured in its own
        plane zone.
    table
        Indicators of people and of density.
    theme, title
        ASCII name and title of the theme.
    place
        What the municipality's themes share.
    look
        What else height and colour say; the table holds the change of its height.
    """
    frame = gpd.GeoDataFrame(pd.concat([part.frame for part in parts]), crs=GEOGRAPHIC)
    features = _wide(frame, table, made_up=any(c.synthetic for c in place.credits))
    areas = np.concatenate([part.areas() for part in parts]) / HECTARE
    features.insert(2, "area_ha", pd.Series(areas, index=frame.index))
    usual = ("population", "density", "ageing_rate", "population_65_over", "population_0_14")
    rows = tuple(dict.fromkeys((*usual, look.height, look.colour)))
    notes = tuple(dict.fromkeys(Text(*note) for part in parts for note in part.notes))
    people = {
        year: features[column("population", year)].to_numpy(dtype=np.float64)
        for year in place.years
    }
    inhabited = {year: count >= FEWEST_SHOWN for year, count in people.items()}
    return _states(
        features,
        drawn=drawn(features, look, place.years),
        shown=inhabited,
        left_out=_few,
        balloon=_balloon(
            rows,
            table,
            change=_changes(("population_change", "change_rate"), look),
            place=place,
        ),
        labels=(theme, title, parts[0].kind, notes),
        place=place,
    )


def facility_layers(
    facilities: Facilities,
    table: Table,
    *,
    theme: str,
    class_names: Mapping[str, str],
    title: Text,
    place: Place,
    notes: Sequence[Text],
    look: Look = FACILITIES,
) -> tuple[Layer, ...]:
    """Now, Future and change of facilities: height people in reach, colour years in service.

    Parameters
    ----------
    facilities
        Facilities; those without coordinates stay in the features without a shape.
    table
        Indicators of the located facilities, in their order.
    theme, title
        ASCII name and title of the theme.
    class_names
        Japanese name of each class of facility.
    place
        What the municipality's themes share.
    notes
        How the reach was made.
    look
        What else height and colour say; the table holds the change of its height.
    """
    table_of_known, further = _known(facilities.table)
    listed = table_of_known.join(facilities.located.frame[["geometry"]])
    listed["facility_class"] = listed["facility_class"].map(class_names)
    frame = gpd.GeoDataFrame(listed, geometry="geometry", crs=GEOGRAPHIC)
    features = _wide(frame, table, made_up=any(c.synthetic for c in place.credits))
    usual = (
        "people_in_reach",
        "years_in_service",
        "people_in_reach_0_14",
        "people_in_reach_65_over",
        *(name for name in WHERE_KNOWN if name in table.indicators),
    )
    rows = tuple(dict.fromkeys((*usual, look.height, look.colour)))
    balloon = (
        "facility_class",
        "address",
        "opened",
        *further,
        *_balloon(
            rows, table, change=_changes(("reach_change", "reach_change_rate"), look), place=place
        ),
        "reach_outside_share",
    )
    located = features.geometry.notna().to_numpy()
    opened = features["opened"].to_numpy(dtype=np.float64)
    standing = {
        year: located & in_service(features, year, otherwise=~(opened > year))
        for year in place.years
    }
    return _states(
        features,
        drawn=drawn(features, look, place.years),
        shown=standing,
        left_out=lambda mask, when: _not_in_service(located & ~mask, when),
        balloon=balloon,
        labels=(theme, title, "facility", (*notes, *_missing(facilities))),
        place=place,
    )


def in_service(
    features: gpd.GeoDataFrame,
    year: int,
    *,
    otherwise: NDArray[np.bool_],
) -> NDArray[np.bool_]:
    """Which facilities are open in a year ``(N,)``.

    Parameters
    ----------
    features
        Facilities with the columns of all years.
    year
        The year.
    otherwise
        The answer where nothing opens or closes.
    """
    # the column is there only if facilities open or close
    name = column("in_service", year)
    return np.asarray(features[name] == 1) if name in features else otherwise


def _known(listed: pd.DataFrame) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """The list without the further columns in which nothing is known, and those that remain.

    Examples
    --------
    >>> listed = pd.DataFrame({"kind": ["", ""], "capacity": [19.0, float("nan")]})
    >>> table, further = _known(listed.assign(floor_area=float("nan")))
    >>> list(table.columns), further
    (['capacity'], ('capacity',))
    """
    texts = {"kind": listed["kind"].fillna("")} if "kind" in listed else {}
    table = listed.assign(**texts)
    empty = [name for name in FURTHER if name in table and not _is_known(table[name]).any()]
    return table.drop(columns=empty), tuple(n for n in FURTHER if n in table and n not in empty)


def _is_known(values: pd.Series) -> pd.Series:
    return values.notna() & (values != "")


def _missing(facilities: Facilities) -> tuple[Text, ...]:
    names = facilities.unlocated()
    if not names:
        return ()
    listed = "、".join(names)
    return (
        Text(
            f"座標がなく図にない施設：{len(names)}件（{listed}）",
            f"Facilities without coordinates, not drawn: {len(names)} ({listed})",
        ),
    )


def _wide(frame: gpd.GeoDataFrame, table: Table, *, made_up: bool) -> gpd.GeoDataFrame:
    # one column a year × indicator, in the units that readers see
    columns: dict[str, NDArray[np.float64]] = {}
    for name in table.indicators:
        shown = field(name)
        if name in ONCE:
            columns[name] = shown.export(table.column(name, table.years[0]))
            continue
        years = table.years[1:] if _is_change(name) else table.years
        for year in years:
            columns[column(name, year)] = shown.export(table.column(name, year))
    for name in table.with_interval:  # the base year was counted, it has none
        for year in table.years[1:]:
            for bound in BOUNDS:
                exported = field(name).export(table.column(name, year, bound))
                columns[column(f"{name}_{bound}", year)] = exported
    # one block of numbers: as many columns one by one would be slow, and pandas would say so
    block = np.stack(list(columns.values()), axis=1)
    ids = pd.Index(list(table.zones), dtype=object)
    values = pd.DataFrame(block, index=ids, columns=list(columns))
    wide = frame.join(values)
    geometry = wide.pop("geometry")
    wide.index.name = "zone"
    if made_up:
        wide["remark"] = SYNTHETIC[0]
    return gpd.GeoDataFrame(wide, geometry=geometry, crs=GEOGRAPHIC).sort_index()


def _is_change(name: str) -> bool:
    return "change" in name.split("_")


def _changes(usual: tuple[str, str], look: Look) -> tuple[str, ...]:
    # of density no change is listed: the first line of the balloon says it as the height
    return tuple(dict.fromkeys((*usual, *(() if look.height == "density" else look.changes()))))


def _balloon(
    rows: Sequence[str],
    table: Table,
    *,
    change: tuple[str, ...],
    place: Place,
) -> tuple[str, ...]:
    base, future = place.years
    shown = []
    for name in rows:
        shown += [column(name, base), column(name, future)]
        if name in table.with_interval:
            shown += [column(f"{name}_{bound}", future) for bound in BOUNDS]
    return (*shown, *(column(name, future) for name in change))


def _states(
    features: gpd.GeoDataFrame,
    *,
    drawn: dict[State, Drawn],
    shown: dict[int, NDArray[np.bool_]],
    left_out: Callable[[NDArray[np.bool_], Text], tuple[Text, ...]],
    balloon: tuple[str, ...],
    labels: tuple[str, Text, Kind, tuple[Text, ...]],
    place: Place,
) -> tuple[Layer, ...]:
    base, future = place.years
    theme, title, kind, notes = labels
    heights = [features[drawn[state].height].to_numpy(dtype=np.float64) for state in STATES]
    scale = metres_per_unit(heights, place.view)
    masks = {"now": shown[base], "future": shown[future], "change": shown[base] | shown[future]}
    known = {state: np.isfinite(tall) for state, tall in zip(STATES, heights, strict=True)}
    return tuple(
        Layer(
            theme=theme,
            title=title,
            place=place.name,
            kind=kind,
            state=state,
            year=base if state == "now" else future,
            base_year=base,
            features=features,
            height=drawn[state].height,
            colour=drawn[state].colour,
            classes=drawn[state].classes,
            metres_per_unit=scale,
            shown=masks[state] & known[state],
            balloon=balloon,
            notes=(
                *notes,
                *left_out(masks[state], _when(state, place)),
                *_unknown(masks[state] & ~known[state], _when(state, place)),
            ),
            credits=place.credits,
            view=place.view,
        )
        for state in STATES
    )


def _when(state: State, place: Place) -> Text:
    base, future = place.years
    if state == "change":
        return Text("増減の図", "the map of change")
    year = base if state == "now" else future
    return Text(f"{year}年の図", f"the map of {year}")


def _few(shown: NDArray[np.bool_], when: Text) -> tuple[Text, ...]:
    count = int((~shown).sum())
    if not count:
        return ()
    return (
        Text(
            f"{when.ja}では、人口{FEWEST_SHOWN:g}人未満の{count}区域を描いていません。",
            f"{when.en} leaves out {count} areas with fewer than {FEWEST_SHOWN:g} persons.",
        ),
    )


def _unknown(lacking: NDArray[np.bool_], when: Text) -> tuple[Text, ...]:
    count = int(lacking.sum())
    if not count:
        return ()
    return (
        Text(
            f"{when.ja}では、高さの値がない{count}件を描いていません。",
            f"{when.en} leaves out {count} features whose height is not known.",
        ),
    )


def _not_in_service(hidden: NDArray[np.bool_], when: Text) -> tuple[Text, ...]:
    count = int(hidden.sum())
    if not count:
        return ()
    return (
        Text(
            f"{when.ja}では、供用していない{count}施設（開設前・廃止・統合後）を描いていません。",
            f"{when.en} leaves out {count} facilities not in service (not open yet, closed or "
            "merged).",
        ),
    )
