"""What `kdsearch front` says of predictions, in lines; heavy packages are not asked for it."""

from collections.abc import Mapping
from typing import Any

from kdsearch.core.quantities import percent


def predictor_lines(content: Mapping[str, Any]) -> list[str]:
    """How far predictions can be trusted, a line a target; and what was only predicted."""
    lines = [line(name, one) for name, one in content.get("predictor", {}).items()]
    for name in content.get("targets", {}):
        only = [
            p["id"] for p in content["points"] if p["latency"].get(name, {}).get("predicted")
        ]
        if only:
            lines.append(
                f"predicted on {name}, not measured there: {', '.join(only)}; `kdsearch "
                "profile CONFIG --bundle again.zip --students RUN` takes them there"
            )
    return lines


def line(name: str, one: Mapping[str, Any]) -> str:
    """'predictor of edge: 93 % within 10 % of measured (ceiling 95 %), …'."""
    if one.get("within_10_percent") is None:
        known = f"predictor of {name}: of too few networks to tell how good it is"
        return f"{known}{on_front(one['bias_on_front'])}"
    ceiling = one.get("ceiling")
    within = percent(one.get("within_10_percent"), 0)
    most = f" (measuring again: {percent(ceiling['within_10_percent'], 0)})" if ceiling else ""
    covered = percent(one.get("coverage"), 0)
    return (
        f"predictor of {name}: {within} within 10 %{most}, intervals cover {covered}"
        f"{on_front(one['bias_on_front'])}"
    )


def on_front(bias: Mapping[str, Any]) -> str:
    """Empty where no published student has both."""
    if bias["ratio"] is None:
        return ""
    ends = bias["ci95"]
    interval = f" ({ends[0]:.2f} to {ends[1]:.2f})" if ends else ""
    return f"; on this front predicted / measured {bias['ratio']:.2f}{interval}"
