"""Teacher `generic`: shaped by branches of students drawn from the whole space.

Generic Teacher Network (Binici, Wu & Mitra, 2024, arXiv:2407.16040), reconstructed from its
abstract and secondary descriptions: students as paths of a weight-sharing supernet, drawn from
a distribution that can be trained; a conditioning loss and an architecture loss. Everything
more definite (`Conditioning`, `Learning`, `Branches`) is ours.
"""

from torch import nn

from kdsearch.teachers.scaffold import train_with_branches
from kdsearch.teachers.training import Course, Trained


def train_generic(network: nn.Module, course: Course) -> Trained:
    """See `Train`."""
    pool = course.shaping.pool
    assert pool is not None, "a teacher for a space needs the space"
    return train_with_branches(network, course, pool, course.shaping.distribution)
