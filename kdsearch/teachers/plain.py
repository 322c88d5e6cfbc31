"""Teacher `plain`: trained on the labels by cross-entropy, knowing nothing of students."""

from torch import nn

from kdsearch.distill.hard import Hard
from kdsearch.teachers.training import Course
from kdsearch.training.distillation import Distillation, Lesson
from kdsearch.training.fit import Telling, fit


def train_plain(network: nn.Module, course: Course) -> list[tuple[int, float]]:
    """See `Train`."""
    info, plan = course.feed.info, course.plan
    task = Distillation(Lesson(network, Hard(), None), len(info.classes), plan.precision)
    done = fit(
        task,
        course.feed,
        plan,
        until=plan.steps,
        checkpoint=course.checkpoint,
        tell=Telling(course.progress, "teacher"),
    )
    return done.curve
