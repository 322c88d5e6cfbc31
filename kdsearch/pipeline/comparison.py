"""What the runs of a comparison say: means, paired differences, their intervals, in words."""

from collections.abc import Mapping, Sequence
from typing import Any

from kdsearch.core.quantities import count
from kdsearch.core.records import Result
from kdsearch.measure.paired import Interval, difference, interval
from kdsearch.pipeline.table import table
from kdsearch.search.comparison import Comparison

Results = Mapping[str, Mapping[str, Sequence[Result | None]]]
"""By method, by what was equal ('epochs' or 'seconds'), in the order of seeds."""
NONE = "–"


def rows(
    compared: Comparison, results: Results, pace: Mapping[str, Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """One row a method, in the order asked; differences to `hard` and `soften` where run."""
    found = []
    for name, recipe in compared.recipes.items():
        row: dict[str, Any] = {"name": name, "recipe": recipe.as_dict(), "pace": pace[name]}
        for equal in ("epochs", "seconds"):
            own = results[name][equal]
            baselines = {
                other: results[other][equal]
                for other in ("hard", "soften")
                if other in results and other != name
            }
            row[equal] = outcome(own, baselines)
        found.append(row)
    return found


def outcome(
    own: Sequence[Result | None], baselines: Mapping[str, Sequence[Result | None]]
) -> dict[str, Any]:
    """A method's runs at equal epochs or seconds, beside the baselines'."""
    accuracies = [accuracy(result) for result in own]
    ended = [a for a in accuracies if a is not None]
    finished = [r for r in own if r is not None and r.state == "done"]
    return {
        "accuracies": accuracies,
        **said(interval(ended) if ended else None),
        "steps": finished[0].details["steps"] if finished else None,
        "train_seconds": [None if r is None else r.seconds for r in own],
        "versus": {other: said(paired(own, theirs)) for other, theirs in baselines.items()},
        "failed": [r.reason for r in own if r is not None and r.state != "done"],
    }


def accuracy(result: Result | None) -> float | None:
    return result.accuracy if result is not None and result.state == "done" else None


def paired(ours: Sequence[Result | None], theirs: Sequence[Result | None]) -> Interval | None:
    """Over the seeds that came to their end with both methods."""
    both = [
        (a, b)
        for a, b in zip(map(accuracy, ours), map(accuracy, theirs), strict=True)
        if a is not None and b is not None
    ]
    return difference([a for a, _ in both], [b for _, b in both]) if both else None


def said(found: Interval | None) -> dict[str, Any]:
    if found is None:
        return {"mean": None, "ci95": None, "says": ""}
    ci95 = None if found.ci95 is None else list(found.ci95)
    return {"mean": found.mean, "ci95": ci95, "says": found.says}


def comparison_text(content: Mapping[str, Any]) -> str:
    """The comparison for a person: accuracies in per cent, differences in points."""
    first = content["methods"][0]
    runs = f"{content['seeds']} seeds" if content["seeds"] > 1 else "1 seed, so no intervals"
    return "\n".join(
        [
            f"At equal epochs: {first['epochs']['steps']} steps each, {runs}; "
            "accuracy on search-val, differences in points, paired by seed",
            outcome_table(content["methods"], "epochs"),
            "",
            f"At equal seconds: as long as {first['name']} takes for its steps",
            outcome_table(content["methods"], "seconds"),
            "",
            "A training step",
            pace_table(content["methods"]),
        ]
    )


def outcome_table(methods: Sequence[Mapping[str, Any]], equal: str) -> str:
    lines = [
        [
            row["name"],
            percent_text(row[equal]),
            *(points_text(row[equal]["versus"].get(other)) for other in ("hard", "soften")),
            str(row[equal]["steps"] or NONE),
        ]
        for row in methods
    ]
    return table(lines, ["method", "accuracy", "versus hard", "versus soften", "steps"])


def pace_table(methods: Sequence[Mapping[str, Any]]) -> str:
    lines = [
        [
            row["name"],
            f"{1000 * row['pace']['seconds']:.1f} ms",
            *(ratio_text(row["pace"]["ratios"].get(other)) for other in ("hard", "soften")),
            count(row["pace"]["extra_params"]) if row["pace"]["extra_params"] else "0",
        ]
        for row in methods
    ]
    headers = ["method", "step", "times hard's", "times soften's", "extra parameters"]
    return table(lines, headers)


def ratio_text(found: Sequence[float] | None) -> str:
    return NONE if found is None else f"{found[0]:.2f} ({found[1]:.2f} to {found[2]:.2f})"


def percent_text(found: Mapping[str, Any]) -> str:
    if found["mean"] is None:
        return "failed"
    half = "" if found["ci95"] is None else f" ± {100 * (found['ci95'][1] - found['mean']):.1f}"
    return f"{100 * found['mean']:.1f}{half} %"


def points_text(found: Mapping[str, Any] | None) -> str:
    """'+1.2 (0.3 to 2.1) better': percentage points and what their interval allows to say."""
    if found is None or found["mean"] is None:
        return NONE
    if found["ci95"] is None:
        return f"{100 * found['mean']:+.1f}"
    low, high = (100 * end for end in found["ci95"])
    return f"{100 * found['mean']:+.1f} ({low:.1f} to {high:.1f}) {found['says']}".rstrip()
