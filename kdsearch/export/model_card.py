"""README.md beside the artefacts: the card for people, with the front matter of model hubs."""

import html
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from kdsearch.export.format import Format

MODEL_CARD = "README.md"
MOST_CLASSES = 100
"""So many rows of per-class scores are shown; card.json has them all."""


def model_card(content: Mapping[str, Any], chosen: Mapping[str, Format]) -> str:
    """Of what card.json says: data, classes, recipe, scores, latency, hashes, how to load."""
    sections = (
        front_matter(content),
        about(content),
        scores(content),
        latency(content),
        classes(content),
        loading(content, chosen),
        hashes(content),
    )
    return "\n\n".join("\n".join(section) for section in sections) + "\n"


def front_matter(content: Mapping[str, Any]) -> Iterator[str]:
    yield "---"
    yield f"license: {content['licence']}"
    yield "library_name: kdsearch"
    yield "pipeline_tag: image-classification"
    yield "tags: [kdsearch, knowledge-distillation]"
    yield "---"


def about(content: Mapping[str, Any]) -> Iterator[str]:
    shape = content["input"]["shape"]
    yield f"# {words(content.get('id') or 'student')}: {len(content['classes'])} classes"
    yield ""
    yield f"- Network: family {words(content['family'] or 'of its own')}" + counted(content)
    yield f"- Input: {shape[1]} x {shape[2]} x {shape[3]} images, {preprocessing(content)}"
    yield "- Output: one logit for each class"
    for name in ("data", "teacher", "recipe"):
        if content.get(name):
            yield f"- {name.capitalize()}: {words(content[name])}"
    yield f"- Licence: {content['licence']}"


def counted(content: Mapping[str, Any]) -> str:
    if "params" not in content or "macs" not in content:
        return ""
    return f", {content['params']:,} parameters, {content['macs']:,} MACs"


def preprocessing(content: Mapping[str, Any]) -> str:
    shown = content["input"]
    return (
        "normalised as (pixel / 255 - mean) / std with mean "
        f"{numbers(shown['mean'])} and std {numbers(shown['std'])}, pixels from 0 to 255"
    )


def scores(content: Mapping[str, Any]) -> Iterator[str]:
    yield "## Accuracy, measured on each file"
    yield ""
    yield "Agreement: on calibration images, with the student in PyTorch."
    yield ""
    yield "| format | takes | test accuracy | agreement | largest difference of a logit |"
    yield "|---|---|---|---|---|"
    for name, known in content["artefacts"].items():
        parity, score = content["parity"][name], "not measured"
        if "test_accuracy" in known:
            low, high = known["test_accuracy_ci95"]
            score = f"{known['test_accuracy']:.2%} ({low:.2%} to {high:.2%})"
        yield (
            f"| {name} | {known['takes']} | {score} | {parity['top1_agreement']:.2%} of "
            f"{parity['images']} | {parity['max_abs']:.2g} ({parity['relative']:.1e} of the "
            "largest) |"
        )


def latency(content: Mapping[str, Any]) -> Iterator[str]:
    yield "## Latency, measured on each file"
    yield ""
    yield "| format | runtime | p50, ms (95 % interval) | p95, ms | batch | threads |"
    yield "|---|---|---|---|---|---|"
    devices, busy = set(), False
    for name, known in content["artefacts"].items():
        timed = known["latency"]
        low, high = timed["ci95"]
        devices.add(timed["device"])
        busy = busy or timed["busy"]
        yield (
            f"| {name} | {words(known['runtime'])} | {timed['p50']:.3g} ({low:.3g} to "
            f"{high:.3g}) | {timed['p95']:.3g} | {timed['batch_size']} | {timed['threads']} |"
        )
    yield ""
    yield f"On {words(', '.join(sorted(devices)))}{'; the machine was busy' * busy}."


def classes(content: Mapping[str, Any]) -> Iterator[str]:
    yield "## Classes"
    yield ""
    if not (rows := content.get("per_class")):
        yield words(content["classes"][:MOST_CLASSES])
        return
    yield "| class | test images | recall | precision |"
    yield "|---|---|---|---|"
    for row in rows[:MOST_CLASSES]:
        yield (
            f"| {words(row['class'])} | {row['images']} | {share(row['recall'])} | "
            f"{share(row['precision'])} |"
        )
    if len(rows) > MOST_CLASSES:
        yield ""
        yield f"{len(rows) - MOST_CLASSES} more: `per_class` of card.json."


def loading(content: Mapping[str, Any], chosen: Mapping[str, Format]) -> Iterator[str]:
    yield "## How to load it"
    for name, form in chosen.items():
        yield ""
        yield f"`{name}` (takes {content['artefacts'][name]['takes']}):"
        yield ""
        yield "```python"
        yield from form.usage.splitlines()
        yield "```"


def hashes(content: Mapping[str, Any]) -> Iterator[str]:
    yield "## Files"
    yield ""
    yield "`kdsearch verify .` checks all of them; check.safetensors has calibration images."
    yield ""
    yield "| file | bytes | SHA-256 |"
    yield "|---|---|---|"
    for name, file in content["files"].items():
        yield f"| {name} | {file['bytes']:,} | `{file['sha256']}` |"


def words(value: Any) -> str:
    """In one line, nothing of it being markup."""
    if isinstance(value, Mapping):
        return "; ".join(f"{words(k)} {words(v)}" for k, v in value.items()) or "none"
    if isinstance(value, list | tuple):
        return ", ".join(map(words, value))
    if isinstance(value, float):
        return f"{value:.4g}"
    text = html.escape(" ".join(str(value).split()), quote=False)
    return "".join(f"\\{c}" if c in r"\`*_[]|#" else c for c in text if c.isprintable())


def numbers(values: Sequence[float]) -> str:
    return ", ".join(f"{value:.4g}" for value in values)


def share(value: float | None) -> str:
    return "none found" if value is None else f"{value:.1%}"
