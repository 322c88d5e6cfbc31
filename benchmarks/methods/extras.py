"""Beyond accuracy: retrieval by features, and how features serve another data set."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor, nn

from kdsearch.config import read_config
from kdsearch.core.records import Architecture
from kdsearch.data.augment import normalise
from kdsearch.data.load import load_search
from kdsearch.data.records import SearchData
from kdsearch.measure.accuracy import evaluating
from kdsearch.measure.paired import difference, interval
from kdsearch.measure.retrieval import mean_average_precision
from kdsearch.nets import FAMILIES
from kdsearch.nets.stored import stored_weights
from kdsearch.spaces import load_space

TRAIN_DIGITS = 900


def retrieval(run: Path, methods: Sequence[str], seeds: int) -> dict[str, Any]:
    """Mean average precision, search-val images as queries, training images as the database."""
    data = search_data(run)
    scores = {}
    for name in methods:
        scores[name] = []
        for seed in range(seeds):
            student = taught(run, name, seed, data)
            database = features(student, normalised(data.train.images, data))
            queries = features(student, normalised(data.search_val.images, data))
            scores[name].append(
                mean_average_precision(
                    queries, data.search_val.labels, database, data.train.labels
                )
            )
    return told(scores)


def transfer(run: Path, methods: Sequence[str], seeds: int) -> dict[str, Any]:
    """Accuracy of a linear probe for handwritten digits on features learnt from clothes."""
    data = search_data(run)
    digits = load_digits()
    images = torch.tensor(digits.images / 16 * 255, dtype=torch.float32)[:, None]
    size = data.info.size
    images = F.interpolate(images, size=(size, size), mode="bilinear").round().to(torch.uint8)
    scores = {}
    for name in methods:
        scores[name] = []
        for seed in range(seeds):
            student = taught(run, name, seed, data)
            rows = features(student, normalised(images, data)).numpy()
            probe = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
            probe.fit(rows[:TRAIN_DIGITS], digits.target[:TRAIN_DIGITS])
            scores[name].append(
                float(probe.score(rows[TRAIN_DIGITS:], digits.target[TRAIN_DIGITS:]))
            )
    return told(scores)


def told(scores: dict[str, list[float]]) -> dict[str, Any]:
    """Mean, interval, and paired difference to `hard`, by method."""
    rows = {}
    for name, found in scores.items():
        versus = difference(found, scores["hard"])
        own = interval(found)
        rows[name] = {
            "values": found,
            "mean": own.mean,
            "ci95": own.ci95,
            "versus_hard": {"mean": versus.mean, "ci95": versus.ci95, "says": versus.says},
        }
    return rows


def search_data(run: Path) -> SearchData:
    return load_search(run / "data")


def normalised(images: Tensor, data: SearchData) -> Tensor:
    return normalise(images, data.info.mean, data.info.std)


def taught(run: Path, name: str, seed: int, data: SearchData) -> nn.Module:
    """The student of one run of a comparison."""
    config = read_config(run / "config.yaml")
    architecture = Architecture.of(dict(config.student.architecture))
    family = FAMILIES[load_space(config.space).family]
    student = family.student(architecture, data.info.channels, len(data.info.classes))
    folder = next(
        path
        for place in (name, f"{name}-*")  # the latter with a hash of somebody's own code
        for path in run.glob(f"lessons/*/{place}/epochs-all/seed{seed}")
    )
    student.load_state_dict(stored_weights(folder / "student.safetensors"))
    return student


@torch.no_grad()
def features(student: nn.Module, images: Tensor) -> Tensor:
    with evaluating(student):
        return torch.cat([student(batch).pooled for batch in torch.split(images, 500)])
