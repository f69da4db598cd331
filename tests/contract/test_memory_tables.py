import pytest

from tests.contract.memory_tables import MemoryStore, tokens_of
from tests.contract.span_table_contract import SpanTableContract, bodies


class TestMemoryTables(SpanTableContract):
    @pytest.fixture
    def make(self):
        store = MemoryStore(block_bytes=1000)
        yield lambda sent: (store.add(sent), store.log)
        store.close()

    @pytest.mark.parametrize(
        ("key", "value", "found"),
        [
            ("list", "2", True),
            ("half", ".5", True),
            ("yes", "true", True),
            ("half", "1", False),
            ("no", "x", False),
        ],
    )
    def test_blocks_are_found_by_the_attributes_in_them(self, make, key, value, found):
        table, _ = make(bodies())
        assert bool(len(table.blocks_with([tokens_of(key, value)]))) is found
