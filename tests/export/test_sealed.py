"""What a damaged, forged or escaping card says: one line, naming the file."""

import json

import pytest

from kdsearch.errors import ArtefactError
from kdsearch.export.card import listed
from kdsearch.export.sealed import CARD, NORMALISED, check_files, read_card, seal


@pytest.fixture
def content(tmp_path, spec):
    (tmp_path / "model.bin").write_bytes(b"weights")
    known = {
        "schema": 2,
        "spec": spec,
        "files": listed([tmp_path / "model.bin"]),
        "artefacts": {"onnx": {"files": ["model.bin"], "takes": NORMALISED}},
    }
    write(tmp_path, seal(known))
    return known


def write(folder, content):
    (folder / CARD).write_text(json.dumps(content))


def test_untouched_it_is_read_and_its_files_pass(tmp_path, content):
    assert read_card(tmp_path)["spec"] == content["spec"]
    check_files(tmp_path, content["files"])


@pytest.mark.parametrize("changed", [b"weighty", b"weights ", None])
def test_changed_or_missing_files_are_named(tmp_path, content, changed):
    (tmp_path / "model.bin").unlink()
    if changed is not None:
        (tmp_path / "model.bin").write_bytes(changed)
    with pytest.raises(ArtefactError, match=r"model\.bin: (not the file its|is not there)"):
        check_files(tmp_path, content["files"])


def test_a_link_is_no_file_of_ours_even_to_the_same_bytes(tmp_path, content):
    (tmp_path / "model.bin").rename(tmp_path / "elsewhere")
    (tmp_path / "model.bin").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ArtefactError, match="a link"):
        check_files(tmp_path, content["files"])


@pytest.mark.parametrize("name", ["../model.bin", "/etc/passwd", "a/b", "", ".hidden", "a\n"])
def test_names_cannot_leave_the_folder(tmp_path, name):
    with pytest.raises(ArtefactError, match="is no name of a file of ours"):
        check_files(tmp_path, {name: {"bytes": 0, "sha256": ""}})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("schema", 1),
        ("spec", {}),
        ("files", []),
        ("files", {"a": {"bytes": -1, "sha256": "0"}}),
        ("artefacts", {}),
        ("artefacts", {"onnx": {"files": ["../x"], "takes": NORMALISED}}),
        ("artefacts", {"onnx": {"files": ["x"], "takes": "anything"}}),
    ],
)
def test_a_card_of_other_kinds_is_refused_though_sealed(tmp_path, content, key, value):
    write(tmp_path, seal({**content, key: value}))
    with pytest.raises(ArtefactError, match=r"card\.json: not as an export wrote it"):
        read_card(tmp_path)


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, "5", "\xff", '{"a": NaN}'])
def test_what_is_no_card_is_one_line(tmp_path, text):
    (tmp_path / CARD).write_bytes(text.encode("latin-1"))
    with pytest.raises(ArtefactError, match=r"card\.json: not "):
        read_card(tmp_path)


def test_one_changed_number_breaks_the_seal(tmp_path, content):
    sealed = seal({**content, "test_accuracy": 0.8})
    write(tmp_path, {**sealed, "test_accuracy": 0.9})
    with pytest.raises(ArtefactError, match="not as an export wrote it"):
        read_card(tmp_path)


def test_a_folder_without_a_card(tmp_path):
    with pytest.raises(ArtefactError, match="no folder here; `kdsearch export RUN --to"):
        read_card(tmp_path / "none")
    with pytest.raises(ArtefactError, match=r"card\.json: is not there"):
        read_card(tmp_path)
