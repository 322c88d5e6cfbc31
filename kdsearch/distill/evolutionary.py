"""Method `evolutionary` (EKD-R): OUR reconstruction of evolutionary knowledge distillation
(Zhang et al., 2021, arXiv:2103.13811), not the paper's recipe.

Of the paper only the abstract is known to us, and no code of its authors is public. From the
abstract: the teacher is learned online, and guided modules between corresponding blocks hand
its intermediate knowledge to the student on the fly. Ours: every formula, weight, temperature
and layer here; no result of this method may be called the paper's.
"""

from collections.abc import Sequence
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from kdsearch.core.space import Choice, Range, Space
from kdsearch.distill.method import Needs, Online, Part, Probe, Said, Seen, there
from kdsearch.errors import UserError
from kdsearch.losses.alignment import alignment_distance
from kdsearch.losses.matching import stage_end
from kdsearch.losses.softened import softened_kl
from kdsearch.nets.guided import Exit, Exits
from kdsearch.output import Output

GIVES: tuple[Part, ...] = ("logits", "feats", "pooled")
"""What student and teacher each have to give."""


class Evolutionary:
    """Cross-entropy, and exits that imitate those of a teacher that learns beside the student.

    It learns from the labels on the same batches: one way, no gradient crosses.

    CE(z_n) + exit_weight · Σ_{i<n} CE(z_i) + alpha · mean_i T² · KL(teacher_i ‖ student_i)
    + beta · mean_i ‖norm(e_i) − norm(teacher's e_i)‖² over the pairs of stages i (all stages,
    or from the deep end where one network has fewer), z logits and e embeddings of the exits,
    mean over the batch. The teacher learns by the cross-entropies of its exits; nothing of
    that reaches the linear layer behind its last embedding, which stays as it was drawn.
    All defaults are ours.
    """

    name: ClassVar[str] = "evolutionary"
    knobs: ClassVar[Space] = Space(
        {
            "alpha": Range(0.1, 3.0, log=True),
            "beta": Range(0.1, 3.0, log=True),
            "temperature": Range(2.0, 6.0),
        }
    )
    options: ClassVar[Space] = Space(
        {
            "exit_weight": Range(0.0, 10.0),
            "dimension": Choice((16, 32, 64, 128, 256, 512)),
            "init": Choice(("scratch", "pretrained")),
            "teacher_lead": Choice((1, 2, 3, 4)),
            "teacher_ema": Range(0.0, 0.9999),
            "freeze_after": Range(0.0, 1.0),
        }
    )

    def __init__(  # noqa: PLR0913 - a parameter for each knob and option
        self,
        alpha: float = 1.0,
        beta: float = 1.0,
        temperature: float = 4.0,
        exit_weight: float = 1.0,
        dimension: int = 256,
        init: str = "scratch",
        teacher_lead: int = 1,
        teacher_ema: float = 0.0,
        freeze_after: float = 1.0,
    ) -> None:
        self.alpha = alpha
        self.beta = beta
        self.temperature = temperature
        self.exit_weight = exit_weight
        self.dimension = dimension
        self.needs = Needs(
            teacher=GIVES if init == "pretrained" else (),
            student=GIVES,
            parts=self.student_exits,
            online=Online(
                parts=self.teacher_exits,
                loss=teacher_loss,
                scratch=init == "scratch",
                lead=teacher_lead,
                freeze_after=freeze_after,
                average=teacher_ema,
            ),
        )

    def student_exits(self, probe: Probe) -> Exits:
        return exits_for(probe.student, self.dimension, probe.classes)

    def teacher_exits(self, probe: Probe) -> Exits:
        """Raises UserError where the teacher has no stages or no linear head."""
        out = probe.teacher
        assert out is not None, "a method that learns its teacher needs a network to start from"
        if not out.feats or out.pooled is None or out.logits is None:
            raise UserError(
                "evolutionary needs logits, feats and pooled of the teacher it learns: name "
                "layers of 2-D maps in its taps and let it end in a linear layer"
            )
        return exits_for(out, self.dimension, probe.classes)

    def __call__(self, seen: Seen) -> Tensor:
        assert seen.guide is not None, "the trainer shows the teacher that learns"
        with torch.no_grad():
            targets = exits_of(seen.guide)
        loss = self.student_loss(exits_of(Said(seen.student, seen.parts)), targets, seen.labels)
        return loss if seen.online is None else loss + teacher_loss(seen.online, seen.labels)

    def student_loss(
        self, exits: Sequence[Exit], targets: Sequence[Exit], labels: Tensor
    ) -> Tensor:
        """Of the student's exits with the teacher's, shallow to deep."""
        pairs = [(exits[i], targets[j]) for i, j in stage_end(len(exits), len(targets))]
        logits = [softened_kl(s.logits, t.logits, self.temperature) for s, t in pairs]
        embeddings = [alignment_distance(s.embedding, t.embedding) for s, t in pairs]
        loss = F.cross_entropy(exits[-1].logits, labels)
        for shallow in exits[:-1]:
            loss = loss + self.exit_weight * F.cross_entropy(shallow.logits, labels)
        return (
            loss
            + self.alpha * torch.stack(logits).mean()
            + self.beta * torch.stack(embeddings).mean()
        )


def teacher_loss(said: Said, labels: Tensor) -> Tensor:
    """Cross-entropies of all exits to the labels, summed; mean over the batch."""
    return torch.stack([F.cross_entropy(e.logits, labels) for e in exits_of(said)]).sum()


def exits_of(said: Said) -> tuple[Exit, ...]:
    """The exits of a network, shallow to deep."""
    out = said.output
    exits: tuple[Exit, ...] = said.parts(out.feats, there(out.pooled), there(out.logits))
    return exits


def exits_for(out: Output, dimension: int, classes: int) -> Exits:
    """Fresh exits for a network with this output."""
    widths = [maps.shape[1] for maps in out.feats]
    return Exits(widths, there(out.pooled).shape[1], dimension, classes)
