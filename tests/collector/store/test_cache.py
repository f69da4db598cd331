import pytest

from weft_collector.store.cache import BlockCache


class Loader:
    def __init__(self, size=10):
        self.size, self.loads = size, 0

    def __call__(self):
        self.loads += 1
        return b"x" * self.size


def test_a_block_is_loaded_once_while_it_is_kept():
    cache, load = BlockCache(100), Loader()
    assert cache.get((1, 0), load) == cache.get((1, 0), load) == b"x" * 10
    assert load.loads == 1


def test_the_block_used_longest_ago_goes_first():
    cache = BlockCache(30)
    for offset in (0, 1, 2, 0, 3):
        cache.get((1, offset), Loader())
    again = {offset: Loader() for offset in (0, 2, 3, 1)}
    for offset, load in again.items():
        cache.get((1, offset), load)
    assert {offset: load.loads for offset, load in again.items()} == {0: 0, 2: 0, 3: 0, 1: 1}
    assert cache.size_bytes == 30


def test_a_block_larger_than_the_bound_is_handed_through():
    cache, load = BlockCache(5), Loader()
    assert len(cache.get((1, 0), load)) == 10
    cache.get((1, 0), load)
    assert (load.loads, cache.size_bytes) == (2, 0)


def test_a_failed_load_leaves_nothing_behind():
    cache = BlockCache(100)

    def fail():
        raise KeyError

    with pytest.raises(KeyError):
        cache.get((1, 0), fail)
    assert cache.get((1, 0), Loader()) == b"x" * 10


def test_two_loads_of_one_block_count_its_bytes_once():
    cache = BlockCache(100)
    cache.get((1, 0), lambda: cache.get((1, 0), Loader()))
    assert cache.size_bytes == 10
