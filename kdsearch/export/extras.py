"""Packages that some formats need and kdsearch does not bring."""

from importlib.util import find_spec

from kdsearch.errors import UserError


def need(package: str, what: str, *, extra: str) -> None:
    """Raises UserError with the way to get it, where a package is not installed."""
    if find_spec(package) is None:
        raise UserError(f"{what} needs {package}: pip install 'kdsearch[{extra}]'")
