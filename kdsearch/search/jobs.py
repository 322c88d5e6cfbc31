"""Jobs of a search by what they are for: one architecture's rung 0, one trial's later rungs."""

from pathlib import Path

from kdsearch.core.records import Architecture, Job
from kdsearch.core.seeds import derive
from kdsearch.search.rung import CHECKPOINT, weights_of
from kdsearch.search.terms import Places
from kdsearch.search.trial import Trial


def job_name(number: int, rung: int) -> str:
    return f"trial {number}, rung {rung}"


def trial_job(trial: Trial, rung: int, places: Places, seed: int) -> Job:
    own = f"{trial.number:04d}"
    return Job(
        job_name(trial.number, rung),
        rung,
        trial.candidate.architecture,
        trial.candidate.recipe,
        derive(seed, "trial", trial.number),
        str(places.trials / own),
        weights=f"{places.weights}/{own}" if places.weights else "",
    )


def drop_checkpoint(job: Job) -> None:
    """Nobody goes on from a trial that was stopped or failed."""
    (weights_of(job) / CHECKPOINT).unlink(missing_ok=True)


def inherited_job(architecture: Architecture, folder: Path) -> Job:
    """Rung 0 is a property of the architecture: one result, whatever the trial."""
    return Job(
        f"inherited {architecture.id}", 0, architecture, None, 0, str(folder / architecture.id)
    )
