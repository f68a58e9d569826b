"""Published projections and independent twins that the cohort-component kernel must reproduce.

``python scripts/oracles.py --data DIR``, with DIR laid out as the project's shared data: folders
``un_wpp2019`` (any countries) and ``fso_aargau_2025``. Preston's box, the Leslie matrix and the
plain-Python twin need no files.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from component_twin import twin_step
from numpy.typing import NDArray
from proof import Checks, log

from futuremap.core.ages import AgeGroups
from futuremap.errors import FuturemapError
from futuremap.projection.by_component import component_path
from futuremap.projection.component import (
    ComponentRates,
    ComponentStep,
    Convention,
    births_from_asfr,
    component_step,
)
from futuremap.projection.life_table import life_table, survival_ratios
from futuremap.projection.migration import net_profile, residual_net_migration, rogers_castro

Array = NDArray[np.float64]
FEMALE = 1

# Preston, Heuveline and Guillot 2001, box 6.1: women of Sweden, 1993 to 1998
# fmt: off
SWEDEN = {
    "start": [293395, 248369, 240012, 261346, 285209, 314388, 281290, 286923, 304108,
              324946, 247613, 211351, 215140, 221764, 223506, 183654, 141990, 112424],
    "end": [302392, 298682, 252007, 244150, 268267, 293515, 320624, 284767, 288031,
            303166, 322062, 243989, 205841, 205516, 205270, 194771, 142565, 131966],
    "lived": [497487, 497138, 496901, 496531, 495902, 495168, 494213, 492760, 490447,
              486613, 480665, 471786, 457852, 436153, 402775, 350358, 271512, 291707],
    "migrants": [6840, 4150, 3365, 5270, 9240, 8230, 5470, 3155, 1770,
                 1115, 1075, 845, 645, 530, 465, 300, 250, 175],
    "asfr": [0, 0, 0, .0120, .0908, .1499, .1125, .0441, .0074, .0003, *[0] * 8],
    "births": [15244, 126688, 229354, 170057, 63203, 10971, 472],
}
# fmt: on
MOTHERS = slice(3, 10)  # 15–49 in five-year groups

UN_AGES = AgeGroups.five_year(open_age=100)
UN_LAUNCH, UN_TARGET, UN_WORLD = 2020, 2050, 900
UN_MOVERS = slice(0, UN_AGES.index(80))
AARGAU_AGES = 101


def preston_rates() -> ComponentRates:
    """The box's rates; its men are left out (nobody, who bear nobody)."""
    lived = np.array(SWEDEN["lived"], dtype=np.float64)
    pooled = lived[-1] / (lived[-2] + lived[-1])
    survival = np.array([lived[0] / 5e5, *lived[1:-1] / lived[:-2], pooled, pooled])
    migrants = np.zeros((1, 2, len(lived)))
    migrants[0, FEMALE] = SWEDEN["migrants"]
    return ComponentRates(
        survival_ratio=survival[None, None],
        sex_ratio=np.array([1.05]),
        asfr=np.array([SWEDEN["asfr"]], dtype=np.float64),
        net_count=migrants,
    )


def preston_step() -> ComponentStep:
    """The box: half of the migrants at either end."""
    start = np.zeros((1, 2, len(SWEDEN["start"])))
    start[0, FEMALE] = SWEDEN["start"]
    return component_step(start, preston_rates(), width=5, convention=Convention("half"))


def preston(checks: Checks) -> None:
    """Every cell and the births by mother's age."""
    step = preston_step()
    stock = np.abs(step.persons[0, FEMALE] - SWEDEN["end"])
    births = np.abs(step.births_by_mother[0, MOTHERS] - SWEDEN["births"])
    checks.add("preston_sweden_largest_cell_error", float(stock.max()), "<=", 1.0, "persons")
    checks.add("preston_sweden_births_by_age_error", float(births.max()), "<=", 1.0, "births")


