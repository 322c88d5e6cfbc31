"""The climb with results from a formula: what is screened, refused, stopped, failed, and what a
kill or several workers may not change."""

import math
import os
import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from optuna.storages.journal import JournalFileBackend

from kdsearch.core.budget import parse
from kdsearch.core.ladder import is_audited, ranking
from kdsearch.core.objectives import KNOWN, minimised
from kdsearch.core.records import Architecture, Candidate, Job, Recipe, Result
from kdsearch.core.space import Choice, Space
from kdsearch.errors import SearchError
from kdsearch.files import write_json
from kdsearch.search.jobs import trial_job
from kdsearch.search.leavings import claim_of
from kdsearch.search.limits import Limits
from kdsearch.search.pool import Pool
from kdsearch.search.survivors import summary, survivors
from kdsearch.search.terms import Places
from kdsearch.search.trial import Trial

FIRST = Architecture.of({"depth": 2, "width": 8})


def point(trial: Trial, rung: int = 0) -> tuple[float, ...]:
    return tuple(minimised(trial.scores[rung], (KNOWN["accuracy"], KNOWN["macs"])))


def dominates(a: tuple[float, ...], b: tuple[float, ...]) -> bool:
    return all(x <= y for x, y in zip(a, b, strict=True)) and a != b


def depth(point: tuple[float, ...], points: list[tuple[float, ...]]) -> int:
    """Layer of a point by definition: one below the deepest of those that dominate it."""
    above = [p for p in points if dominates(p, point)]
    return 1 + max((depth(p, points) for p in above), default=-1)


