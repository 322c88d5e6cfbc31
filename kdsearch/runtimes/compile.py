"""torch.compile: the network as C++ that Inductor generates and a compiler builds.

Compiling a network takes seconds to minutes, where ONNX Runtime needs hundredths of one.
"""

import logging
import os
import shlex
import shutil
import sys
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from kdsearch.errors import UserError
from kdsearch.runtimes.placed import LAYOUTS, PRECISIONS, array, pinned, placed, tensor
from kdsearch.runtimes.runtime import Array, Calling, Prepared

Forward = Callable[[Tensor], Tensor]
Backend = str | Callable[..., Forward]


class Compile:
    name = "compile"
    precisions = tuple(PRECISIONS)
    layouts = tuple(LAYOUTS)
    on_gpu = False

    def __init__(self, backend: Backend = "inductor") -> None:
        self._backend = backend

    def lacks(self, calling: Calling) -> str:
        """A C++ compiler, where `CXX` names none and there is none of the usual name."""
        usual = "clang++" if sys.platform == "darwin" else "g++"
        compiler = os.environ.get("CXX", usual)
        if shutil.which((shlex.split(compiler) or [usual])[0]) is not None:
            return ""
        return f"no C++ compiler '{compiler}' here; install one, or name one in CXX"

    def prepare(self, module: nn.Module, example: Tensor, calling: Calling) -> Prepared:
        """See `Runtime.prepare`; compiles now, for the example's shape and thread count."""
        network = apart(placed(module, calling))
        compiled: Forward = torch.compile(
            network, fullgraph=True, dynamic=False, backend=self._backend
        )

        def call(images: Array) -> Array:
            with pinned(calling.threads), torch.inference_mode():
                return array(compiled(tensor(images, calling)))

        try:
            with quiet():
                call(example.detach().cpu().numpy())
        except torch._dynamo.exc.TorchDynamoException as error:
            reason = str(error).strip().splitlines()[0]
            raise UserError(
                f"latency.runtime: compile: a student cannot be compiled ({reason}); "
                "eager runs it as it is"
            ) from error
        return Prepared(call)

    def version(self) -> str:
        return str(torch.__version__)


def apart(network: nn.Module) -> Forward:
    """The network's forward under code of its own.

    PyTorch keeps what it compiles by code and gives up after eight variants: networks of one
    class would share one code, and the ninth would run as if never compiled.
    """

    def forward(images: Tensor) -> Tensor:
        logits: Tensor = network(images)
        return logits

    return types.FunctionType(
        forward.__code__.replace(), forward.__globals__, closure=forward.__closure__
    )


@contextmanager
def quiet() -> Iterator[None]:
    """Without the note that a build of PyTorch for GPUs finds none here."""
    logger = logging.getLogger("torch.utils.cpp_extension")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)
