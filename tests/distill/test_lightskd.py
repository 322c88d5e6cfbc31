"""LightSKD: golden values of its two parts, and what its memory may and may not do."""

import math
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from kdsearch.distill.lightskd import LightSKD
from kdsearch.distill.method import Probe, Seen
from kdsearch.errors import UserError
from kdsearch.losses.ranked import ranked_kl
from kdsearch.losses.softened import softened_kl
from kdsearch.output import Output

CLASSES = 5
LABELS = torch.tensor([0, 3, 1, 4, 2, 0])


def waves(shape: tuple[int, ...], phase: float, scale: float) -> Tensor:
    k = torch.arange(math.prod(shape), dtype=torch.float64)
    wave = (0.37 * k + phase).sin() + 0.5 * (1.71 * k + 2 * phase).cos()
    return (scale * wave).view(shape)


def output(seed: int, batch: int = 6, widths: tuple[int, ...] = (4, 8, 16)) -> Output:
    generator = torch.Generator().manual_seed(seed)
    feats = tuple(
        torch.randn(batch, width, 8 >> s, 8 >> s, generator=generator).requires_grad_()
        for s, width in enumerate(widths)
    )
    return Output(3 * torch.randn(batch, CLASSES, generator=generator), feats)


def parts_of(method: LightSKD, out: Output, batch_size: int = 6) -> nn.ModuleDict:
    torch.manual_seed(0)
    return method.parts(Probe(out, None, out.logits.shape[1], 90, batch_size))


def seen(out: Output, parts: nn.Module, labels: Tensor = LABELS, **more: object) -> Seen:
    return Seen(out, None, labels[: len(out.logits)], parts, **more)


def memory_of(parts: nn.ModuleDict) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in parts["memory"].named_buffers()}


class Says(nn.Module):
    """An auxiliary classifier that always says the same."""

    def __init__(self, logits: Tensor) -> None:
        super().__init__()
        self.logits = nn.Parameter(logits)

    def forward(self, maps: Tensor) -> Tensor:
        return self.logits


class Golden:
    """Inputs of the golden values, made as the formulas' are."""

    student, other = waves((8, 10), 0.1, 2), waves((8, 10), 0.9, 3)
    labels = torch.tensor([0, 3, 6, 9, 2, 5, 8, 1])
    out = Output(student, (torch.zeros(8, 4, 4, 4), torch.zeros(8, 8, 2, 2)))


def test_golden_value_of_reverse_guidance_alone() -> None:
    """DRG of LightSKD (xucong-parsifal/LightSKD, train.py), α = 0.2, T = 4, with the flag of
    the memory off; beside it the two cross-entropies."""
    method = LightSKD(dsr=False)
    parts = nn.ModuleDict({"classifier": Says(Golden.other)})
    loss = method(Seen(Golden.out, None, Golden.labels, parts))
    hard = F.cross_entropy(Golden.student, Golden.labels)
    shallow = F.cross_entropy(Golden.other, Golden.labels)
    assert float(hard) == pytest.approx(2.93639344718, rel=1e-6)
    assert float((loss - hard - shallow).detach()) == pytest.approx(0.305805226851, rel=1e-6)


def test_golden_value_of_shape_regularisation_alone() -> None:
    """DSR of LightSKD (the same file), β = 1, T = 4, with the flag of the classifier off: the
    loss, the gradient's norm and first element."""
    method = LightSKD(drg=False)
    parts = parts_of(method, Golden.out, 8).double()
    method(Seen(Output(Golden.other), None, Golden.labels, parts, opens_epoch=True))
    student = Golden.student.clone().requires_grad_()
    loss = method(Seen(Output(student), None, Golden.labels, parts))
    hard = F.cross_entropy(student, Golden.labels)
    assert float((loss - hard).detach()) == pytest.approx(0.461250910315, rel=1e-6)
    (grad,) = torch.autograd.grad(loss - hard, student)
    assert float(grad.norm()) == pytest.approx(0.1120475774, rel=1e-6)
    assert float(grad[0, 0]) == pytest.approx(-0.0019904626, rel=1e-6)


