"""From rows of rate tables to rates per person: the best row wins, parts follow the whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from futuremap.core.person_rates import PersonRates
from futuremap.core.population import SEXES
from futuremap.indicators.catalogue import Catalogue, Indicator
from futuremap.indicators.rate_rows import REFERENCE, RateRow
from futuremap.indicators.trends import Trend

Floats = NDArray[np.float64]
DAYS = 365.0
MONTHS = 12.0
PREFECTURE = 2  # digits
Key = tuple[str, str]


class Setting(NamedTuple):
    """For whom rates are made.

    years
        Years of the population ``(Y,)``.
    area
        Code of the municipality.
    months_after_april
        Months from 1 April to the date of the population. [months]
    base
        Its people in the base year by sex and single year ``(S, W)``, to which observed numbers
        belong. [persons]
    trends
        Trends that rates follow; none for the fixed variant.
    factors
        Factors on the rates of some fields ``(Y, S, W)``, 1 in the base year; what is made of
        a field follows it.
    """

    years: tuple[int, ...]
    area: str
    months_after_april: float
    base: Floats
    trends: dict[str, Trend]
    factors: Mapping[str, Floats] = MappingProxyType({})


class Made(NamedTuple):
    """Rates, and what must be said of them.

    rates
        Per person.
    used
        Rows behind each field, those of the fields that it is made of included.
    missing
        Entries that have no rows, or are made of one that has none.
    moved
        Fields that follow a trend.
    """

    rates: PersonRates
    used: dict[str, tuple[RateRow, ...]]
    missing: tuple[Indicator, ...]
    moved: frozenset[str]

    @property
    def provisional(self) -> frozenset[str]:
        """Fields that rest on rows marked 仮."""
        marked = {name for name, rows in self.used.items() if any(row.provisional for row in rows)}
        return frozenset(marked)


def best_rows(
    rows: Sequence[RateRow],
    key: Key,
    *,
    area: str,
    count: bool = False,
) -> list[RateRow]:
    """Rows of an indicator for a municipality: its own area's before the prefecture's and so on.

    Parameters
    ----------
    rows
        All rows.
    key
        Indicator and level.
    area
        Code of the municipality.
    count
        Observed numbers instead of rates.
    """
    held = [row for row in rows if row.key == key and (row.unit == "count") == count]
    for own in (True, False):
        for wanted in (area, area[:PREFECTURE], ""):
            found = [row for row in held if row.own == own and row.area == wanted]
            if found:
                return found
    return []


class _Maker:
    """Makes one field after the other; a field is there, or is not."""

    def __init__(self, rows: Sequence[RateRow], catalogue: Catalogue, setting: Setting) -> None:
        self.catalogue, self.setting = catalogue, setting
        self.width = setting.base.shape[-1]
        self.shape = (len(setting.years), len(SEXES), self.width)
        self.made: dict[str, Floats] = {}
        self.used: dict[str, tuple[RateRow, ...]] = {}
        self.moved: set[str] = set()
        self.rows: dict[Key, list[RateRow]] = {}
        for row in rows:
            self.rows.setdefault(row.key, []).append(row)

    def best(self, key: Key, *, count: bool = False) -> list[RateRow]:
        """Rows of the nearest area: the project's own before those that came with the program."""
        held = self.rows.get(key, [])
        return best_rows(held, key, area=self.setting.area, count=count)

    def by_age(self, rows: Sequence[RateRow], *, class_ages: bool) -> Floats:
        """Rates of rows by year, sex and single year of age ``(Y, S, W)``."""
        years = sorted({row.year for row in rows})
        cube = np.zeros((len(years), len(SEXES), self.width))
        for row in rows:
            ages = slice(row.age_from or 0, None if row.age_to is None else row.age_to + 1)
            sexes = [i for i, sex in enumerate(SEXES) if row.sex in ("both", sex)]
            cube[years.index(row.year), sexes, ages] = row.value
            if row.trend in self.setting.trends and len(years) == 1:
                trend = self.setting.trends[row.trend]
                factor = trend.factor(np.asarray(self.setting.years), since=row.year)
                cube = self._spread(cube) if len(cube) != self.shape[0] else cube
                cube[:, sexes, ages] = row.value * factor[:, None, None]
        values = cube if len(cube) == self.shape[0] and len(years) == 1 else self._at(cube, years)
        return self.on_april(values) if class_ages else values

    def _spread(self, cube: Floats) -> Floats:
        return np.repeat(cube, self.shape[0], axis=0)

    def _at(self, cube: Floats, years: Sequence[int]) -> Floats:
        # straight lines between the years of a table, held outside of them
        flat = cube.reshape(len(years), -1)
        wanted = np.asarray(self.setting.years, dtype=np.float64)
        lines = [np.interp(wanted, years, column) for column in flat.T]
        return np.stack(lines, axis=1).reshape(len(wanted), *cube.shape[1:])

    def on_april(self, by_class: Floats) -> Floats:
        """Rates by age on 1 April as rates by age at the date of the population."""
        older = self.setting.months_after_april / MONTHS
        rates = (1 - older) * by_class
        rates[..., 1:] += older * by_class[..., :-1]
        rates[..., 0] += older * by_class[..., 0]  # born since, they count with the youngest
        return rates

    def put(self, entry: Indicator, values: Floats | None, rows: Sequence[RateRow]) -> None:
        """Keep a field with the rows behind it."""
        if values is None:
            return
        factor = self.setting.factors.get(entry.field)
        self.made[entry.field] = values if factor is None else values * factor
        behind = [row for name in entry.of for row in self.used.get(name, ())]
        self.used[entry.field] = tuple(dict.fromkeys([*rows, *behind]))
        trending = any(row.trend in self.setting.trends for row in rows if row.trend)
        if trending or any(name in self.moved for name in entry.of):
            self.moved.add(entry.field)

    def observed(self, entry: Indicator, key: Key) -> tuple[Floats, list[RateRow]] | None:
        """Factor by sex ``(S,)`` from numbers observed in the base year, if there are any."""
        rows = self.best(key, count=True)
        if not rows:
            return None
        people = self.setting.base if rows[0].area else self.reference()
        if people is None:
            return None
        found = self.best(entry.key)
        expected = (self.by_age(found, class_ages=entry.class_ages)[0] * people).sum(axis=-1)
        given = np.zeros(len(SEXES))
        for row in rows:
            sexes = [i for i, sex in enumerate(SEXES) if row.sex in ("both", sex)]
            whole = expected[sexes].sum()
            given[sexes] = row.value / whole if whole > 0 else 1.0
        return given, rows

    def reference(self) -> Floats | None:
        """People of the country by sex and single year, even within the groups that are given."""
        rows = [row for row in self.rows.get((REFERENCE, ""), []) if row.unit == "count"]
        if not rows:
            return None
        people = np.zeros((len(SEXES), self.width))
        for row in rows:
            first = row.age_from or 0
            last = self.width if row.age_to is None else row.age_to + 1
            sexes = [i for i, sex in enumerate(SEXES) if row.sex in ("both", sex)]
            if row.age_to is None:
                people[sexes, first] += row.value  # the rate of the open group holds for all
            else:
                people[sexes, first:last] += row.value / (last - first) / len(sexes)
        return people


