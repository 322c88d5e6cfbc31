"""Searches on a table of real trainings: samplers, the stop rule, resume, limits and query."""

import random
import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from replayed import HERE, OBJECTIVES

from kdsearch.core.ladder import is_audited
from kdsearch.core.objectives import minimised
from kdsearch.core.pareto import front
from kdsearch.core.records import Candidate
from kdsearch.errors import BudgetError
from kdsearch.pipeline.query import choose, read_bounds
from kdsearch.search.limits import Limits
from kdsearch.search.study.samplers import SAMPLERS
from kdsearch.search.trial import Trial

Make = Callable[..., Any]


def volume(table: Any, trials: Sequence[Trial], top: int) -> float:
    """Of what came to the top rung."""
    done = [t.candidate for t in trials if top in t.scores]
    return float(table.volume([table.values(candidate) for candidate in done]))


# The table itself.


def test_the_table_is_whole_and_small(table: Any) -> None:
    students, recipes, rungs = table.arrays["correct"].shape
    assert students == len(table.students) == table.pool.architectures.count() >= 500
    assert recipes == len(table.recipes) == len(set(table.recipes)) >= 4
    assert rungs == len(table.facts["fractions"]) == 3
    assert table.facts["trainings"] == students * recipes
    assert (table.arrays["seconds"][..., 0] > 0).all() or (table.arrays["correct"] < 0).any()
    for name in ("params", "macs", "latency_ms", "latency_p95_ms"):
        assert (table.arrays[name] > 0).all()
    assert sum((HERE / f"digits.{kind}").stat().st_size for kind in ("npz", "json")) < 500_000


def test_its_curves_are_learning_curves(table: Any) -> None:
    """Longer is better, larger is better, and a rung ranks about as the next one does."""
    from scipy.stats import kendalltau

    scored = table.arrays["correct"][(table.arrays["correct"] >= 0).all(axis=2)]
    means = scored.mean(axis=0)
    assert means[0] < means[1] < means[2] < table.images
    taus = [kendalltau(scored[:, n], scored[:, n + 1]).statistic for n in (0, 1)]
    assert all(0.3 < tau < 0.99 for tau in taus)
    best = table.arrays["correct"][..., 2].max(axis=1)
    assert kendalltau(best, table.arrays["macs"]).statistic > 0.4
    assert kendalltau(table.arrays["latency_ms"], table.arrays["macs"]).statistic > 0.6


def test_a_search_on_it_sees_its_numbers(table: Any, replay: Make) -> None:
    trials = replay("numbers", "random", trials=8, reduction=1.0).run()
    for trial in trials:
        for rung, (accuracy, latency) in trial.scores.items():
            student, recipe = trial.candidate.architecture, trial.candidate.recipe
            cell = table.cell(student, recipe, rung - 1) if rung else None
            assert accuracy == (cell.accuracy if cell else table.inherited(student))
            assert latency == table.costs(student)["latency_ms"]
    assert len(np.unique(table.arrays["inherited"])) > 100


# Samplers.


@pytest.mark.parametrize(
    "sampler",
    [pytest.param(n, marks=pytest.mark.slow) if n == "gp" else n for n in SAMPLERS],
)
def test_every_sampler_comes_to_the_end(sampler: str, replay: Make) -> None:
    search = replay(sampler, sampler, trials=24)
    trials = search.run()
    assert [t.number for t in trials] == list(range(24))
    assert {t.state for t in trials} <= {"complete", "stopped", "failed"}
    assert len({t.candidate for t in trials}) == 24
    jobs = [(done.candidate, done.rung) for done in search.log]
    assert len(set(jobs)) == len(jobs), "nothing is trained twice"


@pytest.mark.slow
def test_tpe_finds_more_than_chance_does(table: Any, replay: Make) -> None:
    everyone = {"fractions": (1.0, 1.0), "trials": 80}
    found = {
        sampler: [
            volume(table, replay(f"{sampler} {n}", sampler, seed=n, **everyone).run(), 1)
            for n in range(4)
        ]
        for sampler in ("tpe", "random")
    }
    assert np.mean(found["tpe"]) > np.mean(found["random"])
    assert max(found["tpe"]) <= table.exhaustive


# The stop rule.


def test_halving_stops_most_and_keeps_the_front(table: Any, replay: Make) -> None:
    everyone = replay("everyone", "random", trials=60, reduction=1.0)
    halved = replay("halved", "random", trials=60)
    all_of_them, kept = everyone.run(), halved.run()
    assert [t.candidate for t in kept] == [t.candidate for t in all_of_them]
    reached = Counter(rung for t in kept for rung in t.scores)
    assert reached[1] == 60
    assert 10 <= reached[2] <= 35 and 3 <= reached[3] <= 20
    assert halved.epochs < 0.5 * everyone.epochs == 0.5 * 60 * 9
    assert volume(table, kept, 3) > 0.95 * volume(table, all_of_them, 3)
    stopped = [t for t in kept if t.state == "stopped"]
    assert {t.reason for t in stopped} == {f"not among the best at rung {n}" for n in (1, 2)}


def test_the_audited_climb_whatever_they_score(replay: Make) -> None:
    trials = replay("audits", "random", trials=60, audits=True).run()
    audited = [t for t in trials if is_audited(0, t.number)]
    assert 2 <= len(audited) <= 12
    assert {t.state for t in audited} <= {"complete", "failed"}


