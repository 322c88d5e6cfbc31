"""Method `multi_level`: multi-level knowledge distillation, Ding et al., 2020,
arXiv:2012.00573 (later: dual-level); authors' code ifding/DLKD, helper/losses.py, loops.py.

The teacher gives pooled features alone, so one without a head (self-supervised) teaches too.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar, Literal

import torch.nn.functional as F
from torch import Tensor, nn

from kdsearch.core.space import Choice, Range, Space
from kdsearch.distill.method import Needs, Probe, Seen, View, there
from kdsearch.losses.alignment import alignment_distance
from kdsearch.losses.contrast import supervised_contrast
from kdsearch.losses.directions import directions
from kdsearch.losses.view_correlation import view_correlation_kl
from kdsearch.nets.heads import Head, embedding

EMBEDDED = 128
"""Features that the contrast compares."""
WIDENING = 16
"""Hidden features of the alignment head for each of the teacher's."""
VIEWS: Mapping[int, tuple[View, ...]] = MappingProxyType(
    {1: (), 2: ("180",), 4: ("90", "180", "270")}
)
"""Turned images beside the upright ones, by the number of all views."""


class MultiLevel:
    """labels · cross-entropy + correlation · L_corr + contrast · L_sup + alignment · L_align.

    1, 50, 1 and 20 are the authors' for CIFAR-100 (scripts/run_cifar_mlkd.sh); for ImageNet
    they take 1, 20, 0.5 and 10. Cross-entropy sees the upright images, the rest all `views`:

    - L_corr: the divergence of who resembles whom among the upright images, for each turned
      one. The student goes through a head (`corr_head`), or not at all: `none`, ours, has no
      parameters that a student's width could touch.
    - L_sup: supervised contrast of both networks' embeddings; the teacher's is trained, too.
    - L_align: the distance of directions, after a head from student to teacher features.

    Ours: heads with layer instead of batch normalisation, which widths of a supernet can share;
    at most `hidden_cap` hidden features in the alignment head, 109 million parameters for a
    ResNet-50 otherwise (`parity` lifts the cap); 2 views (upright and 180 degrees) and 1, where
    L_corr is over pairs of upright images.

    Both networks run on `views` times the images. Similarities are products of normalised
    rows: views · batch² numbers for L_corr and 4 · views² · batch² for L_sup, where the
    authors' differences take features times as many.
    """

    name: ClassVar[str] = "multi_level"
    knobs: ClassVar[Space] = Space(
        {
            "correlation": Range(5.0, 100.0, log=True),
            "contrast": Range(0.1, 2.0, log=True),
            "alignment": Range(2.0, 40.0, log=True),
        }
    )
    options: ClassVar[Space] = Space(
        {
            "labels": Range(0.0, 4.0),
            "views": Choice((1, 2, 4)),
            "corr_head": Choice(("mlp", "none")),
            "hidden_cap": Choice((512, 1024, 2048, 4096, 8192)),
            "parity": Choice((False, True)),
            "correlation_temperature": Range(0.1, 2.0, log=True),
            "contrast_temperature": Range(0.02, 0.5, log=True),
        }
    )

    def __init__(  # noqa: PLR0913 - a parameter for each knob and option
        self,
        correlation: float = 50.0,
        contrast: float = 1.0,
        alignment: float = 20.0,
        labels: float = 1.0,
        views: int = 4,
        corr_head: Literal["mlp", "none"] = "mlp",
        hidden_cap: int = 4096,
        parity: bool = False,
        correlation_temperature: float = 0.5,
        contrast_temperature: float = 0.07,
    ) -> None:
        self.correlation = correlation
        self.contrast = contrast
        self.alignment = alignment
        self.labels = labels
        self.views = views
        self.corr_head = corr_head
        self.hidden_cap = None if parity else hidden_cap
        self.correlation_temperature = correlation_temperature
        self.contrast_temperature = contrast_temperature
        self.needs = Needs(
            teacher=("pooled",),
            student=("logits", "pooled"),
            views=VIEWS[views],
            parts=self.parts,
        )

    def parts(self, probe: Probe) -> nn.Module:
        assert probe.teacher is not None
        student = there(probe.student.pooled).shape[1]
        teacher = there(probe.teacher.pooled).shape[1]
        hidden = WIDENING * teacher
        if self.hidden_cap is not None:
            hidden = min(hidden, self.hidden_cap)
        correlated: nn.Module = nn.Identity()
        if self.corr_head == "mlp":
            correlated = Head(student, student, student)
        return nn.ModuleDict(
            {
                "correlation": correlated,
                "student": embedding(student, EMBEDDED),
                "teacher": embedding(teacher, EMBEDDED),
                "alignment": Head(student, hidden, teacher),
            }
        )

    def __call__(self, seen: Seen) -> Tensor:
        student, teacher = seen.pooled, seen.teacher_pooled
        head = seen.parts.get_submodule
        correlation = view_correlation_kl(
            head("correlation")(student), teacher, self.views, self.correlation_temperature
        )
        contrast = supervised_contrast(
            directions(head("student")(student)),
            directions(head("teacher")(teacher)),
            seen.labels.repeat(self.views),
            self.contrast_temperature,
        )
        alignment = alignment_distance(head("alignment")(student), teacher)
        hard = F.cross_entropy(seen.logits[: len(seen.labels)], seen.labels)
        return (
            self.labels * hard
            + self.correlation * correlation
            + self.contrast * contrast
            + self.alignment * alignment
        )
