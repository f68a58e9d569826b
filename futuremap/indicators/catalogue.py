"""The catalogue of indicators: what each is made of, of whom, and what it can't say."""

from __future__ import annotations

import csv
import difflib
from dataclasses import dataclass

from futuremap.core.fields import field
from futuremap.errors import SourceError

# units of a rate, and what turns one into the unit of the indicator per person (or per unit)
UNITS = {
    "ratio": 1.0, "percent": 0.01, "per_1000": 1e-3, "per_100k": 1e-5, "count": 1.0,
    "yen": 1.0, "10k_yen": 1e4, "litre_day": 1e-3, "gram_day": 1e-6, "trips": 1.0,
    "days": 1.0, "each": 1.0, "dwellings": 1.0,
}  # fmt: skip
SHARES = ("ratio", "percent", "per_1000", "per_100k", "count")
OF_UNIT = {
    "persons": SHARES, "households": SHARES, "yen": ("yen", "10k_yen", "count"),
    "m3": ("litre_day",), "t": ("gram_day",), "trips": ("trips",), "admissions": ("days",),
}  # fmt: skip
OF_KIND = {
    "per": ("ratio", "percent", "each"), "factor": ("ratio", "percent", "dwellings"),
    "split": ("count",),
    "share": ("per_100k", "count"), "stay": ("days",), "stock": ("dwellings",),
}  # fmt: skip
BY_AGE = ("rate", "stay")  # kinds whose rates stand by age
GIVEN = ("rate", "split", "share", "stay", "per", "factor", "stock")  # that need rows
TOPICS = {
    "people": ("人口構造", "Population"), "households": ("世帯・住宅", "Households and dwellings"),
    "children": ("子育て・教育", "Children and schools"), "medical": ("医療", "Medicine"),
    "care": ("介護", "Long-term care"), "transport": ("公共交通", "Transport"),
    "hygiene": ("衛生", "Hygiene"), "fire": ("消防・防災", "Fire and disaster"),
    "labour": ("労働・産業", "Labour"), "finance": ("財政", "Finance"),
}  # fmt: skip


@dataclass(frozen=True)
class Indicator:
    """One row of ``catalogue.csv``.

    Parameters
    ----------
    indicator, level
        How rate tables name it.
    field
        Its name in the field dictionary; empty for what only serves others.
    topic
        Key of :data:`TOPICS`.
    kind
        "people" from the people alone, "rate" per person, "unit" one each, "split" and "share"
        parts of another, "rest" what is left of it, "rest_from" people without it from an age
        on, "sum" of others, "stay" cases from those present, "per" per unit of another,
        "flow" from the account of the projection, "stock", "factor" and "special".
    of, over
        Fields that it is made of, and the indicator that divides or holds its weights.
    age_from, age_to
        Ages that a table must cover; None if it has no ages, or no last one.
    most
        Highest rate that is possible; None if there is none.
    class_ages
        Ages are those on 1 April (学年).
    method_ja, method_en, limits_ja, limits_en
        For the catalogue page.
    """

    indicator: str
    level: str
    field: str
    topic: str
    kind: str
    of: tuple[str, ...]
    over: str
    age_from: int | None
    age_to: int | None
    most: float | None
    class_ages: bool
    method_ja: str
    method_en: str
    limits_ja: str
    limits_en: str

    @property
    def key(self) -> tuple[str, str]:
        """Indicator and level."""
        return self.indicator, self.level

    @property
    def units(self) -> tuple[str, ...]:
        """Units that its rates may have."""
        if self.kind in OF_KIND:
            return OF_KIND[self.kind]
        return OF_UNIT[field(self.field).unit] if self.field else ("count",)


@dataclass(frozen=True)
class Catalogue:
    """All indicators, in the order of the page.

    Parameters
    ----------
    entries
        One each.
    """

    entries: tuple[Indicator, ...]

    def find(self, indicator: str, level: str) -> Indicator | None:
        """The entry that rate tables name so; None if there is none."""
        for entry in self.entries:
            if entry.key == (indicator, level):
                return entry
        # whole-country people for calibration, and levels that only serve a share
        for entry in self.entries:
            if entry.indicator == indicator and entry.kind == "share" and level == "all":
                return entry
            if entry.indicator == indicator and entry.kind == "factor":
                return entry
        return None

    def by_field(self, name: str) -> Indicator:
        """The entry of a field.

        Raises
        ------
        SourceError
            If there is none.
        """
        for entry in self.entries:
            if entry.field == name:
                return entry
        raise SourceError(f"no indicator has the field {name!r}")

    def near(self, indicator: str, level: str) -> str:
        """Names that come close, for a message."""
        names = [f"{e.indicator}/{e.level}" if e.level else e.indicator for e in self.entries]
        wanted = f"{indicator}/{level}" if level else indicator
        found = difflib.get_close_matches(wanted, names, n=3, cutoff=0.4)
        return "、".join(found or names[:5])

    @property
    def fields(self) -> tuple[str, ...]:
        """Every field that the catalogue has."""
        return tuple(entry.field for entry in self.entries if entry.field)


def catalogue(text: str) -> Catalogue:
    r"""The catalogue, from the text of ``catalogue.csv``.

    Raises
    ------
    SourceError
        If an entry stands twice, or its topic is unknown.

    Examples
    --------
    >>> head = "indicator,level,field,topic,kind,of,over,age_from,age_to,most,class_ages,"
    >>> head += "method_ja,method_en,limits_ja,limits_en"
    >>> row = "inpatients,,inpatients,medical,rate,,,0,,1,,人口 × 率,people x rate,,"
    >>> catalogue(f"{head}\n{row}").find("inpatients", "").units[:2]
    ('ratio', 'percent')
    """
    entries = [_entry(row) for row in csv.DictReader(text.splitlines())]
    keys = [entry.key for entry in entries]
    if len(set(keys)) != len(keys):
        raise SourceError("the catalogue of indicators names one twice")
    return Catalogue(tuple(entries))


def _entry(row: dict[str, str]) -> Indicator:
    if row["topic"] not in TOPICS:
        raise SourceError(f"indicator {row['indicator']!r}: no topic {row['topic']!r}")

    def whole(name: str) -> int | None:
        return int(row[name]) if row[name] else None

    return Indicator(
        row["indicator"], row["level"], row["field"], row["topic"], row["kind"],
        tuple(row["of"].split()), row["over"], whole("age_from"), whole("age_to"),
        float(row["most"]) if row["most"] else None, row["class_ages"] == "1",
        row["method_ja"], row["method_en"], row["limits_ja"], row["limits_en"],
    )  # fmt: skip
