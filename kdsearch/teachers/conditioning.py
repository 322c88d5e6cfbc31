"""How branches of students shape a teacher while it trains: the numbers, and their schedule.

Reconstructed: the idea is that of student-friendly teachers (Park, Cha, Kim & Han, 2021,
arXiv:2102.07650) and of the generic teacher (Binici, Wu & Mitra, 2024, arXiv:2407.16040);
terms, weights and schedule of the latter are ours.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Conditioning:
    """Defaults are what a small-scale trial liked best. Of student-friendly teachers we recall
    kl 3, gradient both, attach all, no warm-up: there a teacher that has not converged is
    pulled to three quarters toward its weak branches, and its students were worse.
    """

    ce: float = 1.0
    """Weight of the branches' cross-entropy."""
    kl: float = 1.0
    """Weight of the divergence between branch and teacher."""
    temperature: float = 1.0
    direction: str = "branch_to_teacher"
    """A key of losses.conditioning.DIRECTIONS."""
    gradient: str = "branch"
    """A key of losses.conditioning.SIDES: whose logits the divergence moves."""
    paths: int = 2
    """Students drawn in a step; their losses are averaged."""
    attach: str = "sampled"
    """'sampled': each path at one place of the teacher. 'all': at each, averaged."""
    warmup: float = 0.05
    """Share of training in which the teacher feels nothing of its branches."""
    ramp: float = 0.05
    """Share of training over which `kl` then rises linearly from 0."""

    @property
    def is_on(self) -> bool:
        return self.ce > 0 or self.kl > 0

    def is_warming_up(self, progress: float) -> bool:
        return progress < self.warmup

    def kl_at(self, progress: float) -> float:
        """Weight of the divergence at a share of training."""
        if self.is_warming_up(progress):
            return 0.0
        if progress >= self.warmup + self.ramp:
            return self.kl
        return self.kl * (progress - self.warmup) / self.ramp
