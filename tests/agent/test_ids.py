import random

from weft.ids import RandomIds


def test_ids_have_their_width_and_differ():
    ids = RandomIds()
    assert len({ids.trace_id() for _ in range(1000)}) == 1000
    assert max(ids.trace_id() for _ in range(100)).bit_length() > 100
    assert 40 < max(ids.span_id() for _ in range(100)).bit_length() <= 64


def test_the_hosts_seed_does_not_repeat_ids():
    random.seed(1)
    first = RandomIds().span_id()
    random.seed(1)
    assert RandomIds().span_id() != first
