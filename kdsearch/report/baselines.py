"""What simpler searches reached at the same cost: a table of a run's page, and its words."""

from collections.abc import Iterator, Mapping
from typing import Any

from kdsearch.core.quantities import UNKNOWN, duration
from kdsearch.report.markup import Markup, element, joined
from kdsearch.report.tables import Cell, row, table

HEADERS = (
    "searched",
    "hypervolume",
    "the search less it",
    "what that says",
    "trials",
    "training",
)
NOTE = (
    "Differences seed by seed, with Student's 95 % interval: where it holds zero, nothing is "
    "claimed; one comparison in twenty leaves zero out by chance. Teacher, supernet, latencies "
    "and scores with inherited weights are shared and not counted. Trials are compared at one "
    "rung, on the images that the searches chose by; the knee is of the search's own front."
)


def figures(content: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    """One row a search, in the order of HEADERS."""
    for arm in content["arms"]:
        known = arm.get("difference")
        yield (
            arm["name"],
            spread(arm, ".4f"),
            spread(known, "+.4f") if known else "",
            known["says"] if known else "",
            ", ".join(map(str, arm["trials"])),
            ", ".join(map(duration, arm["device_seconds"])),
        )


def spread(found: Mapping[str, Any], form: str) -> str:
    """'0.8123 (0.8011 to 0.8235)'."""
    if found["ci95"] is None:
        return f"{found['mean']:{form}}" if found["mean"] is not None else UNKNOWN
    low, high = found["ci95"]
    return f"{found['mean']:{form}} ({low:{form}} to {high:{form}})"


def baselines(content: Mapping[str, Any]) -> Markup:
    """The section of a run's page."""
    about = {arm["name"]: arm["about"] for arm in content["arms"]}
    rows = [
        row(
            HEADERS,
            [
                Cell(name, about[name]),
                *(Cell(text, number=k < 2) for k, text in enumerate(texts)),
            ],
        )
        for name, *texts in figures(content)
    ]
    lead = (
        f"{content['seeds']} seeds of each search, given {duration(content['device_seconds'])} "
        "of training as the search of this run took."
    )
    left = [f"Left out: {name}, {why}." for name, why in content["skipped"].items()]
    notes = [element("p", " ".join([NOTE, *left]), class_="note")]
    return joined([element("p", lead), table(HEADERS, rows, "plain"), *notes])