def test_a_search_ends_with_every_trial_told_once(world: Any) -> None:
    trials = world.run()
    assert [t.number for t in trials] == list(range(16))
    assert [t.batch for t in trials] == [4 * (n // 4) for n in range(16)]
    assert {t.state for t in trials} == {"complete", "stopped"}
    assert all(set(t.scores) == {0, 1} for t in trials if t.state == "complete")
    assert all(set(t.scores) == {0} for t in trials if t.state == "stopped")
    assert len(set(world.executed)) == len(world.executed)


def test_rung_0_belongs_to_the_architecture(world: Any) -> None:
    """Twelve students for sixteen trials: some are met twice, none is scored twice."""
    trials = world.run()
    met = {t.candidate.architecture.id for t in trials}
    inherited = [name for name in world.executed if name.startswith("inherited")]
    assert len(met) < len(trials)
    assert sorted(inherited) == sorted(f"inherited {i}" for i in met)
    for trial in trials:
        same = [t for t in trials if t.candidate.architecture == trial.candidate.architecture]
        assert {t.scores[0] for t in same} == {trial.scores[0]}


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_the_screen_keeps_the_first_layers(world: Any, layers: int) -> None:
    trials = world.having(keep_layers=layers).run()
    stopped = [t for t in trials if t.state == "stopped"]
    assert layers == 3 or stopped
    for trial in trials:
        seen = [point(t) for t in trials if t.batch <= trial.batch]
        is_kept = depth(point(trial), seen) < layers
        assert trial.state == ("complete" if is_kept else "stopped")
    assert {t.reason for t in stopped} <= {"behind the front with inherited weights"}


def test_over_budget_is_stopped_before_any_training(world: Any) -> None:
    bounds = (parse("macs", 200), parse("params", "50%"))
    world = world.having(bounds=bounds)
    climb = world.climb()
    climb.prices = replace(climb.prices, largest={"macs": 768.0, "params": 200.0})
    world.climb = lambda: climb
    trials = world.run()
    over = [t for t in trials if t.violations]
    assert over and len(over) < len(trials)
    for trial in trials:
        macs = trial.scores[0][1]
        missed = {"macs": macs / 200 - 1, "params": 2 * macs / 100 - 1}
        assert trial.violations == pytest.approx({n: x for n, x in missed.items() if x > 0})
    for trial in over:
        assert trial.state == "stopped"
        assert trial.reason.startswith("over budget: ")
        assert f"trial {trial.number}, rung 1" not in world.executed
    both = next(t for t in over if len(t.violations) == 2)
    assert both.reason.startswith("over budget: macs ") and ", params " in both.reason


def test_over_budget_trials_do_not_screen_others_out(world: Any) -> None:
    """Here the cheap students break the bound; if they counted, they would dominate."""
    costs = world.costs

    def reversed_params(architectures: Sequence[Architecture]) -> Any:
        return {i: c | {"params": 1000 - c["macs"]} for i, c in costs(architectures).items()}

    world = world.having(bounds=(parse("params", 900),), keep_layers=1)
    world.costs = reversed_params
    trials = world.run()
    within = [t for t in trials if not t.violations]
    points = {t.number: point(t) for t in trials}
    assert any(dominates(points[t.number], points[w.number]) for w in within for t in trials
               if t.violations and t.batch <= w.batch)  # fmt: skip
    for trial in within:
        seen = [points[t.number] for t in within if t.batch <= trial.batch]
        assert (trial.state == "complete") == (depth(points[trial.number], seen) == 0)


def test_where_nothing_is_inherited_every_trial_within_the_budget_is_trained(
    world: Any,
) -> None:
    world = replace(world.having(bounds=(parse("macs", 200),), keep_layers=1), inherits=False)
    trials = world.run()
    assert len(trials) == 16 and not any(n.startswith("inherited") for n in world.executed)
    over = [t for t in trials if t.violations]
    assert over and all(
        (t.state, dict(t.scores), t.rung) == ("stopped", {}, -1)
        and t.reason.startswith("over budget: macs ")
        and f"trial {t.number}, rung 1" not in world.executed
        for t in over
    )
    others = [t for t in trials if not t.violations]
    assert all((t.state, set(t.scores)) == ("complete", {1}) for t in others)
    told = summary(trials, world.terms.objectives)
    assert told.startswith(f"{len(others)} complete, {len(over)} stopped, best accuracy ")


FAILURES = {
    "diverged": "loss is nan at step 3",
    "out of memory": "at batch_size 8",
    "lost": "its worker was lost again and again",
    "bug": "ValueError: no",
}


def failing(world: Any, state: str, names: set[str]) -> Any:
    """The same search in which these jobs fail."""

    def result(job: Job) -> Result:
        if job.name in names:
            return Result(job.name, job.rung, state, reason=FAILURES[state])  # type: ignore[arg-type]
        return world.result(job)

    return replace(world, result=result)


@pytest.mark.parametrize("state", FAILURES)
def test_a_failed_job_fails_its_trial_with_the_reason(world: Any, state: str) -> None:
    first = world.copy("first").run()
    number = next(t.number for t in first if t.state == "complete")
    trials = failing(world, state, {f"trial {number}, rung 1"}).run()
    assert len(trials) == 16
    assert [t.number for t in trials if t.state == "failed"] == [number]
    assert trials[number].reason == f"{state}: {FAILURES[state]}"
    assert set(trials[number].scores) == {0}


def test_a_student_that_fails_with_inherited_weights_fails_its_trials(world: Any) -> None:
    trials = failing(world, "diverged", {"inherited " + FIRST.id}).run()
    for trial in trials:
        is_it = trial.candidate.architecture == FIRST
        assert (trial.state == "failed") == is_it
        assert not is_it or (not trial.scores and trial.reason.startswith("diverged: "))


def test_three_bugs_in_a_row_end_the_search_and_a_mended_program_goes_on(world: Any) -> None:
    undisturbed = world.copy("undisturbed").run()
    names = {f"trial {n}, rung 1" for n in range(16)}
    with pytest.raises(
        SearchError, match=r"3 jobs failed in a row, .* ValueError: no; details .*rung\d\.json"
    ):
        failing(world, "bug", names).run()
    assert sum(name in names for name in world.executed) == 3
    assert world.run() == undisturbed


def test_bugs_here_and_there_end_nothing(world: Any) -> None:
    """Two bugs, one good job, two bugs, ..."""

    def result(job: Job) -> Result:
        is_good = len(world.executed) % 3 == 2 or job.rung == 0
        return world.result(job) if is_good else Result(job.name, job.rung, "bug", reason="?")

    trials = replace(world, result=result).run()
    assert len(trials) == 16
    assert {"failed", "complete"} <= {t.state for t in trials}


def test_rungs_between_the_first_and_the_last_are_climbed(world: Any) -> None:
    trials = world.having(fractions=(0.1, 0.5, 1.0)).run()
    complete = [t for t in trials if t.state == "complete"]
    assert complete
    assert all(list(t.scores) == [0, 1, 2] for t in complete)
    assert not any("rung 3" in name for name in world.executed)


def test_one_in_three_climbs_of_those_known_by_then(world: Any) -> None:
    terms = {"fractions": (0.1, 0.5, 1.0), "reduction": 3.0, "trials": 40, "keep_layers": 99}
    trials = world.having(**terms).run()
    for trial in trials:
        seen = [t for t in trials if t.number <= trial.number]
        place = ranking([point(t, 1) for t in seen])[trial.number]
        is_up = place < math.ceil(len(seen) / 3)
        assert (2 in trial.scores) == is_up
        assert trial.state == ("complete" if is_up else "stopped")
        assert trial.reason == ("" if is_up else "not among the best at rung 1")
    assert 8 <= sum(t.state == "complete" for t in trials) <= 24


def test_checkpoints_of_trials_that_are_over_go(world: Any) -> None:
    """Those of complete ones stay: finalists go on from them."""
    formula = world.result

    def result(job: Job) -> Result:
        done: Result = formula(job)
        if job.rung > 0:
            Path(job.folder).mkdir(parents=True, exist_ok=True)
            (Path(job.folder) / "checkpoint.safetensors").write_bytes(b"weights")
        return replace(done, state="diverged") if job.name == "trial 5, rung 1" else done

    world = replace(
        world.having(fractions=(0.1, 0.5, 1.0), reduction=2.0, keep_layers=99), result=result
    )
    trials = world.run()
    kept = {int(p.parent.name) for p in (world.folder / "trials").glob("*/checkpoint*")}
    assert kept == {t.number for t in trials if t.state == "complete"}
    assert {t.state for t in trials} == {"complete", "stopped", "failed"}


def test_one_in_ten_goes_up_whatever_it_scores(world: Any) -> None:
    terms = {"fractions": (0.1, 0.5, 1.0), "reduction": 4.0, "trials": 60, "keep_layers": 1}
    trials = world.having(**terms, audits=True).run()
    audited = [t for t in trials if is_audited(0, t.number)]
    assert 2 < len(audited) < 14
    assert {t.state for t in audited} == {"complete"}
    plain = replace(world.having(**terms), folder=world.folder / "plain").run()
    assert "stopped" in {plain[t.number].state for t in audited}


# When a search is over.


def test_seconds_end_a_search_and_more_of_them_go_on(world: Any) -> None:
    now = iter(range(10**6))
    hurried = replace(world, limits=Limits(seconds=9, clock=lambda: next(now)))
    trials = hurried.run()
    assert 0 < len(trials) < 16
    assert all(t.state != "running" for t in trials)
    late = [t for t in trials if t.is_late]
    assert late and all(set(t.scores) == {0} for t in late)
    assert hurried.limits.reason == "search.seconds: 9.0 s are over"
    more = replace(hurried, limits=Limits()).run()
    assert more[: len(trials)] == trials and len(more) == 16 + len(late)
    again = [t.candidate for t in more[len(trials) :]][: len(late)]
    assert again == [t.candidate for t in late]
    assert not any(t.is_late for t in more[len(trials) :])


def test_a_grid_misses_no_student_for_a_limit(world: Any) -> None:
    now = iter(range(10**6))
    grid = replace(
        world, sampler="grid", pool=Pool(world.pool.architectures, {"hard": Space({})})
    )
    grid = grid.having(trials=12, keep_layers=9)
    first = replace(grid, limits=Limits(seconds=9, clock=lambda: next(now))).run()
    late = sum(t.is_late for t in first)
    trials = grid.run()
    assert late and len(trials) == 12 + late
    assert len({t.candidate for t in trials if not t.is_late}) == 12


def test_what_was_begun_before_a_limit_comes_to_its_end(world: Any) -> None:
    """Also where a kill or Ctrl-C came in between."""
    climb = world.climb()
    while (job := climb.next()).rung == 0:
        climb.tell(world.work(job))
    write_json(Path(job.folder) / "candidate.json", claim_of(job))
    again = replace(world, limits=Limits(seconds=0)).climb()
    assert again.next() == job
    again.tell(world.work(job))
    assert again.next() is None
    assert all(t.is_late for t in again.study.trials if t.passed and 1 not in t.scores)


def test_checkpoints_that_a_kill_left_go_at_the_next_start(world: Any) -> None:
    stopped = [t for t in world.run() if t.state == "stopped"]
    path = Path(world.climb().job(stopped[0], 1).folder) / "checkpoint.safetensors"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"")
    world.climb()
    assert not path.exists()


def test_device_seconds_count_what_jobs_took(world: Any) -> None:
    def result(job: Job) -> Result:
        return replace(world.result(job), seconds=5.0 * job.rung)

    limits = Limits(device_seconds=14)
    trials = replace(world, result=result, limits=limits).run()
    trained = [t for t in trials if 1 in t.scores]
    assert len(trained) == 3 and limits.device_spent == 15
    assert limits.reason == "search.device_seconds: 14 s are spent"


def test_a_front_that_does_not_grow_ends_a_search(world: Any) -> None:
    limits = Limits(world.terms.objectives, patience=6)
    trials = replace(world.having(trials=400, keep_layers=9), limits=limits).run()
    assert 6 < len(trials) < 400
    assert "6 trials did not add to the front" in limits.reason


# Costs that are not known are measured alone.


def all_of_a_batch(world: Any, climb: Any) -> list[Job]:
    """The jobs at rung 1 of the first batch, all in flight."""
    while (job := climb.next()).rung == 0:
        climb.tell(world.work(job))
    return [job, *(climb.next() for _ in range(3))]


def test_costs_that_are_known_stop_nobody(world: Any) -> None:
    climb = world.having(trials=12, keep_layers=9).climb()
    climb.prices = replace(climb.prices, are_known=lambda asked: True)
    flight = all_of_a_batch(world, climb)
    assert {job.rung for job in flight} == {1}
    assert climb.next().rung == 0, "the next batch is begun beside them"


def test_others_are_waited_for(world: Any) -> None:
    world = world.having(trials=12, keep_layers=9)
    climb = world.climb()
    flight = all_of_a_batch(world, climb)
    while isinstance(job := climb.next(), Job) and job.rung == 0:
        climb.tell(world.work(job))
    assert job == "wait"
    asked = len(world.asked)
    for job in flight:
        climb.tell(world.work(job))
    assert climb.next().rung == 1 and len(world.asked) > asked


# What is known of a whole small space.


def test_only_the_promising_are_proposed(world: Any) -> None:
    promising = [Architecture.of({"depth": d, "width": w}) for d in (1, 3) for w in (4, 8)]
    deeper = [Architecture.of({"depth": 2, "width": w}) for w in (4, 8)]
    climb = world.climb()
    layers = climb.terms.keep_layers
    climb.depths = {**dict.fromkeys(promising, layers - 1), **dict.fromkeys(deeper, layers)}
    world.climb = lambda: climb
    trials = world.run()
    ends, others = trials[:2], trials[2:]
    assert {t.state for t in ends} == {"stopped"}
    assert {t.candidate.architecture for t in others} <= set(promising)
    assert {t.state for t in others} == {"complete"}


def test_of_a_small_space_more_are_promising_where_its_ranking_is_bad(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    climb = world.climb()
    climb.depths = {Architecture.of({"depth": 1, "width": w}): w for w in (2, 4, 8, 16)}
    climb.terms = replace(climb.terms, keep_layers=3)
    for tau, widths in ((None, {2}), (0.9, {2}), (0.3, {2, 4}), (0.0, {2, 4, 8})):
        monkeypatch.setattr(type(climb), "tau", lambda self, rung, tau=tau: tau)
        assert {a["width"] for a in climb.promising()} == widths


def test_a_grid_takes_every_student_once_and_ends(world: Any) -> None:
    only = Pool(world.pool.architectures, {"hard": Space({})})
    trials = replace(world.having(trials=99, keep_layers=99), pool=only, sampler="grid").run()
    assert len(trials) == 12 == len({t.candidate for t in trials})


def test_a_pool_smaller_than_the_trials_ends_too(world: Any) -> None:
    only = Pool(Space({"depth": Choice((1,)), "width": Choice((2, 4))}), {"hard": Space({})})
    trials = replace(world, pool=only).run()
    assert len(trials) == 16
    assert len({t.candidate for t in trials}) == 2


@pytest.mark.parametrize("sampler", ["tpe", "random"])
def test_a_candidate_is_rarely_proposed_twice(world: Any, sampler: str) -> None:
    """Ten trials of twelve students without knobs; plain draws would repeat four of them."""
    students = replace(world, pool=Pool(world.pool.architectures, {"hard": Space({})}))
    trials = replace(students.having(trials=10), sampler=sampler).run()
    assert len({t.candidate for t in trials}) == 10


def test_every_trial_has_a_seed_of_its_own_that_follows_from_the_runs() -> None:
    def seeds(run_seed: int) -> list[int]:
        trials = [trial(number, "running") for number in range(20)]
        return [trial_job(t, 1, Places(None, Path("here")), run_seed).seed for t in trials]

    assert len({*seeds(0), *seeds(1)}) == 40
    assert seeds(0) == seeds(0)
    places = Places(None, Path("here"))
    first, second = (trial_job(trial(7, "running"), rung, places, 0) for rung in (1, 2))
    assert (first.seed, first.folder) == (second.seed, second.folder)


# Whoever executes, in whatever order.


def run_crowded(world: Any, workers: int, seed: int) -> list[Trial]:
    """Several jobs in flight, results told in random order."""
    rng = random.Random(seed)
    flight: list[Job] = []
    measured = world.costs

    def costs(architectures: Sequence[Architecture]) -> Any:
        known = all(a.id in world.priced for a in architectures)
        assert known or not flight, "costs are measured while nothing else runs"
        return measured(architectures)

    world.costs = costs
    source = world.climb()
    while True:
        job = source.next() if len(flight) < workers else "wait"
        if isinstance(job, Job):
            flight.append(job)
        elif job is None:
            assert not flight
            trials: list[Trial] = world.trials()
            return trials
        else:
            source.tell(world.work(flight.pop(rng.randrange(len(flight)))))


@pytest.mark.parametrize("workers", [1, 2, 3, 8])
def test_in_whatever_order_results_come_each_trial_ends_once(world: Any, workers: int) -> None:
    world = world.having(trials=24, fractions=(0.1, 0.3, 1.0), reduction=2.0, audits=True)
    for seed in range(3):
        crowd = world.copy(f"{workers} {seed}")
        trials = run_crowded(crowd, workers, seed)
        assert [t.number for t in trials] == list(range(24))
        assert {t.state for t in trials} == {"complete", "stopped"}
        assert len(set(crowd.executed)) == len(crowd.executed)
        assert crowd.run() == trials, "nothing is done again"
    if workers == 1:
        assert trials == world.copy("alone").run()


@pytest.mark.parametrize("workers", [2, 5])
def test_killed_with_several_workers_nothing_is_lost_or_done_twice(
    world: Any, workers: int
) -> None:
    """What is in flight at a kill is gone, unless its result was on disk already."""
    world = world.having(trials=24, fractions=(0.1, 0.3, 1.0), reduction=2.0)
    rng = random.Random(workers)
    for _ in range(12):
        source, flight = world.climb(), []
        for _ in range(rng.randrange(1, 16)):
            job = source.next() if len(flight) < workers else "wait"
            if isinstance(job, Job):
                flight.append(job)
            elif flight:
                result = world.work(flight.pop(rng.randrange(len(flight))))
                if rng.random() < 0.8:  # else killed between the file and the telling
                    source.tell(result)
                else:
                    break
    trials = run_crowded(world, workers, seed=1)
    assert len(trials) == 24 and {t.state for t in trials} == {"complete", "stopped"}
    assert len(set(world.executed)) == len(world.executed)


# More trials later.


@pytest.mark.parametrize("first", [1, 4, 6, 8])
def test_more_trials_go_on_where_the_search_was(world: Any, first: int) -> None:
    before = world.having(trials=first).run()
    assert len(before) == first
    after = world.run()
    assert after[:first] == before
    assert len(after) == 16
    if first % 4 == 0:
        assert after == replace(world, folder=world.folder / "anew").run()


def test_fewer_trials_take_nothing_back(world: Any) -> None:
    before = world.run()
    less = world.having(trials=4)
    assert less.run() == before
    assert less.executed == []


# A kill at any point: the folder as it is at that moment, and the search taken up from there.


def snapshots(world: Any, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The search after every result, and in the middle of every write of its journal."""
    taken: list[Any] = []
    whole = JournalFileBackend.append_logs

    def take() -> Any:
        taken.append(world.copy(str(len(taken))))
        return taken[-1]

    def torn(self: JournalFileBackend, logs: list[dict[str, Any]]) -> None:
        if Path(self._file_path) == world.journal:
            size = world.journal.stat().st_size
            whole(self, logs)
            copied = take()
            written = copied.journal.stat().st_size - size
            os.truncate(copied.journal, size + rng.randrange(written))
        else:
            whole(self, logs)

    def work(job: Job) -> Result:
        result: Result = type(world).work(world, job)
        take()
        return result

    rng = random.Random(0)
    monkeypatch.setattr(JournalFileBackend, "append_logs", torn)
    world.work = work
    world.run()
    return taken


@pytest.mark.slow
@pytest.mark.parametrize("sampler", ["tpe", "nsga2", "random"])
def test_killed_at_any_point_a_search_comes_to_the_same_trials(
    world: Any, sampler: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(os, "fsync", lambda _: None)
    world = replace(
        world.having(
            bounds=(parse("macs", 500),),
            keep_layers=1,
            fractions=(0.1, 0.3, 1.0),
            reduction=2.0,
            audits=True,
            trials=24,
        ),
        sampler=sampler,
    )
    world = failing(world, "diverged", {"trial 9, rung 1", "inherited " + FIRST.id})
    taken = snapshots(world, monkeypatch)
    expected = world.trials()
    assert {t.state for t in expected} == {"complete", "stopped", "failed"}
    assert len(taken) > 80
    for killed in taken:
        assert killed.run() == expected
        assert sorted(killed.executed) == sorted(world.executed), "none lost, none repeated"


def test_raised_between_two_tells_the_batch_is_ended_first(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    short = world.having(trials=6)
    taken = snapshots(short, monkeypatch)
    monkeypatch.undo()
    expected = short.copy("expected").having(trials=16).run()
    assert [t.batch for t in expected[4:8]] == [4, 4, 6, 6]
    between = [k for k in taken if [t.state for t in k.trials()[4:]].count("running") == 1]
    between = [k for k in between if len(k.trials()) == 6]
    assert between
    for killed in between:
        assert killed.having(trials=16).run() == expected


# What is read off the trials.


def trial(number: int, state: Any, **scores: tuple[float, ...]) -> Trial:
    by_rung = {int(name[1:]): value for name, value in scores.items()}
    return Trial(number, Candidate(FIRST, Recipe("hard")), state, by_rung)


def test_survivors_come_layer_by_layer_from_the_highest_rung() -> None:
    trials = [
        trial(0, "complete", r0=(0.9, 1.0), r1=(0.9, 1.0)),  # not at the highest rung
        trial(1, "complete", r2=(0.5, 5.0)),  # second layer
        trial(2, "complete", r2=(0.6, 5.0)),
        trial(3, "complete", r2=(0.8, 9.0)),
        trial(4, "failed", r2=(0.99, 1.0)),
        trial(5, "stopped", r2=(0.99, 1.0)),
    ]
    both = (KNOWN["accuracy"], KNOWN["macs"])
    assert {t.number for t in survivors(trials, 2, both)} == {2, 3}
    assert [t.number for t in survivors(trials, 9, both)][2:] == [1]
    assert list(survivors([], 3, both)) == []


def test_summary() -> None:
    trials = [
        trial(0, "complete", r1=(0.9, 1.0)),
        trial(1, "complete", r1=(0.972, 1.0)),
        trial(2, "stopped", r0=(0.99, 1.0)),
        trial(3, "failed"),
        trial(4, "running"),
    ]
    both = (KNOWN["accuracy"], KNOWN["macs"])
    told = "2 complete, 1 stopped, 1 failed, best accuracy 97.2 %"
    assert summary(trials, both) == told
    assert summary([], both) == ""


def test_the_best_in_a_summary_is_that_of_the_first_objectives_direction() -> None:
    trials = [trial(n, "complete", r1=(0.25 * (n + 1), 9.0)) for n in range(3)]
    wanted = (KNOWN["calibration_error"], KNOWN["macs"])
    assert summary(trials, wanted) == "3 complete, best calib. error 0.25"
    assert summary(trials, (KNOWN["macro_f1"],)) == "3 complete, best macro-F1 0.75"


def predicting(world: Any, factor: float) -> Any:
    """The search with predictions that are wrong by a factor."""

    def told(architectures: Sequence[Architecture]) -> dict[str, dict[str, float]]:
        return {a.id: {"macs": factor * macs(a), "params": 2 * macs(a)} for a in architectures}

    return replace(world, at_screen=told)


def macs(architecture: Architecture) -> float:
    return float(architecture["depth"]) * float(architecture["width"]) ** 2


def test_what_passes_the_screen_is_measured_and_nothing_else_is(world: Any) -> None:
    predicted = predicting(world, 1.25)
    trials = predicted.run()
    asked = {name for names in predicted.asked for name in names}
    passed = [t for t in trials if t.passed]
    assert asked == {t.candidate.architecture.id for t in passed}
    assert 0 < len(passed) < len(trials)
    for trial in trials:
        factor = 1.0 if trial.passed else 1.25
        cost = minimised(trial.scores[0], world.terms.objectives)[1]
        assert cost == factor * macs(trial.candidate.architecture)


def test_a_bound_that_only_the_prediction_keeps_stops_what_was_measured(world: Any) -> None:
    """Predicted at half: of those that pass the screen some are over the budget in truth."""
    bounds = (parse("macs", 100.0),)
    predicted = predicting(world.having(bounds=bounds), 0.5)
    trials = predicted.run()
    over = [t for t in trials if macs(t.candidate.architecture) > 100]
    assert {t.state for t in over} <= {"stopped"}
    assert any(50 < macs(t.candidate.architecture) / 2 <= 100 for t in over)
    assert all(not t.passed for t in over)