def test_the_whole_loss() -> None:
    method = LightSKD(alpha=0.3, beta=0.7, temperature=3.0)
    before, now = output(0), output(1)
    parts = parts_of(method, now)
    method(seen(before, parts, opens_epoch=True))
    shallow = parts["classifier"](now.feats[1])
    expected = (
        F.cross_entropy(now.logits, LABELS)
        + F.cross_entropy(shallow, LABELS)
        + 0.3 * softened_kl(now.logits, shallow, 3.0)
        + 0.7 * ranked_kl(now.logits, before.logits, 3.0)
    )
    torch.testing.assert_close(method(seen(now, parts)), expected)


def test_neither_part_is_the_labels_alone() -> None:
    method, out = LightSKD(drg=False, dsr=False), output(0)
    parts = parts_of(method, out)
    assert not list(parts.children()) and method.needs.student == ("logits",)
    assert torch.equal(method(seen(out, parts)), F.cross_entropy(out.logits, LABELS))


def test_the_classifier_teaches_and_is_not_taught() -> None:
    """Its own cross-entropy reaches it and the backbone, what it teaches does not."""
    method, other = LightSKD(alpha=0.2, dsr=False), LightSKD(alpha=1.0, dsr=False)
    out = output(0)
    parts = parts_of(method, out)
    one, two = (
        torch.autograd.grad(m(seen(out, parts)), [*parts.parameters(), out.feats[1]])
        for m in (method, other)
    )
    assert all(torch.equal(a, b) and bool(a.any()) for a, b in zip(one, two, strict=True))


def test_an_epochs_first_batch_has_no_batch_before_it() -> None:
    method, labels_alone = LightSKD(drg=False), LightSKD(drg=False, dsr=False)
    outs = [output(seed) for seed in range(4)]
    parts = parts_of(method, outs[0])
    opens = (True, False, True, False)
    losses = [
        method(seen(o, parts, opens_epoch=opening))
        for o, opening in zip(outs, opens, strict=True)
    ]
    alone = [labels_alone(seen(o, parts)) for o in outs]
    assert torch.equal(losses[0], alone[0]) and torch.equal(losses[2], alone[2])
    for number in (1, 3):
        shape = ranked_kl(outs[number].logits, outs[number - 1].logits, 4.0)
        torch.testing.assert_close(losses[number], alone[number] + shape)


def test_nothing_is_remembered_before_the_first_batch() -> None:
    """Also where the first batch shown opens no epoch."""
    method, out = LightSKD(drg=False), output(0)
    loss = method(seen(out, parts_of(method, out)))
    assert torch.equal(loss, F.cross_entropy(out.logits, LABELS))


@pytest.mark.parametrize("sizes", [(6, 4), (4, 6), (6, 4, 6)])
def test_batches_of_another_size_teach_nothing(sizes: tuple[int, ...]) -> None:
    """A ragged batch, and the whole one after it; both are remembered."""
    method = LightSKD(drg=False)
    parts = parts_of(method, output(0))
    for seed, size in enumerate(sizes):
        out = output(seed, size)
        loss = method(seen(out, parts))
        assert torch.equal(loss, F.cross_entropy(out.logits, LABELS[:size]))
        found = memory_of(parts)
        assert int(found["rows"]) == size
        assert torch.equal(found["ranked"][:size], out.logits.sort(dim=1).values)
    again = method(seen(output(9, sizes[-1]), parts))
    assert float(again) > float(F.cross_entropy(output(9, sizes[-1]).logits, LABELS[:size]))


def test_a_narrower_path_learns_its_shape_from_the_largest_student() -> None:
    """On the same batch, also an epoch's first; the memory is neither read nor written."""
    method = LightSKD(drg=False)
    largest, path = output(1), output(2)
    parts = parts_of(method, largest)
    method(seen(output(0), parts))
    before = memory_of(parts)
    shape = ranked_kl(path.logits, largest.logits, 4.0)
    expected = F.cross_entropy(path.logits, LABELS) + shape
    for opening in (True, False):
        loss = method(seen(path, parts, largest=largest, opens_epoch=opening))
        torch.testing.assert_close(loss, expected)
    assert all(torch.equal(before[n], value) for n, value in memory_of(parts).items())
    parts["memory"].ranked.fill_(math.nan)
    loss = method(seen(path, parts, largest=largest))
    torch.testing.assert_close(loss, expected)


