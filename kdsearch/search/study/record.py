"""A trial as an Optuna record, and back."""

from types import MappingProxyType

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


def as_trial(frozen: FrozenTrial) -> Trial:
    content = frozen.user_attrs["candidate"]
    recipe = Recipe.read(content)
    return Trial(
        frozen.number,
        Candidate(Architecture.of(content["architecture"]), recipe),
        STATES[frozen.state],  # type: ignore[arg-type]
        {int(r): tuple(v) for r, v in frozen.user_attrs.get("scores", {}).items()},
        dict(frozen.constraints),
        frozen.user_attrs["batch"],
        frozen.user_attrs.get("reason", ""),
    )


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
            "candidate": {
                "architecture": trial.candidate.architecture.as_dict(),
                **recipe.as_dict(),
            },
        },
    )
