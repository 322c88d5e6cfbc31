"""On what a worker of Ray's trains, where the config leaves it open."""

from dataclasses import replace

import torch

from kdsearch.search.setting import AUTO, Setting

WITHOUT_TORCH = "workers: Ray gives them GPUs, torch finds none; they train on processors"


def settled(setting: Setting) -> tuple[Setting, str]:
    """The setting with a device, and what there is to say of it.

    A worker that was given no GPU may see those of others.
    """
    if setting.device != AUTO:
        return setting, ""
    import ray

    is_given = bool(ray.get_gpu_ids())
    device = "cuda" if is_given and torch.cuda.is_available() else "cpu"
    said = WITHOUT_TORCH if is_given and device == "cpu" else ""
    return replace(setting, device=device), said
