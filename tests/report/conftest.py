"""A made-up run, big enough to look like a real one."""

import math
import random
from collections.abc import Callable

import pytest

from kdsearch.report.choice import Candidate, Choice, Quantity, Tried
from kdsearch.report.summary import (
    Curve,
    DataSummary,
    Latency,
    Limit,
    MethodRow,
    Score,
    SearchSummary,
    StageTime,
    StudentRow,
    Summary,
    TeacherRow,
    TrialDot,
)

TARGET = "onnxruntime, 1 thread, batch 1"


@pytest.fixture
def example() -> Callable[..., Summary]:
    return made_up


PREDICTED = {
    "networks": 64,
    "within_10_percent": 0.86,
    "tau": 0.91,
    "coverage": 0.9,
    "ceiling": {"within_10_percent": 0.98, "tau": 0.97},
    "bias_on_front": {"ratio": 1.01, "ci95": [0.98, 1.04], "students": 6},
}


def made_up(students: int = 7, trials: int = 60) -> Summary:
    rng = random.Random(3)
    rows = tuple(student(i, students) for i in range(students))
    tried = tuple(trial(n, rng) for n in range(trials))
    return Summary(
        run="quickstart",
        made="2026-11-21 14:05",
        version="0.1.0",
        students=rows,
        knee="s003" if students > 3 else None,
        teacher=TeacherRow(
            name="resnet, width 2",
            search_accuracy=0.9917,
            test_accuracy=0.9889,
            search_ci95=(0.976, 0.997),
            test_ci95=(0.972, 0.996),
            params=1_230_000,
            macs=38_400_000,
            latencies=(Latency(TARGET, 1.42, 1.61, (1.40, 1.45)),),
        ),
        limits=(Limit("latency_ms", 0.15, "latency_ms <= 60%"),),
        trials=tried,
        predictor={TARGET: PREDICTED},
        targets={TARGET: {"runtime": "onnxruntime", "threads": 1, "layout": "channels_last"}},
        choice=choice(rows, tried),
        curves=curves(students),
        search=SearchSummary(
            space="resnet-tiny",
            count=729,
            sampler="tpe",
            engine="in-process",
            trials=40,
            objectives=("accuracy", "latency_ms"),
            rungs=(0.25, 1.0),
            methods=(
                MethodRow("hard", {}),
                MethodRow(
                    "soften",
                    {"temperature": "one of 1.0, 2.0, 4.0, 8.0", "weight": "0.5 to 0.9"},
                ),
            ),
            choices={f"stage{s}.width": "one of 4, 8, 12" for s in (1, 2, 3)},
            hypervolume=0.8123,
        ),
        stages=(
            StageTime("data", 0.4),
            StageTime("teacher", 31.2, reused=True),
            StageTime("supernet", 28.7),
            StageTime("screen", 6.1),
            StageTime("search", 41.9),
            StageTime("finalists", 9.8),
            StageTime("export", 3.2),
        ),
        data=DataSummary(
            name="digits",
            classes=tuple("0123456789"),
            image="8 x 8, grey",
            splits={"train": 1078, "calibration": 256, "search_val": 359, "test": 360},
            fingerprint="3f9a0c11d2e4b587",
        ),
        device={
            "processor": "AMD EPYC 9B14",
            "threads": 1,
            "runtime": "onnxruntime 1.31.1",
            "torch": "2.15.0",
            "batch size": 1,
            "precision": "float32",
        },
        warnings=("latencies below 0.5 ms vary between calls: p95 is up to 1.9 x p50",),
    )


def choice(students: tuple[StudentRow, ...], trials: tuple[TrialDot, ...]) -> Choice:
    return Choice(
        run="quickstart",
        command="runs/quickstart",
        leading="accuracy",
        quantities=(
            Quantity("accuracy", "accuracy", "percent", True, True, asked=True),
            Quantity("latency_ms", "latency p50", "milliseconds", False, False, asked=True),
            Quantity("params", "params", "count", False, False),
        ),
        candidates=tuple(candidate(n, row) for n, row in enumerate(students, start=1)),
        largest={"latency_ms": 0.25, "params": 174_970},
        smallest={"latency_ms": 0.016, "params": 900},
        trials=tuple(
            Tried(t.name, t.state, {"accuracy": t.accuracy, "latency_ms": t.cost})
            for t in trials
            if t.accuracy is not None and t.cost is not None
        ),
        knee="s003",
    )


