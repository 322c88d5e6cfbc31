"""The seam of a distillation method: what the training loop and the search ask of one."""

from typing import ClassVar, Protocol

from torch import Tensor

from kdsearch.core.space import Space
from kdsearch.output import Output


class Method(Protocol):
    """A loss with its knobs. Called with a knob's name and value for each of `knobs`."""

    name: ClassVar[str]
    knobs: ClassVar[Space]
    """The knobs' ranges; a config may narrow them."""
    needs_teacher: ClassVar[bool]

    def __init__(self, **knobs: float) -> None: ...

    def __call__(self, student: Output, teacher: Output | None, labels: Tensor) -> Tensor:
        """Mean loss over the batch, a float32 scalar; `teacher` is None iff not needed."""
