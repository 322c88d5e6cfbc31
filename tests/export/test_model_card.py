"""The card for people: everything in it, nothing of it markup that somebody else wrote."""

import pytest
import torch

from kdsearch.data.records import Split
from kdsearch.export.handover import Order, Shown, hand_over
from kdsearch.export.model_card import words

FACTS = {
    "id": "s007",
    "params": 1234,
    "macs": 5678,
    "recipe": {"method": "soften", "knobs": {"temperature": 4.0}},
    "teacher": {"network": "torchvision:resnet18", "hash": "ab12"},
    "data": {"name": "folder:birds", "fingerprint": "cd34", "images": {"train": 80}},
}
NASTY = "<script>|`*_[x](y)\n# big"


@pytest.fixture(scope="module")
def text(student, spec, pixels, tmp_path_factory):
    folder = tmp_path_factory.mktemp("card") / "out"
    shown = Shown(pixels, Split(pixels[:30], torch.arange(30) % 3))
    order = Order(["safetensors", "python"], licence="apache-2.0", rounds=2)
    spec = spec | {"classes": ["cat", "dog", NASTY]}
    content = hand_over(student, spec, shown, folder, order, FACTS)
    return (folder / "README.md").read_text(), content


def test_front_matter_is_what_hubs_read(text):
    import yaml

    _, matter, _ = text[0].split("---\n", 2)
    assert yaml.safe_load(matter) == {
        "license": "apache-2.0",
        "library_name": "kdsearch",
        "pipeline_tag": "image-classification",
        "tags": ["kdsearch", "knowledge-distillation"],
    }


def test_tells_data_teacher_recipe_scores_latency_hashes_and_how_to_load(text):
    page, content = text
    for part in (
        "s007: 3 classes",
        "1,234 parameters, 5,678 MACs",
        "2 x 8 x 8 images",
        "mean 0.4, 0.5 and std 0.2, 0.3",
        "folder:birds",
        "torchvision:resnet18",
        "method soften; knobs temperature 4",
        "Licence: apache-2.0",
        "| cat | 10 |",
        "kdsearch.from_pretrained",
        "from student import load, normalise",
        content["artefacts"]["python"]["latency"]["device"],
        *(file["sha256"] for name, file in content["files"].items() if name != "README.md"),
    ):
        assert part in page, part
    accuracy = content["artefacts"]["python"]["test_accuracy"]
    assert f"| python | float32 normalised images | {accuracy:.2%} (" in page


def test_class_names_are_text_and_nothing_else(text):
    (row,) = [line for line in text[0].splitlines() if "script" in line]
    assert "<script>" not in row and r"&lt;script&gt;\|\`\*\_\[x\](y) \# big" in row


def test_words_are_one_printable_line():
    assert words("a\nb\u202e") == "a b"
    assert words({"a": [1, 2.5], "b": {}}) == "a 1, 2.5; b none"
