"""Knowledge correlation: Ding et al., 2020, arXiv:2012.00573; ifding/DLKD, helper/losses.py.

Every image comes in several views (rotations by 0, 90, 180 and 270 degrees in the paper); who
resembles whom among the upright images is what the student learns from the teacher.
"""

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from kdsearch.losses.directions import directions


def view_correlation_kl(
    student: Float[Tensor, "images student_features"],
    teacher: Float[Tensor, "images teacher_features"],
    views: int,
    temperature: float = 0.5,
) -> Float[Tensor, ""]:
    """KL(teacher ‖ student) of the softmaxes of cosines / temperature, without T².

    Summed over the upright images, mean over the other views' images. With one view (ours, not
    the paper's) the rows are the upright images, each against all the others. A batch of one
    image gives 0: a softmax of one cosine, or of none, says nothing.

    Args:
        student: all images of view 0, the upright one, then all of view 1 and so on, where the
            authors' code has all views of image 0, then all of image 1.
        teacher: in the same order.
    """
    log_student = F.log_softmax(_cosines(student, views) / temperature, dim=1)
    log_teacher = F.log_softmax(_cosines(teacher, views) / temperature, dim=1)
    return F.kl_div(log_student, log_teacher, reduction="batchmean", log_target=True)


def _cosines(
    features: Float[Tensor, "rows features"], views: int
) -> Float[Tensor, "anchors others"]:
    """(views·batch − batch, batch); for one view (batch, batch − 1), the diagonal left out."""
    rows = directions(features)
    batch = len(rows) // views
    if views > 1:
        return rows[batch:] @ rows[:batch].T
    square = rows @ rows.T
    return square.flatten()[1:].view(batch - 1, batch + 1)[:, :-1].reshape(batch, batch - 1)
