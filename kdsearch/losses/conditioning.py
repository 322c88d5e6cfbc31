"""How far a student branch on a teacher's features is from the teacher: the divergence of
student-friendly teachers (Park, Cha, Kim & Han, 2021, arXiv:2102.07650), as we recall it.

Direction and side of the gradient are options: we know neither from the generic teacher's
paper (Binici, Wu & Mitra, 2024, arXiv:2407.16040), whose loss we reconstruct with this.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from jaxtyping import Float
from torch import Tensor

from kdsearch.losses.softened import softened_kl

Pair = tuple[Tensor, Tensor]


def branch_to_teacher(
    branch: Float[Tensor, "batch classes"],
    teacher: Float[Tensor, "batch classes"],
    temperature: float,
) -> Float[Tensor, ""]:
    """T² · KL(branch ‖ teacher) of the softmaxes at temperature T, mean over the batch."""
    return softened_kl(teacher, branch, temperature)


def teacher_to_branch(
    branch: Float[Tensor, "batch classes"],
    teacher: Float[Tensor, "batch classes"],
    temperature: float,
) -> Float[Tensor, ""]:
    """T² · KL(teacher ‖ branch) of the softmaxes at temperature T, mean over the batch."""
    return softened_kl(branch, teacher, temperature)


def both(branch: Tensor, teacher: Tensor) -> Pair:
    return branch, teacher


def branch_alone(branch: Tensor, teacher: Tensor) -> Pair:
    return branch, teacher.detach()


def teacher_alone(branch: Tensor, teacher: Tensor) -> Pair:
    return branch.detach(), teacher


DIRECTIONS: Mapping[str, Callable[[Tensor, Tensor, float], Tensor]] = MappingProxyType(
    {"branch_to_teacher": branch_to_teacher, "teacher_to_branch": teacher_to_branch}
)
SIDES: Mapping[str, Callable[[Tensor, Tensor], Pair]] = MappingProxyType(
    {"branch": branch_alone, "teacher": teacher_alone, "both": both}
)
"""Which logits a divergence moves: (branch's, teacher's), one of them without its graph."""
