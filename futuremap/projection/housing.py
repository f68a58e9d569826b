"""Known housing projects: people that a planner knows will come or go, as net migrants."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from futuremap.core.flows import advance_age
from futuremap.core.rates import Rates
from futuremap.errors import DemographyError, LabelError
from futuremap.projection.kernel import FEMALE, step
from futuremap.projection.rates import FERTILE_FROM, FERTILE_TO
from futuremap.projection.windows import sum_by_parent

ROUNDING = 1e-9  # persons below 0 that are rounding, not a clearance too large


@dataclass(frozen=True, eq=False)
class HousingProject:
    """Dwellings built, or cleared, in one zone and year.

    Parameters
    ----------
    zone
        Id of the zone.
    year
        When people have moved. [years]
    dwellings
        Dwellings built; negative for a clearance. Give these or `persons`.
    persons
        People who come; negative for those who go. [persons]
    household_size
        Persons per occupied dwelling; needed with `dwellings`. [persons]
    occupied_share
        Share of the dwellings that are lived in. [ratio]
    profile
        Sex and age of who moves ``(S, A)``, any scale; without it those who come are like the
        municipality's in-movers, those who go like the zone's own people.

    Raises
    ------
    DemographyError
        If not exactly one of `dwellings` and `persons` is given, or a number is impossible.

    Examples
    --------
    >>> HousingProject("37201-001", 2028, dwellings=50, household_size=2.5,
    ...                occupied_share=0.8).movers()
    100.0
    """

    zone: str
    year: float
    dwellings: float | None = None
    persons: float | None = None
    household_size: float | None = None
    occupied_share: float = 1.0
    profile: NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        if (self.dwellings is None) == (self.persons is None):
            raise DemographyError(f"{self._name()}: give either dwellings or persons")
        if self.dwellings is not None and self.household_size is None:
            raise DemographyError(f"{self._name()}: dwellings need a household size")
        numbers = [self.year, self.movers()]
        sizes_bad = self.household_size is not None and self.household_size <= 0
        if not np.isfinite(numbers).all() or not 0 <= self.occupied_share <= 1 or sizes_bad:
            raise DemographyError(
                f"{self._name()}: {self.movers()} persons, occupied share {self.occupied_share}, "
                f"household size {self.household_size}",
            )
        if self.profile is not None:
            _check_profile(self.profile, self._name())

    def movers(self) -> float:
        """People who come, negative for those who go. [persons]"""
        if self.persons is not None:
            return float(self.persons)
        return float((self.dwellings or 0) * self.occupied_share * (self.household_size or 0))

    def _name(self) -> str:
        return f"housing project in {self.zone}, {self.year:g}"


def housing_migrants(
    projects: Sequence[HousingProject],
    persons: NDArray[np.float64],
    *,
    zones: Sequence[str],
    start: float,
    end: float,
    profile: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Net migrants that housing projects bring at the end of a step.

    Parameters
    ----------
    projects
        Those of other steps are left out; one belongs to the step with start < year ≤ end.
    persons
        Who lives there at the end of the step without them ``(Z, S, A)``. [persons]
    zones
        Ids ``(Z,)``.
    start, end
        The step. [years]
    profile
        Sex and age of in-movers, of each zone's municipality ``(Z, S, A)`` or one for all
        ``(S, A)``; see :func:`in_mover_profile`. Any scale.

    Returns
    -------
    numpy.ndarray
        ``(Z, S, A)``, to be added to `persons`. [persons]

    Raises
    ------
    LabelError
        If a project's zone is not among `zones`, or shapes disagree.
    DemographyError
        If more would leave a zone, sex and age than live there.

    Examples
    --------
    >>> import numpy as np
    >>> people = np.array([[[10.0, 30.0]]])
    >>> clearance = HousingProject("a", 2028, persons=-20)
    >>> flats = HousingProject("a", 2029, persons=10)
    >>> housing_migrants([clearance, flats], people, zones=["a"], start=2025, end=2030,
    ...                  profile=np.array([[1.0, 1.0]])).tolist()
    [[[0.0, -10.0]]]
    """
    net = np.zeros_like(persons)
    position = {zone: i for i, zone in enumerate(zones)}
    if len(position) != len(persons):
        raise LabelError(f"{len(position)} zone ids for {len(persons)} zones")
    shared = np.broadcast_to(profile, persons.shape)
    for project in sorted(projects, key=lambda one: (one.year, one.zone)):
        if project.zone not in position:
            raise LabelError(f"a housing project names zone {project.zone}, which there is not")
        if start < project.year <= end:
            where = position[project.zone]
            net[where] += _movers(project, persons[where] + net[where], shared[where])
    return net


