"""Training by progressive shrinking with channels sorted before smaller expansions join (Cai et
al., 2020, arXiv:1908.09791, sec. 3.2 and 3.3).
"""

import math
from functools import partial
from pathlib import Path

from kdsearch.core.shrinking import openings
from kdsearch.nets.channel_sorting import sort_channels
from kdsearch.supernet.train import SupernetTask
from kdsearch.training.checkpoint import Progressed
from kdsearch.training.feed import Source
from kdsearch.training.fit import Telling, fit
from kdsearch.training.plan import Plan
from kdsearch.training.rearrange import rearrange

SORTED = "expand"
"""The kind of axis whose smaller values take the leading hidden channels of a block."""


def fit_sorting(
    task: SupernetTask, feed: Source, plan: Plan, checkpoint: Path, tell: Telling
) -> Progressed:
    """As `fit` to the end, stopping at each opening of smaller expansions to sort channels."""
    sampling = task.sampling
    found = openings(sampling.space, SORTED, sampling.order, sampling.until)
    for number, (share, smaller) in enumerate(found, 1):
        until = min(math.ceil(share * plan.steps), plan.steps)
        fit(task, feed, plan, until=until, checkpoint=checkpoint, tell=tell)
        change = partial(sort_channels, task.supernet, [float(value) for value in smaller])
        rearrange(task, plan, checkpoint, number, change)
    return fit(task, feed, plan, until=plan.steps, checkpoint=checkpoint, tell=tell)
