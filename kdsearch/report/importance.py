"""What mattered: the share that each axis has in what makes the trials' scores differ."""

from collections.abc import Mapping, Sequence
from typing import Any

from kdsearch.core.amounts import title
from kdsearch.core.quantities import percent
from kdsearch.report.markup import Markup, element, joined
from kdsearch.report.wording import interval_text

NOTE = (
    "How much of the variance of a score each axis explains alone, over the trials "
    "(functional ANOVA of a random forest); the line under a bar is its 95 % interval over "
    "resampled trials. Grey bars are no longer than what shuffled scores give the same axis in "
    "19 of 20 cases. The trials were chosen by the search: what it turned away from early "
    "counts less."
)


def importance(entries: Sequence[Mapping[str, Any]]) -> Markup:
    """The section of a run's page; entries as `kdsearch explain RUN --json` has them."""
    parts: list[Markup] = [element("p", NOTE, class_="note")]
    for entry in entries:
        if not entry["axes"]:
            continue
        parts.append(element("h3", heading(entry)))
        parts.append(bars(entry["axes"], ""))
        parts.append(element("p", sums(entry["parts"])))
        parts += [
            within(name, inner) for name, inner in entry["within"].items() if inner["axes"]
        ]
    return joined(parts)


def heading(entry: Mapping[str, Any]) -> str:
    """A cost, and accuracy with inherited weights, is one number an architecture."""
    name = title(entry["objective"])
    of = "trials" if entry["rung"] else "architectures"
    where = "" if entry["rung"] is None else f" at rung {entry['rung']}"
    return f"{name[:1].upper()}{name[1:]}{where}, {entry['trials']} {of}"


def sums(parts: Sequence[Mapping[str, Any]]) -> str:
    said = ", ".join(f"{one['part']} {percent(one['share'], 0)}" for one in parts)
    return f"Together: {said}."


def within(method: str, inner: Mapping[str, Any]) -> Markup:
    lead = f"Within {method}, {inner['trials']} trials:"
    return joined([element("p", lead), bars(inner["axes"], f"{method}.")])


def bars(axes: Sequence[Mapping[str, Any]], prefix: str) -> Markup:
    """One bar an axis, all on the scale from nothing to everything."""
    rows = [
        element(
            "tr",
            element("th", axis["axis"].removeprefix(prefix), scope="row"),
            element("td", bar(axis), class_="drawn"),
            element("td", *written(axis), class_="number"),
        )
        for axis in axes
    ]
    return element("table", element("tbody", *rows), class_="bars")


def bar(axis: Mapping[str, Any]) -> Markup:
    low, high = (inside(end) for end in axis["ci95"])
    return element(
        "svg",
        element("rect", width="100%", height=8, rx=2, class_="track"),
        element(
            "rect",
            width=f"{inside(axis['share']) * 100:.2f}%",
            height=8,
            rx=2,
            class_="length" if axis["above_chance"] else "unsure",
        ),
        element(
            "rect",
            x=f"{low * 100:.2f}%",
            y=10,
            width=f"{(high - low) * 100:.2f}%",
            height=2,
            class_="interval",
        ),
        width="100%",
        height=12,
        aria_hidden="true",
    )


def inside(share: float) -> float:
    return min(1.0, max(0.0, share))


def written(axis: Mapping[str, Any]) -> list[str]:
    below = interval_text(tuple(axis["ci95"]))
    return [percent(axis["share"], 0), element("small", below)]
