"""What a config says of networks that are trained or brought along: teacher and student."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from kdsearch.config.section import Section
from kdsearch.config.shaping import Conditioning, Distribution
from kdsearch.config.values import AboveZero, Count, NotBelowZero, StudentChoice

TeacherTraining = Literal["none", "plain", "student_oriented", "student_friendly", "generic"]


class Training(Section):
    """One training run: SGD, Nesterov momentum 0.9."""

    epochs: Count
    """Passes over the training images."""
    batch_size: Count = 128
    """Images per training step."""
    learning_rate: AboveZero
    """Learning rate at its peak."""
    weight_decay: Annotated[float, Field(ge=0)] = 5e-4
    """L2 penalty on the weights."""


class Input(Section):
    """What a network brought along expects of its images; null takes it from the data."""

    size: Count | None = None
    """Image side in pixels that images are resized to."""
    mean: tuple[float, ...] | None = None
    """Per channel, in the scale of [0, 1], taken off the images."""
    std: tuple[AboveZero, ...] | None = None
    """Per channel, in the scale of [0, 1], that images are then divided by."""


class Finetune(Section):
    """Fits a new head to a network brought along."""

    epochs: Count = 5
    """Passes over the training images."""
    freeze: bool = True
    """Whether everything but the new head keeps its weights."""
    learning_rate: AboveZero = 0.01
    """Learning rate at its peak."""


def usual_training(known: dict[str, Any]) -> TeacherTraining:
    """A network of the family is trained, one brought along is not."""
    return "plain" if known.get("network", "family") == "family" else "none"


class Teacher(Training):
    """The network that students learn from."""

    network: str = "family"
    """family (the space's largest student, see width), torchvision:NAME, timm:NAME,
    checkpoint:FOLDER (another run's teacher: runs/a/teacher), or module:pkg.mod:factory,
    which runs your code; object: one passed in Python."""
    training: TeacherTraining = Field(default_factory=usual_training)
    """plain: trained here on the labels. student_oriented: with SoTeacher's two regularisers.
    student_friendly: shaped by branches of the student named below. generic: by branches of
    students from the whole space. none: a network brought along is used as it is, and with
    network: family there is no teacher. Left out: plain for family, none for others."""
    student: Literal["smallest", "largest"] | Mapping[str, int | float | str] = "smallest"
    """For student_friendly: smallest, largest, or {stage1.width: 16, …}."""
    conditioning: Conditioning = Conditioning()
    distribution: Distribution = Distribution()
    held_out: tuple[Mapping[str, int | float | str], ...] = ()
    """For generic: students that are never drawn, as [{stage1.width: 16, …}]."""
    lipschitz: NotBelowZero | None = None
    """Weight of SoTeacher's bound on the layers; null: 1e-5 for student_oriented, else 0."""
    consistency: NotBelowZero | None = None
    """Final weight of SoTeacher's consistency with what was said before; null: 1 for
    student_oriented, else 0."""
    width: AboveZero = 1.0
    """Factor on the widths of the space's largest student, for network: family."""
    weights: str | None = None
    """A .safetensors or .pt file of weights, or the name of torchvision or timm weights:
    DEFAULT. With module:pkg.mod:factory it is a checkpoint of a network of your own."""
    input: Input | None = None
    """What a network brought along expects of its images: {size, mean, std}."""
    finetune: Finetune | None = None
    """Fits a new head to a network brought along: {epochs, freeze, learning_rate}."""
    taps: tuple[str, ...] | None = None
    """Names of the layers whose outputs teach; null finds the ends of the stages."""
    epochs: Count = 40
    """Passes over the training images."""
    learning_rate: AboveZero = 0.1
    """Learning rate at its peak."""


class Student(Section):
    """The one student that `distill` and `compare` teach; a search looks for its own."""

    network: str = "family"
    """family (one of the space, see architecture), torchvision:NAME, or
    module:pkg.mod:factory, which runs your code."""
    architecture: StudentChoice = "smallest"
    """A student of the space: smallest, largest, or {stage1.width: 16, …}."""
    weights: str | None = None
    """For a network brought along: a file of weights, or the name of torchvision weights."""
    input: Input | None = None
    """What a network brought along expects of its images: {size, mean, std}."""
    taps: tuple[str, ...] | None = None
    """Names of the layers whose outputs learn; null finds the ends of the stages."""
