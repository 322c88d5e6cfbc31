"""The journal of a search: an Optuna study, the only record of what was proposed and found.

A proposal is one journal record, written whole (a template trial), and so is each thing that is
noted of it: no trial is ever half proposed or half scored. A torn last record is cut off before
the journal is opened.
"""

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from kdsearch.core.objectives import Objective
from kdsearch.core.records import Candidate
from kdsearch.files import naming
from kdsearch.search.pool import Pool
from kdsearch.search.study.mirror import directions
from kdsearch.search.study.record import OPTUNAS, OUTCOME, as_trial, frozen_running, outcome
from kdsearch.search.trial import Trial

optuna.logging.set_verbosity(optuna.logging.WARNING)

NAME = "kdsearch"
"""Of the one study in a journal."""


class _NoLock:
    """The run folder's lock is the only writer lock; a dead process's costs nothing."""

    def acquire(self) -> bool:
        return True

    def release(self) -> None:
        pass


class Study:
    """The journal of one search, and its trials as they stand, by number."""

    def __init__(self, path: Path, objectives: Sequence[Objective]) -> None:
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        with naming(path):
            cut_torn_tail(path)
            storage = storage_of(path)
            if not storage.get_all_studies():
                toward = directions(objectives)
                optuna.create_study(storage=storage, study_name=NAME, directions=toward)
        self._study = optuna.load_study(study_name=NAME, storage=storage)
        self.trials: list[Trial] = []
        self.changed: set[int] = set()
        """Numbers of trials that are new or other than before; whoever looks at them clears."""
        self.scored: Counter[int] = Counter()
        """How many trials have a score, by rung."""
        self.candidates: set[Candidate] = set()
        for frozen in self._study.get_trials(deepcopy=False):
            self._keep(as_trial(frozen))
            if not frozen.state.is_finished() and self.trials[-1].state != "running":
                self._end(self.trials[-1], frozen._trial_id)

    def add(self, trial: Trial, pool: Pool) -> None:
        """Records a proposal as running; its number is that of the next trial."""
        assert trial.number == len(self.trials)
        with naming(self._path):
            self._study.add_trial(frozen_running(trial, pool))
        self._keep(trial)

    def note(self, trial: Trial) -> None:
        """Records how far a running trial came; one that is not running any more is over."""
        assert self.trials[trial.number].state == "running", "it is over already"
        handle = self._study.get_trials(deepcopy=False)[trial.number]._trial_id
        with naming(self._path):
            optuna.trial.Trial(self._study, handle).set_user_attr(OUTCOME, outcome(trial))
        self._keep(trial)
        if trial.state != "running":
            self._end(trial, handle)

    def _end(self, trial: Trial, handle: int) -> None:
        """Tells Optuna how a trial ended, from what is noted of it."""
        recorded = self._study.get_trials(deepcopy=False)[trial.number]
        values = trial.scores[trial.rung] if trial.state == "complete" else None
        with naming(self._path):
            for name, excess in trial.violations.items():
                if name not in recorded.constraints:
                    optuna.trial.Trial(self._study, handle).set_constraint(name, excess)
            self._study.tell(trial.number, values, state=OPTUNAS[trial.state])

    def _keep(self, trial: Trial) -> None:
        before: frozenset[int] = frozenset()
        if trial.number < len(self.trials):
            before = frozenset(self.trials[trial.number].scores)
            self.trials[trial.number] = trial
        else:
            self.trials.append(trial)
            self.candidates.add(trial.candidate)
        self.scored.update(trial.scores.keys() - before)
        self.changed.add(trial.number)


def storage_of(path: Path) -> JournalStorage:
    return JournalStorage(JournalFileBackend(str(path), lock_obj=_NoLock()))  # type: ignore[arg-type]  # duck-typed: its base class is private


def read_trials(path: Path) -> list[Trial]:
    """The trials of a journal that another process may be writing."""
    if not path.exists():
        return []
    storage = storage_of(path)
    if not storage.get_all_studies():
        return []
    study = optuna.load_study(study_name=NAME, storage=storage)
    return [as_trial(frozen) for frozen in study.get_trials(deepcopy=False)]


def cut_torn_tail(path: Path) -> None:
    """Cuts a journal back to its last whole record; a torn one ruins a study for good."""
    if not path.exists():
        return
    content = path.read_bytes()
    lines = content.splitlines(keepends=True)
    while lines and not is_record(lines[-1]):
        lines.pop()
    whole = sum(map(len, lines))
    if whole < len(content):
        with path.open("r+b") as file:
            file.truncate(whole)


def is_record(line: bytes) -> bool:
    try:
        return line.endswith(b"\n") and isinstance(json.loads(line), dict)
    except ValueError:
        return False
