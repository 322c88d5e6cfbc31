from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from kdsearch.data.pictures import is_grey, pixels, read_file

Paint = Callable[..., Path]


@pytest.mark.parametrize(
    ("mode", "value", "grey", "colour"),
    [
        ("RGB", (255, 0, 10), 77, (255, 0, 10)),
        ("L", 90, 90, (90, 90, 90)),
        ("1", 1, 255, (255, 255, 255)),
        ("LA", (90, 5), 90, (90, 90, 90)),
        ("RGBA", (255, 0, 10, 3), 77, (255, 0, 10)),
        ("CMYK", (255, 0, 0, 0), 179, (0, 255, 255)),
    ],
)
def test_modes(mode: str, value: object, grey: int, colour: tuple[int, int, int]) -> None:
    picture = Image.new(mode, (6, 6), value)  # type: ignore[arg-type]
    # grey is 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601)
    assert pixels(picture, 1, 4).unique().tolist() == [grey]
    found = pixels(picture, 3, 4)
    assert found.shape == (3, 4, 4)
    assert tuple(found[:, 0, 0].tolist()) == colour


def test_sixteen_bits_are_scaled_not_clipped(paint: Paint) -> None:
    levels = np.array([[0, 256, 32768, 65535]] * 4, dtype=np.uint16)
    file = paint("deep.png", value=levels)
    assert is_grey(file)
    assert read_file(file, 1, 4)[0, 0].tolist() == [0, 1, 128, 255]


def test_thirty_two_bits_are_refused() -> None:
    with pytest.raises(ValueError, match="32-bit pixels"):
        pixels(Image.new("F", (4, 4)), 1, 4)


def test_palettes_with_and_without_transparency() -> None:
    picture = Image.new("P", (4, 4), 1)
    picture.putpalette([0, 0, 0, 10, 20, 30])
    assert pixels(picture, 3, 2)[:, 0, 0].tolist() == [10, 20, 30]
    picture.info["transparency"] = b"\x00\xff"
    assert pixels(picture, 3, 2)[:, 0, 0].tolist() == [10, 20, 30]


def test_the_central_square_is_taken() -> None:
    wide = np.zeros((4, 8), np.uint8)
    wide[:, 2:6] = np.arange(16).reshape(4, 4)
    assert torch.equal(
        pixels(Image.fromarray(wide), 1, 4)[0], torch.arange(16, dtype=torch.uint8).view(4, 4)
    )
    assert torch.equal(
        pixels(Image.fromarray(wide.T.copy()), 1, 4)[0],
        torch.arange(16, dtype=torch.uint8).view(4, 4).T,
    )


def test_shrinking_averages() -> None:
    stripes = Image.fromarray(np.tile(np.array([0, 255], np.uint8), (32, 16)))
    shrunk = pixels(stripes, 1, 4)[0, :, 1:3]
    assert 110 < shrunk.min() <= shrunk.max() < 145


def test_a_photograph_lying_on_its_side_is_put_upright(tmp_path: Path) -> None:
    array = np.zeros((16, 16, 3), np.uint8)
    array[:8] = 255
    exif = Image.Exif()
    exif[0x0112] = 6  # orientation: rotate by 90 degrees clockwise to see it upright
    Image.fromarray(array).save(tmp_path / "side.png", exif=exif)
    upright = read_file(tmp_path / "side.png", 1, 4)[0]
    assert upright[0].tolist() == [0, 32, 223, 255]
    assert upright[3].tolist() == upright[0].tolist()


def test_a_big_jpeg_is_shrunk_to_much_the_same(tmp_path: Path) -> None:
    ramp = np.linspace(0, 255, 512).astype(np.uint8)
    picture = Image.fromarray(np.broadcast_to(ramp, (512, 512)).copy())
    picture.save(tmp_path / "big.jpg", quality=95)
    found = read_file(tmp_path / "big.jpg", 1, 16).int()
    assert (found - pixels(picture, 1, 16).int()).abs().max() <= 2


def test_grey_is_told_by_the_header(paint: Paint) -> None:
    assert is_grey(paint("grey.png", mode="L", value=3))
    assert not is_grey(paint("colour.png", value=(3, 3, 3)))
