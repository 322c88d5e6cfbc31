"""What training by several processes asks of the keys: batches that can be shared evenly."""

from collections.abc import Iterator

from kdsearch.config.models import Config
from kdsearch.config.problem import Problem


def processes(config: Config) -> Iterator[Problem]:
    count = config.processes
    batches = {"teacher": config.teacher.batch_size, "supernet": config.supernet.batch_size}
    for section, images in batches.items():
        if images % count:
            rule = f"cannot be shared evenly by processes: {count}; take a multiple of {count}"
            yield (section, "batch_size"), rule