class Wpp:
    """UN WPP 2019 tables of all countries, read once."""

    def __init__(self, folder: Path) -> None:
        names = ("popM", "popF", "popMprojMed", "popFprojMed", "mxM", "mxF", "percentASFR")
        names += ("tfr", "tfrprojMed", "sexRatio", "migration")
        self.tables = {
            name: pd.read_csv(
                folder / f"{name}.txt", sep="\t", index_col=0, encoding_errors="replace"
            )
            for name in names
        }
        self.codes = self.tables["popF"].index.unique().tolist()

    def column(self, code: int, *names: str, at: str) -> Array:
        """One country's values of a year or period, by age where there are ages.

        Several tables are tried, because estimates and projections stand apart.
        """
        for name in names:
            table = self.tables[name]
            if at in table.columns and code in table.index:
                rows = table.loc[[code]]
                if "age" in rows.columns:
                    first = rows["age"].astype(str).str.extract(r"(\d+)")[0].astype(int)
                    rows = rows.iloc[np.argsort(first.to_numpy(), kind="stable")]
                return np.asarray(rows[at].to_numpy(dtype=np.float64))
        raise LookupError(f"country {code} has no {names} in {at}")

    def stock(self, code: int, year: int) -> Array:
        """Persons ``(S, A)``, thousands."""
        sexes = [self.column(code, f"pop{s}", f"pop{s}projMed", at=str(year)) for s in "MF"]
        return np.stack(sexes)

    def rates(self, code: int, year: int, net_count: Array | None = None) -> ComponentRates:
        """Rates of the five years from `year`."""
        period = f"{year}-{year + 5}"
        mx = np.stack([self.column(code, f"mx{s}", at=period) for s in "MF"])
        lower = np.array([0, 1, *range(5, 101, 5)])
        survival = survival_ratios(life_table(mx, lower=lower), UN_AGES).ratio
        asfr = np.zeros((1, len(UN_AGES)))
        share = self.column(code, "percentASFR", at=period) / 100
        asfr[0, MOTHERS] = share * self.column(code, "tfr", "tfrprojMed", at=period) / 5
        return ComponentRates(
            survival_ratio=survival[None],
            sex_ratio=self.column(code, "sexRatio", at=period),
            asfr=asfr,
            net_count=None if net_count is None else net_count[None],
        )

    def migrants(self, code: int, year: int) -> float:
        """Net migration total of the five years from `year`, thousands."""
        return float(self.column(code, "migration", at=f"{year}-{year + 5}")[0])

    def shape(self, code: int) -> Array:
        """Net migration by sex and age, from the five years before the launch."""
        before = UN_LAUNCH - 5
        first, last = self.stock(code, before), self.stock(code, UN_LAUNCH)
        rates = self.rates(code, before)
        assert rates.asfr is not None  # noqa: S101 - for the type checker
        children = births_from_asfr(rates.asfr[0], first[FEMALE], last[FEMALE], width=5).sum()
        boys = float(rates.sex_ratio[0] / (1 + rates.sex_ratio[0]))
        residual = residual_net_migration(
            first,
            last,
            survival_ratio=rates.survival_ratio[0],
            births=children * np.array([boys, 1 - boys]),
        )
        published = self.migrants(code, before)
        model = rogers_castro(UN_AGES)
        return net_profile(residual, model, published=published, movers=UN_MOVERS)

    def project(self, code: int) -> Array:
        """The stock of the target year ``(S, A)``.

        Migrants come at the end of a step and count among the women at its end. Only then do
        the residuals of 2010–2020 add up to the published net migration of Japan and Sweden.
        """
        shape = self.shape(code)

        def rates(step: int) -> ComponentRates:
            year = UN_LAUNCH + 5 * step
            return self.rates(code, year, shape * self.migrants(code, year))

        steps = (UN_TARGET - UN_LAUNCH) // 5
        start = self.stock(code, UN_LAUNCH)[None]
        return [step.persons[0] for step in component_path(start, rates, steps=steps, width=5)][-1]


def un_wpp(checks: Checks, folder: Path) -> None:
    """Total and age-sex structure in 2050 of every country in the files."""
    wpp = Wpp(folder)
    for code in wpp.codes:
        total: float | None = None
        cells: float | None = None
        try:
            ours, theirs = wpp.project(code), wpp.stock(code, UN_TARGET)
            total = abs(float(ours.sum() / theirs.sum()) - 1) * 100
            cells = float(np.abs(ours - theirs).sum() / theirs.sum()) * 100
        except (FuturemapError, LookupError, ValueError) as fault:
            log(f"country {code}: {fault}")
        limit = 0.05 if code == UN_WORLD else 0.25
        checks.add(f"un_wpp2019_{code}_total_{UN_TARGET}_error", total, "<=", limit, "%")
        checks.add(f"un_wpp2019_{code}_age_sex_{UN_TARGET}_error", cells, "<=", 1.5, "%")


def aargau_cube(table: pd.DataFrame, column: str) -> Array:
    """A column as ``(Y, K, S, A)``: nationals and others, men and women, age reached."""
    order = table.assign(
        k=(table["nat"] != "ch").astype(int),
        s=(table["sex"] != "m").astype(int),
    ).sort_values(["year", "k", "s", "age"])
    return np.asarray(order[column].to_numpy(dtype=np.float64)).reshape(-1, 2, 2, AARGAU_AGES)


def by_cohort(reached: Array) -> Array:
    """Rates by the age reached ``(…, A)`` as rates of cohorts ``(…, A + 1)``."""
    return np.concatenate([reached, reached[..., -1:]], axis=-1)


