"""All that learns when one student is taught: itself, its method's modules, its teacher."""

import copy

import torch
from torch import Tensor, nn

from kdsearch.distill.method import Needs, Online, Probe
from kdsearch.errors import UserError
from kdsearch.nets.fresh import fresh
from kdsearch.output import Output, single
from kdsearch.training.task import Sample


class OnlineTeacher(nn.Module):
    """A teacher that learns beside the student, its own modules, and their running average."""

    def __init__(self, rule: Online, network: nn.Module, parts: nn.Module) -> None:
        super().__init__()
        self.rule = rule
        self.network = network
        self.parts = parts
        self.average = (
            copy.deepcopy(nn.ModuleList([network, parts])).requires_grad_(False)
            if rule.average > 0
            else None
        )

    def train(self, mode: bool = True) -> "OnlineTeacher":
        super().train(mode)
        if self.average is not None:
            self.average.eval()
        return self

    def is_frozen(self, progress: float) -> bool:
        return progress >= self.rule.freeze_after

    def forward(self, images: Tensor, progress: float) -> Output:
        """Its output, with a graph until it is frozen; frozen, it keeps its statistics too."""
        frozen = self.is_frozen(progress)
        self.network.train(self.training and not frozen)
        with torch.set_grad_enabled(torch.is_grad_enabled() and not frozen):
            out: Output = self.network(images)
            return out

    @torch.no_grad()
    def averaged(self, images: Tensor) -> Output | None:
        """The running average's output; None where there is none."""
        if self.average is None:
            return None
        out: Output = self.average[0](images)
        return out

    @torch.no_grad()
    def follow(self) -> None:
        """Moves the running average; statistics of norms are taken as they are."""
        if self.average is None:
            return
        current = nn.ModuleList([self.network, self.parts])
        torch._foreach_lerp_(
            list(self.average.parameters()), list(current.parameters()), 1 - self.rule.average
        )
        for ours, theirs in zip(self.average.buffers(), current.buffers(), strict=True):
            ours.copy_(theirs)


class Learners(nn.Module):
    """What a checkpoint of a distillation holds. Only `student` is kept, and what ships of
    `parts`.
    """

    def __init__(
        self, student: nn.Module, parts: nn.Module, online: OnlineTeacher | None
    ) -> None:
        super().__init__()
        self.student = student
        self.parts = parts
        self.online = online


def gather(
    student: nn.Module, needs: Needs, teacher: nn.Module | None, sample: Sample, seed: int
) -> Learners:
    """The student with what its method's needs build, sized by one probe forward.

    Raises:
        UserError: student or teacher does not give what the method needs.
    """
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        probe = probed(student, needs, teacher, sample)
        parts = nn.Module() if needs.parts is None else needs.parts(probe)
        online = None if needs.online is None else joined(needs.online, teacher, probe)
    device = sample.images.device
    learners = Learners(student, parts, online)
    return learners.to(device)


def joined(rule: Online, teacher: nn.Module | None, probe: Probe) -> OnlineTeacher:
    assert teacher is not None, "a teacher that learns here needs a network to start from"
    network = copy.deepcopy(teacher)
    if rule.scratch:  # on the processor, where the weights drawn are the same on every machine
        network = fresh(network.cpu())
    network.requires_grad_(True)
    return OnlineTeacher(rule, network, rule.parts(probe))


@torch.no_grad()
def probed(
    student: nn.Module, needs: Needs, teacher: nn.Module | None, sample: Sample
) -> Probe:
    ours = outlined(student, sample.images)
    check_parts("student", ours, needs.student)
    theirs = sample.taught if teacher is None else outlined(teacher, sample.images)
    if theirs is not None:
        check_parts("teacher", theirs, needs.teacher)
    return Probe(ours, theirs, sample.classes, sample.train_images, sample.batch_size)


def outlined(network: nn.Module, images: Tensor) -> Output:
    """The output of a forward in eval mode, which leaves the network as it was."""
    was_training = network.training
    try:
        return single(network.eval()(images))
    finally:
        network.train(was_training)


WAYS_OUT = {
    "logits": "hard on labels, multi_level and the feature methods do without",
    "feats": "name layers of 2-D maps in its taps, or take a method on logits",
    "pooled": "it has to end in a linear layer, or take a method on logits",
}


def check_parts(who: str, out: Output, wanted: tuple[str, ...]) -> None:
    """Raises UserError for a part that a method needs and the network does not give."""
    for part in wanted:
        found = getattr(out, part)
        if found is None or (part == "feats" and not found):
            raise UserError(
                f"the method needs {part} of the {who}, which gives none; {WAYS_OUT[part]}"
            )
