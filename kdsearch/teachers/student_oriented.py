"""Teacher `student_oriented`: smooth and consistent by two regularisers; needs no student.

SoTeacher (Dong, Liu & Shang, 2022, arXiv:2206.06661): its probabilities are to be nearer the
true ones.
"""

from torch import nn

from kdsearch.teachers.regularise import SOTEACHER
from kdsearch.teachers.terms import regularisers, train_terms
from kdsearch.teachers.training import Course, Trained


def train_student_oriented(network: nn.Module, course: Course) -> Trained:
    """See `Train`."""
    return train_terms(network, course, regularisers(course, SOTEACHER))
