"""Which images become train, search-val and test: stratified, disjoint, repeatable by seed."""

import torch
from torch import Tensor

from kdsearch.core.seeds import derive
from kdsearch.data.records import Options, Part, Raw
from kdsearch.data.stratify import check_classes, draw
from kdsearch.errors import DataError

Plan = dict[str, tuple[Part, Tensor]]
"""Where each split comes from, and int64 positions there."""


def plan(raw: Raw, options: Options, seed: int) -> Plan:
    """Splits `raw.train` for whatever the source brings no part of; test is never thinned."""
    shares = {"test": options.test_fraction, "search_val": options.val_fraction}
    own = {name: part for name in shares if (part := getattr(raw, name)) is not None}
    drawn = {name: share for name, share in shares.items() if name not in own}
    if not all(0 < share < 1 for share in shares.values()) or sum(drawn.values()) >= 1:
        raise DataError(
            f"test_fraction {options.test_fraction} and val_fraction {options.val_fraction}: "
            "each must lie above 0, and their sum below 1, to leave images to train on"
        )
    labels = raw.train.labels
    check_classes(labels, raw.classes, ["train", *drawn])

    splits: Plan = {name: (part, torch.arange(len(part))) for name, part in own.items()}
    pool = torch.arange(len(labels))
    for left, (name, share) in enumerate(drawn.items(), start=1):
        count = round(share * len(labels))
        spare = len(drawn) + 1 - left
        picked, rest = draw(labels[pool], count, derive(seed, "split", name), spare=spare)
        splits[name], pool = (raw.train, pool[picked]), pool[rest]
    splits["train"] = (raw.train, pool)
    return limited(splits, options.limit, seed)


def limited(splits: Plan, limit: int | None, seed: int) -> Plan:
    """Thins train to `limit` images, and search-val by the same share."""
    whole = len(splits["train"][1])
    if limit is None or limit >= whole:
        return splits
    thinned = dict(splits)
    for name in ("train", "search_val"):
        part, pool = splits[name]
        count = round(len(pool) * limit / whole)
        kept, _ = draw(part.labels[pool], count, derive(seed, "limit", name))
        thinned[name] = (part, pool[kept])
    return thinned
