"""Several methods at once, their losses added with weights: `decoupled+attention`.

Each loss is whole, the labels' share included, so labels count as often as methods do.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import torch
from torch import Tensor, nn

from kdsearch.core.space import Range, Space, Value
from kdsearch.distill.method import Method, Needs, Probe, Seen, View
from kdsearch.errors import UserError
from kdsearch.output import Output, each

PLUS = "+"
OF_WEIGHTS = "weight."
WEIGHT = Range(0.25, 4.0, log=True)
"""What a search varies a method's weight in; left alone it is 1."""


def combined_space(spaces: Mapping[str, Space]) -> Space:
    """Knobs of several methods, each under its method's name."""
    return Space(
        {
            f"{m}.{knob}": axis
            for m, space in spaces.items()
            for knob, axis in space.axes.items()
        }
    )


def weight_space(names: Sequence[str]) -> Space:
    return Space({f"{OF_WEIGHTS}{name}": WEIGHT for name in names})


class Combined:
    """A method made of methods; see `Method`."""

    def __init__(
        self, makers: Mapping[str, Callable[..., Method]], knobs: Mapping[str, Value]
    ) -> None:
        own: dict[str, dict[str, Value]] = {name: {} for name in makers}
        self.weights = dict.fromkeys(makers, 1.0)
        for key, value in knobs.items():
            if key.startswith(OF_WEIGHTS):
                self.weights[key.removeprefix(OF_WEIGHTS)] = float(value)
            else:  # a method's name may have dots, a knob's has none
                owner, _, knob = key.rpartition(".")
                own[owner][knob] = value
        self.methods = {name: make(**own[name]) for name, make in makers.items()}
        self.name = PLUS.join(makers)
        for name, method in self.methods.items():
            if wrong := alone(method.needs):
                raise UserError(f"{self.name}: {name} {wrong}, so it cannot be added to others")
        self.needs = self.together([m.needs for m in self.methods.values()])

    def together(self, needs: Sequence[Needs]) -> Needs:
        teacher = dict.fromkeys(part for n in needs for part in n.teacher)
        student = dict.fromkeys(part for n in needs for part in n.student)
        views = dict.fromkeys(view for n in needs for view in n.views)
        return Needs(tuple(teacher), tuple(student), tuple(views), parts=self.parts)

    def parts(self, probe: Probe) -> nn.Module:
        built = {
            name: nn.Module() if method.needs.parts is None else method.needs.parts(probe)
            for name, method in self.methods.items()
        }
        return nn.ModuleDict({name.replace(".", "_"): part for name, part in built.items()})

    def __call__(self, seen: Seen) -> Tensor:
        losses = []
        for name, method in self.methods.items():
            pick = partial(rows, blocks=self.blocks(method.needs.views), size=len(seen.labels))
            own = seen._replace(
                student=each(seen.student, pick),
                teacher=picked(seen.teacher, pick),
                largest=picked(seen.largest, pick),
                parts=seen.parts.get_submodule(name.replace(".", "_")),
            )
            losses.append(self.weights[name] * method(own))
        return torch.stack(losses).sum()

    def blocks(self, views: Sequence[View]) -> list[int]:
        """Which blocks of rows a method with these views is shown."""
        return [0, *(1 + self.needs.views.index(view) for view in views)]


def alone(needs: Needs) -> str | None:
    """Why a method with these needs works alone; None if it does not."""
    if needs.online is not None:
        return "brings up its own teacher"
    if needs.auxiliary is not None:
        return "learns from an auxiliary network (aux: none would not)"
    return None if needs.deploy is None else "changes the network that ships"


def picked(out: Output | None, pick: Callable[[Tensor], Tensor]) -> Output | None:
    return None if out is None else each(out, pick)


def rows(tensor: Tensor, blocks: Sequence[int], size: int) -> Tensor:
    """The rows of some blocks of `size` rows each."""
    if list(blocks) == list(range(len(tensor) // size)):
        return tensor
    return torch.cat([tensor[b * size : (b + 1) * size] for b in blocks])
