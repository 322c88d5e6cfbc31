"""Teacher `student_friendly`: shaped by branches of one student, which is named.

Park, Cha, Kim & Han, 2021, arXiv:2102.07650, as we recall it: one branch after each block, the
rest of the student behind a feature transform; then the branches are discarded. Weights,
places and schedule are those of `generic` (see `Conditioning` for what we recall of theirs).
"""

from dataclasses import replace

from torch import nn

from kdsearch.core.space import Choice, Space
from kdsearch.teachers.learning import Learning
from kdsearch.teachers.scaffold import train_with_branches
from kdsearch.teachers.training import Course, Trained


def train_student_friendly(network: nn.Module, course: Course) -> Trained:
    """See `Train`."""
    pool = course.shaping.pool
    assert pool is not None and pool.student is not None, "one student has to be named"
    alone = Space({name: Choice((value,)) for name, value in pool.student.choices})
    return train_with_branches(network, course, replace(pool, space=alone), Learning())
