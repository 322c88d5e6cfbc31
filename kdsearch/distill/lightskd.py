"""Method `lightskd`: lightweight self-knowledge distillation with multi-source information
fusion (Wang et al., 2023, arXiv:2305.09183); after xucong-parsifal/LightSKD, train.py.

The authors' script does not run as released: formulas and constants are its own, and each part
is guarded by its own flag. Ours: the memory is skipped where the batch's size changes, and on
a narrower path of a supernet the largest student's logits stand in for it.
"""

from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from kdsearch.core.space import Choice, Range, Space
from kdsearch.distill.method import Needs, Part, Probe, Seen, there
from kdsearch.errors import UserError
from kdsearch.losses.ranked import ranked_kl
from kdsearch.losses.softened import softened_kl
from kdsearch.nets.auxiliary import AuxiliaryClassifier

DEEPEST = 16
"""Highest number of a stage that a config may name."""


class LightSKD:
    """Cross-entropy, a shallow stage's classifier as teacher, and the batch before's shape.

    CE(z) + [drg: CE(a) + alpha · T² · KL(a ‖ z), a without gradient in the second]
    + [dsr: beta · T² · KL(sorted z of the batch before ‖ sorted z), not on an epoch's first].
    T, alpha and beta are the authors', and so is stage 2 for the auxiliary classifier.
    """

    name: ClassVar[str] = "lightskd"
    knobs: ClassVar[Space] = Space(
        {
            "alpha": Range(0.05, 1.0, log=True),
            "beta": Range(0.1, 3.0, log=True),
            "temperature": Range(2.0, 6.0),
        }
    )
    options: ClassVar[Space] = Space(
        {
            "drg": Choice((False, True)),
            "dsr": Choice((False, True)),
            "stage": Choice(tuple(range(DEEPEST + 1))),
        }
    )

    def __init__(  # noqa: PLR0913 - a parameter for each knob and option
        self,
        alpha: float = 0.2,
        beta: float = 1.0,
        temperature: float = 4.0,
        drg: bool = True,
        dsr: bool = True,
        stage: int = 0,
    ) -> None:
        """
        Args:
            drg: distillation with reverse guidance, the auxiliary classifier's part.
            dsr: distillation with shape-wise regularisation, the batch before's part.
            stage: of the auxiliary classifier, from 1; 0: the second, or the first of two.
        """
        self.alpha = alpha
        self.beta = beta
        self.temperature = temperature
        self.drg = drg
        self.dsr = dsr
        self.stage = stage
        student: tuple[Part, ...] = ("logits", "feats") if drg else ("logits",)
        self.needs = Needs(student=student, parts=self.parts)

    def parts(self, probe: Probe) -> nn.ModuleDict:
        """Auxiliary classifier and memory, each if its part is on.

        Raises:
            UserError: no stage before the last, or not as many as the one named.
        """
        parts = nn.ModuleDict()
        if self.drg:
            widths = [maps.shape[1] for maps in probe.student.feats]
            stage = self.chosen(len(widths))
            parts["classifier"] = AuxiliaryClassifier(
                widths[stage - 1], stage, len(widths), probe.classes, widths[-1]
            )
        if self.dsr:
            parts["memory"] = Memory(probe.batch_size, probe.classes)
        return parts

    def chosen(self, stages: int) -> int:
        """The auxiliary classifier's stage in a student of so many."""
        if stages < 2:
            raise UserError(
                f"lightskd: a stage before the last teaches it, and this student has {stages}; "
                "name more taps, or set lightskd.drg: [false]"
            )
        if self.stage >= stages:
            raise UserError(
                f"lightskd.stage = {self.stage}; of this student's {stages} stages "
                f"1 to {stages - 1} can teach the last"
            )
        return self.stage or min(2, stages - 1)

    def __call__(self, seen: Seen) -> Tensor:
        loss = F.cross_entropy(seen.logits, seen.labels)
        if self.drg:
            loss = loss + self.guidance(seen)
        if self.dsr:
            loss = loss + self.beta * self.shape(seen)
        return loss

    def guidance(self, seen: Seen) -> Tensor:
        """DRG: the auxiliary classifier's own cross-entropy, and what it teaches."""
        feats = seen.student.feats
        classifier = seen.parts.get_submodule("classifier")
        shallow: Tensor = classifier(feats[self.chosen(len(feats)) - 1])
        taught = softened_kl(seen.logits, shallow.detach(), self.temperature)
        return F.cross_entropy(shallow, seen.labels) + self.alpha * taught

    def shape(self, seen: Seen) -> Tensor:
        """DSR: of the batch before, or on a supernet's narrower path of its largest student."""
        if seen.largest is not None:
            return ranked_kl(seen.logits, there(seen.largest.logits), self.temperature)
        memory = seen.parts.get_submodule("memory")
        assert isinstance(memory, Memory)
        distance = torch.zeros((), dtype=seen.logits.dtype, device=seen.logits.device)
        if not seen.opens_epoch:
            before = memory.ranked[: len(seen.logits)]
            distance = ranked_kl(seen.logits, before, self.temperature)
            distance = torch.where(memory.rows == len(seen.logits), distance, 0.0)
        memory.keep(seen.logits)
        return distance


class Memory(nn.Module):
    """Ranked logits of the last batch, of at most `most` rows, and how many rows it had."""

    ranked: Tensor
    rows: Tensor

    def __init__(self, most: int, classes: int) -> None:
        super().__init__()
        self.register_buffer("ranked", torch.zeros(most, classes))
        self.register_buffer("rows", torch.zeros((), dtype=torch.int64))

    @torch.no_grad()
    def keep(self, logits: Tensor) -> None:
        """Rows that a shorter batch leaves over stay, and are not looked at."""
        self.ranked[: len(logits)] = logits.sort(dim=1).values
        self.rows.fill_(len(logits))
