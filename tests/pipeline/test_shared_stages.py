"""Which stages cells share, as the stages' own keys have it."""

from pathlib import Path

import pytest

from kdsearch.config.manifest import read_manifest
from kdsearch.pipeline.shared_stages import listing, listing_words, shared_stages

Numbers = tuple[int | None, int | None, int | None]


@pytest.mark.parametrize(
    ("cross", "numbers"),
    [
        ("budgets: [{}, {params: 20%}]", [(1, 1, 1), (1, 1, 1)]),
        ("devices: [onnxruntime, eager]", [(1, 1, 1), (1, 1, 1)]),
        ("data: [{}, {limit: 50}]", [(1, 1, 1), (2, 2, 2)]),
        ("data: [{}, {augment: none}]", [(1, 1, 1), (1, 2, 2)]),
        ("teachers: [{}, {width: 2}]", [(1, 1, 1), (1, 2, 2)]),
        ("teachers: [{}, none]", [(1, 1, 1), (1, None, 2)]),
        ("spaces: [resnet-tiny, small.yaml]", [(1, 1, 1), (1, 1, 2)]),
        ("spaces: [resnet-tiny, mobile-s32]", [(1, 1, 1), (1, 2, 2)]),
    ],
)
def test_equal_parts_are_shared(cross: str, numbers: list[Numbers], tmp_path: Path) -> None:
    """small.yaml has resnet-tiny's largest student, which is all a plain teacher asks for."""
    from kdsearch.spaces.shelf import load_space

    largest = load_space("resnet-tiny").space.largest()
    choices = "".join(f"  {axis}: [{value}]\n" for axis, value in largest.items())
    (tmp_path / "small.yaml").write_text(
        f"family: resnet\nmin_size: 8\nmax_size: 64\nchoices:\n{choices}"
    )
    (tmp_path / "many.yaml").write_text(
        f"base: {{supernet: {{targets: largest}}, distill: {{methods: [hard]}}}}\n"
        f"cross:\n  {cross}\n"
    )
    found = shared_stages(read_manifest(tmp_path / "many.yaml").cells)
    assert [tuple(stages.values()) for stages in found.values()] == numbers


def test_the_listing_counts_what_is_built_at_most(tmp_path: Path) -> None:
    (tmp_path / "many.yaml").write_text("cross: {teachers: [plain, {width: 2}], budgets: [{}]}")
    content = listing(read_manifest(tmp_path / "many.yaml").cells)
    assert content["stages"] == {"data": 1, "teacher": 2, "supernet": 2}
    assert content["cells"][1]["choices"] == {"teachers": "width-2", "budgets": "base"}
    assert "at most 1 data set, 2 teachers, 2 supernets" in listing_words(content)
