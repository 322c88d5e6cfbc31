"""Archives that would run code, forged from one of ours: refused before torch opens them."""

import io
import json
import pickle
import zipfile

import pytest
import torch

from kdsearch.errors import ExportError
from kdsearch.export.archive import LONGEST, SIZES, check_archive, check_members, check_names
from kdsearch.export.pt2 import Pt2


class Evil:
    """Unpickled, it would leave a mark."""

    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return (open, (str(self.mark), "w"))


@pytest.fixture(scope="module")
def content(original, tmp_path_factory):
    folder = tmp_path_factory.mktemp("pt2")
    Pt2().write(original, folder)
    return (folder / "model.pt2").read_bytes()


def forged(content, change, compression=zipfile.ZIP_STORED):
    """The archive with its members, a dict of bytes, changed."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, value in members.items():
            archive.writestr(name, value)
    return buffer.getvalue()


def table(members, ending):
    return next(name for name in members if name.endswith(ending))


def edited(ending, edit):
    def change(members):
        name = table(members, ending)
        found = json.loads(members[name])
        edit(found)
        members[name] = json.dumps(found).encode()

    return change


def first_weight(found):
    return next(iter(found["config"].values()))


def first_node(found):
    return found["graph_module"]["graph"]["nodes"][0]


CONFIG, MODEL = "model_weights_config.json", "models/model.json"
FORGERIES = {
    "pickled weight": edited(CONFIG, lambda f: first_weight(f).update(use_pickle=True)),
    "an object": edited(CONFIG, lambda f: first_weight(f).update(path_name="opaque_obj_0")),
    "a path": edited(CONFIG, lambda f: first_weight(f).update(path_name="../../weight_0")),
    "torch.load": edited(MODEL, lambda f: first_node(f).update(target="torch.load")),
    "any file": edited(
        MODEL, lambda f: first_node(f).update(target="torch.ops.aten.from_file.default")
    ),
    "a size that is code": edited(
        MODEL, lambda f: f.update(more=[{"expr_str": "__import__('os').system('true')"}])
    ),
    "a huge size": edited(MODEL, lambda f: f.update(more=[{"expr_str": "9" * 5000}])),
    "a size of a power": edited(MODEL, lambda f: f.update(more=[{"expr_str": "9**9**9"}])),
    "a library": lambda members: members.update({"archive/data/aotinductor/model/x.so": b""}),
    "legacy weights": lambda members: members.update({"archive/data/weights/model.pt": b""}),
    "a way out": lambda members: members.update({"archive/../../weight_0": b""}),
    "no table": lambda members: members.update({table(members, MODEL): b"{"}),
}


def test_ours_passes(content, tmp_path):
    check_archive(tmp_path / "model.pt2", content)
    check_archive(tmp_path / "model.pt2", forged(content, lambda members: None))


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forged_one_is_not_opened(forgery, content, tmp_path):
    path = tmp_path / "model.pt2"
    path.write_bytes(forged(content, FORGERIES[forgery]))
    with pytest.raises(ExportError, match="not opened, no archive of ours") as caught:
        Pt2().load(tmp_path)
    assert str(caught.value).isprintable()


def test_pickled_example_inputs_run_nothing(content, tmp_path):
    """torch.export.load falls back to unpickling them, whatever they are."""
    mark = tmp_path / "mark"
    evil = pickle.dumps(Evil(mark))

    def change(members):
        members[table(members, "sample_inputs/model.pt")] = evil

    (tmp_path / "model.pt2").write_bytes(forged(content, change))
    with pytest.raises(ExportError, match="not opened"):
        Pt2().load(tmp_path)
    assert not mark.exists()


def test_bombs_and_doubles(content, tmp_path):
    packed = forged(content, lambda members: None, zipfile.ZIP_DEFLATED)
    with pytest.raises(ExportError, match="compressed"):
        check_archive(tmp_path, packed)
    buffer = io.BytesIO(content)
    with zipfile.ZipFile(buffer, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr(archive.namelist()[0], b"")
    with pytest.raises(ExportError, match="two of one name"):
        check_archive(tmp_path, buffer.getvalue())


def test_sizes_as_torch_writes_them():
    for size in ("8", "s77", "2*s77", "Symbol('s77', positive=True, integer=True)"):
        assert SIZES.fullmatch(size)
    assert SIZES.fullmatch("Add(Mul(Integer(2), Symbol('s0', integer=True)), Integer(-1))")


@pytest.mark.parametrize("size", ["9**9**9", "\n9**9**9**9", "9\n", "1\n" + "9" * 19, "x", ""])
def test_sizes_that_are_not_evaluated(size):
    assert not SIZES.fullmatch(size)


@pytest.mark.parametrize("part", ["1" * 18 + "+", "s" + "1" * 18 + "+", "s1"])
def test_a_long_size_that_is_none_is_soon_known(part):
    """Trying each way to divide its digits would take longer than the universe is old."""
    assert not SIZES.fullmatch((part * LONGEST)[: LONGEST - 1] + "!")


def two_faced(content, change):
    """One file that torch reads changed and Python's zipfile as it was: two archives with
    directories of equal length, one after the other, and the end that fits both.
    """
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        one = {name: archive.read(name) for name in archive.namelist()}
    other = dict(one)
    change(other)
    for name in one:
        if name.endswith(".json"):  # spaces after it mean nothing
            length = max(len(one[name]), len(other[name]))
            one[name], other[name] = one[name].ljust(length), other[name].ljust(length)
    good = forged(content, lambda members: members.update(one))
    evil = forged(content, lambda members: members.update(other))
    end = good.rindex(b"PK\x05\x06")
    assert len(good) == len(evil) and evil[end:] == good[end:]
    return evil[:end] + good


def as_torch_reads(content, name):
    return torch._C.PyTorchFileReader(io.BytesIO(content)).get_record(name)


def test_two_archives_in_one_file(content, tmp_path):
    change = FORGERIES["torch.load"]
    both = two_faced(content, change)
    with zipfile.ZipFile(io.BytesIO(both)) as archive:
        assert b"torch.load" not in archive.read("archive/models/model.json")
    assert b"torch.load" in as_torch_reads(both, "models/model.json")
    with pytest.raises(ExportError, match="something stands before it"):
        check_archive(tmp_path, both)


def test_a_name_that_torch_takes_for_another(content, tmp_path):
    """Its reader does not tell capitals from other letters."""
    there = "archive/data/constants/model_constants_config.json"

    def change(members):
        members[there.replace("model_con", "model_CON")] = b'{"config": {}, "more": 1}'

    twice = forged(content, change)
    with pytest.raises(ExportError, match="reads in two ways"):
        check_archive(tmp_path, twice)


def test_names_that_torch_does_not_see(content):
    reader = torch._C.PyTorchFileReader(io.BytesIO(content))
    names = [f"archive/{name}" for name in reader.get_all_records()]
    check_names(reader, names[::-1])
    for others in ([], names[1:], [*names, "archive/version"], [*names[1:], f"x{names[0]}"]):
        with pytest.raises(ValueError, match="reads in two ways"):
            check_names(reader, others)


def test_members_that_share_their_bytes(content):
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = archive.infolist()
    check_members(members, len(content))
    with pytest.raises(ValueError, match="share their bytes"):
        check_members(members, sum(member.file_size for member in members) - 1)


@pytest.mark.parametrize("text", [b"", b"PK", b"x" * 1000])
def test_no_archive_at_all(text, tmp_path):
    with pytest.raises(ExportError, match="not opened"):
        check_archive(tmp_path, text)
