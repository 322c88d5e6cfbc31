"""What an earlier sitting left in a job's folder: what can be read, and whose it is.

Numbers are given anew where a journal was cut or removed; with several workers a trial may then
be another candidate than the one whose results and checkpoint lie in the folder of its number.
"""

from pathlib import Path
from typing import Any

from kdsearch.core.records import Job, Result
from kdsearch.errors import RunError
from kdsearch.files import damaged, write_json
from kdsearch.rundir import mapping

CLAIM = "candidate.json"
"""Written before anything else is."""
LEFT = ("rung*.json", "*.safetensors")


def read_result(path: Path) -> Result:
    """Raises RunError where the file was damaged."""
    try:
        return Result.of(mapping(path))
    except TypeError as error:
        raise damaged(path, "not what a run writes") from error


def claim_of(job: Job) -> dict[str, Any]:
    """All that the trainings of its folder depend on, beside what the whole search shares."""
    return {
        "architecture": job.architecture.as_dict(),
        "recipe": None if job.recipe is None else job.recipe.as_dict(),
        "seed": job.seed,
        "steps": job.steps,
    }


def is_claimed(job: Job) -> bool:
    """Whether what lies in the folder is this job's; nobody's is, too."""
    path = Path(job.folder) / CLAIM
    try:
        return not path.exists() or mapping(path) == claim_of(job)
    except RunError:
        return False


def is_begun(job: Job) -> bool:
    """Whether somebody was at work on the trial before."""
    return (Path(job.folder) / CLAIM).exists() and is_claimed(job)


def claim(job: Job) -> str:
    """Makes the folder the job's, in which nobody else is at work; says what had to go."""
    folder, said = Path(job.folder), ""
    if not is_claimed(job):
        for path in (p for pattern in LEFT for p in folder.glob(pattern)):
            path.unlink()
        (folder / CLAIM).unlink()
        said = f"{folder}: held another candidate's files; {job.name} begins anew"
    if not (folder / CLAIM).exists():
        write_json(folder / CLAIM, claim_of(job))
    return said
