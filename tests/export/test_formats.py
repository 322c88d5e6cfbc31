"""What holds for every format of the table; each is written once."""

import shutil

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kdsearch.core.shapes import is_plain_name
from kdsearch.errors import ExportError, UserError
from kdsearch.export import FORMATS, formats
from kdsearch.export.original import Original
from kdsearch.export.parity import EXACT, QUANTISED, check, opened


@pytest.fixture(scope="session", params=FORMATS)
def form(request, spec):
    form = FORMATS[request.param]
    try:
        form.check(spec)
    except UserError as error:
        pytest.skip(str(error))
    return form


@pytest.fixture(scope="session")
def written(form, original, tmp_path_factory):
    folder = tmp_path_factory.mktemp(form.name)
    return form, folder, form.write(original, folder)


@pytest.fixture(scope="session")
def call(written):
    form, folder, _ = written
    return form.load(folder)


@pytest.mark.parametrize("batch", [1, 2, 7])
def test_read_back_computes_what_the_student_computes(form, call, images, expected, batch):
    actual = call(images[:batch].numpy())
    assert actual.shape == (batch, 3) and actual.dtype == np.float32
    gate = QUANTISED if form.is_quantised else EXACT
    largest = np.abs(expected).max()
    assert np.abs(actual - expected[:batch]).max() <= gate.relative * largest / 10


def test_the_check_passes_with_room(form, call, images, expected):
    found = check(form, call, images.numpy(), expected)
    assert found.images == 80
    assert found.top1_agreement >= (0.95 if form.is_quantised else 1)
    assert found.relative <= (0.1 if form.is_quantised else 1e-5)


def test_names_the_files_it_wrote(written):
    form, folder, facts = written
    assert {path.name for path in folder.iterdir()} == set(form.files)
    assert all(is_plain_name(name) for name in form.files)
    assert ("opset" in facts) == ("onnx" in form.name)


def test_tells_nothing_of_the_machine_it_was_written_on(written):
    form, folder, _ = written
    for name in form.files:
        assert not any(w in (folder / name).read_bytes() for w in (b"site-packages", b"/tmp/"))


def test_says_nothing_and_leaves_the_student_alone(
    form, student, spec, pixels, tmp_path, capfd
):
    """A second time, of another original: the first may have been warned of."""
    if form.is_graph and form.name != "pt2":
        pytest.skip("seconds of converting; the whole hand-over is held to it in test_students")
    before = {name: tensor.clone() for name, tensor in student.state_dict().items()}
    form.write(Original(student, spec, pixels[:1]), tmp_path)
    form.load(tmp_path)
    assert capfd.readouterr() == ("", "")
    assert all((tensor == before[n]).all() for n, tensor in student.state_dict().items())


def test_usage_is_python_that_names_a_file_of_ours(form):
    compile(form.usage, form.name, "exec")
    assert len([line for line in form.usage.splitlines() if line]) <= 5
    assert any(
        name.partition(".")[0] in form.usage for name in (*form.files, "from_pretrained")
    )


def test_runtime_names_a_version(form):
    assert form.runtime().split()[-1][0].isdigit()


def test_wrong_weights_are_detected(written, images, expected, tmp_path):
    form, folder, _ = written
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    heaviest = max(form.files, key=lambda name: (tmp_path / name).stat().st_size)
    flip(tmp_path / heaviest, 0.5, 400)
    with pytest.raises(ExportError, match=f"^{form.name}: what was written"):
        check(form, opened(form, tmp_path), images.numpy(), expected)


@settings(
    max_examples=8, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck)
)
@given(damage=st.tuples(st.floats(0, 1), st.floats(0, 1), st.integers(0, 9)))
def test_damage_gives_one_line_or_harmless_logits(written, images, expected, tmp_path, damage):
    (form, folder, _), (place, share, which) = written, damage
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    damaged = tmp_path / form.files[which % len(form.files)]
    flip(damaged, place, 40)
    damaged.write_bytes(damaged.read_bytes()[: max(1, int(share * damaged.stat().st_size))])
    try:
        found = check(form, opened(form, tmp_path), images.numpy(), expected)
    except ExportError as error:
        assert "\n" not in str(error)
    else:
        assert found.top1_agreement >= (0.8 if form.is_quantised else 1)


def test_missing_file_is_detected(form, tmp_path):
    with pytest.raises(ExportError, match=f"^{form.name}: what was written cannot be run"):
        opened(form, tmp_path)


def flip(path, place, count):
    """Inverts `count` bytes from `place` (a share of the file) on."""
    content = bytearray(path.read_bytes())
    start = int(place * max(0, len(content) - count))
    content[start : start + count] = bytes(b ^ 0xFF for b in content[start : start + count])
    path.write_bytes(content)


def test_formats_are_chosen_by_name_in_that_order():
    assert list(formats(["onnx", "safetensors"])) == ["onnx", "safetensors"]
    assert all(form.name == name for name, form in FORMATS.items())


def test_unknown_format_gets_the_nearest():
    with pytest.raises(UserError, match="unknown format 'onxx'; did you mean 'onnx'"):
        formats(["safetensors", "onxx"])