def settle(
    path: NDArray[np.float64],
    projects: Sequence[HousingProject],
    rates: Rates,
    *,
    years: Sequence[int],
    profile: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Put housing projects into the path of a method.

    Parameters
    ----------
    path
        Launch and every later step without them ``(1 + steps, Z, S, A)``. [persons]
    projects
        Those up to the launch are in its numbers already and are left out.
    rates
        Ratios of the zones' municipalities.
    years
        Years of the path ``(1 + steps,)``.
    profile
        Sex and age of in-movers ``(Z, S, A)`` or ``(S, A)``, any scale.

    Returns
    -------
    numpy.ndarray
        ``(1 + steps, Z, S, A)``: who came ages, leaves and has children at the municipality's
        ratios; who left is missing from the zone's own people, and so are their children.
        [persons]

    Raises
    ------
    LabelError
        If a project's zone is not among the rates' zones.
    DemographyError
        If more would leave a zone, sex and age than live there.

    Examples
    --------
    >>> from futuremap.core.ages import AgeGroups
    >>> ages = AgeGroups((0, 15, 50, 65))
    >>> rates = Rates.build(
    ...     {"parent_cohort_change_ratio": np.ones((1, 2, 4)), "sex_ratio_0_4": [1.0],
    ...      "parent_child_woman_ratio": [0.5]},
    ...     zones=["a"], parents=["p"], parent_of=np.array([0]), ages=ages, interval=5)
    >>> path = np.full((3, 1, 2, 4), 10.0)
    >>> flats = HousingProject("a", 2027, persons=8.0)
    >>> made = settle(path, [flats], rates, years=[2020, 2025, 2030],
    ...               profile=np.array([[0.0, 1.0, 0.0, 0.0]] * 2))
    >>> made.sum(axis=(1, 2, 3)).tolist()
    [80.0, 80.0, 88.0]
    """
    came, gone = np.zeros_like(path[0]), np.zeros_like(path[0])  # persons, and share of the path
    made = path.copy()
    shared = rates.parent_of
    fertile = rates.ages.between(FERTILE_FROM, FERTILE_TO)
    for t in range(1, len(path)):
        came = step(
            came,
            rates["parent_cohort_change_ratio"][shared],
            child_woman_ratio=rates["parent_child_woman_ratio"][shared],
            sex_ratio_0_4=rates["sex_ratio_0_4"][shared],
            fertile=fertile,
        ).persons
        gone = _missing(gone, path[t - 1], path[t], fertile)
        here = path[t] * (1 - gone) + came
        net = housing_migrants(
            projects, here, zones=rates.zones, start=years[t - 1], end=years[t], profile=profile
        )
        left = np.divide(-net, here, out=np.zeros_like(here), where=(net < 0) & (here > 0))
        gone, came = 1 - (1 - gone) * (1 - left), came * (1 - left) + np.maximum(net, 0.0)
        made[t] = path[t] * (1 - gone) + came
    return made


def _missing(
    gone: NDArray[np.float64],
    before: NDArray[np.float64],
    after: NDArray[np.float64],
    fertile: slice,
) -> NDArray[np.float64]:
    # the share of each cohort that is missing moves up with it; children are missing as their
    # mothers are
    people = advance_age(before)
    moved = np.divide(
        advance_age(gone * before), people, out=np.zeros_like(people), where=people > 0
    )
    women = after[:, FEMALE, fertile]
    mothers = women.sum(axis=1)
    share = np.divide(
        (moved[:, FEMALE, fertile] * women).sum(axis=1),
        mothers,
        out=np.zeros_like(mothers),
        where=mothers > 0,
    )
    moved[:, :, 0] = share[:, None]
    return np.asarray(moved)


def in_mover_profile(
    outcome: NDArray[np.float64],
    exposure: NDArray[np.float64],
    *,
    parent_of: NDArray[np.intp],
) -> NDArray[np.float64]:
    """Sex and age of those who moved into the zones of a municipality that grew.

    Parameters
    ----------
    outcome, exposure
        Persons at the end and at the start of a period by age at the end ``(Z, S, A)``; the
        youngest group of `exposure` may be anything that grows with it, such as women. [persons]
    parent_of
        Position of each zone's parent ``(Z,)``.

    Returns
    -------
    numpy.ndarray
        ``(Z, S, A)``, adding up to 1: the sum over the municipality's zones of what came above
        its own ratio. Where nobody did, its age structure. [ratio]

    Examples
    --------
    Two zones of one municipality, to one of which ten women came:

    >>> import numpy as np
    >>> before = np.array([[[20.0], [20.0]], [[20.0], [20.0]]])
    >>> after = np.array([[[20.0], [30.0]], [[20.0], [20.0]]])
    >>> in_mover_profile(after, before, parent_of=np.array([0, 0]))[0].tolist()
    [[0.0], [1.0]]
    """
    parents = int(parent_of.max()) + 1
    came, due = (sum_by_parent(people, parent_of, parents) for people in (outcome, exposure))
    ratio = np.divide(came, due, out=np.zeros_like(came), where=due > 0)
    gains = sum_by_parent(
        np.maximum(outcome - exposure * ratio[parent_of], 0.0), parent_of, parents
    )
    total = gains.sum(axis=(1, 2), keepdims=True)
    settled = total <= ROUNDING * np.maximum(came.sum(axis=(1, 2), keepdims=True), 1.0)
    mix = np.where(settled, came, gains)
    people = mix.sum(axis=(1, 2), keepdims=True)
    if (people <= 0).any():
        raise DemographyError(f"parent {int(np.argmin(people))} has nobody to take a profile from")
    return np.asarray((mix / people)[parent_of])


def _movers(
    project: HousingProject,
    here: NDArray[np.float64],
    profile: NDArray[np.float64],
) -> NDArray[np.float64]:
    count = project.movers()
    if count == 0:
        return np.zeros_like(here)
    mix = project.profile
    if mix is None:
        mix = profile if count > 0 else here
    name = f"housing project in {project.zone}, {project.year:g}"
    if mix.shape != here.shape:
        raise LabelError(f"{name}: profile {mix.shape} for sexes and ages {here.shape}")
    _check_profile(mix, name)
    moved = np.asarray(count * mix / mix.sum(), dtype=np.float64)
    short = here + moved < -ROUNDING * max(1.0, abs(count))
    if short.any():
        sex, age = (int(i) for i in np.argwhere(short)[0])
        raise DemographyError(
            f"{name}: {-moved[sex, age]:g} persons would leave sex {sex}, age group {age}, "
            f"where {here[sex, age]:g} live",
        )
    return np.maximum(moved, -here)  # by rounding only


def _check_profile(profile: NDArray[np.float64], name: str) -> None:
    if not np.isfinite(profile).all() or (profile < 0).any() or profile.sum() <= 0:
        raise DemographyError(f"{name}: its people have no sound profile by sex and age")