def person_rates(rows: Sequence[RateRow], catalogue: Catalogue, setting: Setting) -> Made:
    """Rates per person of every indicator that the rows suffice for.

    Parameters
    ----------
    rows
        Rows that came with the program and those of the project, already checked.
    catalogue
        The indicators.
    setting
        For whom.

    Returns
    -------
    Made
        Rates by single year of age, and what is missing.

    Notes
    -----
    A row of the municipality goes before one of its prefecture and that before one of the
    country, and a project's own rows before all that came with the program. Observed numbers
    (unit "count") of the municipality, or of the country, scale the rates of their indicator
    to meet them in the base year.
    """
    maker = _Maker(rows, catalogue, setting)
    missing = []
    for entry in catalogue.entries:
        make = MAKERS.get(entry.kind)
        if make is None or not entry.field:
            continue
        make(maker, entry)
        if entry.field not in maker.made:
            missing.append(entry)
    _meet_totals(maker, catalogue)
    return Made(
        PersonRates.build(maker.made, years=setting.years),
        maker.used,
        tuple(missing),
        frozenset(maker.moved),
    )


def _rate(maker: _Maker, entry: Indicator) -> None:
    rows = maker.best(entry.key)
    if not rows:
        return
    values = maker.by_age(rows, class_ages=entry.class_ages)
    factor = maker.observed(entry, entry.key)
    if factor is not None:
        values = values * factor[0][:, None]
        rows = [*rows, *factor[1]]
    maker.put(entry, values, rows)


