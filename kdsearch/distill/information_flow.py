"""Method `information_flow`: Passalis, Tzelepi & Tefas, 2020, arXiv:2005.00727; authors' code
passalis/pkth, nn/pkt_transfer.py and cifar10/exp2_proposed.py.

The student learns who resembles whom in a batch, tap by tap. What intermediate taps count
decays to nothing, for the first phase of a training is the one that forms them.
"""

from collections.abc import Sequence
from typing import ClassVar, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from kdsearch.core.records import Recipe
from kdsearch.core.space import Choice, Range, Space, Value
from kdsearch.distill.method import Auxiliary, Needs, Part, Probe, Seen, there
from kdsearch.losses.flow import DIVERGENCES, flow_distance
from kdsearch.losses.information import matched_layers, quadratic_mutual_information
from kdsearch.losses.matching import POLICIES, Pairs
from kdsearch.output import Output

EPOCHS = 50
"""Of the authors' training, in which `decay` is a factor for each epoch."""
SIDE = 4
"""Maps are averaged down to at most so many pixels a side, as the authors' ResNet's are to 4
or 2 (their small networks' are not): whole ones make distances costly."""
MEMORY = 0.9
"""Decay of the running averages of information (ours)."""
INFORMATION = "information-flow"


class InformationFlow:
    """labels · cross-entropy + flow · (ℓ(last) + weight · decay^(50 · progress) · Σ ℓ(pair)).

    ℓ is `flow_distance`; the last pair is of the pooled features, the others of stage-end maps.
    The last stage is there in its pooled features alone, as in the authors' ResNet-18.
    Weight 100, decay 0.7, kernels and divergence are the authors'. Their released experiment
    has no cross-entropy and takes the mean over all entries of the batch's affinities:
    labels=0, flow=1, reduction="mean". What the paper weighs cross-entropy with is not known to
    us. Such a mean is a few thousandths and less, which Adam does not mind but labels drown; so
    rows are summed here (`batchmean`: the weight means the same at every batch size), and
    `flow` is 100 (ours: in a pilot with small students of digits 100 and 1000 did about as
    well, 10 and less worse).

    `layers` says which taps make a pair: `stage-end` one to one from the deep end, as the
    authors' by hand; `relative-depth` (ours); `information-flow` the paper's rule, our
    reconstruction, as the released code has none; `last` the pooled features alone.

    `aux` puts a middle network between: it learns from the teacher by its last pair first, and
    then teaches. `double_width` is the authors', `max_subnet` ours. It is taught with the
    default `flow`, so that trials which differ in knobs share one.

    Costs no parameters; per tap two B x D x B products and B² entries for each kernel, and for
    `information-flow` once more that and a wait for the device.
    """

    name: ClassVar[str] = "information_flow"
    knobs: ClassVar[Space] = Space(
        {
            "weight": Range(1.0, 300.0, log=True),
            "decay": Range(0.5, 0.95),
            "flow": Range(1.0, 1000.0, log=True),
        }
    )
    options: ClassVar[Space] = Space(
        {
            "labels": Range(0.0, 4.0),
            "kernels": Choice(
                (
                    "cosine+student_t",
                    "cosine",
                    "student_t",
                    "cauchy",
                    "rbf",
                    "adaptive_rbf",
                    "cosine+cauchy",
                    "cosine+adaptive_rbf",
                )
            ),
            "divergence": Choice(tuple(DIVERGENCES)),
            "include_diagonal": Choice((False, True)),
            "reduction": Choice(("mean", "batchmean")),
            "layers": Choice((*POLICIES, INFORMATION)),
            "aux": Choice(("none", "max_subnet", "double_width")),
        }
    )

    def __init__(  # noqa: PLR0913 - a parameter for each knob and option
        self,
        weight: float = 100.0,
        decay: float = 0.7,
        flow: float = 100.0,
        labels: float = 1.0,
        kernels: str = "cosine+student_t",
        divergence: str = "jeffreys",
        include_diagonal: bool = True,
        reduction: Literal["mean", "batchmean"] = "batchmean",
        layers: str = "stage-end",
        aux: Literal["none", "max_subnet", "double_width"] = "none",
    ) -> None:
        self.weight = weight
        self.decay = decay
        self.flow = flow
        self.labels = labels
        self.kernels = tuple(kernels.split("+"))
        self.divergence = divergence
        self.include_diagonal = include_diagonal
        self.reduction = reduction
        self.layers = layers
        parts: tuple[Part, ...] = ("pooled",) if layers == "last" else ("feats", "pooled")
        alike: dict[str, Value] = {
            "labels": labels,
            "kernels": kernels,
            "divergence": divergence,
            "include_diagonal": include_diagonal,
            "reduction": reduction,
        }
        recipe = Recipe.of(self.name, {**alike, "layers": "last"})
        self.needs = Needs(
            teacher=parts,
            student=("logits", *parts),
            parts=flows if layers == INFORMATION else None,
            auxiliary=None if aux == "none" else Auxiliary(aux, recipe),
        )

    def __call__(self, seen: Seen) -> Tensor:
        student, teacher = taps(seen.student), taps(seen.taught)
        *between, last = [
            self.distance(student[i], teacher[j]) for i, j in self.pairs(seen, student, teacher)
        ]
        flow = last
        if between:
            now = self.weight * self.decay ** (EPOCHS * seen.progress)
            flow = last + now * torch.stack(between).sum()
        hard = F.cross_entropy(seen.logits, seen.labels)
        return self.labels * hard + self.flow * flow

    def distance(self, student: Tensor, teacher: Tensor) -> Tensor:
        loss: Tensor = flow_distance(
            student,
            teacher,
            self.kernels,
            self.divergence,
            self.include_diagonal,
            self.reduction,
        )
        return loss

    def pairs(self, seen: Seen, student: Sequence[Tensor], teacher: Sequence[Tensor]) -> Pairs:
        if self.layers == INFORMATION:
            return by_information(seen, student, teacher)
        return POLICIES[self.layers](len(student), len(teacher))


