"""The journal: one line a proposal, a torn tail is cut off, Optuna's own tools can read it."""

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState

from kdsearch.core.objectives import KNOWN
from kdsearch.core.records import Architecture
from kdsearch.core.space import Choice, Range, Space
from kdsearch.search.pool import Pool
from kdsearch.search.study.journal import Study, cut_torn_tail, read_trials
from kdsearch.search.study.mirror import Question
from kdsearch.search.study.proposer import Proposer, Start
from kdsearch.search.trial import Trial

POOL = Pool(
    Space({"width": Choice((2, 4, 8, 16)), "depth": Choice((1, 2, 3))}),
    {"hard": Space({}), "soften": Space({"temperature": Range(1, 10)})},
)
OBJECTIVES = (KNOWN["accuracy"], KNOWN["macs"])
OUTCOMES: list[dict[str, Any]] = [
    {"state": "complete", "scores": {0: (0.5, 3.0), 1: (0.6, 3.0)}},
    {"state": "stopped", "scores": {0: (0.4, 9.0)}, "violations": {"macs": 0.3, "params": 0.1},
     "reason": "over budget: macs 9"},
    {"state": "failed", "scores": {0: (0.3, 3.0)}, "reason": "diverged: loss is nan at step 3"},
    {"state": "stopped", "scores": {0: (0.2, 3.0)}, "reason": "behind the front"},
    {"state": "complete", "scores": {0: (0.7, 2.0), 1: (0.9, 2.0), 2: (0.95, 2.0)}},
]  # fmt: skip


def told(trial: Trial) -> Trial:
    """What becomes of a trial, by its number."""
    outcome = OUTCOMES[trial.number % len(OUTCOMES)]
    fresh = replace(trial, scores={}, violations={}, reason="")
    return replace(fresh, **outcome)


def proposed(study: Study, batch: int, sampler: str = "random", seed: int = 0) -> Trial:
    ends = (POOL.architectures.smallest, POOL.architectures.largest)
    starts = [Start(Architecture.of(end())) for end in ends]
    question = Question(POOL, OBJECTIVES, sampler, 100)
    trial = Proposer(study, question, starts, seed).propose(batch, None)
    assert trial is not None
    return trial


def played(path: Path, trials: int = 6) -> list[Trial]:
    """A search of that many trials, taken up from what the journal holds."""
    study = Study(path, OBJECTIVES)
    for number in range(trials):
        if number == len(study.trials):
            proposed(study, batch=number)
        if study.trials[number].state == "running":
            study.note(replace(told(study.trials[number]), state="running"))
            study.note(told(study.trials[number]))
    return study.trials


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(os, "fsync", lambda _: None)
    return tmp_path / "run" / "study.journal"


def test_what_is_told_is_read_back(path: Path) -> None:
    trials = played(path)
    assert trials == [told(trial) for trial in trials]
    assert read_trials(path) == trials
    assert Study(path, OBJECTIVES).trials == trials


def test_a_proposal_is_one_line_written_whole(path: Path) -> None:
    study = Study(path, OBJECTIVES)
    before = path.read_bytes()
    trial = proposed(study, 0, "tpe")
    added = path.read_bytes().removeprefix(before)
    assert added.count(b"\n") == 1
    content = json.loads(added)
    assert content["user_attrs"]["candidate"] == {
        "architecture": trial.candidate.architecture.as_dict(),
        **trial.candidate.recipe.as_dict(),
    }
    assert Study(path, OBJECTIVES).trials == [trial]


def test_opening_a_journal_writes_nothing(path: Path) -> None:
    played(path)
    content = path.read_bytes()
    Study(path, OBJECTIVES)
    read_trials(path)
    assert path.read_bytes() == content


def test_a_proposal_is_repeated_by_its_seed_and_number(path: Path, tmp_path: Path) -> None:
    def four(name: str, seed: int) -> list[Trial]:
        study = Study(tmp_path / name, OBJECTIVES)
        return [proposed(study, 0, "tpe", seed) for _ in range(4)]

    assert four("one", 7) == four("other", 7)
    assert four("two", 8) != four("one more", 7)


def test_a_search_begins_at_both_ends_of_the_space(path: Path) -> None:
    study = Study(path, OBJECTIVES)
    ends = [proposed(study, 0, "tpe") for _ in range(2)]
    found = [trial.candidate.architecture.as_dict() for trial in ends]
    assert found == [{"width": 2, "depth": 1}, {"width": 16, "depth": 3}]


def test_a_stopped_trial_is_never_complete(path: Path) -> None:
    trials = played(path)
    storage = JournalStorage(JournalFileBackend(str(path)))
    states = {
        t.number: t.state for t in optuna.load_study(study_name=None, storage=storage).trials
    }
    expected = {"complete": TrialState.COMPLETE, "stopped": TrialState.PRUNED}
    assert states == {t.number: expected.get(t.state, TrialState.FAIL) for t in trials}


