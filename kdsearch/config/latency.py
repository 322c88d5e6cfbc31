"""Where students are to run: one target, or a list of them with names of their own."""

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from kdsearch.config.section import Section
from kdsearch.config.values import Count, NotBelowZero, Threads


class Latency(Section):
    """Where and how a student's forward pass is timed."""

    name: str | None = None
    """What the target is called; null: its runtime, threads and batch. A list needs names."""
    runtime: str = "onnxruntime"
    """Runtime that is timed: `kdsearch runtimes` lists them (docs/latency.md)."""
    threads: Threads = 1
    """Threads of one forward pass."""
    batch_size: Count = 1
    """Images per forward pass."""
    precision: Literal["float32", "bf16"] = "float32"
    """Number format of the forward pass: float32 or bf16, where the runtime has it."""
    layout: Literal["contiguous", "channels_last"] = "contiguous"
    """How images and weights lie in memory: contiguous or channels_last."""
    size: Count | None = None
    """Image side in pixels that is timed; null is the data's. Accuracies stay the data's."""
    rounds: Count = 30
    """Shuffled rounds over all networks; more make the intervals narrower."""
    within: Annotated[float, Field(gt=0, lt=1)] | None = None
    """Rounds end early once every median is known to this share, 0.02 for 2 %, to either side;
    null does all of them."""
    busy: Literal["flag", "wait", "refuse"] = "flag"
    """Where others leave fewer cores than `threads`: flag measures and marks it, wait gives
    them `patience` seconds to end first, refuse stops the run."""
    patience: NotBelowZero = 60.0
    """Seconds that wait waits at most."""

    profile: str | None = None
    """A file that `kdsearch profile --import` wrote: another device's latencies, measured there
    or predicted, instead of this machine's. The keys above are then the file's (but name)."""
    predict: Literal["auto", "always", "never"] = "auto"
    """Whether candidates that were not trained yet may have predicted latencies. auto: where
    that saves measuring and the predictor errs little; all others are measured in any case."""

    @property
    def title(self) -> str:
        """Its name, or what it is: 'onnxruntime, 1 thread, batch 1'."""
        if self.name is not None:
            return self.name
        more = [
            word
            for word, usual in (
                (self.precision, "float32"),
                (self.layout.replace("_", " "), "contiguous"),
                (f"{self.size} px", "None px"),
            )
            if word != usual
        ]
        threads = f"{self.threads} thread{'s' if self.threads > 1 else ''}"
        return ", ".join([self.runtime, threads, f"batch {self.batch_size}", *more])


def form(value: Any) -> str:
    return "several" if isinstance(value, list | tuple) else "one"


LatencyChoice = Annotated[
    Annotated[Latency, Tag("one")] | Annotated[tuple[Latency, ...], Tag("several")],
    Discriminator(form),
]
