"""Scikit-learn's handwritten digits: 1,797 grey images of 8 x 8 pixels, in its wheel.

Alpaydin & Kaynak, 1998, UCI Machine Learning Repository, doi:10.24432/C50P49 (its test part).
"""

from typing import Any, ClassVar

import torch

from kdsearch.core.progress import Progress
from kdsearch.data.arrays import array_part
from kdsearch.data.records import Options, Raw
from kdsearch.errors import DataError


class Digits:
    """Handwritten digits that come with scikit-learn: no download."""

    name: ClassVar[str] = "digits"
    usage: ClassVar[str] = "digits"

    def load(self, argument: str, options: Options, progress: Progress) -> Raw:
        if argument:
            raise DataError(f"digits takes no argument, not '{argument}'; write name: digits")
        from sklearn.datasets import load_digits

        content = load_digits()
        counts = torch.from_numpy(content.images)  # 0..16 inked pixels of a 4 x 4 block
        images = counts.mul(255 / 16).round().to(torch.uint8)[:, None]
        labels = torch.from_numpy(content.target).to(torch.int64)
        size = options.size or 8
        classes = tuple(map(str, range(10)))
        return Raw(classes, 1, size, array_part(images, labels, size))

    def describe(self, argument: str, options: Options) -> dict[str, Any]:
        return {}
