"""Teacher `generic`: shaped by branches of students drawn from the whole space.

Generic Teacher Network (Binici, Wu & Mitra, 2024, arXiv:2407.16040), reconstructed from its
abstract and secondary descriptions: students as paths of a weight-sharing supernet, drawn from
a distribution that can be trained; a conditioning loss and an architecture loss. Everything
more definite (`Conditioning`, `Learning`, `Branches`) is ours.
"""

from torch import nn

from kdsearch.teachers.scaffold import of_whole_space, train_with_branches
from kdsearch.teachers.training import Course, Trained


def train_generic(network: nn.Module, course: Course) -> Trained:
    """See `Train`."""
    return train_with_branches(network, course, of_whole_space(course))
