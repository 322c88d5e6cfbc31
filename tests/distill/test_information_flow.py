import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from kdsearch.core.records import Recipe
from kdsearch.distill.information_flow import Flows, InformationFlow
from kdsearch.distill.method import Auxiliary, Probe, Seen
from kdsearch.losses.flow import DIVERGENCES, flow_distance
from kdsearch.losses.information import matched_layers, quadratic_mutual_information
from kdsearch.output import Output, detached

LABELS = torch.arange(8) % 3
INFORMATION = {"layers": "information-flow"}


def output(seed: int, width: int, stages: int = 3, batch: int = 8) -> Output:
    """Maps of 16, 8, 4, … pixels a side, and pooled features that are not their average."""
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator).requires_grad_()

    feats = tuple(normal(batch, width << s, 16 >> s, 16 >> s) for s in range(stages))
    return Output(normal(batch, 3), feats, normal(batch, width << stages))


def seen(student: Output, teacher: Output, method: InformationFlow, **more: object) -> Seen:
    labels = LABELS[: len(there(student))]
    shown = Seen(student, detached(teacher), labels, nn.Module())
    if method.needs.parts is not None:
        probe = Probe(student, detached(teacher), 3, 8, 8)
        shown = shown._replace(parts=method.needs.parts(probe))
    return shown._replace(**more)


def there(out: Output) -> Tensor:
    assert out.pooled is not None
    return out.pooled


def small(maps: Tensor) -> Tensor:
    return F.adaptive_avg_pool2d(maps, min(4, maps.shape[2])).flatten(1)


@pytest.fixture
def outs() -> tuple[Output, Output]:
    return output(0, 2), output(1, 4)


def test_the_whole_loss_by_the_formulas(outs: tuple[Output, Output]) -> None:
    student, teacher = outs
    method = InformationFlow(weight=10.0, decay=0.9, flow=3.0, labels=0.5)
    found = method(seen(student, teacher, method, progress=0.2))
    last, first, second = (
        flow_distance(a, b, reduction="batchmean")
        for a, b in [
            (student.pooled, teacher.pooled),
            (small(student.feats[0]), small(teacher.feats[0])),
            (small(student.feats[1]), small(teacher.feats[1])),
        ]
    )
    flow = last + 10 * 0.9**10 * (first + second)
    hard = F.cross_entropy(student.logits, LABELS)
    torch.testing.assert_close(found, 0.5 * hard + 3 * flow)


def test_the_authors_schedule(outs: tuple[Output, Output]) -> None:
    """passalis/pkth, cifar10/exp2_proposed.py: 100 · 0.7^epoch of 50, the last tap 1, a mean
    over all entries, no cross-entropy; below 1 from the 14th epoch on."""
    student, teacher = outs
    method = InformationFlow(flow=1.0, labels=0.0, reduction="mean")
    between = sum(
        flow_distance(small(a), small(b))
        for a, b in zip(student.feats[:2], teacher.feats[:2], strict=True)
    )
    last = flow_distance(student.pooled, teacher.pooled)
    for epoch in (0, 1, 12, 13, 49):
        found = method(seen(student, teacher, method, progress=epoch / 50))
        torch.testing.assert_close(found, last + 100 * 0.7**epoch * between)
        assert (100 * 0.7**epoch < 1) == (epoch >= 13)


def test_defaults_are_the_authors_and_ours() -> None:
    """passalis/pkth, cifar10/exp2_proposed.py and nn/pkt_transfer.py (`combined`)."""
    method = InformationFlow()
    assert (method.weight, method.decay) == (100.0, 0.7)
    assert (method.kernels, method.divergence) == (("cosine", "student_t"), "jeffreys")
    assert method.include_diagonal
    ours = (method.flow, method.labels, method.reduction, method.layers)
    assert ours == (100.0, 1.0, "batchmean", "stage-end")
    assert method.needs.teacher == ("feats", "pooled") and method.needs.auxiliary is None
    assert method.needs.parts is None


def test_maps_count_as_averaged_down(outs: tuple[Output, Output]) -> None:
    student, teacher = outs
    method = InformationFlow()
    averaged = student._replace(
        feats=tuple(F.adaptive_avg_pool2d(f, min(4, f.shape[2])) for f in student.feats)
    )
    usual, other = (method(seen(out, teacher, method)) for out in (student, averaged))
    torch.testing.assert_close(other, usual)


