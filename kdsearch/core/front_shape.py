"""What front.json has to look like for those who read it; whatever else it may have, too."""

from kdsearch.core.shapes import (
    Shape,
    is_choice,
    is_count,
    is_interval,
    is_number,
    is_plain_name,
    is_plain_path,
    is_positive,
    is_share,
    is_text,
    list_of,
    mapping_of,
    or_none,
    record,
)

COSTS = mapping_of(is_number)
TIMED: Shape = record(
    {"p50": is_positive, "p95": is_positive, "ci95": is_interval, "device": is_text},
    {
        "p99": or_none(is_positive),
        "p95_ci95": or_none(is_interval),
        "p99_ci95": or_none(is_interval),
        "load": or_none(is_number),
        "drift": or_none(is_number),
        "batch_size": is_count,
        "threads": is_count,
        "runtime": is_text,
        "precision": is_text,
    },
)
NEEDED = {
    "id": is_plain_name,
    "architecture": mapping_of(is_choice),
    "recipe": record({"method": is_text, "knobs": lambda value: isinstance(value, dict)}),
    "search_accuracy": is_share,
    "search_accuracy_ci95": is_interval,
    "test_accuracy": is_share,
    "test_accuracy_ci95": is_interval,
    "params": is_number,
    "macs": is_number,
    "weights": is_plain_path,
    "latency": mapping_of(TIMED, fewest=1),
    "trial": is_count,
    "costs": COSTS,
    "scores": COSTS,
}
MORE = {
    "rung": is_count,
    "seeds": is_count,
    "scores_ci95": mapping_of(or_none(is_interval)),
    "test_scores": mapping_of(or_none(is_number)),
    "predicted_latency": mapping_of(record({"p50": is_number, "interval90": is_interval})),
}
SHARE = or_none(is_number)
PREDICTOR: Shape = record(
    {
        "bias_on_front": record(
            {"ratio": or_none(is_number), "ci95": or_none(is_interval)},
            {"students": is_count, "within_10_percent": SHARE},
        )
    },
    {
        "networks": is_count,
        "within_10_percent": SHARE,
        "coverage": SHARE,
        "tau": SHARE,
        "ceiling": or_none(record({"within_10_percent": SHARE}, {"tau": SHARE})),
    },
)
"""See pipeline/predicted_front.py."""
STUDENT: Shape = record(NEEDED, MORE)
BESIDE = {
    "directions": mapping_of(lambda value: value in ("maximize", "minimize"), fewest=1),
    "objectives": list_of(is_text),
    "hypervolume": or_none(is_number),
    "reference_point": mapping_of(is_number),
    "space": record({"smallest": COSTS, "largest": COSTS}, {"count": or_none(is_number)}),
    "predictor": mapping_of(PREDICTOR),
    "targets": mapping_of(mapping_of(or_none(is_choice))),
}
WRITTEN = record({"points": list_of(STUDENT, fewest=1)}, BESIDE)
GATHERED = record({}, {"points": list_of(record({}, {"id": is_plain_name}))})

is_delivered: Shape = record(
    {
        "students": list_of(STUDENT),
        "deliveries": list_of(lambda value: isinstance(value, dict)),
    },
    {"fell_out": list_of(record({"trial": is_count, "study": is_text}))},
)
"""delivered.json: students beside the front, as those on it are."""


def is_front(content: object) -> bool:
    """Every front that a run wrote has its schema's number; one that has none was gathered by
    somebody else, who answers for it.
    """
    has_schema = isinstance(content, dict) and "schema" in content
    return WRITTEN(content) if has_schema else GATHERED(content)
