import pytest

from kdsearch.data.memory import available_bytes, check_fits
from kdsearch.errors import DataError


def test_what_does_not_fit_is_told_with_a_way_out() -> None:
    needed = 2 * 1000 * 3 * 64 * 64
    check_fits(1000, 3, 64, available=needed)
    check_fits(1000, 3, 64, available=None)
    with pytest.raises(DataError, match=r"1000 images of 3x64x64 need 0.0 GB .* data.limit"):
        check_fits(1000, 3, 64, available=needed - 1)


def test_this_machine_tells_its_memory() -> None:
    found = available_bytes()
    assert found is None or 10**7 < found < 10**14
