"""Stage `bank`: what the teacher says of fixed variations of the training images."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from kdsearch.core.progress import Silent
from kdsearch.data.load import load_search
from kdsearch.data.records import DataInfo
from kdsearch.distill.kinds import kind
from kdsearch.pipeline.cluster import precision_of_jobs
from kdsearch.pipeline.context import Context
from kdsearch.teachers.make import load_teacher
from kdsearch.teachers.training import Course
from kdsearch.training.bank import fill
from kdsearch.training.feed import Feed
from kdsearch.training.plan import Plan
from kdsearch.training.served import is_served

VERSION = 1


def distill_plan(context: Context, info: DataInfo) -> Plan:
    """Of a full distillation, as a job."""
    return replace(driver_plan(context, info), precision=precision_of_jobs(context))


def driver_plan(context: Context, info: DataInfo) -> Plan:
    """The same, in the precision of this process; asks no cluster."""
    plan = context.plan(context.config.distill, "distill", info.counts["train"])
    return replace(plan, bank=context.config.distill.bank)


def banked(
    context: Context, data: Path, info: DataInfo, teacher: Path | None, plan: Plan
) -> Path | None:
    """The bank's folder; None where there is none, or no method that it serves."""
    names = context.config.distill.names
    if not plan.bank or teacher is None:
        return None
    if not any(is_served(kind(name).make().needs) for name in names):
        return None
    key: dict[str, Any] = {
        "version": VERSION,
        "data": info.fingerprint,
        "teacher": teacher.name,
        "augment": plan.augment,
        "bank": plan.bank,
        "batch_size": plan.batch_size,
        "precision": plan.precision,
    }

    def make(folder: Path) -> None:
        with context.timed("bank"):
            split = load_search(data).train.to(context.device)
            course = Course(Feed(split, info), plan, Path(), Silent())
            network = load_teacher(teacher, course, context.given)
            fill(folder, network, split, info, plan, context.progress)

    return context.store.build("bank", key, make)
