"""A student that somebody brought: built as a brought teacher is, with a head that fits."""

from pathlib import Path

import torch
from torch import nn

from kdsearch.core.progress import Silent
from kdsearch.data.augment import normalise
from kdsearch.errors import TeacherError, UserError
from kdsearch.measure.accuracy import predict
from kdsearch.nets.brought import Brought, replace_head
from kdsearch.teachers.make import Origin, build_network
from kdsearch.teachers.training import Course
from kdsearch.training.feed import Feed
from kdsearch.training.plan import Plan


def brought_student(origin: Origin, feed: Feed) -> nn.Module:
    """The network with its own weights if it has some; a head for other classes is replaced.

    Raises:
        UserError: it cannot be built, or does not run on these images.
    """
    plan = Plan(steps=1, batch_size=1, learning_rate=1.0, weight_decay=0.0, seed=0)
    course = Course(feed, plan, Path(), Silent())
    try:
        network = build_network(origin, course, None)
        assert isinstance(network, Brought)
        info = feed.info
        images = normalise(feed.split.images[:2].cpu(), info.mean, info.std)
        with torch.no_grad():
            logits = predict(network, images, 2)
        if logits.shape[1] != len(info.classes):
            replace_head(network, len(info.classes))
    except TeacherError as error:  # says what a teacher lacks; a student lacks the same
        raise UserError(str(error).replace("teacher", "student")) from error
    return network
