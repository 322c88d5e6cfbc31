"""Jobs as plain data, for whoever does them in another process; errors on their way back."""

import pickle
import traceback
from dataclasses import asdict
from pathlib import Path
from typing import Any

from kdsearch.core.records import Architecture, Job, Recipe
from kdsearch.errors import KdsearchError


def as_plain(job: Job) -> dict[str, Any]:
    """A worker has a folder of its own, so what is relative to this one is not."""
    plain = asdict(job)
    plain["folder"] = str(Path(job.folder).absolute())
    plain["architecture"] = job.architecture.as_dict()
    plain["recipe"] = None if job.recipe is None else job.recipe.as_dict()
    return plain


def as_job(plain: dict[str, Any]) -> Job:
    recipe = plain["recipe"]
    return Job(
        **{
            **plain,
            "architecture": Architecture.of(plain["architecture"]),
            "recipe": None if recipe is None else Recipe.read(recipe),
        }
    )


def as_trouble(error: Exception) -> Exception:
    """The error, or its words where its class cannot travel; a note says where it came from."""
    travels = error
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        travels = KdsearchError(f"{type(error).__name__}: {error}")
    travels.add_note("".join(traceback.format_exception(error)))
    return travels