def taps(out: Output) -> list[Tensor]:
    """Rows of features, shallow to deep: stage-end maps but the last, then pooled."""
    return [*(averaged(maps) for maps in out.feats[:-1]), there(out.pooled)]


def averaged(maps: Tensor) -> Tensor:
    """(batch, channels · at most 16)."""
    height, width = maps.shape[2:]
    return F.adaptive_avg_pool2d(maps, (min(height, SIDE), min(width, SIDE))).flatten(1)


class Flows(nn.Module):
    """Running averages of what each tap of the two networks says of the labels."""

    student: Tensor
    teacher: Tensor
    batches: Tensor

    def __init__(self, student_taps: int, teacher_taps: int) -> None:
        super().__init__()
        self.register_buffer("student", torch.zeros(student_taps))
        self.register_buffer("teacher", torch.zeros(teacher_taps))
        self.register_buffer("batches", torch.zeros(()))

    def follow(self, student: Tensor, teacher: Tensor) -> None:
        """A plain mean at first, so that the start from zero leaves no trace."""
        self.batches += 1
        rate = (1 / self.batches).clamp(min=1 - MEMORY)
        self.student.lerp_(student, rate)
        self.teacher.lerp_(teacher, rate)


def flows(probe: Probe) -> Flows:
    assert probe.teacher is not None
    return Flows(len(taps(probe.student)), len(taps(probe.teacher)))


@torch.no_grad()
def by_information(seen: Seen, student: Sequence[Tensor], teacher: Sequence[Tensor]) -> Pairs:
    """Each of the student's taps with the teacher's that says about as much of the labels.

    By running averages; for a narrower path of a supernet by this batch alone.
    """
    ours, theirs = (
        torch.stack([quadratic_mutual_information(tap, seen.labels) for tap in network])
        for network in (student, teacher)
    )
    if seen.largest is None:
        memory = seen.parts
        assert isinstance(memory, Flows)
        memory.follow(ours, theirs)
        ours, theirs = memory.student, memory.teacher
    return list(enumerate(matched_layers(ours.tolist(), theirs.tolist())))
