"""Students of the other families (resnet: test_onnx.py) are written as what they compute."""

import pytest
import torch
from torch import nn

from kdsearch.core.records import Architecture
from kdsearch.export.onnx import Onnx
from kdsearch.export.original import Original
from kdsearch.export.parity import check
from kdsearch.nets import FAMILIES

STUDENTS = {
    "mobile": {
        "resolution": 6,
        "stage1.width": 4,
        "stage1.depth": 1,
        "stage1.block1.kernel": 3,
        "stage1.block1.expand": 2,
        "stage2.width": 8,
        "stage2.depth": 1,
        "stage2.block1.kernel": 5,
        "stage2.block1.expand": 3,
    },
}


@pytest.mark.parametrize("family", STUDENTS)
def test_a_student_as_onnx(family, tmp_path):
    torch.manual_seed(0)
    student = FAMILIES[family].student(Architecture.of(STUDENTS[family]), 3, 5).eval()
    for module in student.modules():
        if isinstance(module, nn.BatchNorm2d):  # else the blocks would be switched off
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.running_mean)
    spec = {"mean": [0.5] * 3, "std": [0.3] * 3}
    pixels = torch.randint(0, 256, (6, 3, 8, 8), dtype=torch.uint8)
    original = Original(student, spec, pixels)
    assert original.expected.std() > 0.05
    Onnx().write(original, tmp_path)
    images = original.shown.numpy()
    assert check(Onnx(), Onnx().load(tmp_path), images, original.expected).images == 6
