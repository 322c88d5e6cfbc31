"""resnet32x4 and resnet8x4, the pair of the CIFAR-100 tables (He et al., 2016, sec. 4.2; widths
of Tian et al., 2020, arXiv:1910.10699: stem 32, stages 64, 128, 256)."""

from functools import partial

import torch.nn.functional as F
from torch import Tensor, nn


class Block(nn.Module):
    """Two 3x3 convolutions and a shortcut, projected where width or resolution changes."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(outputs)
        self.shortcut = (
            nn.Identity()
            if stride == 1 and inputs == outputs
            else nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
            )
        )

    def forward(self, images: Tensor) -> Tensor:
        out = F.relu(self.norm1(self.conv1(images)))
        return F.relu(self.norm2(self.conv2(out)) + self.shortcut(images))


class WideThin(nn.Module):
    """Three stages of `depth` blocks; 6 · depth + 2 layers."""

    def __init__(self, depth: int, classes: int = 100) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 32, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(32)
        inputs, stages = 32, []
        for stride, width in ((1, 64), (2, 128), (2, 256)):
            blocks = [Block(inputs, width, stride)]
            blocks += [Block(width, width, 1) for _ in range(depth - 1)]
            stages.append(nn.Sequential(*blocks))
            inputs = width
        self.stages = nn.Sequential(*stages)
        self.classifier = nn.Linear(inputs, classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, images: Tensor) -> Tensor:
        out = self.stages(F.relu(self.norm(self.conv(images))))
        logits: Tensor = self.classifier(out.mean((2, 3)))
        return logits


resnet32x4 = partial(WideThin, 5)
resnet8x4 = partial(WideThin, 1)
