"""What front.json has to look like for those who read it; whatever else it may have, too."""

from kdsearch.core.shapes import (
    Shape,
    is_choice,
    is_count,
    is_interval,
    is_number,
    is_plain_name,
    is_plain_path,
    is_text,
    list_of,
    mapping_of,
    or_none,
    record,
)

COSTS = mapping_of(is_number)
TIMED: Shape = record(
    {"p50": is_number, "p95": is_number, "ci95": is_interval, "device": is_text},
    {
        "p99": or_none(is_number),
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
    "search_accuracy": is_number,
    "search_accuracy_ci95": is_interval,
    "test_accuracy": is_number,
    "test_accuracy_ci95": is_interval,
    "params": is_number,
    "macs": is_number,
    "weights": is_plain_path,
    "latency": mapping_of(TIMED, fewest=1),
}
MORE = {
    "trial": is_count,
    "rung": is_count,
    "seeds": is_count,
    "costs": COSTS,
    "scores": COSTS,
    "scores_ci95": mapping_of(or_none(is_interval)),
    "test_scores": mapping_of(or_none(is_number)),
}
BESIDE = {
    "directions": mapping_of(lambda value: value in ("maximize", "minimize"), fewest=1),
    "objectives": list_of(is_text),
    "hypervolume": or_none(is_number),
    "reference_point": mapping_of(is_number),
    "space": record({}, {"smallest": COSTS, "largest": COSTS, "count": or_none(is_number)}),
}
WRITTEN = record({"points": list_of(record(NEEDED, MORE), fewest=1)}, BESIDE)
GATHERED = record({}, {"points": list_of(record({}, {"id": is_plain_name}))})


def is_front(content: object) -> bool:
    """Every front that a run wrote has its schema's number; one that has none was gathered by
    somebody else, who answers for it.
    """
    has_schema = isinstance(content, dict) and "schema" in content
    return WRITTEN(content) if has_schema else GATHERED(content)