@pytest.mark.parametrize(
    ("layers", "pairs"),
    [
        ("stage-end", [(0, 1), (1, 2), (2, 3)]),
        ("relative-depth", [(0, 0), (1, 2), (2, 3)]),
        ("last", [(2, 3)]),
    ],
)
def test_taps_of_other_depths(layers: str, pairs: list[tuple[int, int]]) -> None:
    """A student of three taps, a teacher of four; the last are the pooled features."""
    student, teacher = output(0, 2), output(1, 4, stages=4)
    method = InformationFlow(layers=layers, flow=1.0)
    ours, theirs = (
        [*(small(f) for f in out.feats[:-1]), out.pooled] for out in (student, teacher)
    )
    *between, last = [
        flow_distance(ours[i], theirs[j], reduction="batchmean") for i, j in pairs
    ]
    expected = F.cross_entropy(student.logits, LABELS) + last + 100 * sum(between)
    torch.testing.assert_close(method(seen(student, teacher, method)), expected)


def test_the_last_tap_alone_needs_no_maps(outs: tuple[Output, Output]) -> None:
    student, teacher = (out._replace(feats=()) for out in outs)
    method = InformationFlow(layers="last")
    assert method.needs.teacher == ("pooled",)
    assert method.needs.student == ("logits", "pooled")
    assert bool(method(seen(student, teacher, method)).isfinite())


@pytest.mark.parametrize("reduction", ["mean", "batchmean"])
@pytest.mark.parametrize("include_diagonal", [True, False])
@pytest.mark.parametrize("divergence", DIVERGENCES)
@pytest.mark.parametrize("kernels", InformationFlow.options.axes["kernels"].values)
def test_every_option_reaches_the_formula(
    kernels: str, divergence: str, include_diagonal: bool, reduction: str
) -> None:
    student, teacher = output(0, 2), output(1, 4)
    chosen = (tuple(kernels.split("+")), divergence, include_diagonal, reduction)
    method = InformationFlow(
        labels=0.0,
        flow=1.0,
        layers="last",
        kernels=kernels,
        divergence=divergence,
        include_diagonal=include_diagonal,
        reduction=reduction,
    )
    found = method(seen(student, teacher, method))
    torch.testing.assert_close(found, flow_distance(student.pooled, teacher.pooled, *chosen))


def telling(taps: list[int], speaking: int) -> Output:
    """Maps of some widths and pooled features, all noise but the tap that tells the label."""
    generator = torch.Generator().manual_seed(len(taps) + speaking)
    told = torch.eye(3)[LABELS]
    rows = [
        told.repeat(1, width)
        if tap == speaking
        else torch.randn(len(LABELS), 3 * width, generator=generator)
        for tap, width in enumerate(taps)
    ]
    maps = tuple(r[:, :, None, None].requires_grad_() for r in rows[:-1])
    last = torch.zeros(len(LABELS), 2, 1, 1)
    return Output(rows[-1][:, :3], (*maps, last), rows[-1].requires_grad_())


def test_taps_pair_by_what_they_say_of_the_labels() -> None:
    """Whose first tap tells the label learns it from the teacher's third, which does, too."""
    student, teacher = telling([2, 3, 4], 0), telling([2, 3, 4, 5, 6], 2)
    method = InformationFlow(**INFORMATION, flow=1.0, labels=0.0)
    shown = seen(student, teacher, method)
    ours, theirs = (
        [float(quadratic_mutual_information(rows.detach(), LABELS)) for rows in features]
        for features in (
            [*(f.flatten(1) for f in student.feats[:-1]), student.pooled],
            [*(f.flatten(1) for f in teacher.feats[:-1]), teacher.pooled],
        )
    )
    first, second, third = matched_layers(ours, theirs)
    assert (first, third) == (2, 4)
    expected = flow_distance(student.pooled, teacher.pooled, reduction="batchmean")
    features = [*(f.flatten(1) for f in teacher.feats[:-1]), teacher.pooled]
    for tap, at in ((0, first), (1, second)):
        mine = student.feats[tap].flatten(1)
        expected = expected + 100 * flow_distance(mine, features[at], reduction="batchmean")
    torch.testing.assert_close(method(shown), expected)


