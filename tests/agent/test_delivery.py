import logging

import pytest

from tests.agent.otlp import decode, spans
from weft.delivery import FIRST_PAUSE, LONGEST_PAUSE, RETRY_BUDGET, Delivery, Means
from weft.reply import Outcome
from weft.testing import MemoryTransport

AWAY = Outcome(delivered=False, retryable=True, problem="nobody there")
REFUSED = Outcome(delivered=False, problem="HTTP 400")


class World:
    """Time that passes only in pauses, and everything else a delivery asks for."""

    def __init__(self, outcomes) -> None:
        self.transport = MemoryTransport(outcomes)
        self.time = 0.0
        self.pauses: list[float] = []
        self.lost: list[tuple[str, int]] = []
        self.open = True
        self.left = 10.0
        self.delivery = Delivery(
            Means(
                transport=lambda: self.transport,
                drop=lambda reason, count: self.lost.append((reason, count)),
                timeout=lambda: self.left,
                pause=self.pause,
                now=lambda: self.time,
                spread=lambda: 0.5,
            )
        )

    def pause(self, seconds: float) -> bool:
        self.time += seconds
        self.pauses.append(seconds)
        return self.open


@pytest.fixture
def batch(agent, reporter):
    for _ in range(3):
        agent.provider.get_tracer("t").start_span("s").end()
    return reporter.spans


def test_a_delivered_batch_is_counted(batch):
    world = World([])
    assert world.delivery.deliver(batch)
    assert world.delivery.sent == 3
    assert len(list(spans(decode(world.transport.bodies[0])))) == 3
    assert world.lost == []


def test_pauses_grow_to_a_limit_and_the_batch_is_lost_when_its_time_is_up(batch):
    world = World([AWAY] * 100)
    assert not world.delivery.deliver(batch)
    assert world.pauses[:4] == [FIRST_PAUSE, FIRST_PAUSE * 2, FIRST_PAUSE * 4, FIRST_PAUSE * 8]
    assert max(world.pauses) == LONGEST_PAUSE
    assert RETRY_BUDGET <= world.time <= RETRY_BUDGET + LONGEST_PAUSE
    assert world.lost == [("collector_unreachable", 3)]


def test_the_pause_stays_long_for_the_next_batch_and_is_short_again_after_a_success(batch):
    world = World([AWAY] * 9)
    world.delivery.deliver(batch)
    before = len(world.pauses)
    world.transport._outcomes = [AWAY]
    assert world.delivery.deliver(batch)
    assert world.pauses[before] == LONGEST_PAUSE
    world.transport._outcomes = [AWAY]
    world.delivery.deliver(batch)
    assert world.pauses[-1] == FIRST_PAUSE


def test_the_collectors_own_pause_is_honoured(batch):
    world = World([AWAY._replace(retry_after=7.0)])
    assert world.delivery.deliver(batch)
    assert world.pauses == [pytest.approx(7.35)]


def test_a_refused_batch_is_not_tried_again(batch):
    world = World([REFUSED])
    assert not world.delivery.deliver(batch)
    assert world.lost == [("refused", 3)]
    assert world.pauses == []


def test_rejected_spans_of_a_partial_success_are_lost(batch):
    world = World([Outcome(delivered=True, rejected=2)])
    assert not world.delivery.deliver(batch)
    assert world.lost == [("rejected", 2)]
    assert world.delivery.sent == 1


def test_more_rejected_than_sent_cannot_be(batch):
    world = World([Outcome(delivered=True, rejected=99)])
    world.delivery.deliver(batch)
    assert world.lost == [("rejected", 3)]


def test_while_closing_there_is_one_attempt(batch):
    world = World([AWAY] * 5)
    world.open = False
    assert not world.delivery.deliver(batch)
    assert len(world.pauses) == 1
    assert world.lost == [("collector_unreachable", 3)]


def test_without_time_there_is_no_attempt(batch):
    world = World([])
    world.left = 0.0
    assert not world.delivery.deliver(batch)
    assert world.transport.bodies == []
    assert world.lost == [("shutdown", 3)]


def test_spans_that_cannot_be_encoded_are_lost_alone(batch):
    batch[0].flags = "broken"
    world = World([])
    assert not world.delivery.deliver(batch)
    assert world.lost == [("unencodable", 1)]
    assert world.delivery.sent == 2
    assert not world.delivery.deliver(batch[:1])
    assert len(world.transport.bodies) == 1


def test_the_log_gets_one_line_for_each_change(batch, caplog):
    world = World(
        [
            AWAY,
            AWAY,
            AWAY,
            Outcome(delivered=True),
            Outcome(delivered=True),
            REFUSED,
            REFUSED,
            Outcome(delivered=True),
        ]
    )
    with caplog.at_level(logging.INFO, logger="weft"):
        for _ in range(5):
            world.delivery.deliver(batch)
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO", "WARNING", "INFO"]
    assert "nobody there" in caplog.records[0].getMessage()
    assert "HTTP 400" in caplog.records[2].getMessage()


def test_close_lets_the_connection_go(batch):
    world = World([])
    world.delivery.close()
    world.delivery.deliver(batch)
    world.delivery.close()
    assert world.transport.closed == 1
