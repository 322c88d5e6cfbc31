"""What no single key can tell: names against tables, and keys against each other."""

from collections.abc import Callable, Iterator
from functools import partial

from kdsearch import spaces
from kdsearch.config.cluster_checks import cluster
from kdsearch.config.knob_checks import knobs
from kdsearch.config.knobs import knob_space
from kdsearch.config.models import Config, Distill, Sum
from kdsearch.config.networks import Teacher
from kdsearch.config.objectives_checks import objectives
from kdsearch.config.own_family_checks import own_family
from kdsearch.config.problem import Problem, not_of_space, refused
from kdsearch.config.processes_checks import processes
from kdsearch.config.search_checks import exhaustive, grid, starts, weights
from kdsearch.config.shaping_checks import shaping
from kdsearch.config.sources import source_problem
from kdsearch.config.targets_checks import budgets, targets
from kdsearch.config.teachers_checks import each_further, teachers
from kdsearch.config.vary_checks import vary
from kdsearch.core.ladder import check_rungs
from kdsearch.core.shrinking import check_order
from kdsearch.errors import did_you_mean

OBJECT = "object"
"""What teacher.network says for a module passed in Python."""


def problems(config: Config) -> Iterator[Problem]:
    """Everything wrong with a config whose single values are all right."""
    for check in CHECKS:
        yield from check(config)


def data_problem(name: str) -> str | None:
    """Why `name` is no data set's name; None if it is one. Whether it exists shows later."""
    return source_problem(name, "digits", ("torchvision", "folder", "module"))


def data(config: Config) -> Iterator[Problem]:
    wrong = data_problem(config.data.name)
    if wrong:
        yield ("data", "name"), wrong
    if config.data.val_fraction + config.data.test_fraction >= 1:
        yield ("data", "val_fraction"), "with test_fraction must leave images to train on"


def space(config: Config) -> Iterator[Problem]:
    wrong = refused(lambda: spaces.locate(config.space))
    if wrong:
        yield ("space",), wrong


def teacher(config: Config) -> Iterator[Problem]:
    it = config.teacher
    kinds = ("torchvision", "timm", "module", "checkpoint")
    wrong = source_problem(it.network, "family", kinds)
    if wrong and it.network != OBJECT:
        yield ("teacher", "network"), wrong
        return
    yield from parts_of_network(it)
    if (
        it.training == "none"
        and it.network == "family"
        and config.supernet.targets != "largest"
    ):
        yield (
            ("supernet", "targets"),
            "there is no teacher (teacher.training: none); use largest",
        )


def parts_of_network(it: Teacher) -> Iterator[Problem]:
    """Keys that the teacher's kind of network has no use for."""
    unused = {
        "family": "is for a network brought along; set teacher.network, or remove this",
        "checkpoint": "is for other networks; one of a run has its own: remove this",
    }
    rule = unused.get(it.network.partition(":")[0])
    for key in ("weights", "input", "finetune", "taps"):
        if rule is not None and getattr(it, key) is not None:
            yield ("teacher", key), rule
    if it.network != "family" and it.width != 1:
        yield ("teacher", "width"), "is for teacher.network: family; remove this"
    if it.weights is not None and (wrong := weights_problem(it.network, it.weights)):
        yield ("teacher", "weights"), wrong


def supernet(config: Config) -> Iterator[Problem]:
    from kdsearch.config.recipes import recipe_of

    it = config.supernet
    recipes = {"method": it.method, "others": None if it.others == "same" else it.others}
    for key, text in recipes.items():
        if text is not None and (wrong := refused(partial(recipe_of, Distill(), text))):
            yield ("supernet", key), wrong
    if it.policy == "learned" and config.teacher.distribution.loss == "none":
        rule = "needs a distribution over paths; set teacher.training: generic and "
        rule += "teacher.distribution.loss: capability"
        yield ("supernet", "policy"), rule
    if it.sort_channels and "expand" not in it.shrink:
        rule = "sorts before smaller expansions open; put expand into supernet.shrink"
        yield ("supernet", "sort_channels"), rule
    if not it.shrink or refused(lambda: spaces.load_space(config.space)):
        return  # what is wrong with the space is said elsewhere
    space = spaces.load_space(config.space).space
    for i, kind in enumerate(it.shrink):
        if wrong := refused(partial(check_order, space, (kind,))):
            yield ("supernet", "shrink", i), wrong.partition("; ")[2]


