"""A loss that grows in as a training starts, as megvii-research/mdistiller warms up its
decoupled and review losses (mdistiller/distillers/DKD.py, ReviewKD.py): min(epoch / 20, 1) of
240 epochs, the first of them 1. Ours: by the share of the training, whatever its epochs.
"""

EPOCH = 1 / 240
"""Of the authors' trainings."""
PUBLISHED = 20 * EPOCH
"""Their warm-up: 20 epochs."""


def warm_up(progress: float, share: float) -> float:
    """What a loss counts in [0, 1] with `progress` of the training behind and `share` of it
    to warm up in; all of it from the start where the share is 0.

    As the authors' where one of their epochs begins, and a straight line between.
    """
    return min((progress + EPOCH) / max(share, EPOCH), 1.0)