def _unit(maker: _Maker, entry: Indicator) -> None:
    by_class = np.zeros(maker.shape)
    by_class[..., entry.age_from : (entry.age_to or 0) + 1] = 1.0
    maker.put(entry, maker.on_april(by_class), ())


def _split(maker: _Maker, entry: Indicator) -> None:
    whole = maker.made.get(entry.of[0])
    siblings = [e for e in maker.catalogue.entries if (e.kind, e.of) == ("split", entry.of)]
    weights = {e.level: maker.best(e.key, count=True) for e in siblings}
    if whole is None or not all(weights.values()):
        return
    share = np.array([_of_sex(weights[entry.level], sex) for sex in SEXES])
    total = np.array([sum(_of_sex(rows, sex) for rows in weights.values()) for sex in SEXES])
    part = np.divide(share, total, out=np.zeros(len(SEXES)), where=total > 0)
    rows = [row for found in weights.values() for row in found]
    maker.put(entry, whole * part[:, None], rows)


def _of_sex(rows: Sequence[RateRow], sex: str) -> float:
    return sum(row.value for row in rows if row.sex in ("both", sex))


def _share(maker: _Maker, entry: Indicator) -> None:
    whole = maker.made.get(entry.of[0])
    part, every = maker.best(entry.key), maker.best((entry.over, "all"))
    if whole is None or not part or not every:
        return
    ratio = part[0].value / every[0].value
    maker.put(entry, whole * ratio, [*part, *every])


def _rest(maker: _Maker, entry: Indicator) -> None:
    parts = [e for e in maker.catalogue.entries if (e.kind, e.over) == ("share", entry.over)]
    whole = maker.made.get(entry.of[0])
    if whole is None or not all(e.field in maker.made for e in parts):
        return
    rows = [row for e in parts for row in maker.used[e.field]]
    maker.put(entry, whole - sum(maker.made[e.field] for e in parts), rows)


def _rest_from(maker: _Maker, entry: Indicator) -> None:
    held = maker.made.get(entry.of[0])
    if held is None:
        return
    rest = np.zeros(maker.shape)
    rest[..., entry.age_from :] = 1.0 - held[..., entry.age_from :]
    maker.put(entry, np.maximum(rest, 0.0), ())


def _sum(maker: _Maker, entry: Indicator) -> None:
    parts = [maker.made.get(name) for name in entry.of]
    known = [part for part in parts if part is not None]
    if len(known) == len(parts):
        maker.put(entry, np.sum(known, axis=0), ())


def _stay(maker: _Maker, entry: Indicator) -> None:
    present, rows = maker.made.get(entry.of[0]), maker.best(entry.key)
    if present is None or not rows:
        return
    stay = maker.by_age(rows, class_ages=False)
    cases = np.divide(present * DAYS, stay, out=np.zeros(maker.shape), where=stay > 0)
    maker.put(entry, cases, rows)


def _per(maker: _Maker, entry: Indicator) -> None:
    base, rows = maker.made.get(entry.of[0]), maker.best(entry.key)
    over = maker.best((entry.over, entry.level)) if entry.over else []
    if base is None or not rows or (entry.over and not over):
        return
    years = sorted({row.year for row in rows})
    means = [np.mean([row.value for row in rows if row.year == year]) for year in years]
    factor = np.interp(np.asarray(maker.setting.years, dtype=np.float64), years, means)
    if over:
        factor = factor / over[0].value
    maker.put(entry, base * factor[:, None, None], [*rows, *over])


def _meet_totals(maker: _Maker, catalogue: Catalogue) -> None:
    """Scale a sum that was observed as a whole, its parts and all that is made of them."""
    for entry in catalogue.entries:
        rows = maker.best(entry.key, count=True) if entry.kind == "sum" else []
        if not rows or entry.field not in maker.made or not rows[0].area:
            continue
        expected = float((maker.made[entry.field][0] * maker.setting.base).sum())
        factor = sum(row.value for row in rows) / expected if expected > 0 else 1.0
        scaled = {entry.field, *entry.of}
        for other in catalogue.entries:
            if scaled & set(other.of):
                scaled.add(other.field)
        for name in scaled & set(maker.made):
            maker.made[name] = maker.made[name] * factor
            maker.used[name] = (*maker.used[name], *rows)


MAKERS = {
    "rate": _rate, "unit": _unit, "split": _split, "share": _share, "rest": _rest,
    "rest_from": _rest_from, "sum": _sum, "stay": _stay, "per": _per,
}  # fmt: skip
