"""Teacher `plain`: trained on the labels by cross-entropy, knowing nothing of students."""

from torch import nn

from kdsearch.distill.hard import Hard
from kdsearch.teachers.training import Course, Trained
from kdsearch.training.distillation import Distillation, Lesson
from kdsearch.training.fit import Telling, fit


def train_plain(network: nn.Module, course: Course) -> Trained:
    """See `Train`."""
    plan = course.plan
    sample = course.feed.sample(plan.batch_size)
    lesson = Lesson(network, Hard(), None)
    task = Distillation(lesson, sample, precision=plan.precision, seed=plan.seed)
    done = fit(
        task,
        course.feed,
        plan,
        until=plan.steps,
        checkpoint=course.checkpoint,
        tell=Telling(course.progress, "teacher"),
    )
    return Trained(done.curve)