def student(config: Config) -> Iterator[Problem]:
    it = config.student
    if wrong := source_problem(it.network, "family", ("torchvision", "module")):
        yield ("student", "network"), wrong
    elif it.network == "family":
        yield from student_of_space(config)
    else:
        if it.architecture != "smallest":
            yield ("student", "architecture"), "is for student.network: family; remove this"
        if it.weights is not None and (wrong := weights_problem(it.network, it.weights)):
            yield ("student", "weights"), wrong


def student_of_space(config: Config) -> Iterator[Problem]:
    it = config.student
    for key in ("weights", "input", "taps"):
        if getattr(it, key) is not None:
            rule = "is for a network brought along; set student.network, or remove this"
            yield ("student", key), rule
    yield from not_of_space(config, ("student", "architecture"), it.architecture)


def weights_problem(network: str, weights: str) -> str | None:
    if network == OBJECT:
        return "a network passed in Python has its own; remove this"
    if is_weights_file(weights):
        return None
    if network.startswith("module:"):
        return "must be a .safetensors, .pt or .pth file"
    if network.startswith("timm:") and weights != "DEFAULT":
        return "must be DEFAULT or a file; others have a name: timm:resnet18.a1_in1k"
    return None


def is_weights_file(weights: str) -> bool:
    return weights.endswith((".safetensors", ".pt", ".pth"))


def search(config: Config) -> Iterator[Problem]:
    if refused(lambda: check_rungs(config.search.rungs)):
        yield ("search", "rungs"), "must be at least two and rise to 1, for example [0.25, 1]"
    if config.search.engine == "in-process" and config.search.workers != 1:
        rule = "engine in-process has one; set search.engine: ray-tune or ray-actors"
        yield ("search", "workers"), rule


def methods(config: Config) -> Iterator[Problem]:
    from kdsearch.distill import METHODS
    from kdsearch.distill.kinds import kind

    names = config.distill.names
    if not names:
        yield ("distill", "methods"), f"needs at least one; {did_you_mean('', METHODS)}"
    for i, (name, chosen) in enumerate(zip(names, config.distill.methods, strict=True)):
        here = ("distill", "methods", i)
        if isinstance(chosen, Sum) and (wrong := sum_problem(chosen)):
            yield here, wrong
        elif name in names[:i]:
            yield here, "named twice; remove one"
        elif wrong := refused(partial(kind, name)):
            yield here, wrong.replace(f"unknown method '{name}'", "unknown method")
        elif wrong := teacher_problem(config, name):
            yield ("teacher", "training"), wrong


def sum_problem(it: Sum) -> str | None:
    if len(it.method) < 2:
        return "method: needs two names or more; a single one stands alone"
    inner = [name for name in it.method if "+" in name]
    if inner:
        return f"method: '{inner[0]}' is a sum already; name its methods one by one"
    if it.weights is not None and len(it.weights) != len(it.method):
        return f"weights: needs {len(it.method)} numbers, one for each method"
    return None


def teacher_problem(config: Config, name: str) -> str | None:
    """Why a method cannot do without the teacher that the config leaves out."""
    from kdsearch.distill import METHODS
    from kdsearch.distill.kinds import asks_for_teacher, kind

    if config.teacher.training != "none" or config.teacher.network != "family":
        return None
    if any(knobs(config)):
        return None  # said elsewhere
    if not asks_for_teacher(kind(name), knob_space(config.distill, name)):
        return None
    free = ", ".join(m for m in METHODS if not asks_for_teacher(kind(m), kind(m).knobs))
    way_out = f"set distill.methods to some of [{free}], or teacher.training: plain"
    return f"method '{name}' needs a teacher; {way_out}"


CHECKS: tuple[Callable[[Config], Iterator[Problem]], ...] = (
    data,
    teacher,
    shaping,
    student,
    space,
    own_family,
    supernet,
    processes,
    targets,
    budgets,
    search,
    starts,
    exhaustive,
    grid,
    weights,
    cluster,
    objectives,
    methods,
    knobs,
    vary,
    teachers,
    each_further((teacher, shaping, own_family, processes)),
)
"""Every check that takes more than one value's own model."""
