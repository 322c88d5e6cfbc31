"""Torchvision's classification sets by name, read from `root` or downloaded into it."""

import contextlib
import inspect
import sys
import warnings
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np
from torch import Tensor

from kdsearch.core.progress import Progress
from kdsearch.data.arrays import array_part, images_of, labels_of
from kdsearch.data.indexed import Labelled, classes_of, raw_of
from kdsearch.data.records import Options, Raw
from kdsearch.errors import DataError, did_you_mean

Arguments = dict[str, Any]

SPLITS: Mapping[str, tuple[Arguments, Arguments]] = MappingProxyType(
    {
        "EMNIST": ({"split": "balanced", "train": True}, {"split": "balanced", "train": False}),
        "FGVCAircraft": ({"split": "trainval"}, {"split": "test"}),
        "ImageNet": ({"split": "train"}, {"split": "val"}),
        "Imagenette": ({"split": "train"}, {"split": "val"}),
        "OxfordIIITPet": ({"split": "trainval"}, {"split": "test"}),
        "Places365": ({"split": "train-standard"}, {"split": "val"}),
    }
)
"""Constructor arguments of train and test part, where the constructor's names do not tell."""


class Torchvision:
    """Any classification set of torchvision.datasets; needs data.root."""

    name: ClassVar[str] = "torchvision"
    usage: ClassVar[str] = "torchvision:NAME"

    def load(self, argument: str, options: Options, progress: Progress) -> Raw:
        constructor = find(argument)
        train, test = parts(argument, accepted(constructor))
        with quietly():
            first = make(constructor, train, options)
            second = None if test is None else make(constructor, test, options)
            return resident(first, second, options) or raw_of(first, second, options)

    def describe(self, argument: str, options: Options) -> dict[str, Any]:
        find(argument)
        return {"name": argument}


@contextlib.contextmanager
def quietly() -> Iterator[None]:
    """Torchvision's sets warn about their own code, and print where results belong."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(sys.stderr):
        warnings.simplefilter("ignore")
        yield


def find(name: str) -> Any:
    """A data set's class; raises DataError with the nearest name if there is none."""
    from torchvision import datasets

    if not name:
        raise DataError("which set? for example torchvision:FashionMNIST")
    if name not in datasets.__all__:
        raise DataError(f"no set '{name}'; {did_you_mean(name, datasets.__all__)}")
    if name in ("ImageFolder", "DatasetFolder"):
        raise DataError(f"{name} is a layout of folders; write folder:PATH")
    return getattr(datasets, name)


def accepted(constructor: Any) -> set[str]:
    """Names of the arguments that a class takes, those handed on to its bases included."""
    names: set[str] = set()
    for base in constructor.__mro__:
        if "__init__" not in vars(base):
            continue
        arguments = inspect.signature(base.__init__).parameters
        names |= set(arguments)
        if all(a.kind is not inspect.Parameter.VAR_KEYWORD for a in arguments.values()):
            break
    return names


def parts(name: str, arguments: set[str]) -> tuple[Arguments, Arguments | None]:
    """Constructor arguments that give the training part, and the test part if there is one."""
    if name in SPLITS:
        return SPLITS[name]
    if "train" in arguments:
        return {"train": True}, {"train": False}
    if "split" in arguments:
        return {"split": "train"}, {"split": "test"}
    return {}, None


def make(constructor: Any, part: Arguments, options: Options) -> Any:
    """One part of a set; raises DataError that says what to set if it is not there."""
    arguments, names = dict(part), accepted(constructor)
    if "root" in names:
        if options.root is None:
            raise DataError(
                "data.root is not set; set it to the folder that holds the set, or with "
                "data.download: true to the folder to fetch it into"
            )
        arguments["root"] = options.root
    if "download" in names:
        arguments["download"] = options.download
    try:
        return constructor(**arguments)
    except TypeError as error:
        raise DataError(
            f"cannot be made from a root folder alone ({error}); "
            "write a factory for it: module:pkg.mod:factory"
        ) from error
    except Exception as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else repr(error)
        way_out = (
            "check the network, or put its files there by hand"
            if options.download
            else "set data.root to the folder that holds it, or data.download: true to fetch it"
        )
        raise DataError(
            f"not readable in data.root {options.root} ({reason}); {way_out}"
        ) from error


def stored(dataset: Any) -> tuple[Any, Any] | None:
    """Images and labels that a set holds as whole arrays; None if it does not."""
    data = getattr(dataset, "data", None)
    labels = getattr(dataset, "targets", getattr(dataset, "labels", None))
    whole = isinstance(data, np.ndarray | Tensor) and data.ndim in (3, 4)
    return (data, labels) if whole and labels is not None and np.ndim(labels) == 1 else None


def resident(train: Any, test: Any | None, options: Options) -> Raw | None:
    """A source made of the sets' own arrays, without a detour through PIL; None if not."""
    pairs = [stored(one) for one in (train, test) if one is not None]
    if any(pair is None for pair in pairs):
        return None
    arrays = [(images_of(data), labels) for data, labels in filter(None, pairs)]
    first = [int(value) for value in arrays[0][1]]
    classes = classes_of(Labelled(train, range(len(first)), first))
    channels = arrays[0][0].shape[1]
    size = options.size or min(arrays[0][0].shape[2:])
    made = [
        array_part(images, labels_of(labels, len(images), len(classes)), size)
        for images, labels in arrays
    ]
    return Raw(
        classes, channels, size, train=made[0], test=made[1] if test is not None else None
    )
