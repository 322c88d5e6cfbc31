"""Images that a function of the user's makes: `module:pkg.mod:factory`; runs that code."""

from typing import Any, ClassVar

from torch import Tensor

from kdsearch.core.progress import Progress
from kdsearch.data.arrays import array_part, class_names, images_of, labels_of
from kdsearch.data.indexed import raw_of
from kdsearch.data.records import Options, Raw
from kdsearch.errors import DataError
from kdsearch.factory import find_factory, source_of
from kdsearch.files import content_hash

FORMS = (
    "(images, labels, classes), ((images, labels), (test images, test labels), classes), "
    "or two data sets (train, test) with len() and [i] -> (image, label)"
)


class Module:
    """Arrays or data sets from a Python function of yours; runs that code."""

    name: ClassVar[str] = "module"
    usage: ClassVar[str] = "module:pkg.mod:factory"

    def load(self, argument: str, options: Options, progress: Progress) -> Raw:
        function = find_factory(argument)
        try:
            made = function()
        except Exception as error:
            raise DataError(
                f"{argument}() raised {type(error).__name__}: {error}; mend it: "
                f"it takes no argument and returns {FORMS}"
            ) from error
        return source(made, options)

    def describe(self, argument: str, options: Options) -> dict[str, Any]:
        return {"function": argument, "source": content_hash(source_of(argument))}


def is_pair(value: Any) -> bool:
    return isinstance(value, tuple | list) and len(value) == 2


def is_dataset(value: Any) -> bool:
    sized = hasattr(value, "__len__") and hasattr(value, "__getitem__")
    return sized and not isinstance(value, Tensor | str | dict) and not hasattr(value, "dtype")


def source(made: Any, options: Options) -> Raw:
    """What the factory returned as a source; raises DataError if it is none of FORMS."""
    if isinstance(made, tuple | list) and len(made) == 3:
        first, second, names = made
        if is_pair(first) and is_pair(second):
            return arrays(first, second, names, options)
        return arrays((first, second), None, names, options)
    if is_pair(made) and all(map(is_dataset, made)):
        return raw_of(made[0], made[1], options)
    raise DataError(f"the factory returned {type(made).__name__}; it must return {FORMS}")


def arrays(train: Any, test: Any | None, names: Any, options: Options) -> Raw:
    """A source of (images, labels) pairs; raises DataError if they do not fit each other."""
    classes = class_names(names)
    images = images_of(train[0])
    channels = images.shape[1]
    size = options.size or min(images.shape[2:])
    labels = labels_of(train[1], len(images), len(classes))
    part = array_part(images, labels, size)
    if test is None:
        return Raw(classes, channels, size, part)
    test_images = images_of(test[0], "test images")
    if test_images.shape[1:] != images.shape[1:]:
        raise DataError(
            f"test images are {tuple(test_images.shape[1:])}, training images "
            f"{tuple(images.shape[1:])}: (channels, height, width); give both the same"
        )
    test_labels = labels_of(test[1], len(test_images), len(classes), "test labels")
    return Raw(classes, channels, size, part, test=array_part(test_images, test_labels, size))
