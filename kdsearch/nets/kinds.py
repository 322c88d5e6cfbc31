"""What a space file may name as a family: one of the table, or the user's own `build`."""

from collections.abc import Mapping
from typing import Any

from kdsearch.errors import UserError, did_you_mean
from kdsearch.factory import find_factory, source_of
from kdsearch.files import content_hash
from kdsearch.nets import FAMILIES
from kdsearch.nets.family import Family
from kdsearch.nets.own_family import MODULE, OwnFamily


def family_of(name: str) -> Family:
    """The family of a name; of `module:pkg.mod:build` by importing the user's module.

    Raises:
        UserError: there is none of this name, or nothing to be called.
    """
    if name.startswith(MODULE):
        return OwnFamily(name, find_factory(name.removeprefix(MODULE)))
    if name not in FAMILIES:
        ways = [*FAMILIES, f"{MODULE}pkg.mod:build"]
        raise UserError(
            f"unknown family '{name}' of a search space; {did_you_mean(name, ways)}"
        )
    return FAMILIES[name]


def source_hash(name: str) -> str | None:
    """Of the file in which a user's own family stands; None for a family of the table."""
    if not name.startswith(MODULE):
        return None
    return content_hash(source_of(name.removeprefix(MODULE)))


def identity(name: str) -> str:
    """What stands for a family in the key of a result: of a user's own, its source too."""
    source = source_hash(name)
    return name if source is None else f"{name} {source}"


def made_of(name: str) -> dict[str, str]:
    """What a record of a student says of its family beside the name."""
    source = source_hash(name)
    return {} if source is None else {"source": source}


def check_source(name: str, recorded: Mapping[str, Any]) -> None:
    """Raises UserError for a family whose file has changed since a student was made of it."""
    if recorded.get("source") not in (None, source_hash(name)):
        raise UserError(
            f"family {name}: its file has changed since this student was trained; take it "
            "back to what it was, or run again"
        )
