"""Objectives of the user's own, tried out before hours go into a search (ours)."""

import torch

from kdsearch.config.objectives import objectives_of
from kdsearch.data.records import DataInfo
from kdsearch.errors import ObjectiveError
from kdsearch.measure.scores import score
from kdsearch.pipeline.context import Context


def try_out_scores(context: Context, info: DataInfo) -> None:
    """Calls each once, on random logits and labels of all classes in turn.

    Raises:
        ObjectiveError: one raises, or returns no number, or none that is finite.
    """
    images, classes = info.counts["search_val"], len(info.classes)
    logits = torch.randn(images, classes, generator=torch.Generator().manual_seed(0))
    labels = torch.arange(images) % classes
    for one in objectives_of(context.config.search.objectives):
        try:
            if one.function is not None:
                score(one, logits, labels)
        except ObjectiveError as error:
            raise ObjectiveError(f"{error} (of random logits, {images} × {classes})") from error
