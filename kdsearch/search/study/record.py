"""A trial as an Optuna record, and back."""

from types import MappingProxyType
from typing import Any

from optuna.trial import FrozenTrial, TrialState, create_trial

from kdsearch.core.records import Architecture, Candidate, Recipe
from kdsearch.search.pool import Pool, as_parameters
from kdsearch.search.study.axes import distribution, joint_axes, to_optuna
from kdsearch.search.trial import Trial

STATES = MappingProxyType(
    {
        TrialState.RUNNING: "running",
        TrialState.COMPLETE: "complete",
        TrialState.PRUNED: "stopped",
        TrialState.FAIL: "failed",
    }
)
OPTUNAS = MappingProxyType({word: state for state, word in STATES.items()})
OUTCOME = "outcome"
"""The attribute that says all that is known of a trial: one record, so whole or not at all."""


def as_trial(frozen: FrozenTrial) -> Trial:
    """As it was last noted or told: a record that is not told to the end says how it ends."""
    attributes = frozen.user_attrs
    content = attributes["candidate"]
    known = attributes.get(OUTCOME, {})
    return Trial(
        frozen.number,
        Candidate(Architecture.of(content["architecture"]), Recipe.read(content)),
        known.get("state", STATES[frozen.state]),
        {int(rung): tuple(values) for rung, values in known.get("scores", {}).items()},
        known.get("violations", {}),
        attributes["batch"],
        known.get("reason", ""),
        known.get("passed", False),
        attributes.get("sampled", {}),
    )


def outcome(trial: Trial) -> dict[str, Any]:
    return {
        "state": trial.state,
        "passed": trial.passed,
        "scores": {str(rung): list(values) for rung, values in trial.scores.items()},
        **({"violations": dict(trial.violations)} if trial.violations else {}),
        **({"reason": trial.reason} if trial.reason else {}),
    }


def frozen_running(trial: Trial, pool: Pool) -> FrozenTrial:
    """A proposal as one record: parameters for Optuna's tools, the candidate for ours."""
    recipe = trial.candidate.recipe
    axes = joint_axes(pool, recipe.method)
    parameters = as_parameters(trial.candidate)
    return create_trial(
        state=TrialState.RUNNING,
        params={n: to_optuna(axes[n], v) for n, v in parameters.items()},
        distributions={n: distribution(axes[n]) for n in parameters},
        user_attrs={
            "batch": trial.batch,
            **({"sampled": dict(trial.sampled)} if trial.sampled else {}),
            "candidate": {
                "architecture": trial.candidate.architecture.as_dict(),
                **recipe.as_dict(),
            },
        },
    )
