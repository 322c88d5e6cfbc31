"""What run.json and ledger.json have to look like for those who read them."""

from kdsearch.core.shapes import (
    Shape,
    is_choice,
    is_count,
    is_number,
    is_plain_name,
    is_text,
    list_of,
    mapping_of,
    or_none,
    record,
)

COSTS = mapping_of(is_number)
TEXT_OR_NONE = or_none(is_text)


def is_mapping(value: object) -> bool:
    return isinstance(value, dict)


STUDY: Shape = record(
    {},
    {
        "objectives": list_of(is_text),
        "rungs": list_of(is_number),
        "space": record({}, {"axes": is_mapping}),
        "methods": is_mapping,
        "plan": is_mapping,
        "budget": mapping_of(or_none(is_choice)),  # a number, or a share like "60%"
        "starts": list_of(is_mapping),
    },
)
is_run: Shape = record(
    {},
    {
        "data": is_text,
        "until": TEXT_OR_NONE,
        "study": is_plain_name,
        "study_key": STUDY,
        "error": is_text,
        "front_key": is_text,
        "teacher": TEXT_OR_NONE,
        "supernet": TEXT_OR_NONE,
        "weights": TEXT_OR_NONE,
        "predicting": mapping_of(list_of(is_text)),
        "ends": record({}, {"smallest": COSTS, "largest": COSTS}),
        "targets": mapping_of(mapping_of(or_none(is_choice))),
        "front_targets": mapping_of(is_text),
        "adopted": mapping_of(
            record({"from": is_text, "trials": is_count}, {"finalists": is_mapping})
        ),
        "ended": record(
            {},
            {"study": is_text, "why": is_text, "limits": mapping_of(or_none(is_number))},
        ),
    },
)


def is_sitting(value: object) -> bool:
    """Of a study, by pipeline/ledger.py."""
    return COSTS(value) and isinstance(value, dict) and set(value) <= {"seconds", "until"}


is_ledger: Shape = record(
    {},
    {
        "stages": COSTS,
        "studies": mapping_of(is_sitting),
        "rungs": mapping_of(record({"jobs": is_number, "device_seconds": is_number})),
    },
)
