"""What the runs of a comparison say: means, paired differences, their intervals, in words."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from kdsearch.core.quantities import count
from kdsearch.core.records import Result
from kdsearch.measure.paired import Interval, difference, interval
from kdsearch.pipeline.table import table
from kdsearch.report.compared import Compared, MethodRow, Outcome, Spread
from kdsearch.report.wording import architecture_lines
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
        row: dict[str, Any] = {"name": name, "recipe": recipe.as_dict()}
        row["pace"] = pace.get(name)
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
    first, steps = content["methods"][0], content["plan"]["steps"]
    runs = f"{content['seeds']} seeds" if content["seeds"] > 1 else "1 seed, so no intervals"
    return "\n".join(
        [
            f"At equal epochs: {steps} steps each, {runs}; "
            "accuracy on search-val, differences in points, paired by seed",
            outcome_table(content["methods"], "epochs"),
            "",
            f"At equal seconds: as long as {first['name']} takes for its steps",
            outcome_table(content["methods"], "seconds"),
            "",
            "A training step",
            pace_table(content["methods"]),
            *failures(content["methods"]),
        ]
    )


def failures(methods: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Each reason once."""
    for row in methods:
        reasons = Counter([*row["epochs"]["failed"], *row["seconds"]["failed"]])
        for reason, times in reasons.items():
            yield f"failed: {row['name']}, {times} of its runs: {reason}"


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
        if row["pace"]
        else [row["name"], *[NONE] * 4]
        for row in methods
    ]
    headers = ["method", "step", "times hard's", "times soften's", "extra parameters"]
    return table(lines, headers)


def ratio_text(found: Sequence[float] | None) -> str:
    return NONE if found is None else f"{found[0]:.2f} ({found[1]:.2f} to {found[2]:.2f})"


def percent_text(found: Mapping[str, Any]) -> str:
    if found["mean"] is None:
        return "failed" if found["failed"] else NONE
    half = "" if found["ci95"] is None else f" ± {100 * (found['ci95'][1] - found['mean']):.1f}"
    lost = f", {len(found['failed'])} failed" if found["failed"] else ""
    return f"{100 * found['mean']:.1f}{half} %{lost}"


def points_text(found: Mapping[str, Any] | None) -> str:
    """'+1.2 (0.3 to 2.1) better': percentage points and what their interval allows to say."""
    if found is None or found["mean"] is None:
        return NONE
    if found["ci95"] is None:
        return f"{100 * found['mean']:+.1f}"
    low, high = (100 * end for end in found["ci95"])
    return f"{100 * found['mean']:+.1f} ({low:.1f} to {high:.1f}) {found['says']}".rstrip()


def comparison_page(content: Mapping[str, Any], root: Path) -> Compared:
    """The comparison as its page takes it."""
    teacher, plan, data = content["teacher"], content["plan"], content["data"]
    return Compared(
        run=root.resolve().name,
        made=datetime.now().strftime("%Y-%m-%d %H:%M"),
        version=content["kdsearch_version"],
        data=data["name"],
        train_images=data["counts"]["train"],
        student=student_text(content),
        teacher_accuracy=None if teacher is None else teacher["search_accuracy"],
        epochs=plan["epochs"],
        steps=plan["steps"],
        batch_size=plan["batch_size"],
        seeds=content["seeds"],
        device=content["device"],
        rows=tuple(method_row(row, content["methods"]) for row in content["methods"]),
    )


def student_text(content: Mapping[str, Any]) -> str:
    if content["space"] is None:
        return str(content["student"]["network"])
    return ", ".join([content["space"], *architecture_lines(content["student"])])


def method_row(row: Mapping[str, Any], every: Sequence[Mapping[str, Any]]) -> MethodRow:
    pace = row["pace"] or {"seconds": None, "ratios": {}, "extra_params": None}
    runs = {other["name"]: other for other in every}
    return MethodRow(
        name=row["name"],
        knobs=row["recipe"]["knobs"],
        epochs=drawn(row["epochs"], {n: other["epochs"] for n, other in runs.items()}),
        seconds=drawn(row["seconds"], {n: other["seconds"] for n, other in runs.items()}),
        step_ms=None if pace["seconds"] is None else 1000 * pace["seconds"],
        ratios={base: (r[0], r[1], r[2]) for base, r in pace["ratios"].items()},
        extra_params=pace["extra_params"],
    )


def drawn(found: Mapping[str, Any], every: Mapping[str, Mapping[str, Any]]) -> Outcome:
    """A method's outcome with its single runs and, beside a baseline, its single pairs."""
    ours = found["accuracies"]
    versus = {
        base: spread(
            said,
            [
                None if a is None or b is None else a - b
                for a, b in zip(ours, every[base]["accuracies"], strict=True)
            ],
        )
        for base, said in found["versus"].items()
    }
    return Outcome(spread(found, ours), versus, found["steps"], tuple(found["failed"]))


def spread(found: Mapping[str, Any], runs: Sequence[float | None]) -> Spread:
    ends = found["ci95"]
    ci95 = None if ends is None else (ends[0], ends[1])
    return Spread(found["mean"], ci95, tuple(runs), found["says"])
