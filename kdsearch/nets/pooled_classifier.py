"""The last piece of a student of feature maps (ours): the mean over space, the classifier."""

from torch import Tensor, nn


class PooledClassifier(nn.Module):
    """Global average pooling and the classifier."""

    def __init__(self, classifier: nn.Linear) -> None:
        super().__init__()
        self.classifier = classifier

    def forward(self, maps: Tensor) -> Tensor:
        logits: Tensor = self.classifier(maps.mean((2, 3)))
        return logits
