"""Whether predicting the latencies of candidates takes less time than measuring them all."""

from dataclasses import dataclass

from kdsearch.measure.rounds import FEWEST_CALLS, VISIT_SECONDS

PREPARE_SECONDS = 0.1
"""To build a network and to make it ready in its runtime, roughly."""
PREDICT_SECONDS = 0.05
"""To count what a network does, roughly; the prediction itself takes none."""
PROMOTED = 0.5
"""Share of the candidates that pass the screen and are measured all the same."""


@dataclass(frozen=True, slots=True)
class Work:
    """What a search has before it."""

    candidates: int
    """Distinct ones, that ask for a latency."""
    networks: int
    """Measurements that the predictor still needs."""
    rounds: int
    typical: float
    """Milliseconds of a network of middling size: the geometric mean of both ends."""


def measuring_seconds(rounds: int, ms: float) -> float:
    """Of one network: in each round an untimed call, and a visit."""
    call = ms / 1e3
    return PREPARE_SECONDS + rounds * (call + max(VISIT_SECONDS, FEWEST_CALLS * call))


def is_worth_it(work: Work) -> bool:
    """Compares the two ways, the predictor's own measurements included."""
    one = measuring_seconds(work.rounds, work.typical)
    measured = work.candidates * one
    promoted = work.candidates * PROMOTED * one
    return work.networks * one + work.candidates * PREDICT_SECONDS + promoted < measured
