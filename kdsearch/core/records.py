"""The records that travel: what is proposed, what is to be done, what came out."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from kdsearch.core.space import Value


@dataclass(frozen=True, slots=True, order=True)
class Architecture:
    """One student of a space: a value for each of its choices, in one order, hashable."""

    choices: tuple[tuple[str, Value], ...]

    @classmethod
    def of(cls, choices: Mapping[str, Value]) -> "Architecture":
        return cls(tuple(sorted(choices.items())))

    def __getitem__(self, name: str) -> Value:
        return dict(self.choices)[name]

    def as_dict(self) -> dict[str, Value]:
        return dict(self.choices)

    @property
    def id(self) -> str:
        """Ten hexadecimal digits, the same for the same choices everywhere."""
        return hashlib.sha256(json.dumps(self.choices).encode()).hexdigest()[:10]


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a student is taught: a distillation method and a value for each of its knobs."""

    method: str
    knobs: tuple[tuple[str, Value], ...] = ()
    training: tuple[tuple[str, Value], ...] = ()
    """What it changes of the training plan, and which of several teachers it takes:
    'learning_rate', 'weight_decay', 'augment_strength', 'teacher'. What is absent is as the
    run has it."""

    @classmethod
    def of(
        cls,
        method: str,
        knobs: Mapping[str, Value],
        training: Mapping[str, Value] | None = None,
    ) -> "Recipe":
        changed = {} if training is None else training
        return cls(method, tuple(sorted(knobs.items())), tuple(sorted(changed.items())))

    @classmethod
    def read(cls, content: Mapping[str, Any]) -> "Recipe":
        """What `as_dict` gave; other keys are ignored."""
        return cls.of(content["method"], content["knobs"], content.get("training"))

    def as_dict(self) -> dict[str, Any]:
        """JSON-able; 'training' only where something is changed."""
        changed = {"training": dict(self.training)} if self.training else {}
        return {"method": self.method, "knobs": dict(self.knobs), **changed}


@dataclass(frozen=True, slots=True)
class Candidate:
    architecture: Architecture
    recipe: Recipe


@dataclass(frozen=True, slots=True)
class Job:
    """One rung of one trial (rung 0: of one architecture), for whoever executes it."""

    name: str
    """Unique in the run: 'inherited/3f…' or 'trial 7, rung 1'."""
    rung: int
    """0: inherited weights; above: distillation up to that rung's share of the full run."""
    architecture: Architecture
    recipe: Recipe | None
    """None at rung 0."""
    seed: int
    folder: str
    """Where the result is kept."""
    steps: int | None = None
    """Length of a schedule of its own; None: that of the full distillation."""
    weights: str = ""
    """Where weights, and the checkpoint the next rung goes on from, are kept: an fsspec URL;
    empty: in `folder`, too."""


State = Literal["done", "diverged", "out of memory", "lost", "bug", "objective"]
"""'objective': the user's own function of predictions failed, or gave no number."""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a job; plain data, stored by the worker before it is told."""

    job: str
    rung: int
    state: State
    accuracy: float | None = None
    """Top-1 accuracy on the search-validation split, in [0, 1]."""
    scores: Mapping[str, float] = field(default_factory=dict)
    """What else the search asks of the predictions on that split, by objective."""
    seconds: float = 0.0
    reason: str = ""
    """Why it is not done, in one line with the way out."""
    details: dict[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> "Result":
        return cls(**content)
