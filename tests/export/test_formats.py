"""What holds for every format of the table."""

import shutil

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kdsearch.errors import ExportError, UserError
from kdsearch.export import FORMATS, formats
from kdsearch.export.parity import check


@pytest.fixture(scope="session", params=FORMATS)
def written(request, student, spec, images, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    form = FORMATS[request.param]
    return form, folder, form.write(student, spec, images, folder)


@pytest.mark.parametrize("batch", [1, 2, 7])
def test_read_back_computes_what_the_student_computes(written, images, expected, batch):
    form, folder, _ = written
    actual = form.load(folder)(images[:batch].numpy())
    np.testing.assert_allclose(actual, expected[:batch], atol=1e-5)


def test_names_the_files_it_wrote(written):
    _, folder, paths = written
    assert sorted(paths) == sorted(folder.iterdir())


def test_one_image_is_example_enough(written, student, spec, images, expected, tmp_path):
    form, _, _ = written
    form.write(student, spec, images[:1], tmp_path)
    np.testing.assert_allclose(form.load(tmp_path)(images.numpy()), expected, atol=1e-5)


def test_says_nothing(written, student, spec, images, tmp_path, capfd):
    form, _, _ = written
    form.write(student, spec, images, tmp_path)
    assert capfd.readouterr() == ("", "")


def test_wrong_weights_are_detected(written, images, expected, tmp_path):
    form, folder, paths = written
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    flip(tmp_path / paths[0].name, 0.5, 400)
    with pytest.raises(ExportError, match=f"^{form.name}: what was written"):
        check(form, tmp_path, images.numpy(), expected)


@settings(
    max_examples=30, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck)
)
@given(place=st.floats(0, 1), share=st.floats(0, 1))
def test_damage_gives_one_line_or_harmless_logits(
    written, images, expected, tmp_path, place, share
):
    form, folder, paths = written
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    damaged = tmp_path / paths[0].name
    flip(damaged, place, 40)
    damaged.write_bytes(damaged.read_bytes()[: max(1, int(share * damaged.stat().st_size))])
    try:
        found = check(form, tmp_path, images.numpy(), expected)
    except ExportError as error:
        assert "\n" not in str(error)
    else:
        assert found.top1_agreement == 1


def test_missing_file_is_detected(written, images, expected, tmp_path):
    form, _, _ = written
    with pytest.raises(ExportError, match=f"^{form.name}: what was written cannot be run"):
        check(form, tmp_path, images.numpy(), expected)


def flip(path, place, count):
    """Inverts `count` bytes from `place` (a share of the file) on."""
    content = bytearray(path.read_bytes())
    start = int(place * (len(content) - count))
    content[start : start + count] = bytes(b ^ 0xFF for b in content[start : start + count])
    path.write_bytes(content)


def test_formats_are_chosen_by_name_in_that_order():
    assert list(formats(["onnx", "safetensors"])) == ["onnx", "safetensors"]
    assert all(form.name == name for name, form in FORMATS.items())


def test_unknown_format_gets_the_nearest():
    with pytest.raises(UserError, match="unknown format 'onxx'; did you mean 'onnx'"):
        formats(["safetensors", "onxx"])
