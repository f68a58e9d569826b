"""Many steps of many zones: tiles of whole parents that stay in the cache, raked as they go."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from futuremap.core.population import SEXES
from futuremap.errors import DemographyError, LabelError
from futuremap.projection.kernel import advance_into, bear_into, check_fertile
from futuremap.projection.rake import RUNGS, Controls, rake_zones

TILE = 200_000  # cells worked on at once; a few arrays of them stay in a core's cache
# zones; below, compiling takes longer than it saves. Where zones have ratios of their own or an
# account is kept, memory is the limit and it saves nothing
NUMBA_FROM = 20_000
Engine = Literal["auto", "numpy", "numba"]


class Own(NamedTuple):
    """What zones have of their own beside their parents' ratios.

    cohort_change_ratio
        ``(Z, S, A)`` [ratio]
    child_woman_ratio
        ``(Z,)`` [ratio]
    persistence
        Share of the deviation from the parent that is left after each step. [ratio]
    """

    cohort_change_ratio: NDArray[np.float64]
    child_woman_ratio: NDArray[np.float64]
    persistence: float


class Ratios(NamedTuple):
    """What moves a population, shared by the zones of a parent.

    cohort_change_ratio
        People at the end of a step per person at its start, by age at the start, ``(P, S, A)``
        or by step ``(H, P, S, A)``. [ratio]
    child_woman_ratio
        Children in the youngest group per woman of fertile age, both at the end, ``(P,)`` or
        ``(H, P)``. [ratio]
    sex_ratio_0_4
        Boys per girl ``(P,)``. [ratio]
    fertile
        The age groups of the women counted.
    parent_starts
        First zone of each parent ``(P,)``; zones are sorted by parent.
    own
        Ratios of the zones themselves, or None.
    additive
        A ratio above 1 applies to no more people than a cell held in the base year.
    """

    cohort_change_ratio: NDArray[np.float64]
    child_woman_ratio: NDArray[np.float64]
    sex_ratio_0_4: NDArray[np.float64]
    fertile: slice
    parent_starts: NDArray[np.intp]
    own: Own | None = None
    additive: bool = False


class Trajectory(NamedTuple):
    """The stock of all years, and what raking did to it.

    persons
        ``(1 + H, Z, S, A)``, the base first. [persons]
    factor
        By step, parent, sex and age ``(H, P, S, A)``; None without controls. [ratio]
    total_factor
        The same for all people of a parent ``(H, P)``. [ratio]
    placed
        People placed where nobody was, by rung of the ladder ``(H, P, 4)``. [persons]
    """

    persons: NDArray[np.float64]
    factor: NDArray[np.float64] | None
    total_factor: NDArray[np.float64]
    placed: NDArray[np.float64]


class Tile(NamedTuple):
    """Parents ``first_parent`` to ``last_parent`` (exclusive), and their zones."""

    first_parent: int
    last_parent: int
    first_zone: int
    last_zone: int

    @property
    def parents(self) -> slice:
        """Positions of the parents."""
        return slice(self.first_parent, self.last_parent)

    @property
    def zones(self) -> slice:
        """Positions of the zones."""
        return slice(self.first_zone, self.last_zone)


class Work(NamedTuple):
    """Everything a tile needs, and where it writes: arrays of whole runs.

    base, ratios, controls
        As given to :func:`march`.
    parent_of
        Position of each zone's parent ``(Z,)``.
    adjustment
        Where to put what raking moved ``(H, Z, S, A)``, or None. [persons]
    made
        Where to put the trajectory.
    """

    base: NDArray[np.float64]
    ratios: Ratios
    controls: Controls | None
    parent_of: NDArray[np.intp]
    adjustment: NDArray[np.float64] | None
    made: Trajectory


def march(
    base: NDArray[np.float64],
    ratios: Ratios,
    *,
    steps: int,
    controls: Controls | None = None,
    out: NDArray[np.float64] | None = None,
    adjustment: NDArray[np.float64] | None = None,
    engine: Engine = "auto",
) -> Trajectory:
    """Take all zones through all steps, raking each step where controls are given.

    Parameters
    ----------
    base
        Persons in the base year ``(Z, S, A)``, zones sorted by parent. [persons]
    ratios
        What moves them; shared ratios are never spread over zones and steps.
    steps
        Count of steps (H).
    controls
        What parents and zones must hold after each step.
    out
        ``(1 + H, Z, S, A)``, filled with the trajectory if given: memory that was touched
        before is several times as fast as new memory. [persons]
    adjustment
        ``(H, Z, S, A)``, filled with what controls moved in each step if given. [persons]
    engine
        "numpy"; "numba", which gives the same numbers; or "auto": numba where it is installed,
        there are at least :data:`NUMBA_FROM` zones, and neither ratios of their own nor an
        account.

    Returns
    -------
    Trajectory
        The stock of all years and the factors of raking.

    Raises
    ------
    LabelError
        If shapes do not match.
    DemographyError
        If a ratio is negative or not finite.
    SolveError
        If a parent cannot meet its controls, or they contradict each other.
    ModuleNotFoundError
        If "numba" is asked for and the extra ``[fast]`` is not installed.

    Notes
    -----
    One step is that of :func:`futuremap.projection.kernel.step`. Tiles are whole parents, so
    that raking needs nothing from another tile, and hold about :data:`TILE` cells: all their
    steps are taken while they lie in the cache.

    Examples
    --------
    Two zones of a town without births, everybody stays; the town must hold 24:

    >>> import numpy as np
    >>> town = Ratios(np.ones((1, 2, 3)), np.zeros(1), np.ones(1), slice(1, 2), np.array([0]))
    >>> people = np.array([[[1.0, 2.0, 0.0]] * 2, [[0.0, 1.0, 2.0]] * 2])
    >>> made = march(people, town, steps=1, controls=Controls(np.array([[24.0]])))
    >>> made.persons[1, :, 0].tolist(), made.total_factor.tolist()
    ([[0.0, 2.0, 4.0], [0.0, 0.0, 6.0]], [[2.0]])
    """
    base = np.ascontiguousarray(base, dtype=np.float64)
    _check(base, ratios, steps)
    _check_controls(controls, (steps, len(ratios.parent_starts)), base)
    parents = len(ratios.parent_starts)
    shape = (steps + 1, *base.shape)
    for name, array, wanted in (
        ("out", out, shape),
        ("adjustment", adjustment, (steps, *base.shape)),
    ):
        fits = array is None or (
            array.shape == wanted and array.dtype == np.float64 and array.flags.c_contiguous
        )
        if not fits:
            raise LabelError(f"{name} is not a contiguous float64 array of shape {wanted}")
    made = Trajectory(
        np.empty(shape) if out is None else out,
        None if controls is None else np.ones((steps, parents, *base.shape[1:])),
        np.ones((steps, parents)),
        np.zeros((steps, parents, len(RUNGS))),
    )
    sizes = np.diff(np.append(ratios.parent_starts, len(base)))
    work = Work(base, ratios, controls, np.repeat(np.arange(parents), sizes), adjustment, made)
    plain = ratios.own is None and adjustment is None
    if engine == "numba" or (engine == "auto" and plain and _worth_compiling(len(base))):
        from futuremap.projection import fast  # noqa: PLC0415 - needs the extra [fast]

        left = [Tile(p, p + 1, *span) for p, *span in fast.run(work)]
    else:
        left = list(_tiles(ratios.parent_starts, *base.shape))
    for tile in left:
        _run(work, tile, steps)
    return made


def _run(work: Work, tile: Tile, steps: int) -> None:
    made, ratios, zones = work.made, work.ratios, tile.zones
    launch = work.base[zones] if ratios.additive else None
    relative = work.parent_of[zones] - tile.first_parent
    sex_ratio = ratios.sex_ratio_0_4[tile.parents][relative]
    made.persons[0, zones] = work.base[zones]
    for t, (ratio, child_woman_ratio) in enumerate(_spread(ratios, tile, relative, steps)):
        later = made.persons[t + 1, zones]
        advance_into(made.persons[t, zones], ratio, later, launch=launch)
        bear_into(later, child_woman_ratio, sex_ratio, fertile=ratios.fertile)
        if work.adjustment is not None:
            np.negative(later, out=work.adjustment[t, zones])
        if work.controls is not None:
            _rake(work, tile, t, work.controls)
        if work.adjustment is not None:
            work.adjustment[t, zones] += later


def _spread(
    ratios: Ratios,
    tile: Tile,
    relative: NDArray[np.intp],
    steps: int,
) -> Iterator[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    # the ratios of a tile's zones, step by step, in one buffer
    shared, fertility, own = ratios.cohort_change_ratio, ratios.child_woman_ratio, ratios.own
    dated = shared.ndim > 3 or fertility.ndim > 1  # noqa: PLR2004 - (H, P, S, A)
    buffer = np.empty((len(relative), *shared.shape[-2:]))
    for t in range(steps):
        if t == 0 or dated or own is not None:
            now = shared[t] if shared.ndim > 3 else shared  # noqa: PLR2004
            births = fertility[t] if fertility.ndim > 1 else fertility
            # "clip" lets take write without a buffer of its own; no position is out of range
            np.take(now[tile.parents], relative, axis=0, out=buffer, mode="clip")
            children = births[tile.parents][relative]
            if own is not None:
                # a zone's deviation fades: a boom of five years does not last thirty
                left = own.persistence**t
                buffer += left * (own.cohort_change_ratio[tile.zones] - buffer)
                children += left * (own.child_woman_ratio[tile.zones] - children)
        yield buffer, children


def _rake(work: Work, tile: Tile, t: int, controls: Controls) -> None:
    def part(given: NDArray[np.float64] | None, where: slice) -> NDArray[np.float64] | None:
        return None if given is None else given[t, where]

    made = work.made
    raked = rake_zones(
        made.persons[t + 1, tile.zones],
        part(controls.totals, tile.parents),
        parent_starts=work.ratios.parent_starts[tile.parents] - tile.first_zone,
        sex_age=part(controls.sex_age, tile.parents),
        zone_totals=part(controls.zone_totals, tile.zones),
        launch=work.base[tile.zones],
        name_of=lambda parent: controls.place(t, tile.first_parent + parent),
    )
    if made.factor is not None:
        made.factor[t, tile.parents] = raked.factor
    made.total_factor[t, tile.parents] = raked.total_factor
    made.placed[t, tile.parents] = raked.placed


def _tiles(starts: NDArray[np.intp], zones: int, *cells: int) -> Iterator[Tile]:
    """Parents in groups of about :data:`TILE` cells, never cut.

    Examples
    --------
    >>> [tile[:2] for tile in _tiles(np.array([0, 1, 5]), 6, 2, 20_000)]
    [(0, 2), (2, 3)]
    """
    ends = np.append(starts[1:], zones)
    wanted = max(1, TILE // int(np.prod(cells)))
    first = 0
    while first < len(starts):
        last = max(first + 1, int(np.searchsorted(ends, starts[first] + wanted, side="right")))
        yield Tile(first, last, int(starts[first]), int(ends[last - 1]))
        first = last


def _worth_compiling(zones: int) -> bool:
    return zones >= NUMBA_FROM and find_spec("numba") is not None


def _check(base: NDArray[np.float64], ratios: Ratios, steps: int) -> None:
    zones, starts = len(base), ratios.parent_starts
    if base.ndim != 3 or base.shape[1] != len(SEXES):  # noqa: PLR2004 - (Z, S, A)
        raise LabelError(f"the base has shape {base.shape}, not (Z, {len(SEXES)}, A)")
    check_fertile(ratios.fertile, base.shape[2])
    if not len(starts) or starts[0] != 0 or np.any(np.diff(starts) <= 0) or starts[-1] >= zones:
        raise LabelError(f"first zones of parents must ascend from 0 below {zones}")
    held = (len(starts), *base.shape[1:])
    own = () if ratios.own is None else (ratios.own.cohort_change_ratio,)
    own_births = () if ratios.own is None else (ratios.own.child_woman_ratio,)
    for arrays, shapes in (
        ((ratios.cohort_change_ratio,), (held, (steps, *held))),
        ((ratios.child_woman_ratio,), (held[:1], (steps, *held[:1]))),
        ((ratios.sex_ratio_0_4,), (held[:1],)),
        (own, (base.shape,)),
        (own_births, (base.shape[:1],)),
        ((base,), (base.shape,)),
    ):
        for array in arrays:
            if array.shape not in shapes:
                raise LabelError(f"ratios have shape {array.shape}, not one of {shapes}")
            if array.size and not (array.min() >= 0 and np.isfinite(array.sum())):
                raise DemographyError("a ratio or a number of persons is negative or not finite")


def _check_controls(
    controls: Controls | None,
    by_parent: tuple[int, int],
    base: NDArray[np.float64],
) -> None:
    if controls is None:
        return
    shapes = (by_parent, (*by_parent, *base.shape[1:]), (by_parent[0], len(base)))
    for array, shape in zip(controls[:3], shapes, strict=True):
        if array is not None and array.shape != shape:
            raise LabelError(f"controls have shape {array.shape}, not {shape}")
