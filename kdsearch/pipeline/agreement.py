"""How a teacher's students agree with it, and how well it knows its own training images."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from torch import Tensor

from kdsearch.core.progress import Silent
from kdsearch.core.records import Architecture, Job
from kdsearch.data.augment import normalise
from kdsearch.files import write_json
from kdsearch.losses.softened import softened_kl
from kdsearch.measure.accuracy import predict, top1
from kdsearch.nets.kinds import family_of
from kdsearch.nets.stored import stored_weights
from kdsearch.rundir import mapping
from kdsearch.search.rung import STUDENT, Rungs, stored_result
from kdsearch.search.setting import Setting
from kdsearch.search.teachers import Lessons

BATCH = 500
KEPT = "agreement.json"


class Agreement(NamedTuple):
    divergences: dict[str, float]
    """By student: KL(teacher ‖ student) at temperature 1, mean over search-val, in nats."""
    train_accuracy: float | None
    """Of the teacher, on its training images as they are."""


def agreement(
    setting: Setting, lessons: Lessons, students: Sequence[Architecture]
) -> Agreement:
    """Of the students that came to their end; what is measured is kept beside them."""
    if setting.teacher is None:
        return Agreement({}, None)
    path = lessons.folder / KEPT
    known: dict[str, Any] = mapping(path) if path.exists() else {}
    jobs = {s.id: job for s in students if is_done(job := lessons.job(s))}
    keys = {student: Path(job.folder).parts[-2:] for student, job in jobs.items()}
    names = {student: "/".join(parts) for student, parts in keys.items()}
    missing = {s: job for s, job in jobs.items() if names[s] not in known}
    if missing or "train_accuracy" not in known:
        meter = Meter(setting)
        found = {names[s]: meter.divergence(job) for s, job in missing.items()}
        known = {"train_accuracy": meter.train_accuracy(), **known, **found}
        write_json(path, known)
    return Agreement({s: known[name] for s, name in names.items()}, known["train_accuracy"])


def is_done(job: Job) -> bool:
    result = stored_result(job)
    return result is not None and result.state == "done"


class Meter:
    """One teacher, held while its students are measured."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.work = Rungs(setting, Silent())

    @cached_property
    def said(self) -> Tensor:
        """The teacher's logits of search-val."""
        return predict(self.work.teacher(), self.work.search_val[0], BATCH)

    def divergence(self, job: Job) -> float:
        info = self.work.feed.info
        student = family_of(self.setting.family).student(
            job.architecture, info.channels, len(info.classes)
        )
        student.load_state_dict(stored_weights(Path(job.folder) / STUDENT))
        logits = predict(student.to(self.setting.device), self.work.search_val[0], BATCH)
        return float(softened_kl(logits, self.said, 1.0))

    def train_accuracy(self) -> float:
        split, info = self.work.feed.split, self.work.feed.info
        images = normalise(split.images, info.mean, info.std)
        return top1(predict(self.work.teacher(), images, BATCH), split.labels)
