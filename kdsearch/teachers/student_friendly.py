"""Teacher `student_friendly`: shaped by branches of one student, which is named.

Park, Cha, Kim & Han, 2021, arXiv:2102.07650, as we recall it: one branch after each block, the
rest of the student behind a feature transform; then the branches are discarded. Weights,
places and schedule are those of `generic` (see `Conditioning` for what we recall of theirs).
"""

from torch import nn

from kdsearch.teachers.scaffold import of_one_student, train_with_branches
from kdsearch.teachers.training import Course, Trained


def train_student_friendly(network: nn.Module, course: Course) -> Trained:
    """See `Train`."""
    return train_with_branches(network, course, of_one_student(course))
