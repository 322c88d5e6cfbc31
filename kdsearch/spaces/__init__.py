"""Search spaces on file, and the YAML reader that knows where everything stands."""

from kdsearch.spaces.shelf import SpaceFile, list_spaces, load_space, locate

__all__ = ["SpaceFile", "list_spaces", "load_space", "locate"]
