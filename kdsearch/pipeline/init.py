"""Verb `init`: a short config to start from, important keys live, others as comments."""

from collections.abc import Sequence
from pathlib import Path

from kdsearch.config.checks import data_problem
from kdsearch.core.budget import parse
from kdsearch.errors import RunError, UserError
from kdsearch.files import write_text
from kdsearch.spaces.marked import written

TEXT = """\
# A run of kdsearch. What is commented out shows the default, under `budget` an example;
# `kdsearch check` prints every key there is.

data:
  # digits, torchvision:NAME, folder:PATH (a folder of images per class) or
  # module:pkg.mod:factory (runs your code)
  name: {data}
  # root: null        # where a torchvision data set lies
  # download: false   # whether it may be downloaded there
  # size: null        # image side in pixels; null keeps the images' own
  # augment: shift    # none, shift or shift-flip

teacher:
  epochs: 40          # trained here: the largest student of the space, `width` times as wide
  # width: 1.0
  # training: plain   # none: a network brought along is used as it is
  # network: family   # torchvision:resnet18, or module:pkg.mod:factory (runs your code)
  # weights: null     # DEFAULT for torchvision's, or a .safetensors or .pt file
  # finetune: null    # {{epochs: 5}} fits a new head where the classes differ

space: resnet-tiny    # or resnet-cifar (32 px), or the path of your own YAML file

supernet:
  epochs: 60

distill:
  methods: [soften, hard]   # `kdsearch methods` lists them; decoupled+attention adds two
  epochs: 40

budget:               # a number, or a share of the largest student's
{budget}

search:
  trials: 40          # may be raised later: the search goes on
  # seconds: null                        # 3600: an hour; also device_seconds, patience
  # sampler: tpe                         # gp, nsga2, random, grid
  # vary: {{}}                           # {{learning_rate: [0.02, 0.1]}} is searched, too
  # rungs: [0.25, 1.0]                   # [0.1, 0.3, 1.0] halves between shares of the training
  # objectives: [accuracy, latency_ms]   # `kdsearch objectives` lists them
  # engine: in-process                   # or ray-tune, ray-actors
  # workers: 1

latency:              # or several targets; latency_ms@edge may be bounded, or an objective:
  # - {{name: server, runtime: onnxruntime, threads: 2}}
  # - {{name: edge, runtime: eager}}
  runtime: onnxruntime
  # threads: 1
  # batch_size: 1

# finalists: {{count: 8, seeds: 1}}
# seed: 0
# device: auto        # cpu or cuda
"""
EXAMPLES = ("latency_ms: 5", "params: 60%", "macs: 60%")


def starter(data: str | None = None, bounds: Sequence[str] = ()) -> str:
    """The text of a config for a data set and bounds like 'latency_ms=5' or 'params=60%'.

    Raises UserError where `data` names no data set or a bound is none.
    """
    name = "digits" if data is None else data
    problem = data_problem(name)
    if problem:
        raise UserError(f"data '{name}': {problem}")
    live = dict(bound_line(bound) for bound in bounds)
    asides = (f"  # {example}" for example in EXAMPLES if example.partition(":")[0] not in live)
    budget = "\n".join((*live.values(), *asides))
    return TEXT.format(data=written(name), budget=budget)


def write_starter(
    path: str | Path, data: str | None = None, bounds: Sequence[str] = ()
) -> None:
    """Writes `starter(data, bounds)`; raises RunError rather than overwrite a file."""
    if Path(path).exists():
        raise RunError(f"{path} exists already; remove it or write to another file")
    write_text(Path(path), starter(data, bounds))


def bound_line(bound: str) -> tuple[str, str]:
    name, equals, limit = bound.partition("=")
    if not equals:
        raise UserError(f"bound '{bound}' must have the form latency_ms=5 or params=60%")
    parse(name.strip(), limit)
    return name.strip(), f"  {name.strip()}: {limit.strip()}"
