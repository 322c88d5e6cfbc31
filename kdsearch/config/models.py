"""What a config may say: one frozen model per section, one sentence per key."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from kdsearch.config.budget import Budget
from kdsearch.config.cluster import Ray
from kdsearch.config.latency import Latency, LatencyChoice
from kdsearch.config.networks import Student, Teacher, Training
from kdsearch.config.objectives import ObjectiveChoice
from kdsearch.config.section import Section
from kdsearch.config.values import (
    AboveZero,
    Count,
    Fraction,
    KnobValue,
    MethodName,
    StudentChoice,
    Threads,
)

Augment = Literal["none", "shift", "shift-flip"]
Policy = Literal["sandwich", "uniform", "learned", "importance", "latency_weighted"]
Engine = Literal["in-process", "ray-tune", "ray-actors"]
Sampler = Literal["tpe", "nsga2", "gp", "random", "grid"]
GRID = "grid"
"""The sampler that takes every student, with one recipe."""


class Data(Section):
    """The images, and how they are split."""

    name: str = "digits"
    """digits, torchvision:NAME, folder:PATH (one folder of images per class), or
    module:pkg.mod:factory, which runs your code."""
    root: str | None = None
    """Folder where a torchvision data set lies, or is to be downloaded to."""
    download: bool = False
    """Whether a torchvision data set may be downloaded."""
    size: Count | None = None
    """Image side in pixels; null keeps the images' own."""
    limit: Count | None = None
    """At most this many training images, drawn evenly from the classes; null for all."""
    augment: Augment = "shift"
    """How training images are varied: none, shift or shift-flip."""
    val_fraction: Fraction = 0.2
    """Share of the images held out to compare students during the search."""
    test_fraction: Fraction = 0.2
    """Share of the images held out for the very end; unused where the set has its own test."""
    calibration: Count = 256
    """How many training images serve batch-norm statistics and the check of an export."""
    broken: Literal["stop", "skip"] = "stop"
    """What a broken image does: stop the run, or be skipped and counted."""


class Supernet(Training):
    """The shared weights of all students."""

    policy: Policy = "sandwich"
    """Which students a step trains. sandwich: largest, smallest and random ones; uniform:
    random ones alone; learned: random ones as a generic teacher has learnt to draw them;
    importance: where gradients are large; latency_weighted: spread evenly over costs."""
    random_paths: Annotated[int, Field(ge=0, le=1000)] = 2
    """Students drawn per step, beside the largest and the smallest."""
    targets: Literal["largest", "teacher", "both"] = "largest"
    """Whom all but the largest student imitate."""
    method: str | None = None
    """How the largest student is taught: a recipe such as 'soften@temperature=4', 'lightskd'
    or 'evolutionary'. Null: soften@weight=0.5 with a teacher, else hard."""
    others: str = "alpha_divergence@low=1@high=1"
    """How all others are taught: a recipe, or same. The default is the plain KL, without
    labels; 'alpha_divergence' is AlphaNet's adaptive one, which wants clip_value: 1."""
    reduction: Literal["sum", "mean"] = "sum"
    """Of the losses of a step's students: at one learning rate two different trainings."""
    shrink: tuple[str, ...] = ()
    """Progressive shrinking: kinds of axes that open one after the other, from the largest
    student down, such as [kernel, depth, expand, width]. Empty: all are open from the start."""
    shrink_until: Annotated[float, Field(gt=0, le=1)] = 0.5
    """Share of the training at which progressive shrinking has opened everything."""
    sort_channels: bool = False
    """Whether the hidden channels of inverted bottlenecks are sorted by importance before
    progressive shrinking opens smaller expansions."""
    average: bool = False
    """Whether the running average of the weights is kept instead of the last ones."""
    clip_value: AboveZero | None = None
    """Largest size of any single number in the gradient; null leaves it to its norm."""
    rollbacks: Annotated[int, Field(ge=0, le=100)] = 2
    """How often training that blew up goes back to its last checkpoint, at half the rate."""
    epochs: Count = 60
    """Passes over the training images."""
    learning_rate: AboveZero = 0.1
    """Learning rate at its peak."""
    weight_decay: Annotated[float, Field(ge=0)] = 1e-4
    """L2 penalty on the weights."""


class KnobRange(Section):
    """An interval of a knob."""

    low: float
    """Smallest value."""
    high: float
    """Largest value."""
    log: bool = False
    """Whether values are drawn evenly in the logarithm."""


def knob_form(value: Any) -> str:
    return "range" if isinstance(value, Mapping | KnobRange) else "values"


Knob = Annotated[
    Annotated[tuple[KnobValue, ...], Tag("values")] | Annotated[KnobRange, Tag("range")],
    Discriminator(knob_form),
]


class Sum(Section):
    """Several methods at once, their losses added."""

    method: tuple[MethodName, ...]
    """Names of methods."""
    weights: tuple[AboveZero, ...] | None = None
    """One for each; null lets the search choose."""

    @property
    def name(self) -> str:
        return "+".join(self.method)


def method_form(value: Any) -> str:
    return "sum" if isinstance(value, Mapping | Sum) else "name"


MethodChoice = Annotated[
    Annotated[MethodName, Tag("name")] | Annotated[Sum, Tag("sum")], Discriminator(method_form)
]


