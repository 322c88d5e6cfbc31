"""The answer to a query: for a person, in a few lines or a table, and as JSON."""

from collections.abc import Mapping, Sequence
from typing import Any

from kdsearch.core.amounts import amount, title
from kdsearch.core.bounds_confidence import Known
from kdsearch.core.quantities import UNKNOWN, count, milliseconds, percent
from kdsearch.pipeline.query import Answer, Choice, Kept
from kdsearch.pipeline.table import table

SURE = 0.999
"""Beyond it the normal distribution says little."""


def as_json(answer: Answer, top: int) -> dict[str, Any]:
    """The best student's record, and of the first `top` how they keep the bounds."""
    return {
        "student": answer.student,
        "margins": answer.margins,
        "others": list(answer.others),
        "students": [row(choice) for choice in answer.choices[:top]],
    }


def row(choice: Choice) -> dict[str, Any]:
    return {
        "id": choice.student["id"],
        "trained": is_trained(choice.student),
        "score": choice.score.value,
        "like_best": choice.is_like_best,
        "margins": choice.margins,
        "confidence": {str(one.bound): one.confidence for one in choice.kept},
        "confidence_of_all": choice.confidence,
        "predicted": [str(one.bound) for one in choice.kept if one.known.is_predicted],
    }


def words(answer: Answer, top: int = 1) -> str:
    """The best student in full, or the first few in a table."""
    return best(answer) if top == 1 else ranking(answer, top)


def best(answer: Answer) -> str:
    point, first = answer.student, answer.choices[0]
    lines = [f"{point['id']}: {scores(point)}", *costs(point)]
    if more := [f"{title(n)} {amount(n, v)}" for n, v in further(point).items()]:
        lines.append(f"  {', '.join(more)}")
    lines += [f"  {one.bound}: {cell(one)}" for one in first.kept]
    if answer.others:
        lines.append(f"  also within: {', '.join(answer.others)}")
    if like := [one.student["id"] for one in answer.choices if one.is_like_best]:
        lines.append(
            f"  not distinguishable from it by {answer.leading.name}: {', '.join(like)}"
        )
    return "\n".join(lines)


def scores(point: Mapping[str, Any]) -> str:
    if not is_trained(point):
        return expected(point)
    low, high = point["search_accuracy_ci95"]
    return (
        f"{percent(point['search_accuracy'])} on search-val "
        f"({percent(low)} to {percent(high)}), {percent(point['test_accuracy'])} on test"
    )


def is_trained(point: Mapping[str, Any]) -> bool:
    """To the end; else it is a trial that the search stopped before."""
    return bool(point.get("trained", True))


def expected(point: Mapping[str, Any]) -> str:
    """Of a trial what it reached, and where it may come to."""
    share = point["share"]
    where = f"after {share:.0%} of its training" if share else "with inherited weights"
    name, value = next(iter(point["scores_at_rung"].items()))
    return (
        f"not trained to the end; {title(name)} {amount(name, value)} on search-val {where}, "
        f"about {amount(name, point['scores'][name])} expected at the end"
    )


def costs(point: Mapping[str, Any]) -> list[str]:
    """A line for each target, and one of what is counted."""
    lines = [
        f"  latency {milliseconds(timed['p50'])} (p95 {milliseconds(timed['p95'])}) on {target}"
        f"{', predicted' if timed.get('predicted') else ''}"
        for target, timed in point["latency"].items()
        if timed
    ]
    known = {**point.get("costs", {}), **point}
    counts = {"parameters": known.get("params"), "MACs": known.get("macs")}
    if told := [f"{count(n)} {word}" for word, n in counts.items() if n is not None]:
        lines.append(f"  {', '.join(told)}")
    return lines


def further(point: Mapping[str, Any]) -> dict[str, float]:
    """Scores beside the accuracy."""
    return {n: v for n, v in point.get("scores", {}).items() if n != "accuracy"}


def ranking(answer: Answer, top: int) -> str:
    """A row for each of the first `top`, best first."""
    shown = answer.choices[:top]
    name = answer.leading.name
    several_bounds = len(shown[0].kept) > 1
    headers = ["student", title(name), *(str(one.bound) for one in shown[0].kept)]
    rows = [[one.student["id"], scored(name, one), *map(cell, one.kept)] for one in shown]
    if several_bounds:
        headers.append("all bounds")
        for cells, one in zip(rows, shown, strict=True):
            cells.append(sure(one.confidence))
    return "\n".join([table(rows, headers), *notes(answer, shown)])


def notes(answer: Answer, shown: Sequence[Choice]) -> list[str]:
    lines = []
    if any(one.is_like_best for one in shown):
        first = answer.student["id"]
        lines.append(
            f"~ its interval and that of {first} overlap: which is better is not known"
        )
    if not all(is_trained(one.student) for one in shown):
        lines.append("* not trained to the end; what is expected there")
    if left := len(answer.choices) - len(shown):
        lines.append(f"{left} more within; --top {len(answer.choices)} shows them")
    return lines


def scored(name: str, choice: Choice) -> str:
    mark = " ~" if choice.is_like_best else "" if is_trained(choice.student) else " *"
    return f"{amount(name, choice.score.value)}{interval(name, choice.score)}{mark}"


def interval(name: str, known: Known) -> str:
    if known.ci95 is None:
        return ""
    low, high = known.ci95
    return f" ({amount(name, low)} to {amount(name, high)})"


def cell(kept: Kept) -> str:
    """'4.1 ms, 12.3% of room, holds with 99.1 %'; '4.1 ms predicted, …'."""
    predicted = " predicted" if kept.known.is_predicted else ""
    value = f"{amount(kept.bound.name, kept.known.value)}{predicted}"
    told = f"{value}, {kept.margin:.1%} of room"
    return told if kept.known.is_exact else f"{told}, holds with {sure(kept.confidence)}"


def sure(confidence: float | None) -> str:
    if confidence is None:
        return UNKNOWN
    return f"> {percent(SURE)}" if confidence > SURE else percent(confidence)
