"""The auxiliary teacher: learns from the teacher first, then teaches in its place.

Passalis, Tzelepi & Tefas, 2020, arXiv:2005.00727: a network between teacher and student in
size. It is made once for all jobs that ask for the same one, and kept in the store.
"""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from kdsearch.core.progress import Progress
from kdsearch.core.records import Architecture
from kdsearch.core.seeds import derive
from kdsearch.distill.kinds import method_of
from kdsearch.distill.method import Auxiliary
from kdsearch.errors import UserError
from kdsearch.files import write_bytes
from kdsearch.nets.family import Supernet
from kdsearch.nets.kinds import family_of, identity
from kdsearch.nets.stored import kept_weights, stored_weights
from kdsearch.search.setting import Setting
from kdsearch.store import Store
from kdsearch.supernet.calibrate import calibrate
from kdsearch.training.distillation import Distillation, Lesson
from kdsearch.training.feed import Feed
from kdsearch.training.fit import Telling, fit

VERSION = 1
WEIGHTS = "auxiliary.safetensors"


class Pupil(NamedTuple):
    """What an auxiliary network may start from, and who teaches it."""

    supernet: Supernet | None
    teacher: nn.Module
    feed: Feed
    calibration: Sequence[Tensor]
    progress: Progress


def auxiliary_teacher(
    setting: Setting, wanted: Auxiliary, student: Architecture, pupil: Pupil
) -> nn.Module:
    """The frozen auxiliary network, in eval mode; trained first where no job has done so.

    Raises:
        UserError: there is no larger network than the student.
    """
    check_larger(setting, wanted)
    architecture = larger(setting, wanted, student)
    assert setting.teacher is not None
    inherited = setting.supernet if wanted.size == "max_subnet" else None
    key: dict[str, Any] = {
        "version": VERSION,
        "family": identity(setting.family),
        "data": pupil.feed.info.fingerprint,
        "teacher": Path(setting.teacher).name,
        "supernet": None if inherited is None else Path(inherited).name,
        "architecture": architecture.as_dict(),
        "recipe": wanted.recipe.as_dict(),
        "plan": asdict(setting.plan),
    }

    def make(folder: Path) -> None:
        learnt = taught(setting, wanted, architecture, pupil, folder / "checkpoint.safetensors")
        write_bytes(folder / WEIGHTS, kept_weights(learnt))
        (folder / "checkpoint.safetensors").unlink()

    folder = Store(Path(setting.store)).build("auxiliary", key, make)
    info = pupil.feed.info
    family = family_of(setting.family)
    network = family.student(architecture, info.channels, len(info.classes))
    network.load_state_dict(stored_weights(folder / WEIGHTS, within=folder))
    return network.requires_grad_(False).to(setting.device).eval()


def check_larger(setting: Setting, wanted: Auxiliary) -> None:
    """Raises UserError for a student of which there is no larger one."""
    if setting.student is not None:
        raise UserError(
            f"aux: {wanted.size} is for students of a space; "
            "a network brought along learns with aux: none"
        )
    larger(setting, wanted, Architecture.of(setting.space.smallest()))


def larger(setting: Setting, wanted: Auxiliary, student: Architecture) -> Architecture:
    if wanted.size == "max_subnet":
        return Architecture.of(setting.space.largest())
    return family_of(setting.family).wider(student, 2.0)


def taught(
    setting: Setting,
    wanted: Auxiliary,
    architecture: Architecture,
    pupil: Pupil,
    checkpoint: Path,
) -> nn.Module:
    """The largest subnet with inherited weights, or a fresh network, after its own lesson."""
    plan, info = setting.plan, pupil.feed.info
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(derive(plan.seed, "auxiliary"))
        if pupil.supernet is not None and wanted.size == "max_subnet":
            network = pupil.supernet.carve(architecture)
        else:
            family = family_of(setting.family)
            network = family.student(architecture, info.channels, len(info.classes))
    lesson = Lesson(network.to(setting.device), method_of(wanted.recipe), pupil.teacher)
    sample = pupil.feed.sample(plan.batch_size)
    seed = derive(plan.seed, "auxiliary parts")
    task = Distillation(lesson, sample, precision=plan.precision, seed=seed)
    telling = Telling(pupil.progress, "auxiliary teacher")
    done = fit(task, pupil.feed, plan, until=plan.steps, checkpoint=checkpoint, tell=telling)
    shipped = task.shipped(done.average)
    calibrate(shipped, pupil.calibration)
    return shipped
