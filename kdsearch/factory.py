"""The user's own code by name: from `pkg.mod:function` to the function and its source."""

import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kdsearch.errors import UserError, did_you_mean


def find_factory(name: str) -> Callable[..., Any]:
    """Imports `pkg.mod:function`; the working directory is searched like a script's folder.

    Raises:
        UserError: the name is not of that form, or the module or function is not there.
    """
    module_name, _, function = name.partition(":")
    if not module_name or not function:
        raise UserError(f"'{name}' names no function; the form is module:pkg.mod:function")
    if str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    try:
        module = importlib.import_module(module_name)
    except (Exception, SystemExit) as error:
        raise UserError(
            f"cannot import '{module_name}': {type(error).__name__}: {error}; "
            "is it installed, or beside the folder the command is run in?"
        ) from error
    found = getattr(module, function, None)
    if found is not None and not callable(found):
        raise UserError(
            f"'{function}' in module '{module_name}' is {type(found).__name__}, which cannot "
            "be called; name a function or a class"
        )
    if found is None:
        own = [n for n in dir(module) if callable(getattr(module, n)) and n[0] != "_"]
        raise UserError(
            f"no function '{function}' in module '{module_name}'; {did_you_mean(function, own)}"
        )
    return found  # type: ignore[no-any-return]


def source_of(name: str) -> str:
    """Text of the file in which `pkg.mod:function` stands: part of what identifies a result."""
    module = importlib.import_module(find_factory(name).__module__)
    path = getattr(module, "__file__", None)
    return Path(path).read_text(encoding="utf-8", errors="replace") if path else name
