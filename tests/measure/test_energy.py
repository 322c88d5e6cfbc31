import pytest

from kdsearch.measure.energy import energy_uj


def test_by_hand() -> None:
    """A million MACs at 3.7 + 0.9 pJ; a thousand 4-byte parameters at 160 pJ a byte."""
    assert energy_uj(params=0, macs=1e6) == pytest.approx(4.6)
    assert energy_uj(params=1000, macs=0) == pytest.approx(1000 * 4 * 160 / 1e6)
    assert energy_uj(params=1000, macs=1e6) == pytest.approx(4.6 + 0.64)
