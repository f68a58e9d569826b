"""Bundles: households that may come, by sex and age; those that come with the program and own ones.

The three generations that 藤山 counts in (20代前半男女, 30代前半夫婦と子, 60代前半夫婦) are among
them, beside the same in ten-year ages as workshops say them.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from futuremap.config.scenario import Member, OwnBundle
from futuremap.core.ages import AgeGroups
from futuremap.core.layer import Text
from futuremap.core.population import SEXES
from futuremap.errors import LabelError

TABLE = "bundles.csv"
LAST_AGE = 120
BOYS_SHARE = 1.05 / 2.05  # of children whose sex is not said, as of births (Japan 2024)
CHILD = 15


class Bundle(NamedTuple):
    """One household.

    key, name
        ASCII key and its name.
    members
        Who belongs to it.
    """

    key: str
    name: Text
    members: tuple[Member, ...]

    @property
    def persons(self) -> float:
        """Its size. [persons]"""
        return sum(member.persons for member in self.members)

    def by_age(self, ages: AgeGroups) -> NDArray[np.float64]:
        """Its people by sex and age group ``(S, A)``, evenly over the ages of each member.

        Raises
        ------
        LabelError
            If a member's last age is before the first.

        Examples
        --------
        >>> members = (Member(sex="male", age_from=30, age_to=39),
        ...            Member(sex="female", age_from=30, age_to=34))
        >>> couple = Bundle("c", Text("夫婦", "couple"), members)
        >>> couple.by_age(AgeGroups((0, 30, 35, 40))).tolist()
        [[0.0, 0.5, 0.5, 0.0], [0.0, 1.0, 0.0, 0.0]]
        """
        people = np.zeros((len(SEXES), len(ages)))
        for member in self.members:
            people += _shares(member)[:, None] * member.persons * _spread(member, ages)
        return people


def _shares(member: Member) -> NDArray[np.float64]:
    if member.sex != "both":
        return np.array([float(member.sex == sex) for sex in SEXES])
    boys = BOYS_SHARE if member.age_to < CHILD else 0.5
    return np.array([boys, 1 - boys])


def _spread(member: Member, ages: AgeGroups) -> NDArray[np.float64]:
    if member.age_to < member.age_from:
        raise LabelError(f"a member from {member.age_from} to {member.age_to}")
    years = np.arange(member.age_from, member.age_to + 1)
    group = np.searchsorted(ages.lower, years, side="right") - 1
    return np.bincount(group, minlength=len(ages)) / len(years)


@cache
def presets() -> dict[str, Bundle]:
    """The bundles that come with the program, by key.

    Examples
    --------
    >>> presets()["family_30s"].persons
    3.0
    """
    text = (files("futuremap.scenario") / TABLE).read_text(encoding="utf-8")
    members: dict[str, list[Member]] = {}
    names: dict[str, Text] = {}
    for row in csv.DictReader(text.splitlines()):
        names[row["bundle"]] = Text(row["name_ja"], row["name_en"])
        members.setdefault(row["bundle"], []).append(
            Member.model_validate(
                {
                    "sex": row["sex"],
                    "age_from": int(row["age_from"]),
                    "age_to": int(row["age_to"]),
                    "persons": float(row["persons"]),
                },
            ),
        )
    return {key: Bundle(key, names[key], tuple(found)) for key, found in members.items()}


def known_bundles(own: Mapping[str, OwnBundle]) -> dict[str, Bundle]:
    """The program's bundles and a project's own, which go first, by key and by Japanese name.

    Parameters
    ----------
    own
        ``[bundle.KEY]`` of a project.
    """
    mine = {
        key: Bundle(key, Text(one.name, one.name_en or one.name), tuple(one.members))
        for key, one in own.items()
    }
    named = {bundle.name.ja: bundle for bundle in (*presets().values(), *mine.values())}
    return {**named, **presets(), **mine}


def whole_numbers(per_year: float) -> tuple[int, int]:
    """Households and years that come nearest to a number a year, in words a pupil can say.

    Examples
    --------
    >>> whole_numbers(3.0), whole_numbers(0.4), whole_numbers(2.5)
    ((3, 1), (2, 5), (5, 2))
    """
    choices: Sequence[tuple[int, int]] = [
        (int(np.ceil(per_year * years - 1e-9)), years) for years in (1, 2, 3, 4, 5, 10)
    ]
    # never fewer than needed; the fewest years whose surplus is under a twentieth, else least
    surplus = [count / years - per_year for count, years in choices]
    for choice, over in zip(choices, surplus, strict=True):
        if over <= per_year / 20:
            return choice
    return choices[int(np.argmin(surplus))]