def aargau_rates(cubes: dict[str, Array], t: int) -> ComponentRates:
    """Rates of the canton in one year; the zone axis has length 1."""
    exchange = np.zeros((2, 2, 1, 2, AARGAU_AGES + 1))
    exchange[1, 0, 0] = by_cohort(cubes["acq"][t, 1])
    leaving = cubes["emi_int"][t] + cubes["emi_nat"][t]
    national = cubes["int_mothers"][t, 1, FEMALE, 0]
    return ComponentRates(
        survival_ratio=1 - by_cohort(cubes["mor"][t])[:, None],
        sex_ratio=np.array([105 / 100]),
        asfr=cubes["birthrate"][t, :, None, FEMALE],
        emigration_rate=by_cohort(leaving)[:, None],
        in_count=(cubes["imm_int_n"][t] + cubes["imm_nat_n"][t])[:, None],
        exchange_rate=exchange,
        child_group=np.array([[1.0, 0.0], [national, 1 - national]]),
    )


def aargau(checks: Checks, folder: Path) -> None:
    """The canton's two nationalities in exchange, by single year of age, 2025 to 2055."""
    table = pd.read_csv(folder / "fso_parameters_reference.csv.gz")
    years = sorted(table["year"].unique())
    names = ("birthrate", "int_mothers", "mor", "emi_int", "emi_nat", "acq")
    names += ("imm_int_n", "imm_nat_n", "fso_projection_n")
    cubes = {name: aargau_cube(table, name) for name in names}
    start = aargau_cube(table[table["year"] == years[0]], "start_n")[0]
    # start_n stands at the age that is reached within the year: one year back
    people = np.concatenate([start[..., 1:], np.zeros_like(start[..., :1])], axis=-1)[:, None]
    path = component_path(
        people,
        lambda t: aargau_rates(cubes, t),
        steps=len(years),
        width=1,
        convention=Convention("half", "reached"),
    )
    gap = np.stack([step.persons[:, 0] for step in path]) - cubes["fso_projection_n"]
    for name, error in (("", gap), ("_summed", gap.sum(axis=1, keepdims=True))):
        span = f"aargau_{years[0]}_{years[-1]}{name}"
        yearly = np.abs(error).mean(axis=(1, 2, 3))
        limit = 0.07 if name else 0.05
        checks.add(f"{span}_largest_cell_error", float(np.abs(error).max()), "<=", 1.0, "persons")
        checks.add(f"{span}_mae_of_worst_year", float(yearly.max()), "<=", limit, "persons")


def leslie_matrix(rates: ComponentRates, groups: int) -> Array:
    """One step of one zone as a matrix ``(2A, 2A)``: the kernel applied to unit populations."""
    units = np.eye(2 * groups).reshape(2 * groups, 2, groups)
    parents = np.arange(2 * groups)
    step = component_step(units, rates, width=5, parent_starts=parents)
    return np.asarray(step.persons.reshape(2 * groups, -1).T)


def dominant(matrix: Array) -> tuple[float, Array] | None:
    """Growth per step and stable structure; None where no single one dominates."""
    values, vectors = np.linalg.eig(matrix)
    order = np.argsort(-np.abs(values))
    first, second = values[order[0]], values[order[1]]
    if abs(first) == 0 or abs(second) > abs(first) * (1 - 1e-6):
        return None
    structure = np.real(vectors[:, order[0]])
    return float(np.real(first)), structure / structure.sum()


def leslie(checks: Checks) -> None:
    """Iterating the kernel ends in the eigenvector, unless there is none.

    It is defined where the women who bear return to their own ages by all spans of time. With
    no births nobody remains, and with one fertile group of a child–woman ratio the births come
    in waves that never even out.
    """
    closed = preston_rates()
    groups = len(SWEDEN["start"])
    rates = ComponentRates(closed.survival_ratio, closed.sex_ratio, asfr=closed.asfr)
    found = dominant(leslie_matrix(rates, groups))
    growth_error, structure_error = None, None
    if found is not None:
        people = np.ones((1, 2, groups))
        growth = 0.0
        for _ in range(400):
            later = component_step(people, rates, width=5).persons
            growth = float(later.sum() / people.sum())
            people = later / later.sum()
        growth_error = abs(growth - found[0])
        structure_error = float(np.abs(people.ravel() - found[1]).max())
    checks.add("leslie_growth_error", growth_error, "<=", 1e-9, "ratio per step")
    checks.add("leslie_structure_error", structure_error, "<=", 1e-9, "share of people")
    waves = ComponentRates(
        closed.survival_ratio,
        closed.sex_ratio,
        child_woman_ratio=np.ones(1),
        fertile=slice(5, 6),
    )
    none = ComponentRates(closed.survival_ratio, closed.sex_ratio, asfr=np.zeros((1, groups)))
    young = leslie_matrix(none, groups)[: groups - 1, : groups - 1]  # below the open age
    undefined = [dominant(leslie_matrix(waves, groups)), dominant(young)]
    named = sum(found is None for found in undefined)
    checks.add("leslie_undefined_cases_recognised", named, "==", 2, "of 2")


