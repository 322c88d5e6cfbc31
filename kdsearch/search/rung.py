"""What one rung of one trial does: the work an engine executes, from plain data to plain data.

Rung 0 scores a student with inherited weights. Every rung above goes on from the trial's own
checkpoint, is a prefix of the full distillation, and is scored on averaged weights, freshly
calibrated. A result is on disk before it is told.
"""

import time
import traceback
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from kdsearch.core.ladder import steps_at
from kdsearch.core.progress import Noting, Progress
from kdsearch.core.records import Architecture, Job, Recipe, Result
from kdsearch.core.seeds import derive
from kdsearch.data.augment import normalise
from kdsearch.data.load import load_search
from kdsearch.data.records import SearchData
from kdsearch.distill.kinds import method_of
from kdsearch.distill.method import Auxiliary, Method
from kdsearch.errors import KdsearchError, ObjectiveError, RunError, TrainingError
from kdsearch.files import refused, write_bytes, write_json
from kdsearch.measure.accuracy import predict, top1
from kdsearch.measure.scores import scores_of
from kdsearch.nets.family import Supernet
from kdsearch.nets.stored import kept_weights
from kdsearch.places import Place, place_of
from kdsearch.search.auxiliary import Pupil, auxiliary_teacher
from kdsearch.search.leavings import claim, is_begun, is_claimed, read_result
from kdsearch.search.pool import TEACHER, teacher_of
from kdsearch.search.setting import Setting, load_supernet, new_student
from kdsearch.supernet.calibrate import calibrate
from kdsearch.supernet.prefixes import Prefixes
from kdsearch.teachers.make import load_teacher
from kdsearch.teachers.training import Course
from kdsearch.training.bank import Bank
from kdsearch.training.checkpoint import Progressed
from kdsearch.training.distillation import Distillation, Lesson
from kdsearch.training.feed import Feed
from kdsearch.training.fit import Telling, fit
from kdsearch.training.plan import Plan
from kdsearch.training.served import is_served

CALIBRATION_BATCH = 128
SCORED_BATCH = 500
STUDENT = "student.safetensors"
CHECKPOINT = "checkpoint.safetensors"
REFUSED = "refused"
"""Among a result's details: a disk refused a file, which is no fault of the job."""


def result_path(job: Job) -> Path:
    return Path(job.folder) / f"rung{job.rung}.json"


def result_files(trials: Path, number: int) -> list[Path]:
    """The result files of a trial's first run, from low rungs to high."""
    return sorted((trials / f"{number:04d}").glob("rung*.json"))


def weights_of(job: Job) -> Place:
    """Where a job's weights and checkpoints are kept."""
    return place_of(job.weights or job.folder)


def stored_result(job: Job) -> Result | None:
    """What a worker left behind for this job, if it got that far.

    Raises:
        RunError: the file was damaged since.
    """
    path = result_path(job)
    return read_result(path) if path.exists() and is_claimed(job) else None


def forget_result(job: Job) -> None:
    result_path(job).unlink(missing_ok=True)