def candidate(number: int, row: StudentRow) -> Candidate:
    timed = row.latencies[0]
    assert row.search_accuracy and row.params and timed.p50_ms and timed.ci95_ms
    values = {
        "accuracy": row.search_accuracy,
        "latency_ms": timed.p50_ms,
        "params": row.params,
    }
    return Candidate(
        row.id,
        values,
        {**values, "latency_ms": timed.ci95_ms[1]},
        {"latency_ms": timed.ci95_ms},
        row.method,
        f"card-{number}",
        row.alike.get("accuracy", ()),
    )


def student(rank: int, students: int) -> StudentRow:
    p50 = 0.016 * 1.55**rank
    accuracy = 0.985 - 0.10 * math.exp(-0.75 * rank)
    test = accuracy - 0.004 + 0.003 * (rank % 3)
    return StudentRow(
        id=f"s{rank:03d}",
        architecture={
            **{f"stage{s}.width": 4 * s + 2 * rank for s in (1, 2, 3)},
            **{f"stage{s}.depth": 1 + (rank + s) % 2 for s in (1, 2, 3)},
        },
        method="hard" if rank == 0 else "soften",
        knobs={} if rank == 0 else {"temperature": 4.0, "weight": 0.9},
        search_accuracy=accuracy,
        search_ci95=(accuracy - 0.018, min(1.0, accuracy + 0.010)),
        test_accuracy=test,
        test_ci95=(test - 0.018, min(1.0, test + 0.010)),
        params=900 * 2**rank,
        macs=42_000 * 1.9**rank,
        latencies=(
            Latency(
                TARGET,
                p50,
                p50 * 1.3,
                (p50 * 0.97, p50 * 1.04),
                p50 * 1.7,
                predicted_ms=p50 * 1.02,
                predicted_90_ms=(p50, p50 * 1.2 + 1e-3),
                load=1.4 if rank == 2 else None,
            ),
        ),
        trial=3 * rank + 1,
        rung=2,
        seeds=1,
        energy_uj=2.5,
        scores=(
            Score("accuracy", accuracy, (accuracy - 0.018, min(1.0, accuracy + 0.01))),
            Score("macro_f1", 0.9, None, 0.89),
        ),
        alike={"accuracy": ("s003",)} if rank == 4 else {},
    )


def trial(number: int, rng: random.Random) -> TrialDot:
    cost = 0.015 * math.exp(rng.random() * 2.9)
    ceiling = 0.985 - 0.16 * math.exp(-0.9 * math.log(cost / 0.015))
    state = ("trained", "screened", "stopped", "stopped")[number % 4]
    if number % 29 == 28:
        reason = "loss is not a number at step 112; lower distill.learning_rate"
        return TrialDot(f"trial {number}", "failed", reason=reason)
    lost = {"trained": 0.012, "screened": 0.25, "stopped": 0.05}[state]
    return TrialDot(
        name=f"trial {number}",
        state=state,
        accuracy=ceiling - lost * rng.random(),
        cost=cost,
        rung={"trained": 2, "screened": 0, "stopped": 1}[state],
        reason="dominated at rung 1" if state == "stopped" else "",
    )


def curves(finalists: int) -> tuple[Curve, ...]:
    rng = random.Random(5)

    def falling(end: float, speed: float) -> tuple[tuple[float, float], ...]:
        noise = [1 + 0.06 * rng.gauss(0, 1) for _ in range(70)]
        return tuple(
            (8 * i, (end + 2.2 * math.exp(-speed * i / 10)) * n) for i, n in enumerate(noise)
        )

    def rising(end: float, speed: float) -> tuple[tuple[float, float], ...]:
        return tuple((56 * i, end - 0.6 * math.exp(-speed * i)) for i in range(1, 11))

    return (
        Curve("teacher", "teacher", falling(0.02, 1.1), rising(0.991, 0.7)),
        Curve("supernet", "largest", falling(0.2, 0.8), rising(0.972, 0.5)),
        Curve("supernet", "smallest", falling(0.6, 0.4), rising(0.861, 0.35)),
        *(
            Curve(
                "finalists",
                f"s{i:03d}",
                falling(0.3 / (i + 1), 0.9),
                rising(0.9 + 0.012 * i, 1),
            )
            for i in range(finalists)
        ),
    )
