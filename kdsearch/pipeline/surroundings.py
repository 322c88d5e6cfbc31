"""What the machine refused, told apart from bugs of ours."""

from kdsearch.files import refused


def surroundings(error: Exception) -> str | None:
    """One line for what the machine refused: memory, or a file; None for a bug of ours."""
    text = str(error).partition("\n")[0]
    if type(error).__name__ in ("MemoryError", "OutOfMemoryError") or "allocate memory" in text:
        asked = text.rpartition("tried to allocate ")[2] if "tried to" in text else "too much"
        return (
            f"out of memory ({asked.partition('. ')[0]} asked for); "
            "a smaller batch_size, data.limit or teacher.width needs less"
        )
    if isinstance(error, OSError) and error.filename:
        plain = f"{error.filename}: {(error.strerror or 'cannot be used').lower()}"
        return refused(error) or plain
    return refused(error)
