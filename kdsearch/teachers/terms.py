"""Training a teacher on labels and terms beside them."""

from collections.abc import Sequence

from torch import nn

from kdsearch.teachers.regularise import Regularisers, Weights
from kdsearch.teachers.task import TeacherTask
from kdsearch.teachers.training import Course, Trained
from kdsearch.training.fit import Telling, fit

NOTHING = Weights(0.0, 0.0)


def train_terms(network: nn.Module, course: Course, terms: Sequence[nn.Module]) -> Trained:
    """Trains the network; without terms it is trained as `plain` trains it, bit by bit."""
    plan, classes = course.plan, len(course.feed.info.classes)
    task = TeacherTask(network, terms, classes=classes, precision=plan.precision)
    done = fit(
        task,
        course.feed,
        plan,
        until=plan.steps,
        checkpoint=course.checkpoint,
        tell=Telling(course.progress, "teacher"),
    )
    return Trained(done.curve)


def regularisers(course: Course, usual: Weights = NOTHING) -> list[nn.Module]:
    """The SoTeacher terms with the weights asked for, else the usual ones; none at 0."""
    asked, feed = course.shaping, course.feed
    weights = Weights(
        usual.lipschitz if asked.lipschitz is None else asked.lipschitz,
        usual.consistency if asked.consistency is None else asked.consistency,
    )
    if not weights.any:
        return []
    made = Regularisers(weights, len(feed.split), len(feed.info.classes))
    return [made.to(feed.split.images.device)]
