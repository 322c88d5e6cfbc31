"""What baselines say of a search: hypervolumes, and differences with their intervals (ours).

Differences are taken seed by seed, with Student's 95 % interval over the seeds: a bootstrap of
three values would be too narrow. Where the interval holds zero nothing is claimed.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import kdsearch
from kdsearch.core.objectives import Objective
from kdsearch.core.quantities import duration
from kdsearch.core.volume import volume
from kdsearch.measure.paired import Interval, difference, interval
from kdsearch.pipeline.table import table
from kdsearch.report.baselines import HEADERS, NOTE, figures
from kdsearch.search.simpler import SEARCH, Arm
from kdsearch.search.trial import Trial

VERDICTS: Mapping[str, str] = {
    "better": "the search does better",
    "worse": "the search does worse",
}
NOTHING = "says nothing"


class Searched(NamedTuple):
    """One search that came to its end."""

    trials: Sequence[Trial]
    device_seconds: float
    short: str
    """Why it took less than it was given; empty where it did not."""
    rung: int
    """The top one of the search."""


def content_of(
    front: Mapping[str, Any],
    found: Sequence[tuple[Arm, Sequence[Searched]]],
    objectives: Sequence[Objective],
) -> dict[str, Any]:
    """What baselines.json holds of the searches."""
    reference = front["reference_point"]
    volumes = {
        arm.name: [volume_of(one, objectives, reference) for one in searches]
        for arm, searches in found
    }
    own = volumes[SEARCH]
    return {
        "schema": 1,
        "kdsearch_version": kdsearch.__version__,
        "seeds": len(own),
        "reference_point": dict(reference),
        "arms": [row(arm, searches, volumes[arm.name], own) for arm, searches in found],
    }


def volume_of(
    one: Searched, objectives: Sequence[Objective], reference: Mapping[str, float]
) -> float:
    """Of its completed trials as they score at the top rung; 0 where there are none."""
    names = [each.name for each in objectives]
    points = [
        dict(zip(names, t.scores[one.rung], strict=True))
        for t in one.trials
        if t.state == "complete" and one.rung in t.scores
    ]
    found = volume(points, objectives, reference)
    assert found is not None, "a run whose front has a hypervolume"
    return found


def row(
    arm: Arm, searches: Sequence[Searched], volumes: Sequence[float], own: Sequence[float]
) -> dict[str, Any]:
    content = {
        "name": arm.name,
        "about": arm.about,
        "volumes": list(volumes),
        **plain(interval(volumes)),
        "trials": [len(one.trials) for one in searches],
        "complete": [sum(t.state == "complete" for t in one.trials) for one in searches],
        "device_seconds": [round(one.device_seconds, 3) for one in searches],
        "short": [one.short for one in searches],
    }
    if arm.name == SEARCH:
        return content
    against = difference(own, volumes)
    says = VERDICTS.get(against.says, NOTHING)
    return {**content, "difference": {**plain(against), "says": says}}


def plain(found: Interval) -> dict[str, Any]:
    return {"mean": found.mean, "ci95": None if found.ci95 is None else list(found.ci95)}


def text(content: Mapping[str, Any]) -> str:
    """The comparison for a person."""
    skipped = [f"left out: {name}, {why}" for name, why in content["skipped"].items()]
    cut = [
        f"{row['name']}, seed {number}: {why}"
        for row in content["arms"]
        for number, why in enumerate(row["short"], start=1)
        if why
    ]
    given = duration(content["device_seconds"])
    return "\n".join(
        [
            f"{content['seeds']} seeds, {given} of training each; hypervolume of what each "
            "search completed at its top rung",
            table([list(cells) for cells in figures(content)], HEADERS),
            *skipped,
            *cut,
            NOTE,
        ]
    )
