"""A student that the user's own `build` made: any module, giving an Output (ours)."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from kdsearch.errors import UserError
from kdsearch.nets.evaluating import evaluating
from kdsearch.nets.taps import Tapped, tap
from kdsearch.output import Output


class OwnStudent(Tapped):
    """Where the taps are is found at the first forward, which is the first to show an image.

    A module that gives an `Output` itself is taken at its word.

    Args:
        module: gives (batch, classes) logits or an `Output`.
        who: the student, for errors.
    """

    def __init__(self, module: nn.Module, classes: int, who: str) -> None:
        super().__init__(module, (), None)
        self.classes = classes
        self.who = who
        self.is_known = False
        self.gives_output = False

    def forward(self, images: Tensor) -> Output:
        if not self.is_known:
            self._look(images[:2])
        if self.gives_output:
            return self.module(images)  # type: ignore[no-any-return]
        return super().forward(images)

    def _look(self, images: Tensor) -> None:
        """Finds out what the module gives, and where its stages end.

        Raises:
            UserError: not one row of logits, a number for each class, for each image.
        """
        with evaluating(self.module), torch.no_grad():
            out = self.module(images)
        self.gives_output = isinstance(out, Output)
        logits = out.logits if isinstance(out, Output) else out
        wanted = (len(images), self.classes)
        found = tuple(logits.shape) if isinstance(logits, Tensor) else type(logits).__name__
        if found != wanted:
            raise UserError(
                f"{self.who}: gives {found} for {len(images)} images of {self.classes} "
                f"classes, needs logits {wanted}; build may have a parameter `classes`"
            )
        if not self.gives_output:
            tapped = tap(self.module, images)
            self.taps, self.head = tapped.taps, tapped.head
        self.is_known = True

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> Any:
        """See `nn.Module`.

        Raises:
            UserError: the weights are those of another network.
        """
        try:
            return super().load_state_dict(state_dict, strict, assign)
        except RuntimeError as error:
            reason = " ".join(str(error).partition("\n")[2].split())
            raise UserError(
                f"{self.who}: does not fit its weights, so build has changed since they were "
                f"trained; take it back to what it was: {reason}"
            ) from error
