import torch

from kdsearch.losses.other_classes import other_logits


def test_by_hand() -> None:
    logits = torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]])
    found = other_logits(logits, torch.tensor([1, 0, 2]))
    assert found.tolist() == [[1, 3], [5, 6], [7, 8]]


def test_of_two_classes_one_is_left() -> None:
    found = other_logits(torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.tensor([0, 1]))
    assert found.tolist() == [[2], [3]]


def test_the_true_class_gets_no_gradient() -> None:
    logits = torch.zeros(2, 3, requires_grad=True)
    other_logits(logits, torch.tensor([1, 2])).sum().backward()
    assert logits.grad.tolist() == [[1, 0, 1], [1, 1, 0]]
