"""What a run offers to choose from, as its page's script needs it."""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from kdsearch.core.amounts import title
from kdsearch.core.objectives import Objective, in_order
from kdsearch.core.pareto import knee
from kdsearch.pipeline.delivered import trained
from kdsearch.pipeline.evidence import deciding, evidence
from kdsearch.pipeline.front import measured, taught
from kdsearch.pipeline.query import leading, objectives_of
from kdsearch.pipeline.report_students import alike, intervals
from kdsearch.pipeline.trials import named_scores
from kdsearch.report.choice import Candidate, Choice, Quantity, Tried, unit
from kdsearch.report.summary import TeacherRow
from kdsearch.rundir import RunDir
from kdsearch.search.standing import front_so_far
from kdsearch.search.trial import Trial

TESTED = Quantity("test_accuracy", "test accuracy", "percent", True, True, bound=False)
"""To look at: nothing is chosen by it."""
Front = Mapping[str, Any]


def choice(
    run: RunDir,
    front: Front | None,
    objectives: Sequence[Objective],
    trials: Sequence[Trial],
    *,
    limits: Mapping[str, float],
    teacher: TeacherRow | None,
) -> Choice | None:
    """The published students, and those trained to be delivered since, who have no card;
    before there are any, the search's front so far.

    Args:
        objectives: of the run's config.
        limits: the config's budget, as absolute numbers.
    """
    if front is None:
        return so_far(run, objectives, trials, limits)
    points, first = trained(run, front)["points"], leading(front)
    asked = front.get("directions", {first.name: ""})
    known = {} if teacher is None else {"accuracy": teacher.search_accuracy}
    return Choice(
        run=run.root.resolve().name,
        command=shlex.quote(str(run.root)),
        leading=first.name,
        quantities=(
            *(quantity(one, one.name in asked) for one in objectives_of(front)),
            TESTED,
        ),
        candidates=tuple(candidates(points, first.name, len(front["points"]))),
        largest=dict(front["space"]["largest"]),
        smallest=dict(front["space"].get("smallest", {})),
        trials=tuple(tried(trials, objectives)),
        limits=dict(limits),
        teacher={name: value for name, value in known.items() if value is not None},
        knee=knee_of(front["points"], objectives),
    )


def quantity(one: Objective, asked: bool) -> Quantity:
    return Quantity(
        name=one.name,
        title=title(one.name),
        unit=unit(one.name),
        maximised=one.maximised,
        scored=one.scored,
        own=one.function is not None,
        asked=asked,
    )


def candidates(
    points: Sequence[Mapping[str, Any]], first: str, cards: int
) -> Iterator[Candidate]:
    """`first`: the score that students are ranked by; `cards`: how many have one."""
    for number, point in enumerate(points, start=1):
        known, tested = evidence(point), point.get("test_accuracy")
        between = point.get("test_accuracy_ci95")
        yield Candidate(
            id=point["id"],
            values={n: one.value for n, one in known.items()} | named(TESTED.name, tested),
            guaranteed={name: deciding(one) for name, one in known.items()},
            intervals=intervals(point) | named(TESTED.name, between and tuple(between)),
            recipe=taught(point["recipe"]),
            card=f"card-{number}" if number <= cards else "",
            alike=alike(point, points).get(first, ()),
            predicted=tuple(name for name, one in known.items() if one.is_predicted),
        )


def named(name: str, value: Any) -> dict[str, Any]:
    """Nothing of what is not known."""
    return {} if value is None else {name: value}


def knee_of(points: Sequence[Mapping[str, Any]], objectives: Sequence[Objective]) -> str | None:
    """The student nearest to the ideal, where there are at least three to choose from."""
    if len(points) < 3:
        return None
    return str(points[knee([in_order(measured(p), objectives) for p in points])]["id"])


def tried(trials: Sequence[Trial], objectives: Sequence[Objective]) -> Iterator[Tried]:
    """The trials that have a score."""
    for trial in trials:
        values = named_scores(trial, [one.name for one in objectives])
        if values:
            reason = f"; {trial.reason}" if trial.reason else ""
            note = f"{state(trial)} at rung {trial.rung}{reason}"
            yield Tried(f"trial {trial.number}", state(trial), values, note)


def state(trial: Trial) -> str:
    """How it is drawn: how far it came."""
    if trial.state == "stopped":
        return "screened" if trial.rung == 0 else "stopped"
    return trial.state if trial.state in ("failed", "running") else "trained"


def so_far(
    run: RunDir,
    objectives: Sequence[Objective],
    trials: Sequence[Trial],
    limits: Mapping[str, float],
) -> Choice | None:
    """None before any trial has a score."""
    found = front_so_far(trials, objectives)
    if found is None:
        return None
    names = [one.name for one in objectives]
    known = {t.number: dict(zip(names, found.values(t), strict=True)) for t in found.trials}
    return Choice(
        run=run.root.resolve().name,
        command=shlex.quote(str(run.root)),
        leading=names[0],
        quantities=tuple(quantity(one, True) for one in objectives),
        candidates=tuple(
            Candidate(
                id=f"trial {number}",
                values=values,
                guaranteed=values,
                recipe=f"not finished: as it scores at rung {found.rung}",
            )
            for number, values in known.items()
        ),
        trials=tuple(tried([t for t in trials if t.number not in known], objectives)),
        limits=dict(limits),
        published=False,
    )