def test_the_screen_stops_before_any_training(replay: Make) -> None:
    search = replay("screen", "random", trials=40, keep_layers=1)
    trials = search.run()
    screened = [t for t in trials if set(t.scores) == {0}]
    assert 10 < len(screened) < 40
    trained = {done.candidate for done in search.log}
    assert not trained & {t.candidate for t in screened}


# Limits.


def test_device_seconds_and_patience_end_a_search(replay: Make) -> None:
    rich = replay("rich", "random", trials=400)
    rich.limits = Limits(device_seconds=20)
    trials = rich.run()
    assert 20 <= rich.limits.device_spent < 40
    assert 8 <= len(trials) < 400
    patient = replay("patient", "random", trials=400)
    patient.limits = Limits(patient.terms.objectives, patience=5)
    patient.run()
    assert "5 trials did not add to the front" in patient.limits.reason


# A kill: the journal cut anywhere, with and without the results that were on disk.


@pytest.mark.parametrize("sampler", ["tpe", "nsga2"])
@pytest.mark.parametrize("results", ["kept", "lost"])
def test_cut_anywhere_the_same_trials_come_again(
    sampler: str, results: str, replay: Make
) -> None:
    whole = replay("whole", sampler, trials=32, audits=True)
    expected = whole.run()
    size, rng = whole.journal.stat().st_size, random.Random(results)
    for number in range(4):
        cut = replay(f"cut {number}", sampler, trials=32, audits=True)
        shutil.copytree(whole.folder, cut.folder)
        with cut.journal.open("r+b") as file:
            file.truncate(rng.randrange(size))
        if results == "lost":
            for path in ("trials", "inherited"):
                shutil.rmtree(cut.folder / path)
        assert cut.run() == expected
        assert results == "lost" or not cut.log, "what is on disk is not done again"


def test_more_trials_go_on_where_it_was(replay: Make) -> None:
    expected = replay("at once", trials=32).run()
    first = replay("raised", trials=16)
    first.run()
    more = replay("raised", trials=32)
    assert more.run() == expected
    assert not {d.candidate for d in more.log} & {t.candidate for t in expected[:16]}


# Query.


def published(table: Any, trials: Sequence[Trial]) -> dict[str, Any]:
    """The content of front.json, as far as a query reads it."""
    done = [t for t in trials if t.state == "complete"]
    points = [minimised(t.scores[t.rung], OBJECTIVES) for t in done]
    ends = {"smallest": table.students[0], "largest": table.students[-1]}
    return {
        "directions": {"accuracy": "maximize", "latency_ms": "minimize"},
        "space": {name: table.costs(student) for name, student in ends.items()},
        "points": [point(table, done[i]) for i in front(points)],
    }


def point(table: Any, trial: Trial) -> dict[str, Any]:
    costs = table.costs(trial.candidate.architecture)
    accuracy, latency = trial.scores[trial.rung]
    timed = {"p50": latency, "p95": costs["latency_p95_ms"], "ci95": [latency, 1.02 * latency]}
    return {
        "id": f"s{trial.number:03d}",
        "search_accuracy": accuracy,
        "scores": {"accuracy": accuracy},
        "params": costs["params"],
        "macs": costs["macs"],
        "costs": costs,
        "latency": {"table": timed},
    }


@pytest.mark.parametrize("share", [0.1, 0.2, 0.4, 0.8, 1.0])
def test_a_query_gives_the_best_that_was_trained_within_the_budget(
    share: float, table: Any, replay: Make
) -> None:
    trials = replay("queried", "random", trials=60).run()
    limit = share * table.largest["latency_ms"]
    within = [
        t.scores[3][0] for t in trials if 3 in t.scores and 1.02 * t.scores[3][1] <= limit
    ]
    content = published(table, trials)
    bounds = read_bounds([f"latency_ms={share:.0%}"], [])
    if within:
        answer = choose(content, bounds)
        assert answer.student["search_accuracy"] == max(within)
        assert answer.student["latency"]["table"]["ci95"][1] <= limit
    else:
        with pytest.raises(BudgetError, match=r"no student keeps latency_ms"):
            choose(content, bounds)


def test_what_cannot_be_kept_is_refused_with_the_least_there_is(
    table: Any, replay: Make
) -> None:
    content = published(table, replay("refused", "random", trials=24).run())
    with pytest.raises(BudgetError, match=r"the smallest value in the space is"):
        choose(content, read_bounds(["latency_ms=0.000001"], []))


def test_a_training_that_came_to_nothing_fails_its_trial(table: Any, replay: Make) -> None:
    search = replay("diverged", "random", trials=16)
    cell = table.cell
    bad: list[Candidate] = []

    def result(job: Any) -> Any:
        if job.rung == 2 and not bad:
            bad.append(Candidate(job.architecture, job.recipe))
        is_bad = Candidate(job.architecture, job.recipe) in bad if job.recipe else False
        found = type(search).result(search, job)
        return type(found)(job.name, job.rung, "diverged", reason="no") if is_bad else found

    search.result = result
    trials = search.run()
    failed = [t for t in trials if t.state == "failed"]
    assert [t.candidate for t in failed] == bad and failed[0].rung == 1
    assert cell(bad[0].architecture, bad[0].recipe, 2) is not None
