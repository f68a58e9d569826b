"""The cohort-component step once more, cell by cell in plain Python: an oracle for the kernel.

It shares nothing with the package but the meaning of the rates (`ComponentRates`): nested lists,
one scalar account for every cohort, no arrays.
"""

from __future__ import annotations

from itertools import product
from typing import Any

Nested = list[Any]


def twin_step(
    people: Nested,
    rates: dict[str, Any],
    *,
    width: int,
    half: bool,
    reached: bool,
    parents: list[int],
) -> dict[str, Nested]:
    """Advance ``people[k][z][s][a]``; `parents` gives the parent of every zone.

    `rates` holds plain nested lists under the names of `ComponentRates`, and ``group_quarters``.
    """
    zones, ages = len(people[0]), len(people[0][0][0])
    quarters = rates.get("group_quarters") or _zeros(len(people), zones, 2, ages)
    home = _zeros(len(people), zones, 2, ages)
    cells = list(product(range(len(people)), range(zones), range(2)))
    for k, z, s in cells:
        for a in range(ages):
            home[k][z][s][a] = people[k][z][s][a] - quarters[k][z][s][a]
    account = _Account(home, rates, parents, 0.5 if half else 0.0, reached)
    for k, z, s in cells:
        for a in range(ages):
            account.age(k, z, s, a + 1, home[k][z][s][a])
    mothers = _mothers(account, home, width, reached)
    born = account.newborn = _born(mothers, rates)
    for k, z, s in cells:
        if rates.get("asfr") is None:
            account.stock[k][z][s][0] += born[k][z][s]
        else:
            account.age(k, z, s, 0, born[k][z][s])
    _turnover(account, quarters)
    return {
        "persons": account.stock,
        "births": born,
        "births_by_mother": mothers,
        "deaths": account.deaths,
        "in_migrants": account.came,
        "out_migrants": account.left,
        "exchange": account.swap,
    }


def _zeros(*sizes: int) -> Nested:
    if len(sizes) == 1:
        return [0.0] * sizes[0]
    return [_zeros(*sizes[1:]) for _ in range(sizes[0])]


