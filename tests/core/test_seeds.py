from kdsearch.core.seeds import derive


def test_seeds_are_the_same_on_every_machine() -> None:
    """The first 32 bits of sha256('0/paths/3') and of sha256('7'), by sha256sum."""
    assert derive(0, "paths", 3) == 0x5C0B1A46
    assert derive(7) == 0x7902699B


def test_seeds_differ_by_seed_name_and_order() -> None:
    names = [(seed, name, step) for seed in range(5) for name in "ab" for step in range(50)]
    assert len({derive(*name) for name in names}) == len(names)
    assert derive(0, "a", "b") != derive(0, "b", "a")


def test_seeds_are_spread_over_32_bits() -> None:
    seeds = [derive(0, step) for step in range(400)]
    assert all(0 <= seed < 2**32 for seed in seeds)
    assert 150 < sum(seed < 2**31 for seed in seeds) < 250
