"""Sections that say how students shape a teacher; the numbers are `teachers`' own defaults."""

from typing import Annotated, Literal

from pydantic import Field

from kdsearch.config.section import Section
from kdsearch.config.values import AboveZero, Fraction, NotBelowZero, Share


class Conditioning(Section):
    """How branches of students shape a teacher, for training: student_friendly and generic."""

    ce: NotBelowZero = 1.0
    """Weight of the branches' cross-entropy; with kl 0 too, the teacher is a plain one."""
    kl: NotBelowZero = 1.0
    """Weight of the divergence between branches and teacher."""
    temperature: AboveZero = 1.0
    """Divides logits before the divergence is taken."""
    direction: Literal["branch_to_teacher", "teacher_to_branch"] = "branch_to_teacher"
    """Divergence of the branch from the teacher, KL(branch ‖ teacher), or the other way."""
    gradient: Literal["branch", "teacher", "both"] = "branch"
    """Whose logits the divergence moves; the teacher's, too, pulls it to weak branches."""
    paths: Annotated[int, Field(ge=1, le=64)] = 2
    """Students drawn in a step; their losses are averaged."""
    attach: Literal["sampled", "all"] = "sampled"
    """Where a student goes on: at a stage of the teacher drawn for it, or at each in turn."""
    warmup: Share = 0.05
    """Share of the training in which the teacher feels nothing of its branches."""
    ramp: Share = 0.05
    """Share of the training over which kl then rises from 0."""


class Distribution(Section):
    """Which students a generic teacher's branches are, and what for that is learnt."""

    loss: Literal["none", "capability", "hard_student", "target_cost"] = "none"
    """none: all alike. capability: more of those that do well. hard_student: of those served
    worst. target_cost: as capability, at the mean cost of target."""
    floor: Share = 0.3
    """Share of the draws that stays even."""
    entropy: NotBelowZero = 0.1
    """Weight of the distribution's entropy at the start; a tenth of it at the end."""
    target: Fraction = 0.5
    """For target_cost: mean of the students' MACs, as a share of the largest student's."""
    strictness: NotBelowZero = 1.0
    """For target_cost: weight of (mean cost / target - 1)²."""
    learning_rate: AboveZero = 3e-3
    """Of the distribution's own optimiser, Adam."""