class Distill(Training):
    """How students are taught; methods and their knobs are part of the search."""

    methods: tuple[MethodChoice, ...] = ("soften", "hard")
    """Methods to choose from; `kdsearch methods` lists them, module:pkg.mod:Class runs your
    code, 'decoupled+attention' or {method: [decoupled, attention], weights: [1, 0.5]} adds."""
    knobs: Mapping[str, Knob] = {}
    """Narrows, widens or fixes a knob, or sets an option: 'soften.temperature: [2, 4]' or
    {low, high, log}. Numbers may leave the method's own range, not their kind and sign."""

    bank: Annotated[int, Field(ge=0, le=1000)] = 0
    """So many fixed variations of each image, which epochs go round, instead of new ones each
    epoch: what the teacher says of them is stored once and shared by all trials. 0: none."""

    @property
    def names(self) -> tuple[str, ...]:
        """The methods' names; those of a sum joined by '+'."""
        return tuple(m if isinstance(m, str) else m.name for m in self.methods)

    epochs: Count = 40
    """Passes over the training images at the top rung."""
    learning_rate: AboveZero = 0.05
    """Learning rate at its peak."""


class Search(Section):
    """How candidates are proposed, and who trains them."""

    engine: Engine = "in-process"
    """Who executes the jobs. in-process: this process, one after the other; ray-tune: Ray Tune,
    on this machine or a cluster; ray-actors: Ray actors, which take students to be scored with
    inherited weights many at a time."""
    workers: Count = 1
    """Jobs in flight at the same time, on a cluster as on one machine."""
    sampler: Sampler = "tpe"
    """Who proposes candidates. tpe: what did well, made more likely; gp: a model of all
    results, slow to ask and good with few trials; nsga2: crosses the best, for thousands of
    trials; random; grid: every student once, with one fixed recipe."""
    trials: Count = 40
    """How many candidates are tried; may be raised later, the search goes on."""
    seconds: AboveZero | None = None
    """Wall-clock seconds after which nothing new is begun; may be raised later."""
    device_seconds: AboveZero | None = None
    """Seconds of work, added over all workers, after which nothing new is begun."""
    patience: Count | None = None
    """Completed trials without growth of the front after which nothing new is begun."""
    start: tuple[StudentChoice, ...] = ("smallest", "largest")
    """Students tried first: smallest, largest, or {stage1.width: 16, …}."""
    start_from: str | None = None
    """A run's folder: the students on its front, with their recipes, are tried first."""
    batch_size: Count = 8
    """Candidates proposed at a time."""
    vary: Mapping[str, Knob] = {}
    """What a trial may change of its training, beside the method: learning_rate, weight_decay,
    augment_strength (1: data.augment as it is, 0: none of it, 2: shifts twice as far), each as
    a list or {low, high, log}. What is left out stays as distill has it."""
    rungs: tuple[float, ...] = (0.25, 1.0)
    """Rising shares of the full distillation at which candidates are compared, up to 1, which
    is the finalists'. With one share before it every trial within the screen gets that far."""
    reduction: Annotated[float, Field(ge=1)] = 3.0
    """One in so many trials climbs from one share to the next; 1: all do."""
    audit: bool = True
    """Whether one trial in ten climbs whatever it scores: tells how far lower rungs can be
    trusted, and lets more climb where they cannot."""
    weights: str | None = None
    """An fsspec URL (s3://bucket/folder, gs://…) where weights and checkpoints of trials are
    kept; null: with their results in the run's folder. Journal and results stay there."""
    exhaustive: Annotated[int, Field(ge=0)] = 256
    """A space of at most so many students is scored whole with inherited weights before the
    first trial; only students worth a training are proposed then. 0: never."""
    objectives: tuple[ObjectiveChoice, ...] = ("accuracy", "latency_ms")
    """What is traded against each other, a score first and a cost among them, two to six:
    `kdsearch objectives` lists them; {function: module:pkg.mod:function, direction: maximize}
    (or minimize) runs your code on the predictions."""
    screen_layers: Count = 2
    """Non-dominated layers of architectures that go past the inherited weights."""


class Finalists(Section):
    """The students that are trained to the end, tested and published."""

    count: Count = 8
    """How many at most."""
    seeds: Count = 1
    """Training runs per finalist; scores are their mean."""


class Config(Section):
    """A whole run."""

    data: Data = Data()
    teacher: Teacher = Teacher()
    teachers: Mapping[str, Teacher] = {}
    """Further teachers by name, {big: {width: 2}}, each with the keys of teacher: a trial that
    needs one takes teacher or one of these. The supernet always learns from teacher."""
    space: str = "resnet-tiny"
    """A shelved search space (`kdsearch spaces` lists them) or the path of a YAML file."""
    student: Student = Student()
    supernet: Supernet = Supernet()
    distill: Distill = Distill()
    latency: LatencyChoice = Latency()
    """Where students are to run and are timed: one target, or a list of targets with names.
    `latency_ms` is the first one's, `latency_ms@edge` that of the one named edge."""
    budget: Budget = Budget()
    search: Search = Search()
    ray: Ray = Ray()
    finalists: Finalists = Finalists()
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    """Fixes every draw of the run."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where training runs; auto takes a GPU if there is one: for teacher and supernet in this
    process, for each job on Ray in its worker, see ray.resources."""
    threads: Threads = 1
    """Processor threads of each training process. Tiny networks train fastest on one, and more
    stall beside busy neighbours; larger ones gain from more on an idle machine."""
    processes: Count = 1
    """Processes in which `kdsearch run` trains teacher and supernet together, each on its share
    of every batch; started here (with ray-tune: by Ray Train), or by you with torchrun."""
    precision: Literal["auto", "float32", "bf16"] = "auto"
    """Number format of training; auto takes bf16 on a GPU that has it, else float32."""
    store: str | None = None
    """Folder of results shared between runs; null: 'store' beside the run's folder."""
