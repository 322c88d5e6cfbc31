import json
import random
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from kdsearch.errors import RunError
from kdsearch.training.checkpoint import Progressed, read_checkpoint, write_checkpoint
from kdsearch.training.optimiser import make_optimiser
from kdsearch.training.plan import Plan

PLAN = Plan(steps=10, batch_size=4, learning_rate=0.1, weight_decay=0.1, seed=0)


def network(seed: int) -> nn.Module:
    torch.manual_seed(seed)
    net = nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.Flatten(), nn.Linear(12, 2))
    return net.to(memory_format=torch.channels_last)


def step(net: nn.Module, optimiser: torch.optim.Optimizer) -> None:
    optimiser.zero_grad()
    generator = torch.Generator().manual_seed(5)
    net(torch.randn(6, 2, 4, 4, generator=generator)).square().sum().backward()
    optimiser.step()


def test_what_is_written_is_read(tmp_path: Path) -> None:
    net = network(0)
    optimiser = make_optimiser(net, PLAN)
    step(net, optimiser)
    average = {name: p.detach() * 2 for name, p in net.named_parameters()}
    at = Progressed(7, average, [(3, 1.25), (7, 0.1)], 0.3, rollbacks=2)
    write_checkpoint(tmp_path / "run", net, optimiser, at)

    twin = network(1)
    other = make_optimiser(twin, PLAN)
    found = read_checkpoint(tmp_path / "run", twin, other)
    assert (found.step, found.curve, found.best_cross_entropy) == (7, at.curve, 0.3)
    assert found.rollbacks == 2
    for name, value in net.state_dict().items():
        assert torch.equal(twin.state_dict()[name], value), name
    for name, value in average.items():
        assert torch.equal(found.average[name], value), name
        # as the weights lie in memory, else the next step rounds in another order
        assert found.average[name].stride() == value.stride(), name
    for parameter in twin.parameters():
        momentum = other.state[parameter]["momentum_buffer"]
        assert momentum.stride() == parameter.stride()
    step(net, optimiser), step(twin, other)
    for name, value in net.state_dict().items():
        assert torch.equal(twin.state_dict()[name], value), name


def test_before_the_first_step_there_is_no_momentum(tmp_path: Path) -> None:
    net = network(0)
    write_checkpoint(tmp_path / "run", net, make_optimiser(net, PLAN), Progressed())
    found = read_checkpoint(tmp_path / "run", network(1), make_optimiser(network(1), PLAN))
    assert found == Progressed()


def test_an_old_checkpoint_counts_no_roll_backs_and_has_no_sum(tmp_path: Path) -> None:
    net = network(0)
    tensors = {f"module/{n}": t.contiguous() for n, t in net.state_dict().items()}
    facts = {"step": 3, "curve": [], "best": 0.5}
    save_file(tensors, tmp_path / "run", {"facts": json.dumps(facts)})
    found = read_checkpoint(tmp_path / "run", network(1), make_optimiser(network(1), PLAN))
    assert (found.step, found.rollbacks) == (3, 0)


def test_another_network_is_refused(tmp_path: Path) -> None:
    net = network(0)
    write_checkpoint(tmp_path / "run", net, make_optimiser(net, PLAN), Progressed())
    other = nn.Linear(2, 2)
    with pytest.raises(RuntimeError, match="state_dict"):
        read_checkpoint(tmp_path / "run", other, make_optimiser(other, PLAN))


def flipped(content: bytes, place: int) -> bytes:
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


def damages(content: bytes) -> list[bytes]:
    """One bit here and there, half of it, none of it, garbage, zeros."""
    rng = random.Random(0)
    header = 8 + int.from_bytes(content[:8], "little")
    places = [*rng.sample(range(header), 60), *rng.sample(range(header, len(content)), 20)]
    garbage = b"\x10\x00\x00\x00\x00\x00\x00\x00garbage"
    others = [b"", garbage, bytes(len(content)), content[:-1], content[: header + 5]]
    return [*(flipped(content, place) for place in places), *others]


def test_a_damaged_checkpoint_is_named_and_nothing_of_it_is_taken(tmp_path: Path) -> None:
    path, net = tmp_path / "checkpoint.safetensors", network(0)
    optimiser = make_optimiser(net, PLAN)
    step(net, optimiser)
    write_checkpoint(path, net, optimiser, Progressed(7, curve=[(3, 1.25)]))
    twin, before = network(1), network(1).state_dict()
    for content in damages(path.read_bytes()):
        path.write_bytes(content)
        with pytest.raises(RunError, match=f"{path}: no whole checkpoint; remove {path}, and"):
            read_checkpoint(path, twin, make_optimiser(twin, PLAN))
        assert all(torch.equal(tensor, before[n]) for n, tensor in twin.state_dict().items())