def test_information_is_remembered_as_a_running_average() -> None:
    """A plain mean over the first ten batches, decay 0.9 from then on; in a checkpoint."""
    method = InformationFlow(**INFORMATION)
    teacher = output(100, 4)
    parts = seen(output(0, 2), teacher, method).parts
    expected = torch.zeros(3)
    for step in range(14):
        student = output(step, 2)
        method(seen(student, teacher, method, parts=parts))
        said = torch.stack(
            [
                quadratic_mutual_information(rows, LABELS)
                for rows in (*(small(f) for f in student.feats[:-1]), student.pooled)
            ]
        ).detach()
        expected += (said - expected) * max(0.1, 1 / (step + 1))
    torch.testing.assert_close(parts.student, expected)
    torch.testing.assert_close(parts.teacher, flow_of(teacher))
    assert set(parts.state_dict()) == {"student", "teacher", "batches"}
    assert not list(parts.parameters())


def flow_of(out: Output) -> Tensor:
    rows = [*(small(f) for f in out.feats[:-1]), out.pooled]
    return torch.stack([quadratic_mutual_information(r, LABELS) for r in rows]).detach()


def test_a_taken_up_training_goes_on_with_the_same_loss() -> None:
    method, teacher = InformationFlow(**INFORMATION), output(100, 4)
    parts = seen(output(0, 2), teacher, method).parts
    method(seen(output(0, 2), teacher, method, parts=parts))
    again = Flows(3, 3)
    again.load_state_dict(parts.state_dict())
    one, other = (
        method(seen(output(1, 2), teacher, method, parts=memory)) for memory in (parts, again)
    )
    assert torch.equal(one, other) and torch.equal(parts.student, again.student)


def test_a_narrower_path_neither_reads_nor_writes_the_memory() -> None:
    method, teacher = InformationFlow(**INFORMATION), output(100, 4)
    narrow, largest = output(1, 1), detached(output(0, 2))
    untouched = seen(output(0, 2), teacher, method).parts
    misled = Flows(3, 3)
    misled.follow(torch.tensor([5.0, 0.0, 1.0]), torch.tensor([0.0, 5.0, 1.0]))
    before = misled.student.clone()
    losses = [
        method(seen(narrow, teacher, method, parts=parts, largest=largest))
        for parts in (untouched, misled)
    ]
    assert torch.equal(*losses)
    assert torch.equal(misled.student, before) and not untouched.batches.any()


@pytest.mark.parametrize("layers", ["stage-end", "information-flow"])
def test_gradients_reach_every_tap_but_the_last_map(layers: str) -> None:
    student, teacher = output(0, 2), output(1, 4)
    method = InformationFlow(layers=layers, labels=0.0)
    method(seen(student, teacher, method)).backward()
    for tap in (*student.feats[:-1], student.pooled):
        assert tap.grad is not None and bool(tap.grad.any())
    assert student.feats[-1].grad is None and student.logits.grad is not None
    assert not student.logits.grad.any()
    assert all(t.grad is None for t in (*teacher.feats, teacher.pooled))


@pytest.mark.parametrize("layers", ["stage-end", "information-flow", "last"])
@pytest.mark.parametrize("kind", ["alone", "zeros"])
def test_degenerate_batches_are_defined(layers: str, kind: str) -> None:
    batch = 1 if kind == "alone" else 4
    student, teacher = output(0, 2, batch=batch), output(1, 4, batch=batch)
    if kind == "zeros":
        student = Output(
            student.logits,
            tuple(torch.zeros_like(f, requires_grad=True) for f in student.feats),
            torch.zeros_like(there(student), requires_grad=True),
        )
    method = InformationFlow(layers=layers)
    loss = method(seen(student, teacher, method))
    loss.backward()
    assert bool(loss.isfinite()) and bool(student.pooled.grad.isfinite().all())
    if kind == "alone":
        hard = F.cross_entropy(student.logits, LABELS[:1])
        torch.testing.assert_close(loss, hard, rtol=0, atol=1e-4)


@pytest.mark.parametrize("size", ["max_subnet", "double_width"])
def test_an_auxiliary_teacher_learns_by_its_last_tap(size: str) -> None:
    """Alike for all values of the knobs, so that one network does for every trial."""
    options = {"kernels": "cosine", "divergence": "kl", "labels": 0.5, "reduction": "mean"}
    one, other = (
        InformationFlow(aux=size, **options, weight=weight, flow=flow).needs.auxiliary
        for weight, flow in ((100.0, 100.0), (10.0, 20.0))
    )
    expected = {**options, "include_diagonal": True, "layers": "last"}
    assert one == other == Auxiliary(size, Recipe.of("information_flow", expected))
    lesson = InformationFlow(**dict(one.recipe.knobs))
    assert lesson.needs.auxiliary is None and lesson.needs.teacher == ("pooled",)
