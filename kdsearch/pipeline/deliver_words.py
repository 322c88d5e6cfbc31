"""What `deliver` says: what it would do, why a student will not do, what was handed over."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from kdsearch.config import read_config
from kdsearch.core.amounts import amount
from kdsearch.core.budget import Bound
from kdsearch.core.quantities import duration, percent
from kdsearch.errors import BudgetError
from kdsearch.pipeline.delivered import trained
from kdsearch.pipeline.ledger import by_rung
from kdsearch.pipeline.query import NEEDED, TRIALS, Answer, choose, pool
from kdsearch.pipeline.query_words import best, is_trained, sure
from kdsearch.pipeline.refusal import Miss
from kdsearch.rundir import RunDir


def planned(run: RunDir, bounds: Sequence[Bound], among: str | None) -> Answer:
    """Whom `deliver` would take first, from what was measured so far; nothing is done.

    Raises:
        BudgetError: no student keeps the bounds.
    """
    front = run.read(run.front, *NEEDED)
    if among != TRIALS:
        try:
            return choose(trained(run, front), bounds)
        except BudgetError:
            if among is not None:
                raise
    return choose(pool(run, front, bounds, TRIALS), bounds)


def plan(run: RunDir, answer: Answer, to: Path, formats: Sequence[str]) -> dict[str, Any]:
    point = answer.student
    return {
        "student": point["id"],
        "trained": is_trained(point),
        "seconds": 0.0 if is_trained(point) else training_seconds(run, point.get("rung", 0)),
        "margins": dict(answer.margins),
        "to": str(to),
        "formats": list(formats),
    }


def training_seconds(run: RunDir, rung: int) -> float | None:
    """Of a training from a rung to the end, and of whole ones with the finalists' other seeds,
    by the mean of what each rung took; None where none is known.
    """
    known = by_rung(run.trials(run.facts()["study"]))
    means = {one: row["device_seconds"] / row["jobs"] for one, row in known.items() if one > 0}
    others = read_config(run.config).finalists.seeds - 1
    left = sum(seconds for one, seconds in means.items() if one > rung)
    return left + others * sum(means.values()) or None


def plan_words(content: Mapping[str, Any], answer: Answer) -> str:
    if content["trained"]:
        takes = "is trained to the end already"
    else:
        takes = f"a training to the end, about {duration(content['seconds'])}, comes first"
    steps = f"then it is measured again, and {', '.join(content['formats'])} go to"
    return f"{best(answer)}\n  {takes}; {steps} {content['to']}"


def sentence(student: str, missed: Sequence[Miss], latency: Mapping[str, Any]) -> str:
    """'s012: latency_ms is 5.2 ms when measured again, 4.0% beyond latency_ms <= 5'."""
    worst = max(missed, key=lambda miss: miss.far)
    name = worst.bound.name
    again = " when measured again" if latency else ""
    side = "beyond" if worst.bound.upper else "short of"
    busy = any(facts.get("busy") for facts in latency.values())
    machine = ", on a busy machine" if busy else ""
    return (
        f"{student}: {name} may be {amount(name, worst.value)}{again}{machine}, "
        f"{worst.far:.1%} {side} {worst.bound}"
    )


def refusal(tried: Mapping[str, Sequence[Miss]]) -> tuple[str, dict[str, Any]]:
    """For a BudgetError: none of those that were tried keeps the bounds."""
    if not tried:
        return "no student could be trained to the end", {}
    nearest = min(tried, key=lambda name: max(miss.far for miss in tried[name]))
    worst = max(tried[nearest], key=lambda miss: miss.far)
    facts = {
        "bound": str(worst.bound),
        "limit": worst.limit,
        "nearest": nearest,
        "value": worst.value,
        "far": worst.far,
        "tried": list(tried),
    }
    side = "beyond" if worst.bound.upper else "short"
    return (
        f"no student keeps {worst.bound} when it is measured again; nearest is {nearest} with "
        f"{worst.bound.name} {worst.value:.4g}, {worst.far:.1%} {side}",
        facts,
    )


def words(content: Mapping[str, Any]) -> Iterator[str]:
    """What was handed over, for a person."""
    point = content["point"]
    yield (
        f"{content['student']} delivered to {content['to']}: "
        f"{percent(point['search_accuracy'])} on search-val, "
        f"{percent(point['test_accuracy'])} on test"
    )
    for bound, facts in content["bounds"].items():
        value, ci95 = facts["value"], facts["ci95"]
        is_exact = ci95 is not None and tuple(ci95) == (value, value)
        told = "" if is_exact else f", holds with {sure(facts['confidence'])}"
        predicted = " predicted, not measured" if facts["predicted"] else ""
        worth = f"{amount(bound.partition(' ')[0], value)}{predicted}"
        yield f"  {bound}: {worth}, {facts['margin']:.1%} of room{told}"
    for target, facts in content["latency"].items():
        if facts.get("busy"):
            yield f"  {target}: measured on a busy machine"
