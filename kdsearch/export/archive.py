"""What a torch.export archive may hold before torch is asked to open it.

torch.export.load runs code of an archive's author in five ways (torch 2.14): members marked as
pickled, objects among the constants, example inputs that are no plain tensors, symbolic sizes
that sympy evaluates, and operations named by any path below `torch`; and it loads compiled
libraries. Programs of ours have none of these, so whatever has one is refused.

It reads zip files by C code, other parts of torch by Python's zipfile, and a file can be made
that has other members for the one than for the other. So both have to read the same in it.
"""

import io
import json
import re
import zipfile
from pathlib import Path
from typing import Any

import torch

from kdsearch.errors import ExportError

MOST_MEMBERS = 100_000
LONGEST = 2_000
"""Characters of a name or of a symbolic size."""
MEMBERS = re.compile(
    r"[^/]+/(data/(weights|constants)/((weight|tensor)_\d+|model_\w+_config\.json)"
    r"|models/model\.json|data/sample_inputs/model\.pt"
    r"|archive_format|archive_version|version|byteorder|\.data/(version|serialization_id))"
)
NAMES = re.compile(r"(weight|tensor)_\d+")
SIZES = re.compile(
    r"(?!(?s:.*)(\d{19}|\*\*))"  # neither huge numbers nor powers
    r"(Symbol|Integer|Add|Mul|FloorDiv|Mod|Max|Min|positive|integer|True"
    r"|'[a-z]\d+'|[a-z]?\d+(?!\d)|[(),= +*-]){1,999}"
)
"""Each text is read in one way only, so that a long one that does not fit is soon known."""
OPERATIONS = re.compile(r"torch\.ops\.(aten|quantized_decomposed)\.\w+(\.\w+)?|_operator\.\w+")
FILES = "from_file"
"""An operation of aten that opens any file of the machine."""


def check_archive(path: Path, content: bytes) -> None:
    """Raises ExportError unless the archive is whole and runs nothing when it is opened."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            check_members(archive.infolist(), len(content))
            reader = torch._C.PyTorchFileReader(io.BytesIO(content))
            check_names(reader, archive.namelist())
            for member in archive.infolist():
                check_content(member.filename, read_alike(reader, archive, member))
    except Exception as error:  # what a damaged archive makes its readers raise is open
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ExportError(f"{path}: not opened, no archive of ours ({reason})") from error


def check_members(members: list[zipfile.ZipInfo], size: int) -> None:
    """Raises ValueError for a member, or a size, that ours do not have.

    Args:
        size: of the archive, in bytes.
    """
    names = {member.filename for member in members}
    if len(names) > MOST_MEMBERS or len(names) < len(members):
        raise ValueError("too many members, or two of one name")
    for member in members:
        if not MEMBERS.fullmatch(member.filename):
            raise ValueError(f"member {member.filename!r:.80}")
        if member.compress_type != zipfile.ZIP_STORED:
            raise ValueError("compressed")
    if min((member.header_offset for member in members), default=0) != 0:
        raise ValueError("something stands before it")
    if sum(member.file_size for member in members) > size:
        raise ValueError("members that share their bytes")


def check_names(reader: Any, names: list[str]) -> None:
    """Raises ValueError unless torch's reader sees these members, all in one folder."""
    folder = names[0].partition("/")[0] if names else ""
    if sorted(names) != sorted(f"{folder}/{name}" for name in reader.get_all_records()):
        raise ValueError("it reads in two ways")


def read_alike(reader: Any, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    """A member's content; ValueError where torch's reader finds another one."""
    name = member.filename.partition("/")[2]
    if reader.get_record_size(name) == member.file_size:
        found: bytes = reader.get_record(name)
        if found == archive.read(member):
            return found
    raise ValueError(f"member {member.filename!r:.80} reads in two ways")


def check_content(name: str, content: bytes) -> None:
    """Raises an error of some kind for a table, or example inputs, that ours do not have."""
    if name.endswith(".json"):
        check_table(json.loads(content))
    elif name.endswith(".pt"):
        torch.load(io.BytesIO(content), weights_only=True)


def check_table(content: Any) -> None:
    """Raises ValueError for what would be executed; any depth, without recursion."""
    left = [content]
    while left:
        one = left.pop()
        if isinstance(one, dict):
            check_entry(one)
            left += one.values()
        elif isinstance(one, list):
            left += one


def check_entry(entry: dict[str, Any]) -> None:
    if entry.get("use_pickle", False) is not False:
        raise ValueError("pickled")
    allowed = (("path_name", NAMES, ""), ("expr_str", SIZES, ""), ("target", OPERATIONS, FILES))
    for key, pattern, barred in allowed:
        value = entry.get(key)
        if value is None or (key == "target" and "inputs" not in entry):
            continue
        is_ours = isinstance(value, str) and len(value) < LONGEST and pattern.fullmatch(value)
        if not is_ours or (barred and barred in value):
            raise ValueError(f"{key} {str(value)[:80]!r}")
