"""Where the people of a block stand on its meshes, from what is published of the meshes themselves.

Published numbers of a mesh bind the shares of the blocks on it; the blocks' own people bind more:
city, blocks and meshes have the same sums in every year.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from futuremap.core.ages import AgeGroups
from futuremap.core.crosswalk import Crosswalk, from_pairs, gather
from futuremap.core.population import SEXES, Flag, Population
from futuremap.errors import LabelError

FREE, AT_MOST, EXACT = 0, 1, 2  # how the published number of a mesh binds
ROUNDS = 500
NOBODY = 1e-100  # persons; what contradicts itself dwindles without end
BY_MESHES = (
    "メッシュの人口は、町丁の人口を基準年の地域メッシュ統計に合うように分けた推計です（将来も同じ割合）。",
    "Mesh populations are the blocks', shared out to meet the census's meshes in the base year.",
)
SETTLED = 1e-10  # change of a round's factors, at which the fit stops


class Shares(NamedTuple):
    """Blocks on meshes, by sex and broad age.

    walks
        One crosswalk for each sex and broad group, sexes first; each keeps totals.
    ages
        The broad groups (G).
    overall
        The same for all people of the base year together.
    flag
        Flags that the published numbers bring to each mesh ``(T,)``.
    imputed
        Share of each mesh's published people that was restored or of unknown age ``(T,)``.
        [ratio]
    """

    walks: tuple[Crosswalk, ...]
    ages: AgeGroups
    overall: Crosswalk
    flag: NDArray[np.uint8]
    imputed: NDArray[np.float64]


def fit(
    blocks: Population,
    seed: Crosswalk,
    *,
    meshes: Population,
    binds: NDArray[np.uint8],
) -> Shares:
    """Shift the people of each block among its meshes until these have what was published.

    Parameters
    ----------
    blocks
        Town blocks in the base year, by sex and age. [persons]
    seed
        Blocks to meshes, by area or by where buildings stand; it keeps totals.
    meshes
        What is published of the seed's targets in that year, by sex and broad age. [persons]
    binds
        For each mesh EXACT, AT_MOST where others than the blocks may have people on it too,
        or FREE where nothing is published ``(T,)``.

    Returns
    -------
    Shares
        By sex and the groups that both divide at the same bounds. Of all shares that keep the
        blocks' people, those whose meshes come nearest to the published ages by iterative
        proportional fitting, and then have the published totals by sex. A block keeps the seed's
        shares where its meshes have nobody of a group, and those of all its people for a group
        of which it has nobody.

    Raises
    ------
    LabelError
        If zones, meshes or years do not match, or the seed does not keep totals.

    Notes
    -----
    With *s* the seed, *P* the blocks' people and *M* the meshes', the people of block *b* on
    mesh *m* are ``T = s · P · r(m) · c(b)``, with ``Σm T = P`` always and ``Σb T = M`` (or
    ``≤ M``) where both can hold; where only their sums over ages can, these do.

    References
    ----------
    .. [1] W. E. Deming, F. F. Stephan, "On a least squares adjustment of a sampled frequency
       table when the expected marginal totals are known", Ann. Math. Stat. 11, 1940.

    Examples
    --------
    Half of a block's area lies in each mesh, but three in four of its people live in the first:

    >>> people = Population.build(np.full((1, 1, 2, 1), 4.0), years=[2020], zones=["block"],
    ...                           ages=AgeGroups((0,)))
    >>> known = Population.build([[[[3.0], [3.0]], [[1.0], [1.0]]]], years=[2020],
    ...                          zones=["m1", "m2"], ages=AgeGroups((0,)))
    >>> half = from_pairs(np.array([0, 1]), np.array([0, 0]), np.array([0.5, 0.5]),
    ...                   targets=["m1", "m2"], sources=["block"], rule="by area")
    >>> both = np.full(2, EXACT, dtype=np.uint8)
    >>> fit(people, half, meshes=known, binds=both).overall.weights.toarray().ravel().tolist()
    [0.75, 0.25]
    """
    _check(blocks, seed, meshes, binds)
    shared = AgeGroups(tuple(sorted(set(blocks.ages.lower) & set(meshes.ages.lower))))
    people = _by_group(blocks, shared)  # (Z, K), K = S · G
    wanted = _by_group(meshes, shared)  # (T, K)
    pairs = seed.weights.tocoo()
    start = pairs.data[:, np.newaxis] * people[pairs.col]
    fitted = _fitted(start, (pairs.row, pairs.col), people, wanted=wanted, binds=binds)
    sums = np.bincount(pairs.col, weights=fitted.sum(axis=1), minlength=len(blocks.zones))
    every = np.where(
        sums[pairs.col] > 0,
        fitted.sum(axis=1) / np.where(sums > 0, sums, 1.0)[pairs.col],
        pairs.data,
    )
    by_group = np.where(
        people[pairs.col] > 0,
        fitted / np.where(people > 0, people, 1.0)[pairs.col],
        every[:, np.newaxis],
    )
    rule = f"{seed.rule}, fitted to what is published of the meshes"
    credits_of = (*seed.credits, *meshes.sources)

    def walk(weights: NDArray[np.float64]) -> Crosswalk:
        used = weights > 0
        return from_pairs(
            pairs.row[used], pairs.col[used], weights[used],
            targets=seed.targets, sources=seed.sources, rule=rule, credits=credits_of,
        )  # fmt: skip

    split = np.uint8(Flag.IMPUTED) if shared != blocks.ages else np.uint8(0)
    known = binds != FREE
    return Shares(
        tuple(walk(weights) for weights in by_group.T),
        shared,
        walk(every),
        np.where(known, meshes.flag[0] & ~np.uint8(Flag.OBSERVED) | split, np.uint8(0)),
        np.where(known, meshes.imputed_share[0], 0.0),
    )


def gather_by_age(population: Population, shares: Shares) -> Population:
    """Count blocks on their meshes, every sex and broad age where it stands.

    Parameters
    ----------
    population
        Blocks in any years. [persons]
    shares
        Of these blocks.

    Returns
    -------
    Population
        On the meshes, with sums by year, sex and age as before; the flags of the published
        numbers are added, and a mesh's imputed share is at least theirs.

    Raises
    ------
    LabelError
        If the blocks are not those of the shares, or ages divide at other bounds.
    """
    whole = gather(population, shares.overall)
    starts = [*map(population.ages.index, shares.ages.lower), len(population.ages)]
    persons = np.zeros_like(whole.persons)
    for k, walk in enumerate(shares.walks):
        sex, group = divmod(k, len(shares.ages))
        ages = slice(starts[group], starts[group + 1])
        part = np.moveaxis(population.persons[:, :, sex, ages], 1, 0)  # (Z, Y, A)
        moved = np.asarray(walk.weights @ part.reshape(len(part), -1))
        persons[:, :, sex, ages] = np.moveaxis(moved.reshape(-1, *part.shape[1:]), 0, 1)
    return Population.build(
        persons,
        years=whole.years,
        zones=whole.zones,
        ages=whole.ages,
        flag=whole.flag | shares.flag,
        imputed_share=np.maximum(whole.imputed_share, shares.imputed),
        sources=whole.sources,
    )


class Gap(NamedTuple):
    """How far meshes that are wholly the blocks' are from what is published of them.

    meshes
        Count of these meshes.
    published
        People in them. [persons]
    missed
        Sum of the differences by mesh, without sign. [persons]
    worst, worst_by
        The mesh that is furthest off, and by how much. [persons]
    """

    meshes: int
    published: float
    missed: float
    worst: str
    worst_by: float


def gap(gathered: Population, meshes: Population, binds: NDArray[np.uint8]) -> Gap:
    """Compare the base year on the meshes with what is published, all people together.

    Parameters
    ----------
    gathered, meshes
        The first year of the blocks on the meshes, and the published numbers. [persons]
    binds
        As for :func:`fit`; only EXACT meshes are compared ``(T,)``.
    """
    exact = binds == EXACT
    off = np.where(exact, gathered.totals()[0] - meshes.totals()[0], 0.0)
    at = int(np.abs(off).argmax()) if len(off) else 0
    return Gap(
        int(exact.sum()),
        float(meshes.totals()[0][exact].sum()),
        float(np.abs(off).sum()),
        meshes.zones[at],
        float(off[at]),
    )


def _check(
    blocks: Population,
    seed: Crosswalk,
    meshes: Population,
    binds: NDArray[np.uint8],
) -> None:
    if blocks.zones != seed.sources or meshes.zones != seed.targets:
        raise LabelError("blocks or meshes are not those of the seed, in its order")
    if blocks.years != meshes.years or len(blocks.years) != 1:
        raise LabelError(f"blocks of {blocks.years} and meshes of {meshes.years}")
    if not seed.conserves() or binds.shape != (len(seed.targets),):
        raise LabelError("the seed does not keep totals, or not every mesh is said to bind or not")


def _by_group(population: Population, broad: AgeGroups) -> NDArray[np.float64]:
    """People by zone, and by sex and broad age side by side ``(Z, S · G)``."""
    merged = population.persons[0] @ population.ages.merge_matrix(broad).T
    return np.asarray(merged.reshape(len(population.zones), len(SEXES) * len(broad)))


def _fitted(
    start: NDArray[np.float64],
    at: tuple[NDArray[np.intp], NDArray[np.intp]],
    people: NDArray[np.float64],
    *,
    wanted: NDArray[np.float64],
    binds: NDArray[np.uint8],
) -> NDArray[np.float64]:
    """People by pair of mesh and block ``(N, K)`` with the sums of the blocks.

    Ages of suppressed meshes and blocks are restored, each by itself, and may contradict each
    other; totals by sex are published for all. So ages are met first, and then the totals.
    """
    groups = people.shape[1] // len(SEXES)
    by_age = _raked(start, at, people, wanted=wanted, binds=binds)
    totals = wanted.reshape(len(wanted), -1, groups).sum(axis=2)
    return _raked(by_age, at, people, wanted=totals, binds=binds)


def _raked(
    start: NDArray[np.float64],
    at: tuple[NDArray[np.intp], NDArray[np.intp]],
    people: NDArray[np.float64],
    *,
    wanted: NDArray[np.float64],
    binds: NDArray[np.uint8],
) -> NDArray[np.float64]:
    """Rake to meshes, of which each column may stand for several of the table's, and to blocks."""
    row, column = at
    order = np.arange(len(row))
    ones = np.ones(len(row))
    of_mesh = csr_array((ones, (row, order)), shape=(len(wanted), len(row)))
    of_block = csr_array((ones, (column, order)), shape=(len(people), len(row)))
    together = people.shape[1] // wanted.shape[1]
    table = start.copy()
    bound, exact = (binds != FREE)[:, np.newaxis], (binds == EXACT)[:, np.newaxis]
    before = np.ones_like(people)
    for _ in range(ROUNDS):
        sums = np.asarray(of_mesh @ table).reshape(*wanted.shape, together).sum(axis=2)
        factor = np.divide(wanted, sums, out=np.ones_like(sums), where=(sums > NOBODY) & bound)
        factor = np.where(exact, factor, np.minimum(factor, 1.0))
        table *= np.repeat(factor, together, axis=1)[row]
        have = np.asarray(of_block @ table)
        back = np.divide(people, have, out=np.ones_like(have), where=have > NOBODY)
        table *= back[column]
        if np.abs(back - before).max(initial=0.0) <= SETTLED:
            break
        before = back
    have = np.asarray(of_block @ table)
    lost = (have <= NOBODY) & (people > 0)  # all meshes of the block are without this group
    return np.where(lost[column], start, table)
