"""Verb `explain`: what made the scores differ, where the knee lies, what a step more buys."""

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from kdsearch.core.amounts import amount, title
from kdsearch.core.costs_named import cost_and_target
from kdsearch.core.objectives import Objective, ours
from kdsearch.core.quantities import percent, several, three_digits
from kdsearch.core.steps import Offer, Step, steps
from kdsearch.pipeline.front import measured
from kdsearch.pipeline.importance import important
from kdsearch.pipeline.query import brought
from kdsearch.pipeline.report_choice import knee_of
from kdsearch.pipeline.table import table
from kdsearch.pipeline.trials import trials as all_trials
from kdsearch.rundir import RunDir

HEADERS = ("axis", "part of", "share", "95 % interval", "above chance")
IN_POINTS = frozenset({"accuracy", "balanced_accuracy"})
"""Scores whose differences are percentage points."""
UNITS: Mapping[str, tuple[tuple[float, str], ...]] = MappingProxyType(
    {
        "latency_ms": ((1.0, "ms"), (1e-3, "µs")),
        "latency_p95_ms": ((1.0, "ms"), (1e-3, "µs")),
        "latency_p99_ms": ((1.0, "ms"), (1e-3, "µs")),
        "params": ((1e6, "M parameters"), (1e3, "k parameters"), (1.0, "parameter")),
        "macs": ((1e9, "G MACs"), (1e6, "M MACs"), (1e3, "k MACs"), (1.0, "MAC")),
        "energy_uj": ((1e3, "mJ"), (1.0, "µJ"), (1e-3, "nJ")),
    }
)
"""What one more of a cost may be, from large to small."""


def explain(run: RunDir) -> dict[str, Any]:
    """JSON-able: importance by objective, the knee, and the steps of the front.

    Raises:
        RunError: there is no run here, or its search has not begun.
    """
    trials = all_trials(run)
    front: dict[str, Any] = {"points": [], "directions": {}}
    if run.front.exists():
        front = run.read(run.front, *front)
    points = front["points"]
    objectives = [ours(n) or brought(n, way) for n, way in front["directions"].items()]
    return {
        "run": str(run.root),
        "importance": important(run, trials),
        "knee": knee_of(points, objectives),
        "score": next((o.name for o in objectives if o.scored), None),
        "cost": next((o.name for o in objectives if not o.scored), None),
        "steps": [as_dict(step) for step in steps(list(offers(points, objectives)))],
    }


def offers(
    points: Sequence[Mapping[str, Any]], objectives: Sequence[Objective]
) -> Iterator[Offer]:
    """The front in the first score and the first cost."""
    score = next((one for one in objectives if one.scored), None)
    cost = next((one for one in objectives if not one.scored), None)
    if score is None or cost is None:
        return
    sign = 1 if score.maximised else -1
    for point in points:
        known = measured(point)
        intervals = {"accuracy": point["search_accuracy_ci95"], **point.get("scores_ci95", {})}
        low, high = sorted(sign * end for end in intervals[score.name])
        yield Offer(point["id"], known[cost.name], sign * known[score.name], (low, high))


def as_dict(step: Step) -> dict[str, Any]:
    return {
        "from": step.start.name,
        "to": step.end.name,
        "gain": step.gain,
        "price": step.price,
        "slope": step.slope,
        "intervals_overlap": step.overlaps,
    }


def lines(content: Mapping[str, Any]) -> list[str]:
    """The explanation as a person reads it."""
    parts = [of_objective(entry) for entry in content["importance"]]
    return [line for part in [*parts, front_lines(content)] for line in (*part, "")][:-1]


def of_objective(entry: Mapping[str, Any]) -> list[str]:
    name = title(entry["objective"])
    where = "" if entry["rung"] is None else f" at rung {entry['rung']}"
    counted = f"{name}: {several(entry['trials'], counted_as(entry))}{where}"
    if not entry["axes"]:
        return [f"{counted}; {too_few(entry)}"]
    head = f"{counted}; how much of the variance each axis explains alone"
    out = [head, table([cells(axis) for axis in entry["axes"]], HEADERS)]
    sums = [f"{one['part']} {worded(one)}" for one in entry["parts"]]
    out.append(f"together: {', '.join(sums)}")
    for method, inner in entry["within"].items():
        own = [f"{a['axis'].removeprefix(f'{method}.')} {worded(a)}" for a in inner["axes"]]
        said = ", ".join(own) or too_few(inner)
        out.append(f"within {method}, {several(inner['trials'], 'trial')}: {said}")
    return out


def counted_as(entry: Mapping[str, Any]) -> str:
    """What there is one score of: a cost and inherited weights are the architecture's."""
    return "trial" if entry["rung"] else "architecture"


def too_few(entry: Mapping[str, Any]) -> str:
    if entry["trials"] >= entry["needed"]:
        return "none of its axes varies: nothing to explain"
    return f"too few to tell what matters, {entry['needed']} are needed"


def cells(axis: Mapping[str, Any]) -> list[str]:
    low, high = axis["ci95"]
    told = "yes" if axis["above_chance"] else f"no (up to {percent(axis['chance'], 0)})"
    interval = f"{low * 100:.0f} to {high * 100:.0f}"
    return [axis["axis"], axis["part"] or "", percent(axis["share"], 0), interval, told]


def worded(share: Mapping[str, Any]) -> str:
    """'42 % (30 to 55)', with a word where chance gives as much."""
    low, high = share["ci95"]
    more = "" if share["above_chance"] else ", not above chance"
    return f"{percent(share['share'], 0)} ({low * 100:.0f} to {high * 100:.0f}{more})"


def front_lines(content: Mapping[str, Any]) -> list[str]:
    """The knee, and each step with what it buys."""
    knee, found = content["knee"], content["steps"]
    if not found:
        return ["front: fewer than two students to choose from in score and cost"]
    dearest = max(step["price"] for step in found)
    unit = unit_of(content["cost"], dearest)
    said = "none, with fewer than three students" if knee is None else knee
    return [
        f"knee of the front: {said}",
        *(step_line(step, content, unit) for step in found),
    ]


def unit_of(cost: str, price: float) -> tuple[float, str]:
    """The largest unit that the dearest step pays at least one of."""
    units = UNITS.get(cost_and_target(cost)[0], ((1.0, cost),))
    return next((unit for unit in units if unit[0] <= price), units[-1])


def step_line(
    step: Mapping[str, Any], content: Mapping[str, Any], unit: tuple[float, str]
) -> str:
    """'s003 (knee) → s004: +1.2 points for +0.3 ms, 4 points per ms; the intervals overlap'."""
    size, word = unit
    knee = content["knee"]
    names = [f"{n} (knee)" if n == knee else n for n in (step["from"], step["to"])]
    score, scale = ("points", 100) if content["score"] in IN_POINTS else (content["score"], 1)
    gain = f"+{three_digits(step['gain'] * scale)} {score}"
    slope = f"{three_digits(step['slope'] * scale * size)} {score} per {word}"
    doubt = "; the intervals overlap" if step["intervals_overlap"] else ""
    price = f"+{amount(content['cost'], step['price'])}"
    return f"  {' → '.join(names)}: {gain} for {price}, {slope}{doubt}"
