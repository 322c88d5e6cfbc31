"""What the scores of a run's trials depend on, as JSON: for `explain` and for the report."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from kdsearch.core.objectives import Objective, ours
from kdsearch.pipeline.trials import objective_names
from kdsearch.rundir import RunDir
from kdsearch.search.explain import Explained, explained
from kdsearch.search.shares import Share, Shares
from kdsearch.search.trial import Trial

SEED = 0
"""The same trials give the same shares, whoever asks."""


def important(run: RunDir, trials: Sequence[Trial]) -> list[dict[str, Any]]:
    """One entry for each objective of the current search, in their order."""
    objectives = [ours(name) or brought(name) for name in objective_names(run)]
    return [entry(explained(trials, at, one, SEED)) for at, one in enumerate(objectives)]


def brought(name: str) -> Objective:
    """A score of the user's own; which way it goes does not matter here."""
    return Objective(name, maximised=True, scored=True)


def entry(found: Explained) -> dict[str, Any]:
    return {
        "objective": found.objective,
        "rung": found.rung,
        **listed(found.shares, found.part),
        "within": {name: listed(shares, {}) for name, shares in found.within.items()},
    }


def listed(shares: Shares, part: Mapping[str, str]) -> dict[str, Any]:
    """With an empty list of axes where there are too few trials."""
    return {
        "trials": shares.trials,
        "needed": shares.needed,
        "axes": [
            {"axis": name, "part": part.get(name), **figures(share)}
            for name, share in shares.axes.items()
        ],
        "parts": [{"part": name, **figures(share)} for name, share in shares.parts.items()],
    }


def figures(share: Share) -> dict[str, Any]:
    return {**asdict(share), "ci95": list(share.ci95), "above_chance": share.is_told}


def is_enough(entries: Sequence[Mapping[str, Any]]) -> bool:
    """Whether anything is said of any objective."""
    return any(one["axes"] for one in entries)
