"""The seam of a distillation method: what it asks for, what it is shown, what it answers.

A method is a small object with its knobs' values; what it trains or remembers lives in the
modules that its needs build, so that a checkpoint holds it. For every step the trainer shows it
the outputs, the labels, where these images stand in the training set, and how far the training
is; whatever else it wants (another view, adapters, a teacher that learns) it declares.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple, Protocol, TypeAlias

from torch import Tensor, nn

from kdsearch.core.records import Recipe
from kdsearch.core.space import Space
from kdsearch.output import Output

Part: TypeAlias = Literal["logits", "feats", "pooled"]
"""A field of an Output."""
View: TypeAlias = Literal["again", "same class", "90", "180", "270"]
"""How a further block of images belongs to the first: the same images augmented once more,
others of the same class, or the same ones turned by so many degrees."""


class Probe(NamedTuple):
    """What a method's modules are sized by: outputs for two images, and numbers."""

    student: Output
    """Of the largest student that will learn with these modules."""
    teacher: Output | None
    classes: int
    images: int
    """Training images, for a memory with one row for each."""
    batch_size: int


class Said(NamedTuple):
    """What a teacher that learns beside the student says, and its own modules."""

    output: Output
    parts: nn.Module


class Seen(NamedTuple):
    """What a method is shown of a step; outputs in float32, taught ones without a graph.

    Rows are blocks of one batch each: the images themselves, then each view in order.
    """

    student: Output
    teacher: Output | None
    """The frozen teacher's; None where the method needs none."""
    labels: Tensor
    """int64 (batch,): of the first block."""
    parts: nn.Module
    """What `Needs.parts` built; empty where there is nothing."""
    progress: float = 0.0
    """Share of the whole training that lies behind, in [0, 1)."""
    opens_epoch: bool = False
    indices: Tensor | None = None
    """int64 (batch,): positions in the training set; None where the source does not tell."""
    largest: Output | None = None
    """The largest student's on the same images, without a graph, while `student` is another
    path of a supernet. What is remembered from step to step is the largest's alone."""
    online: Said | None = None
    """The teacher that learns here: with a graph until it is frozen."""
    guide: Said | None = None
    """What the student may imitate of it: the same, or its running average; without a graph."""

    @property
    def logits(self) -> Tensor:
        """The student's, (rows, classes)."""
        return there(self.student.logits)

    @property
    def pooled(self) -> Tensor:
        """What the student's classifier sees, (rows, features)."""
        return there(self.student.pooled)

    @property
    def taught(self) -> Output:
        """The teacher's output, of a method that asked for one."""
        assert self.teacher is not None, "a method that never asked for a teacher"
        return self.teacher

    @property
    def teacher_logits(self) -> Tensor:
        return there(self.taught.logits)

    @property
    def teacher_pooled(self) -> Tensor:
        return there(self.taught.pooled)


def there(part: Tensor | None) -> Tensor:
    """A part of an output that the method's needs ask for, and the trainer checked."""
    assert part is not None, "a part of the output that the method's needs do not name"
    return part


@dataclass(frozen=True, slots=True)
class Online:
    """A teacher that learns beside the student; nothing of the student reaches it."""

    parts: Callable[[Probe], nn.Module]
    """Its modules, dropped with it."""
    loss: Callable[[Said, Tensor], Tensor]
    """Of its output and the labels; the method adds it to the student's."""
    scratch: bool = True
    """Whether it starts with fresh weights instead of the trained teacher's."""
    lead: int = 1
    """Steps it takes for each of the student's."""
    freeze_after: float = 1.0
    """Share of the training after which the network (not its modules) stays as it is."""
    average: float = 0.0
    """Decay of the running average that the student imitates; 0: the teacher itself."""


@dataclass(frozen=True, slots=True)
class Auxiliary:
    """A middle network that learns from the teacher first and teaches in its place."""

    size: Literal["max_subnet", "double_width"]
    """The space's largest student, or this student with every width doubled."""
    recipe: Recipe
    """How it is taught."""


@dataclass(frozen=True, slots=True)
class Needs:
    """What a method asks of the trainer; what it does not ask for is not computed."""

    teacher: tuple[Part, ...] = ()
    """What a trained teacher has to give; empty: the method needs none."""
    student: tuple[Part, ...] = ("logits",)
    views: tuple[View, ...] = ()
    """Further blocks of images beside the batch itself."""
    parts: Callable[[Probe], nn.Module] | None = None
    """Builds what is trained or remembered beside the student: adapters, heads, memories."""
    online: Online | None = None
    auxiliary: Auxiliary | None = None
    deploy: Callable[[nn.Module, nn.Module, nn.Module | None], nn.Module] | None = None
    """(student, parts, teacher) to the network that ships; None: the student alone."""


class Method(Protocol):
    """A loss with its knobs. Called with a name and value for some of `knobs` and `options`."""

    name: ClassVar[str]
    knobs: ClassVar[Space]
    """What a search varies, with ranges; a config may narrow, fix or widen them (numbers:
    core/widening.py)."""
    options: ClassVar[Space]
    """What stays at its default unless a config names it."""
    needs: Needs

    def __init__(self, **knobs: float | str) -> None: ...

    def __call__(self, seen: Seen) -> Tensor:
        """The whole loss of the step, labels' share included: a float32 scalar."""