def random_rates(rng: np.random.Generator, *, fertility: str, ages: int) -> ComponentRates:
    """Rates of every kind for two groups, five zones and two parents."""
    zones = 5
    own, cohorts = (2, zones, 2, ages), (2, zones, 2, ages + 1)
    share = rng.uniform(0.1, 1, own)
    share[:, :2] /= share[:, :2].sum(axis=1, keepdims=True)
    share[:, 2:] /= share[:, 2:].sum(axis=1, keepdims=True)
    exchange = rng.uniform(0, 0.05, (2, 2, *cohorts[1:]))
    exchange[[0, 1], [0, 1]] = 0.0
    asfr = rng.uniform(0, 0.1, (2, zones, ages))
    asfr[..., 0] = 0.0
    national = rng.uniform(0, 0.5)
    return ComponentRates(
        survival_ratio=rng.uniform(0.5, 1, cohorts),
        sex_ratio=rng.uniform(0.9, 1.1, (2, zones)),
        asfr=asfr if fertility == "asfr" else None,
        child_woman_ratio=None if fertility == "asfr" else rng.uniform(0, 0.5, (2, zones)),
        fertile=slice(2, 5),
        net_rate=rng.uniform(-0.1, 0.1, cohorts),
        out_rate=rng.uniform(0, 0.1, cohorts),
        emigration_rate=rng.uniform(0, 0.05, cohorts),
        in_share=share,
        immigrants=rng.uniform(0, 10, (2, 2, 2, ages)),
        in_count=rng.uniform(0, 3, own),
        net_count=rng.uniform(-1, 1, own),
        exchange_rate=exchange,
        child_group=np.array([[1.0, 0.0], [national, 1 - national]]),
    )


def plain(rates: ComponentRates) -> dict[str, object]:
    """Rates as nested lists."""
    held: dict[str, object] = {}
    for name, value in vars(rates).items():
        held[name] = value.tolist() if isinstance(value, np.ndarray) else value
    if rates.fertile is not None:
        held["fertile"] = (rates.fertile.start, rates.fertile.stop)
    return held


def twin_gap(seed: int, *, fertility: str, convention: Convention) -> float:
    """Largest difference between kernel and twin over all outputs, relative to their size."""
    rng = np.random.default_rng(seed)
    ages = int(rng.integers(6, 12))
    rates = random_rates(rng, fertility=fertility, ages=ages)
    people = rng.gamma(2.0, 20.0, (2, 5, 2, ages)) + 40
    quarters = rng.uniform(0, 5, people.shape)
    ours = component_step(
        people,
        rates,
        width=5,
        convention=convention,
        parent_starts=np.array([0, 2]),
        group_quarters=quarters,
    )
    theirs = twin_step(
        people.tolist(),
        {**plain(rates), "group_quarters": quarters.tolist()},
        width=5,
        half=convention.timing == "half",
        reached=convention.ages == "reached",
        parents=[0, 0, 1, 1, 1],
    )
    gaps = [np.abs(getattr(ours, name) - np.array(cells)).max() for name, cells in theirs.items()]
    return float(max(gaps) / people.max())


def twin(checks: Checks) -> None:
    """Every timing, meaning of age and kind of fertility, three random towns each."""
    worst = 0.0
    for timing in ("end", "half"):
        for ages in ("event", "reached"):
            for fertility in ("asfr", "child_woman_ratio"):
                for seed in range(3):
                    convention = Convention(timing, ages)  # type: ignore[arg-type]
                    gap = twin_gap(seed, fertility=fertility, convention=convention)
                    worst = max(worst, gap)
    checks.add("plain_python_twin_relative_gap", worst, "<=", 1e-9, "ratio")


def main() -> None:
    """Run all oracles."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the data sets")
    parser.add_argument("--json", action="store_true", help="accepted; JSON is always printed")
    data: Path = parser.parse_args().data
    checks = Checks()
    parts: dict[str, Callable[[], None]] = {
        "preston": lambda: preston(checks),
        "un_wpp2019": lambda: un_wpp(checks, data / "un_wpp2019"),
        "aargau": lambda: aargau(checks, data / "fso_aargau_2025"),
        "leslie": lambda: leslie(checks),
        "plain_python_twin": lambda: twin(checks),
    }
    for name, part in parts.items():
        try:
            part()
        except (FuturemapError, LookupError, OSError, ValueError) as fault:
            log(f"{name}: {fault}")
            checks.add(f"{name}_measured", None, "==", 1, "of 1")
    checks.print()


if __name__ == "__main__":
    main()