class _Account:
    """What happens to one cohort at a time."""

    def __init__(
        self, home: Nested, rates: dict[str, Any], parents: list[int], early: float, reached: bool
    ) -> None:
        self.home, self.rates, self.parents = home, rates, parents
        self.early, self.reached = early, reached
        self.groups, self.zones, self.ages = len(home), len(home[0]), len(home[0][0][0])
        size = (self.groups, self.zones, 2, self.ages)
        self.stock, self.deaths = _zeros(*size), _zeros(*size)
        self.came, self.left, self.swap = _zeros(*size), _zeros(*size), _zeros(*size)
        self.joined = _zeros(*size)
        self.newborn = _zeros(*size[:3])

    def rate(self, name: str, *where: int) -> float:
        """A rate, 0 if it is not given."""
        value = self.rates.get(name)
        if value is None:
            return 0.0
        for i in where:
            value = value[i]
        return float(value)

    def begin(self, k: int, z: int, s: int, c: int) -> float:
        """Persons of a cohort at the start."""
        return float(self.newborn[k][z][s] if c == 0 else self.home[k][z][s][c - 1])

    def pool(self, k: int, z: int, s: int, a: int) -> float:
        """Who comes to a zone at an age from the pool of its parent."""
        if self.rates.get("in_share") is None:
            return 0.0
        people = self.rate("immigrants", k, self.parents[z], s, a)
        cohorts = [a] if a < self.ages - 1 else [a, a + 1]
        for other in range(self.zones):
            if self.parents[other] == self.parents[z]:
                for c in cohorts:
                    people += self.rate("out_rate", k, other, s, c) * self.begin(k, other, s, c)
        return self.rate("in_share", k, z, s, a) * people

    def age(self, k: int, z: int, s: int, c: int, start: float) -> None:
        """Take a cohort to the end of the step."""
        end = min(c, self.ages - 1)
        into = c != self.ages - 1  # those counted into the open group join its older cohort
        net = self.rate("net_rate", k, z, s, c) * start
        moving = self.rate("out_rate", k, z, s, c) + self.rate("emigration_rate", k, z, s, c)
        coming = max(net, 0.0) + (self.pool(k, z, s, end) if into else 0.0)
        leaving = max(-net, 0.0) + moving * start
        swap = 0.0
        for other in range(self.groups):
            swap += self.rate("exchange_rate", other, k, z, s, c) * self.begin(other, z, s, c)
            swap -= self.rate("exchange_rate", k, other, z, s, c) * start
        first_in, first_out, last_in, last_out = self.counts(k, z, s, c, end, into=into)
        joined = start + self.early * (coming - leaving + swap) + first_in - first_out
        survival = self.rate("survival_ratio", k, z, s, c)
        final = joined * survival + (1 - self.early) * (coming - leaving + swap)
        self.stock[k][z][s][end] += final + last_in - last_out
        self.deaths[k][z][s][end] += joined * (1 - survival)
        self.came[k][z][s][end] += coming + first_in + last_in
        self.left[k][z][s][end] += leaving + first_out + last_out
        self.swap[k][z][s][end] += swap
        if c > 0:
            self.joined[k][z][s][c - 1] = joined

    def counts(
        self, k: int, z: int, s: int, c: int, end: int, *, into: bool
    ) -> tuple[float, float, float, float]:
        """Movers by count of a cohort: in and out at the start, in and out at the end."""

        def both(a: int) -> tuple[float, float]:
            net = self.rate("net_count", k, z, s, a)
            return self.rate("in_count", k, z, s, a) + max(net, 0.0), max(-net, 0.0)

        late = both(end) if into else (0.0, 0.0)
        first = both(c - 1) if c > 0 else (0.0, 0.0)
        if self.reached or self.early == 0:
            first = late
        w = self.early
        return w * first[0], w * first[1], (1 - w) * late[0], (1 - w) * late[1]


def _mothers(account: _Account, home: Nested, width: int, reached: bool) -> Nested:
    rates, ages = account.rates, account.ages
    mothers = _zeros(account.groups, account.zones, ages)
    for k in range(account.groups):
        for z in range(account.zones):
            for a in range(1, ages):
                end = account.stock[k][z][1][a]
                if rates.get("asfr") is None:
                    first, last = rates["fertile"]
                    inside = first <= a < last
                    mothers[k][z][a] = rates["child_woman_ratio"][k][z] * end if inside else 0.0
                    continue
                if reached:
                    begin = home[k][z][1][a - 1] + (home[k][z][1][a] if a == ages - 1 else 0.0)
                else:
                    begin = account.joined[k][z][1][a]
                mothers[k][z][a] = width * rates["asfr"][k][z][a] * (begin + end) / 2
    return mothers


def _born(mothers: Nested, rates: dict[str, Any]) -> Nested:
    groups, zones = len(mothers), len(mothers[0])
    born = _zeros(groups, zones, 2)
    for k in range(groups):
        for z in range(zones):
            children = 0.0
            for mother in range(groups):
                share = rates.get("child_group")
                part = share[mother][k] if share else float(mother == k)
                children += part * sum(mothers[mother][z])
            ratio = rates["sex_ratio"][k][z]
            born[k][z][0] = children * ratio / (1 + ratio)
            born[k][z][1] = children / (1 + ratio)
    return born


def _turnover(account: _Account, quarters: Nested) -> None:
    for k in range(account.groups):
        for z in range(account.zones):
            for s in range(2):
                for a in range(account.ages):
                    stay = quarters[k][z][s][a]
                    aged = quarters[k][z][s][a - 1] if a > 0 else 0.0
                    if a == account.ages - 1:
                        aged += quarters[k][z][s][a]
                    account.stock[k][z][s][a] += stay
                    account.came[k][z][s][a] += max(stay - aged, 0.0)
                    account.left[k][z][s][a] += max(aged - stay, 0.0)
