"""The verb backcast: ask for unit responses, solve, and run the answer forward to prove it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from futuremap.backcast.answer import Answer, Proof, Pull, Reached
from futuremap.backcast.by_run import by_run
from futuremap.backcast.curve import curve_of_target
from futuremap.backcast.entries import Written, entries_of, entry_named
from futuremap.backcast.forward import PULLED, Found, forward, place_words, years_of
from futuremap.backcast.goals import Goal, goals_of, measured
from futuremap.backcast.pose import NO_EFFORT, Pose, Posed, intervals, posed, program
from futuremap.backcast.search import Setting, least_bend
from futuremap.backcast.solve import Solution, best, conflict_of, solve
from futuremap.backcast.words import bent_words, people_words, sentences
from futuremap.config.scenario import LeverEntry, TargetEntry
from futuremap.core.layer import Text
from futuremap.pipeline.difference import grounds
from futuremap.pipeline.prepare import Prepared, Progress, silent
from futuremap.pipeline.read_scenarios import bundle_of
from futuremap.pipeline.respond import Unit
from futuremap.pipeline.run import Outcome
from futuremap.pipeline.scenarios import play

Floats = NDArray[np.float64]
LESS = 0.99
CURVE = np.arange(1, 14) / 10  # of the way from the baseline to the target, and beyond
NOTHING = (float("nan"), float("nan"))
TITLE = Text("ありたい将来", "the future that is wanted")


def backcast(
    outcome: Outcome,
    name: str = "",
    *,
    targets: Sequence[Written] = (),
    levers: Sequence[Written] = (),
    progress: Progress = silent,
) -> Answer:
    """Find the least effort with which targets are met, and prove it by running it forward.

    Parameters
    ----------
    outcome
        A finished run.
    name
        A ``[backcast.NAME]`` of its project; without it say `targets` and `levers`.
    targets, levers
        What is wanted and can be done, in addition to that of the name. Text such as
        ``"indicator=population, year=2045, keep=0.9"`` and ``"bundle=30代夫婦と子, max=20"``,
        mappings with the same keys, or entries.
    progress
        Is told what is being computed.

    Returns
    -------
    Answer
        Also where the targets cannot be met: it says which, and how near one can come.

    Raises
    ------
    InputRefused
        If a target or a lever is wrong; it carries the report of all problems.
    UnknownNameError
        If the project has no backcast of that name.
    SolveError
        If the solver stops without an answer.
    """
    title, wanted, pulled = asked(outcome.prepared, name, targets=targets, levers=levers)
    goals = tuple(goals_of(outcome, wanted))
    last = max(target.year for target in wanted)
    pulled = [_until(lever, last) for lever in pulled]
    progress("バックキャスティング：単位応答と最適化 / unit responses and solving")
    if pulled[0].lever in ("radius_m", "facilities"):
        return by_run(outcome, goals, pulled[0], title)
    bent = next((lever for lever in pulled if lever.lever != "people"), None)
    people = tuple(lever for lever in pulled if lever.lever == "people")
    pose = Pose(grounds(outcome), goals, people, bent)
    made = posed(pose)
    tried = [Setting(NO_EFFORT, made, solve(made.problem))]
    found = Found(pose, made, tried[0].solution, NO_EFFORT)
    if bent is not None:
        setting, tried = least_bend(pose)
        found = Found(pose, setting.made, setting.solution, setting.factor)
    if found.solution.effort is None:
        return _no_answer(pose, [setting.made for setting in tried], title)
    progress("答えを前向きに推計して確かめる / running the answer forward")
    return _answer(found, tried, title)


def asked(
    prepared: Prepared,
    name: str,
    *,
    targets: Sequence[Written],
    levers: Sequence[Written],
) -> tuple[Text, list[TargetEntry], list[LeverEntry]]:
    """What is wanted and what can be done, checked; see :func:`backcast`."""
    title = TITLE
    if name:
        entry = entry_named(prepared, name)
        title = Text(entry.name, entry.name_en or entry.name)
        targets, levers = [*entry.target, *targets], [*entry.lever, *levers]
    return (title, *entries_of(prepared, targets, levers))


def _until(lever: LeverEntry, last: int) -> LeverEntry:
    """A lever that says no end is pulled until the last target: later effort meets none."""
    return lever if lever.to_year is not None else lever.model_copy(update={"to_year": last})


def _answer(found: Found, tried: Sequence[Setting], title: Text) -> Answer:
    pose, solution = found.pose, found.solution
    effort = solution.effort if solution.effort is not None else np.zeros(0)
    setting = forward(found, effort, title=title)
    played = play(pose.outcome, "answer", setting)
    factors = intervals(pose)
    values = [measured(played.outcome, goal) for goal in pose.goals]
    targets = _targets(pose, values, solution, factors, found.made)
    pulls = _pulls(found, effort, _sure(found, factors))
    curve_of = int(np.argmax(_deciding(targets)))
    return Answer(
        name=title,
        feasible=True,
        pulls=pulls,
        targets=targets,
        unreachable=(),
        cost=solution.cost,
        curve=curve_of_target(found, tried, curve_of),
        curve_of=curve_of,
        proof=_proof(found, values, effort),
        played=played,
        words=sentences(pulls, targets, ()),
    )


def _deciding(targets: Sequence[Reached]) -> Floats:
    # the binding target of the highest price, else the first that nothing alone would miss
    score = [
        2.0 + (0.0 if np.isnan(t.price) else t.price) if t.binding else float(t.margin < 0)
        for t in targets
    ]
    return np.array(score)


def _targets(
    pose: Pose,
    values: Sequence[float],
    solution: Solution,
    factors: Floats,
    made: Posed,
) -> tuple[Reached, ...]:
    reached = []
    everybody = made.path  # those who come included: a ratio's row is counted in them
    if made.responses is not None and solution.effort is not None:
        everybody = everybody + made.responses.persons(solution.effort)
    for i, goal in enumerate(pose.goals):
        without = goal.value(pose.outcome.projection.population.persons)
        known = not goal.is_ratio and factors[i, 0] < factors[i, 1]
        ends = (without * factors[i, 0], without * factors[i, 1]) if known else NOTHING
        price = float(solution.price[i])
        if goal.is_ratio:
            price *= goal.divisor(everybody)
        binding = bool(solution.binding[i]) or abs(goal.slack(values[i])) <= _near(goal)
        reached.append(
            Reached(goal.name, goal.entry.indicator, goal.entry.year, goal.bound, goal.least,
                    goal.now, without, values[i], (float(ends[0]), float(ends[1])),
                    binding and (abs(goal.slack(without)) > _near(goal) or price > 0),
                    price, float("nan"),
                    goal.entry.facility, goal.entry.zone),
        )  # fmt: skip
    return tuple(reached)


def _near(goal: Goal) -> float:
    return 1e-6 * max(1.0, abs(goal.bound)) if not goal.is_ratio else 1e-8


def _pulls(found: Found, effort: Floats, sure: Floats) -> tuple[Pull, ...]:
    pose = found.pose
    project = pose.outcome.prepared.project
    pulls = []
    units = () if found.made.responses is None else found.made.responses.levers
    for j, unit in enumerate(units):
        if effort[j] <= PULLED:
            continue
        entry = pose.levers[unit.entry]
        years = years_of(pose, entry, unit)
        place = place_words(pose.outcome, entry, unit.zone)
        bundle = bundle_of(project, entry.bundle)
        ends = (float(sure[j, 0]), float(sure[j, 1]))
        words = people_words(bundle, place, years, float(effort[j]), ends)
        pulls.append(Pull(entry, place, years, float(effort[j]), float(entry.cost * effort[j]),
                          float(entry.maximum or 0), ends, words))  # fmt: skip
    pulls.sort(key=lambda pull: (-pull.cost, pull.place.ja, pull.years))
    if pose.bent is not None and found.factor != NO_EFFORT:
        years = years_of(pose, pose.bent, Unit(0))
        place = place_words(pose.outcome, pose.bent, -1)
        cost = pose.bent.cost * abs(found.factor - NO_EFFORT)
        most = pose.bent.minimum if pose.bent.lever == "net_loss" else pose.bent.maximum or 0.0
        pulls.insert(0, Pull(pose.bent, place, years, found.factor, cost, most, NOTHING,
                             bent_words(pose.bent, place, years, found.factor)))  # fmt: skip
    return tuple(pulls)


def _sure(found: Found, factors: Floats) -> Floats:
    """Amounts at the better and the worse end of the interval ``(J, 2)``.

    Infinite at the worse end where no effort is enough. NaN where it is not known: where a ratio
    decides, whose error nobody has measured, or other levers would be pulled than these.
    """
    pose, made = found.pose, found.made
    count = 0 if made.responses is None else len(made.responses.levers)
    amounts = np.full((count, 2), np.nan)
    base = found.solution.effort
    if base is None or not (factors[:, 0] < factors[:, 1]).any() or found.factor != NO_EFFORT:
        return amounts
    least = np.array([goal.least for goal in pose.goals])
    unknown = np.array([goal.is_ratio for goal in pose.goals])
    better = np.where(least, factors[:, 1], factors[:, 0])
    worse = np.where(least, factors[:, 0], factors[:, 1])
    for i, end in enumerate((better, worse)):
        other = solve(program(pose, made.responses, made.path, factors=end))
        if other.effort is None:
            amounts[:, i] = np.inf
        elif not (other.binding & unknown).any():
            amounts[:, i] = other.effort
    near = 1e-6 * np.maximum(1.0, base)
    fits = (amounts[:, 0] <= base + near) & (base <= amounts[:, 1] + near)
    others = ((amounts > PULLED) & np.isfinite(amounts)) & (base <= PULLED)[:, None]
    if others.any() or not np.isfinite(amounts[:, 0]).all():
        return np.full((count, 2), np.nan)
    return np.where(fits[:, None], amounts, np.nan)


def _proof(found: Found, values: Sequence[float], effort: Floats) -> Proof:
    pose = found.pose
    margins = [
        goal.slack(value) / max(1.0, abs(goal.bound))
        for goal, value in zip(pose.goals, values, strict=True)
    ]
    path = found.made.path
    if found.made.responses is not None:
        path = path + found.made.responses.persons(effort)
    said = [goal.value(path) for goal in pose.goals]
    error = max(abs(a - b) / max(1.0, abs(b)) for a, b in zip(said, values, strict=True))
    return Proof(min(margins), _less_fails(found, effort), error)


def _less_fails(found: Found, effort: Floats) -> bool | None:
    whole = found.made.problem.whole
    if whole.any() or (not effort.any() and found.factor == NO_EFFORT):
        return None
    weaker = forward(found, effort, title=TITLE, share=LESS)
    less = play(found.pose.outcome, "less", weaker, draft=True)
    values = [measured(less.outcome, goal) for goal in found.pose.goals]
    return any(goal.slack(value) < 0 for goal, value in zip(found.pose.goals, values, strict=True))


def _no_answer(pose: Pose, tried: Sequence[Posed], title: Text) -> Answer:
    """Which targets cannot be met (together) under any setting, and the best of each alone."""
    unreachable = conflict_of([made.problem for made in tried])
    targets = []
    for i, goal in enumerate(pose.goals):
        sign = 1.0 if goal.least else -1.0
        ends = [_nearest(pose, made, i) for made in tried]
        without = goal.value(pose.outcome.projection.population.persons)
        targets.append(
            Reached(goal.name, goal.entry.indicator, goal.entry.year, goal.bound, goal.least,
                    goal.now, without, without, NOTHING, i in unreachable, float("nan"),
                    sign * max(sign * end for end in ends), goal.entry.facility,
                    goal.entry.zone),
        )  # fmt: skip
    return Answer(
        name=title,
        feasible=False,
        pulls=(),
        targets=tuple(targets),
        unreachable=tuple(unreachable),
        cost=float("nan"),
        curve=np.empty((0, 2)),
        curve_of=unreachable[0],
        proof=None,
        played=None,
        words=sentences((), targets, unreachable),
    )


def _nearest(pose: Pose, made: Posed, target: int) -> float:
    """The best a target can come to under a setting, if nothing else is asked for."""
    goal = pose.goals[target]
    if goal.is_ratio:
        return _best_ratio(pose, made, target)
    sign = 1.0 if goal.least else -1.0
    return goal.bound + sign * float(best(made.problem)[target] - made.problem.least[target])


def _best_ratio(pose: Pose, made: Posed, target: int) -> float:
    """The best a ratio can come to: its bound is moved until it can just be met."""
    goal = pose.goals[target]
    without = goal.value(made.path)
    if made.responses is None:
        return without
    low, high = without, 1.0 if goal.least else 0.0  # met, not met
    alone = pose._replace(goals=(goal,))
    for _ in range(40):
        middle = (low + high) / 2
        problem = program(alone, made.responses, made.path, [middle])
        met = bool((best(problem) >= problem.least).all())
        low, high = (middle, high) if met else (low, middle)
    return low


what_would_it_take = backcast  # its name at the top level, where `backcast` is this room
