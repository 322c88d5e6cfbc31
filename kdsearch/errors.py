"""Every deliberate error of kdsearch, and the exit code each one ends a command with.

KdsearchError              1   our bug, unless a subclass says otherwise
├── UserError              2   the user's input is wrong
│   ├── ConfigError        2   a config or space file: names file, line and column
│   ├── DataError          2   a data set: names the image or folder
│   ├── TeacherError       2   a teacher that cannot teach here
│   ├── ObjectiveError     2   a function of the user's own that gives no number
│   ├── ArtefactError      2   an exported folder that is damaged: names the file
│   ├── PredictorError     2   a latency that cannot be predicted from what was measured
│   └── RunError           2   a run folder that is missing, busy or not that far yet
├── BudgetError            3   no student meets the budget
├── ExportError            1   an artefact that does not compute what the student computes
├── SearchError            1   a search that had to stop
└── TrainingError          1   training that cannot go on: names the step
"""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any


class KdsearchError(Exception):
    """Root of the tree; `exit_code` is what the command line returns."""

    exit_code = 1


class UserError(KdsearchError):
    exit_code = 2


class ConfigError(UserError):
    pass


class DataError(UserError):
    pass


class TeacherError(UserError):
    pass


class ObjectiveError(UserError):
    pass


class ArtefactError(UserError):
    pass


class PredictorError(UserError):
    pass


class RunError(UserError):
    pass


class BudgetError(KdsearchError):
    """No student meets the budget.

    Args:
        message: the binding bound, and what comes nearest.
        facts: the same, JSON-able; empty where nothing more is known.
    """

    exit_code = 3

    def __init__(self, message: str, facts: Mapping[str, Any] = MappingProxyType({})) -> None:
        super().__init__(message)
        self.facts = dict(facts)


class ExportError(KdsearchError):
    pass


class SearchError(KdsearchError):
    pass


class TrainingError(KdsearchError):
    """Training cannot go on: not a number, or a loss back at chance.

    Args:
        message: what happened, in one line.
        step: the optimiser step at which it was seen.
    """

    def __init__(self, message: str, step: int) -> None:
        super().__init__(message)
        self.step = step


LISTED = 40
"""So many allowed names are read through; more of them are not."""


def did_you_mean(wrong: str, allowed: Iterable[str]) -> str:
    """The way out for a mistyped name: the nearest allowed one, or all of them."""
    names = sorted(allowed)
    small = {name.casefold(): name for name in names}
    near = get_close_matches(wrong, names, n=1, cutoff=0.6) or [
        small[found] for found in get_close_matches(wrong.casefold(), small, n=1, cutoff=0.6)
    ]
    if near:
        return f"did you mean '{near[0]}'?"
    rest = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return f"allowed: {', '.join(names[:LISTED])}{rest}"
