import threading

import pytest

from weft.queue import Queue


@pytest.fixture
def make(agent):
    tracer = agent.provider.get_tracer("t")

    def span(size=0):
        made = tracer.start_span("s")
        if size:
            made.set_attribute("k", "x" * size)
        return made

    return span


def test_spans_come_out_in_order(make):
    queue = Queue(10, 10**6)
    spans = [make() for _ in range(3)]
    assert [queue.put(span) for span in spans] == [1, 2, 3]
    assert queue.take(2, 10**6) == spans[:2]
    assert queue.take(2, 10**6) == spans[2:]
    assert queue.take(2, 10**6) == []


def test_a_full_queue_drops_the_new_span_and_counts_it(make):
    queue = Queue(2, 10**6)
    assert [queue.put(make()) for _ in range(5)] == [1, 2, 0, 0, 0]
    assert len(queue) == 2
    assert queue.dropped == {"queue_full": 3}


def test_it_is_bounded_by_bytes_too(make):
    queue = Queue(100, 25_000)
    assert [bool(queue.put(make(10_000))) for _ in range(4)] == [True, True, False, False]
    queue.take(1, 10**6)
    assert queue.put(make(10_000))


def test_a_batch_is_bounded_by_bytes_but_has_one_span_at_least(make):
    queue = Queue(100, 10**9)
    for _ in range(4):
        queue.put(make(10_000))
    assert len(queue.take(4, 25_000)) == 2
    assert len(queue.take(4, 10)) == 1


def test_clear_tells_how_many_were_forgotten(make):
    queue = Queue(100, 10**9)
    for _ in range(4):
        queue.put(make())
    assert (queue.clear(), len(queue)) == (4, 0)


def test_losses_of_many_threads_are_counted_exactly(make):
    queue = Queue(10, 10**9)
    span = make()

    def fill():
        for _ in range(1000):
            queue.put(span)

    threads = [threading.Thread(target=fill) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert queue.dropped["queue_full"] + len(queue) == 4000
    assert len(queue) <= 10 + len(threads)