def test_optunas_own_tools_read_the_journal(path: Path) -> None:
    trials = played(path)
    storage = JournalStorage(JournalFileBackend(str(path)))
    study = optuna.load_study(study_name="kdsearch", storage=storage)
    assert [d.name for d in study.directions] == ["MAXIMIZE", "MINIMIZE"]
    assert [t.number for t in study.best_trials] == [4]
    assert study.best_trials[0].values == [0.95, 2.0]
    for trial, own in zip(trials, study.trials, strict=True):
        assert own.params["method"] == trial.candidate.recipe.method
        assert ("soften.temperature" in own.params) == (own.params["method"] == "soften")


# A torn tail.


def lines_of(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines(keepends=True)


def test_any_torn_tail_is_cut_back_to_the_last_whole_line(path: Path) -> None:
    played(path)
    lines = lines_of(path)
    content = b"".join(lines)
    last = sum(map(len, lines[:-3]))
    for size in range(last, len(content)):
        path.write_bytes(content[:size])
        cut_torn_tail(path)
        assert path.read_bytes() == content[: content.rfind(b"\n", 0, size) + 1]


@pytest.mark.slow
def test_cut_anywhere_a_study_goes_on_with_equal_trials(path: Path) -> None:
    """At every byte of a trial's last two records, at every 17th of the rest."""
    expected = played(path)
    content = path.read_bytes()
    dense = len(content) - sum(map(len, lines_of(path)[-2:]))
    for size in [*range(0, dense, 17), *range(dense, len(content) + 1)]:
        path.write_bytes(content[:size])
        assert played(path) == expected


@pytest.mark.parametrize(
    "tail",
    [
        b"\x00" * 512,
        b"{",
        b'{"op_code": 4, "worker',
        b"\xff\xfe\n",
        b"garbage\nand more\n",
        b"123\n",
        b"null\n[]\n\x00\x00",
        b"\n\n",
        b"\r",
    ],
    ids=repr,
)
@pytest.mark.parametrize("trials", [0, 3])
def test_a_garbage_tail_is_cut_off(path: Path, tail: bytes, trials: int) -> None:
    played(path, trials)
    whole = path.read_bytes()
    path.write_bytes(whole + tail)
    cut_torn_tail(path)
    assert path.read_bytes() == whole
    path.write_bytes(whole + tail)
    assert len(played(path)) == 6


def test_a_reader_sees_past_a_line_that_is_being_written(path: Path) -> None:
    expected = played(path, 3)
    with path.open("ab") as file:
        file.write(b'{"op_code": 4, "wor')
    torn = path.read_bytes()
    assert read_trials(path) == expected
    assert path.read_bytes() == torn, "who reads does not write"


def test_there_is_nothing_to_read_before_the_first_line(tmp_path: Path) -> None:
    assert read_trials(tmp_path / "none") == []
    assert not (tmp_path / "none").exists()
    (tmp_path / "empty").touch()
    assert read_trials(tmp_path / "empty") == []
    cut_torn_tail(tmp_path / "none")


def test_a_half_told_trial_is_told_anew(path: Path) -> None:
    """Its attributes are lines of their own; a kill may fall between any two of them."""
    expected = played(path, 2)
    lines = lines_of(path)
    for left in range(len(lines)):
        path.write_bytes(b"".join(lines[: len(lines) - left]))
        assert played(path, 2) == expected


def test_a_trial_that_was_noted_as_over_is_told_when_the_journal_is_opened(path: Path) -> None:
    """A kill between the note and Optuna's own record of the end."""
    expected = played(path, 3)
    lines = lines_of(path)
    path.write_bytes(b"".join(lines[:-1]))
    assert read_trials(path) == expected
    assert Study(path, OBJECTIVES).trials == expected
    assert len(lines_of(path)) == len(lines)
    storage = JournalStorage(JournalFileBackend(str(path)))
    last = optuna.load_study(study_name=None, storage=storage).trials[-1]
    assert last.state.is_finished()


def test_what_is_noted_of_a_climbing_trial_is_one_line(path: Path) -> None:
    study = Study(path, OBJECTIVES)
    trial = proposed(study, 0)
    before = len(lines_of(path))
    study.note(replace(trial, passed=True, scores={0: (0.5, 3.0)}))
    assert len(lines_of(path)) == before + 1
    again = Study(path, OBJECTIVES)
    assert again.trials == study.trials and again.scored == {0: 1}
    with pytest.raises(AssertionError, match="over already"):
        study.note(replace(trial, state="failed"))
        study.note(trial)