def test_one_classifier_for_every_width() -> None:
    method = LightSKD()
    parts = parts_of(method, output(0))
    narrow = output(1, widths=(2, 3, 5))
    loss = method(seen(narrow, parts, largest=output(0)))
    (grad,) = torch.autograd.grad(loss, narrow.feats[1])
    assert bool(loss.isfinite()) and bool(grad.any())


@pytest.mark.parametrize(
    ("stages", "named", "stage"), [(4, 0, 2), (3, 0, 2), (2, 0, 1), (4, 1, 1), (4, 3, 3)]
)
def test_which_stage_teaches(stages: int, named: int, stage: int) -> None:
    """The second, as in the authors' train.py (`mids[1]`), unless another is named."""
    method = LightSKD(stage=named, dsr=False)
    out = output(0, widths=tuple(4 + s for s in range(stages)))
    parts = parts_of(method, out)
    loss = method(seen(out, parts))
    grads = torch.autograd.grad(loss, out.feats, allow_unused=True)
    assert [grad is not None for grad in grads] == [s + 1 == stage for s in range(stages)]
    assert parts["classifier"].classifier.in_features == out.feats[-1].shape[1]


@pytest.mark.parametrize("stages", [0, 1])
def test_one_stage_has_none_before_it(stages: int) -> None:
    out = output(0, widths=(4,) * stages)
    with pytest.raises(
        UserError, match=rf"this student has {stages}; .* lightskd.drg: \[false"
    ):
        parts_of(LightSKD(), out)
    method = LightSKD(drg=False)
    assert bool(method(seen(out, parts_of(method, out))).isfinite())


def test_a_stage_that_is_not_there() -> None:
    with pytest.raises(UserError, match="lightskd.stage = 3; .* 3 stages 1 to 2 can"):
        parts_of(LightSKD(stage=3), output(0))


@pytest.mark.parametrize("shape", [(1, 2), (1, 5), (3, 2)])
@pytest.mark.parametrize("scale", [0.0, 1.0, 1e4])
def test_degenerate_batches_are_defined(shape: tuple[int, int], scale: float) -> None:
    """One image, two classes, logits all zero or far apart, maps of zeros."""
    method = LightSKD()
    logits = (scale * waves(shape, 0.1, 2.0)).float().requires_grad_()
    feats = tuple(torch.zeros(shape[0], 4, 4 >> s, 4 >> s).requires_grad_() for s in range(3))
    out = Output(logits, feats)
    parts = parts_of(method, out)
    for _ in range(2):
        loss = method(seen(out, parts, LABELS.clamp(max=1)))
        grads = torch.autograd.grad(loss, [logits, feats[1]])
        assert loss.dtype == torch.float32 and bool(loss.isfinite())
        assert all(bool(grad.isfinite().all()) for grad in grads)


@pytest.mark.parametrize("flags", [(True, True), (True, False), (False, True)])
def test_a_killed_run_goes_on_as_if_nothing_had_been(
    flags: tuple[bool, bool], taught: Callable, resumes: Callable
) -> None:
    drg, dsr = flags
    resumes(lambda seed: taught(LightSKD(drg=drg, dsr=dsr), seed=seed))


def test_it_ships_the_student_alone(
    taught: Callable, trained: Callable, tmp_path: Path
) -> None:
    task = taught(LightSKD())
    done = trained(task, tmp_path / "run", 12)
    assert done.curve[-1][1] < done.curve[0][1]
    shipped = task.shipped(done.average).eval()
    assert set(shipped.state_dict()) == set(task.module.student.state_dict())
    shipped.load_state_dict(task.module.student.state_dict())
    images = torch.randn(3, 1, 8, 8)
    task.module.eval()
    assert torch.equal(shipped(images).logits, task.module.student(images).logits)


def test_defaults_are_those_of_the_authors() -> None:
    """T = 4, α = 0.2, β = 1, both parts, stage 2 (xucong-parsifal/LightSKD, train.py)."""
    method = LightSKD()
    assert (method.alpha, method.beta, method.temperature) == (0.2, 1.0, 4.0)
    assert (method.drg, method.dsr, method.stage) == (True, True, 0)
    assert not method.needs.teacher and method.needs.online is None
