"""Stage `data`: read once, split four ways, kept in the store."""

from pathlib import Path

from kdsearch.core.seeds import derive
from kdsearch.data.prepare import describe, prepare
from kdsearch.data.records import DataInfo, Options
from kdsearch.data.stored import read_info
from kdsearch.errors import DataError
from kdsearch.pipeline.context import Context


def prepared(context: Context) -> tuple[Path, DataInfo]:
    """The folder of the splits and what is known of them; prepares them where they are not.

    Raises:
        DataError: unreadable data, or images the space is not made for.
    """
    data = context.config.data
    options = Options(
        root=data.root,
        download=data.download,
        size=data.size,
        limit=data.limit,
        test_fraction=data.test_fraction,
        val_fraction=data.val_fraction,
        calibration=data.calibration,
        broken=data.broken,
    )
    seed = derive(context.config.seed, "data")
    key = {**describe(data.name, options), "seed": seed}

    def make(folder: Path) -> None:
        with context.timed("data"):
            prepare(data.name, folder, options=options, seed=seed, progress=context.progress)

    folder = context.store.build("data", key, make)
    info = read_info(folder)
    low, high = context.space.min_size, context.space.max_size
    if not low <= info.size <= high:
        raise DataError(
            f"data.size: images of {info.size} px, but space {context.space.name} is for "
            f"{low} to {high} px; set data.size"
        )
    return folder, info