@dataclass
class Rungs:
    """The work of an engine's worker; holds data, supernet and teachers while it lives."""

    setting: Setting
    progress: Progress
    given: nn.Module | None = field(default=None, repr=False)
    """A teacher passed as a Python object, which no path can bring to another process."""
    teachers: dict[str, nn.Module] = field(default_factory=dict, repr=False)
    """Those that were asked for, by name."""
    told: Noting = field(init=False, repr=False)
    """Progress that keeps what is said during a job: that stands in its result."""

    def __post_init__(self) -> None:
        self.told = Noting(self.progress)

    def __call__(self, job: Job) -> Result:
        """Does the job, whatever happens: an error becomes a result that says what it was."""
        torch.set_num_threads(self.setting.threads)
        started = time.perf_counter()
        self.told.lines.clear()
        try:
            self.look_around(job)
            result = self.inherited(job) if job.rung == 0 else self.distilled(job)
        except ObjectiveError as error:
            result = Result(job.name, job.rung, "objective", reason=str(error))
        except TrainingError as error:
            result = Result(job.name, job.rung, "diverged", reason=str(error))
        except Exception as error:
            result = self.failed(job, error)
        said = {"said": list(self.told.lines)} if self.told.lines else {}
        details = {**result.details, **said}
        result = replace(result, seconds=time.perf_counter() - started, details=details)
        write_json(result_path(job), result.as_dict())
        if result.state == "done" and job.rung == len(self.setting.fractions):
            (weights_of(job) / CHECKPOINT).unlink(missing_ok=True)  # no rung goes on from it
        return result

    def look_around(self, job: Job) -> None:
        """What lies in the folder and is of no use goes, and is named."""
        path, checkpoint = result_path(job), weights_of(job) / CHECKPOINT
        if job.rung > 0:
            if not is_begun(job):
                checkpoint.unlink(missing_ok=True)
            if line := claim(job):
                self.told.say(line)
        try:
            stored_result(job)
        except RunError:
            checkpoint.unlink(missing_ok=True)  # it may be of a later rung by now
            path.unlink()
            self.told.say(f"{path}: damaged; {job.name} is done again")

    def failed(self, job: Job, error: Exception) -> Result:
        """What went wrong inside a job: too little memory, a disk, a file of ours, or our own
        fault.
        """
        if is_out_of_memory(error):
            batch = self.setting.plan.batch_size
            reason = f"at batch_size {batch}; try distill.batch_size: {max(1, batch // 2)}"
            return Result(job.name, job.rung, "out of memory", reason=reason)
        if line := refused(error):
            return Result(job.name, job.rung, "bug", reason=line, details={REFUSED: True})
        details = {"traceback": "".join(traceback.format_exception(error))}
        kind = "" if isinstance(error, KdsearchError) else f"{type(error).__name__}: "
        reason = f"{kind}{error}".partition("\n")[0]
        return Result(job.name, job.rung, "bug", reason=reason, details=details)

    def inherited(self, job: Job) -> Result:
        return self.scored(job, self.prefixes.logits(job.architecture))

    def distilled(self, job: Job) -> Result:
        assert job.recipe is not None
        setting = self.setting
        Path(job.folder).mkdir(parents=True, exist_ok=True)
        plan = replace(setting.plan, seed=job.seed, steps=job.steps or setting.plan.steps)
        plan = with_own_training(plan, job.recipe)
        until = steps_at(job.rung, setting.fractions, plan.steps)
        task, done = self.taught(job, plan, until)
        if done.step > until:  # a later rung was reached already, this one's result is gone
            (weights_of(job) / CHECKPOINT).unlink()
            self.told.say(f"{job.name}: its checkpoint is of a later rung; it begins anew")
            task, done = self.taught(job, plan, until)
        student = task.shipped(done.average)
        calibrate(student, self.calibration)
        if job.rung == len(setting.fractions):
            write_bytes(weights_of(job) / STUDENT, kept_weights(student))
        result = self.scored(job, predict(student, self.search_val[0], SCORED_BATCH))
        return replace(result, details={"curve": done.curve, "steps": done.step})

    def taught(self, job: Job, plan: Plan, until: int) -> tuple[Distillation, Progressed]:
        """The trial's training, from where its checkpoint is."""
        assert job.recipe is not None
        task = self.task(job, method_of(job.recipe))
        tell, checkpoint = Telling(self.told, job.name), weights_of(job) / CHECKPOINT
        return task, fit(task, self.feed, plan, until=until, checkpoint=checkpoint, tell=tell)

    def task(self, job: Job, method: Method) -> Distillation:
        """The student with all that its method needs; its modules' seed is the job's."""
        needs, plan = method.needs, self.setting.plan
        asks = needs.teacher or needs.online
        served = self.feed.told is not None and is_served(needs)
        name = teacher_of(job.recipe)
        teacher = self.teacher(name) if asks and not served else None
        if needs.auxiliary is not None:
            teacher = self.auxiliary(needs.auxiliary, job.architecture, name)
        return Distillation(
            Lesson(self.student(job), method, teacher),
            self.feed.sample(plan.batch_size),
            precision=plan.precision,
            seed=derive(job.seed, "parts"),
        )

    def student(self, job: Job) -> nn.Module:
        """As it starts: inherited from the supernet, or fresh from the job's seed."""
        if self.setting.supernet is not None:
            return self.supernet.carve(job.architecture).to(self.setting.device)
        return new_student(self.setting, job, self.feed)

    def auxiliary(
        self, wanted: Auxiliary, student: Architecture, teacher: str = TEACHER
    ) -> nn.Module:
        """Of the teacher of this name."""
        supernet = None if self.setting.supernet is None else self.supernet
        network = self.teacher(teacher)
        pupil = Pupil(supernet, network, self.feed, self.calibration, self.told)
        setting = replace(self.setting, teacher=self.setting.folder_of(teacher))
        return auxiliary_teacher(setting, wanted, student, pupil)

    def scored(self, job: Job, logits: Tensor) -> Result:
        """What the logits on search-validation are worth."""
        _, labels = self.search_val
        scores = scores_of(self.setting.metrics, logits, labels)
        return Result(job.name, job.rung, "done", accuracy=top1(logits, labels), scores=scores)

    @cached_property
    def data(self) -> SearchData:
        return load_search(Path(self.setting.data))

    @cached_property
    def feed(self) -> Feed:
        bank, device = self.setting.bank, self.setting.device
        told = None if bank is None else Bank(Path(bank), device)
        return Feed(self.data.train.to(device), self.data.info, told)

    @cached_property
    def search_val(self) -> tuple[Tensor, Tensor]:
        split = self.data.search_val.to(self.setting.device)
        return normalise(split.images, self.data.info.mean, self.data.info.std), split.labels

    @cached_property
    def calibration(self) -> list[Tensor]:
        return calibration_batches(self.data, self.setting.device)

    @cached_property
    def prefixes(self) -> Prefixes:
        """Of the students scored so far: the next one goes on from what they share."""
        return Prefixes(self.supernet, self.calibration, self.search_val[0])

    @cached_property
    def supernet(self) -> Supernet:
        return load_supernet(self.setting, self.data)

    def teacher(self, name: str = TEACHER) -> nn.Module:
        """Frozen, in eval mode; loaded when it is first asked for, and kept."""
        if name not in self.teachers:
            folder = self.setting.folder_of(name)
            assert folder is not None, "a method that needs a teacher, and no teacher"
            course = Course(self.feed, self.setting.plan, Path(), self.told)
            self.teachers[name] = load_teacher(Path(folder), course, self.given)
        return self.teachers[name]


def with_own_training(plan: Plan, recipe: Recipe) -> Plan:
    """The plan with what the recipe changes of it."""
    changed: dict[str, Any] = {n: float(v) for n, v in recipe.training if n != TEACHER}
    return replace(plan, **changed)


def is_out_of_memory(error: Exception) -> bool:
    """On a GPU torch has an error of its own, on a processor a RuntimeError's words."""
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or (
        isinstance(error, RuntimeError) and "can't allocate memory" in str(error)
    )


def calibration_batches(data: SearchData, device: str) -> list[Tensor]:
    """The fixed batches that every carved student's statistics are taken over."""
    images = data.calibration.images.to(device)
    shown = normalise(images, data.info.mean, data.info.std)
    return [batch for batch in torch.split(shown, CALIBRATION_BATCH) if len(batch) > 1]
