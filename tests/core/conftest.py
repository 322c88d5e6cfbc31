"""What the core tests share: property tests without a stopwatch, the same each time."""

from hypothesis import settings

settings.register_profile("kdsearch", deadline=None, derandomize=True, max_examples=60)
settings.load_profile("kdsearch")
