"""The journal of a search: an Optuna study, the only record of what was proposed and found.

A proposal is one journal record, written whole (a template trial), so no trial is ever half
proposed; a torn last record is cut off before the journal is opened.
"""

import json
from collections.abc import Sequence
from pathlib import Path

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from kdsearch.core.seeds import derive
from kdsearch.search.pool import Pool, start_point
from kdsearch.search.study.mirror import ask, directions
from kdsearch.search.study.record import STATES, as_trial, frozen_running
from kdsearch.search.trial import Trial

optuna.logging.set_verbosity(optuna.logging.WARNING)

NAME = "kdsearch"
"""Of the one study in a journal."""
DISTINCT_TRIES = 10
"""How often a candidate that was proposed before is proposed anew."""


class _NoLock:
    """The run folder's lock is the only writer lock; a dead process's costs nothing."""

    def acquire(self) -> bool:
        return True

    def release(self) -> None:
        pass


class Study:
    """The journal of one search with `objectives`: an accuracy, then costs."""

    def __init__(self, path: Path, objectives: Sequence[str]) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        cut_torn_tail(path)
        self._directions = directions(len(objectives))
        storage = storage_of(path)
        if not storage.get_all_studies():
            optuna.create_study(storage=storage, study_name=NAME, directions=self._directions)
        self._study = optuna.load_study(study_name=NAME, storage=storage)

    def trials(self) -> list[Trial]:
        return [as_trial(frozen) for frozen in self._study.get_trials(deepcopy=False)]

    def propose(
        self, pool: Pool, sampler: str, seed: int, known: Sequence[Trial], *, batch: int
    ) -> Trial:
        """Asks for the next candidate, given `known` trials, and records it as running."""
        number = len(self._study.get_trials(deepcopy=False))
        used = {trial.candidate for trial in known}
        for attempt in range(DISTINCT_TRIES):
            own_seed = derive(seed, "sampler", number, attempt)
            candidate = start_point(pool, number, own_seed) or ask(
                pool, sampler, own_seed, known, self._directions
            )
            if candidate not in used:
                break
        trial = Trial(number, candidate, batch=batch)
        self._study.add_trial(frozen_running(trial, pool))
        return trial

    def tell(self, trial: Trial) -> None:
        """Records what became of a running trial."""
        recorded = self._study.get_trials(deepcopy=False)[trial.number]
        handle = optuna.trial.Trial(self._study, recorded._trial_id)
        scores = {str(rung): list(values) for rung, values in trial.scores.items()}
        handle.set_user_attr("scores", scores)
        handle.set_user_attr("reason", trial.reason)
        for name, excess in trial.violations.items():
            if name not in recorded.constraints:
                handle.set_constraint(name, excess)
        states = {word: state for state, word in STATES.items()}
        values = trial.scores[trial.rung] if trial.state == "complete" else None
        self._study.tell(trial.number, values, state=states[trial.state])


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
