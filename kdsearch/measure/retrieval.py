"""Mean average precision of retrieval by cosine: how well features gather the classes."""

import torch
from torch import Tensor

from kdsearch.losses.directions import directions


def mean_average_precision(
    queries: Tensor,
    query_labels: Tensor,
    database: Tensor,
    database_labels: Tensor,
    chunk: int = 256,
) -> float:
    """Ordinary average precision over the full ranking of the database, mean over queries.

    No interpolation and no cut, so it is not comparable to the numbers shipped with
    passalis/pkth, whose interpolation covers the first ranks alone. Entries of equal cosine
    share the last of their ranks, so the database's order does not matter. A query whose class
    the database lacks counts 0.

    Args:
        queries: (queries, features).
        database: (entries, features), without the queries.
        chunk: how many queries are ranked at once.
    """
    entries = directions(database)
    total = 0.0
    for rows, labels in zip(
        torch.split(queries, chunk), torch.split(query_labels, chunk), strict=True
    ):
        relevant = labels[:, None] == database_labels
        total += float(_average_precisions(directions(rows) @ entries.T, relevant).sum())
    return total / len(queries)


def _average_precisions(scores: Tensor, relevant: Tensor) -> Tensor:
    """One for each row of scores (queries, entries)."""
    falling, order = scores.sort(dim=1, descending=True)
    hits = relevant.gather(1, order)
    ranks = torch.searchsorted(-falling, -falling, right=True)
    precisions = hits.cumsum(1).gather(1, ranks - 1).double() / ranks
    return (precisions * hits).sum(1) / hits.sum(1).clamp(min=1)
