"""Whether a student can be handed over to a folder, looked at before anything else is done."""

from pathlib import Path

from kdsearch.errors import UserError
from kdsearch.files import check_writable
from kdsearch.rundir import RUN_FILE


def check_place(to: Path) -> None:
    """Raises RunError where no folder `to` can be written, UserError where a run is there."""
    if (to / RUN_FILE).exists():
        raise UserError(f"{to}: is a run's folder; name another one, such as {to / 'student'}")
    check_writable(to)
