import pytest
import torch

from kdsearch.training.precision import autocast


@pytest.mark.parametrize(
    ("precision", "kind"), [("bf16", torch.bfloat16), ("float32", torch.float32)]
)
def test_products_are_in_the_precision_asked_for(precision: str, kind: torch.dtype) -> None:
    images = torch.ones(2, 2)
    with autocast(images.device, precision):
        assert (images @ images).dtype == kind
    assert (images @ images).dtype == torch.float32
