"""What the jobs of a search or a comparison stand on, and the students they start from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import nn

from kdsearch.core.objectives import Objective
from kdsearch.core.records import Job
from kdsearch.core.seeds import derive
from kdsearch.core.space import Space
from kdsearch.data.records import SearchData
from kdsearch.nets.family import Supernet
from kdsearch.nets.kinds import family_of
from kdsearch.nets.stored import stored_weights
from kdsearch.search.pool import TEACHER
from kdsearch.teachers.make import Origin
from kdsearch.teachers.student import brought_student
from kdsearch.training.feed import Feed
from kdsearch.training.plan import Plan

AUTO = "auto"
"""A device: a GPU where the worker is given one."""


@dataclass(frozen=True, slots=True)
class Setting:
    """All that a rung needs beside the job: paths and plain data, so it travels anywhere."""

    data: str
    supernet: str | None
    """None: students start with fresh weights."""
    teacher: str | None
    family: str
    space: Space
    plan: Plan
    """Of the full distillation; each job brings its own seed."""
    fractions: tuple[float, ...]
    device: str = "cpu"
    threads: int = 1
    """Intra-op threads of a worker: part of what makes a run repeat exactly."""
    store: str = "store"
    """Where auxiliary networks are shared between jobs."""
    student: Origin | None = None
    """A network brought along that every job teaches; None: the job's architecture."""
    bank: str | None = None
    """What the teacher says of the plan's fixed variations, stored."""
    metrics: tuple[Objective, ...] = ()
    """What a result tells of the predictions, beyond their accuracy."""
    teachers: Mapping[str, str] = field(default_factory=dict)
    """Further teachers that a recipe may name."""

    def folder_of(self, teacher: str) -> str | None:
        """Of a teacher by name; None where students learn from labels alone."""
        return self.teacher if teacher == TEACHER else self.teachers[teacher]


def load_supernet(setting: Setting, data: SearchData) -> Supernet:
    assert setting.supernet is not None
    family = family_of(setting.family)
    net = family.supernet(setting.space, data.info.channels, len(data.info.classes))
    net.load_state_dict(stored_weights(Path(setting.supernet) / "supernet.safetensors"))
    return net.to(setting.device)  # type: ignore[return-value]


def new_student(setting: Setting, job: Job, feed: Feed) -> nn.Module:
    """A student with fresh weights (or those it was brought with), from the job's seed."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(derive(job.seed, "student"))
        if setting.student is not None:
            return brought_student(setting.student, feed).to(setting.device)
        info = feed.info
        family = family_of(setting.family)
        student = family.student(job.architecture, info.channels, len(info.classes))
        return student.to(setting.device)
