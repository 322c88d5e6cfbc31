"""Energy of a forward pass, estimated by counting: no measurement, no device of today.

Costs of an operation at 45 nm: Horowitz, 2014, ISSCC, pp. 10-14, fig. 1.1.9 (a 32-bit float
multiplication 3.7 pJ, an addition 0.9 pJ); reading 32 bits from DRAM 640 pJ, as Han et al.,
2015, arXiv:1506.02626, fig. 1, have it from there.
"""

MAC_PJ = 3.7 + 0.9
PARAMETER_PJ = 640.0
"""A 32-bit parameter read from DRAM once: 4 bytes at 160 pJ."""


def energy_uj(params: float, macs: float) -> float:
    """Microjoules for one image, each parameter fetched once, activations for nothing."""
    return (MAC_PJ * macs + PARAMETER_PJ * params) / 1e6
