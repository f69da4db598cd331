import pytest

from weft_collector.errors import CorruptLog
from weft_collector.store.segment_index import FILLER, IndexFile, index_bytes

SECTIONS = {"one": b"1", "none": b"", "three": b"333" * 50}


def opened(content):
    return IndexFile(memoryview(content), "index")


def test_sections_are_what_was_written():
    index = opened(index_bytes(SECTIONS))
    assert {name: bytes(index.section(name)) for name in index.names} == SECTIONS
    assert bytes(index.section("another")) == b""
    assert index.damaged() == []


def test_every_changed_byte_is_found():
    whole = index_bytes(SECTIONS)
    for at in range(len(whole)):
        content = bytearray(whole)
        content[at] ^= 0xFF
        try:
            index = opened(bytes(content))
        except CorruptLog:
            continue
        assert len(index.damaged()) == 1


def test_damage_between_sections_has_a_name():
    content = bytearray(index_bytes(SECTIONS))
    content[content.index(b"1") + 1] = 7
    assert opened(bytes(content)).damaged() == [FILLER]


@pytest.mark.parametrize("length", [0, 7, 40])
def test_what_is_cut_off_is_no_index(length):
    with pytest.raises(CorruptLog, match="rebuild"):
        opened(index_bytes(SECTIONS)[:length])
