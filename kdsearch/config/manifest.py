"""A batch's manifest: a base config, a product of sections, cells of one's own."""

from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, NamedTuple

from pydantic import BaseModel, Field, PlainValidator, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from kdsearch.config.cells import Cell, Draft, Part, composed, own_document
from kdsearch.config.explain import FOLLOWING, Finding, finding
from kdsearch.config.models import Config
from kdsearch.config.product import NAME, product
from kdsearch.config.read import checked, first, split
from kdsearch.config.section import Section
from kdsearch.errors import ConfigError, did_you_mean
from kdsearch.spaces.marked import Document, Keys, read_file


def entry(value: Any) -> str | Mapping[str, Any]:
    if isinstance(value, str | Mapping):
        return value
    raise PydanticCustomError("entry", "must be keys in braces, {name: digits}, or a name")


Entry = Annotated[str | Mapping[str, Any], PlainValidator(entry)]


class Cross(Section):
    """Every combination of these is a cell."""

    data: tuple[Entry, ...] = ()
    """`data` sections, or names of data sets."""
    teachers: tuple[Entry, ...] = ()
    """`teacher` sections, kinds of training, or networks brought along."""
    spaces: tuple[str, ...] = ()
    """Search spaces."""
    devices: tuple[Entry, ...] = ()
    """`latency` sections, or runtimes."""
    budgets: tuple[Entry, ...] = ()
    """`budget` sections; {} adds no bound."""


class OwnCell(Section):
    """A cell beside the product."""

    name: str
    """Its folder's name."""
    set: Mapping[str, Any] = {}
    """Values in place of the base's: {search.trials: 80}."""


class Manifest(Section):
    """Many searches, laid out as cells."""

    base: str | Mapping[str, Any] | None = None
    """A config file, or sections of one; null: the defaults."""
    cross: Cross = Cross()
    cells: tuple[OwnCell, ...] = ()
    parallel: Annotated[int, Field(ge=1, le=1000)] = 1
    """How many cells are at work at the same time."""


MODELS: Mapping[Keys, type[BaseModel]] = MappingProxyType({(): Manifest, ("cross",): Cross})


class Batch(NamedTuple):
    cells: tuple[Cell, ...]
    parallel: int


def is_manifest(path: str | Path) -> bool:
    """Whether a YAML file is laid out as a manifest rather than as a config."""
    return not Manifest.model_fields.keys().isdisjoint(read_file(Path(path)).content)


def read_manifest(path: str | Path, overrides: Sequence[str] = ()) -> Batch:
    """Every cell with its config, checked; `overrides` win in every cell.

    Raises:
        ConfigError: in one line, with the place in the manifest (or in its base).
    """
    document = read_file(Path(path))
    content = {k: v for k, v in document.content.items() if v is not None}
    try:
        manifest = Manifest.model_validate(content)
    except ValidationError as error:
        raise first(findings(error.errors(), document), document) from None
    folder = Path(path).parent
    base = base_of(manifest, document, folder)
    drafts = [*product(manifest.cross.model_dump(), document), *own(manifest, document)]
    if not drafts:
        raise document.error((), "no cells; `cross` makes a product, `cells` lists your own")
    cells: list[Cell] = []
    names: dict[str, str] = {}
    contents: dict[Hashable, str] = {}
    for draft in drafts:
        whole = composed(base, document, draft.parts, overrides)
        cell = Cell(draft.name, checked_cell(draft.name, whole, folder), draft.choices)
        name = names.setdefault(cell.name.casefold(), cell.name)
        twin = contents.setdefault(fixed(cell.config.model_dump()), cell.name)
        if len(names) == len(cells):
            raise document.error(draft.at, f"there is a cell '{name}' already; rename it")
        if len(contents) == len(cells):
            rule = f"cell '{cell.name}' is the same as cell '{twin}'; remove one"
            raise document.error(draft.at, rule)
        cells.append(cell)
    return Batch(tuple(cells), manifest.parallel)


def fixed(value: Any) -> Hashable:
    """Equal for equal values, and to be looked up by."""
    if isinstance(value, Mapping):
        return frozenset((key, fixed(inner)) for key, inner in value.items())
    if isinstance(value, list | tuple):
        return tuple(map(fixed, value))
    return value  # type: ignore[no-any-return]  # a number or a text


def base_of(manifest: Manifest, document: Document, folder: Path) -> Document:
    """What every cell starts from, as a document that cells may be laid over."""
    empty = Document(document.source, {})
    if not isinstance(manifest.base, str):
        parts = [] if manifest.base is None else [Part(("base",), ())]
        return composed(empty, document, parts)
    home = Path(manifest.base).expanduser()
    found = folder / home if (folder / home).exists() else home
    if not found.exists():
        raise document.error(("base",), "no such file; a path is taken from the manifest's")
    if is_manifest(found):
        raise document.error(("base",), "is a manifest, not a config; name a config's file")
    return own_document(found)


def own(manifest: Manifest, document: Document) -> list[Draft]:
    """The cells beside the product."""
    drafts = []
    for number, cell in enumerate(manifest.cells):
        at: Keys = ("cells", number)
        if not NAME.fullmatch(cell.name):
            rule = "must be a folder's name: letters, digits and . _ + -, not first a dot"
            raise document.error((*at, "name"), rule)
        parts = [Part((*at, "set", key), split(key)) for key in cell.set]
        drafts.append(Draft(cell.name, at, {}, parts))
    return drafts


def checked_cell(name: str, document: Document, folder: Path) -> Config:
    try:
        return checked(document, folder)
    except ConfigError as error:
        raise ConfigError(f"{error} (cell '{name}')") from None


def findings(errors: Sequence[ErrorDetails], document: Document) -> list[Finding]:
    """As of a config, with the manifest's own keys as the way out."""
    standing = [error for error in errors if error["type"] not in FOLLOWING]
    found = [finding(error, document) for error in standing or errors]
    return [(path, unknown(path) if key else rule, key) for path, rule, key in found]


def unknown(path: Keys) -> str:
    """The way out for a key that the manifest does not have."""
    wrong = str(path[-1])
    if len(path) == 1 and wrong in Config.model_fields:
        return f"unknown key; it is of a config: put it below base, 'base: {{{wrong}: …}}'"
    fields = MODELS.get(path[:-1], OwnCell).model_fields
    return f"unknown key; {did_you_mean(wrong, fields)}"
