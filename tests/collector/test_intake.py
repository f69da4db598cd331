import asyncio
import gzip
import threading
import time
from contextlib import suppress

import pytest

from tests.collector.intake_house import START, House, held_up, running, until
from tests.collector.store.batches import decoded
from tests.waiting import wait_until
from weft_collector.errors import (
    BodyTooLarge,
    IntakeFull,
    MalformedBody,
    NotReady,
    StorageFailed,
    UnsupportedEncoding,
)
from weft_collector.intake import Accepted
from weft_collector.store.log import Log
from weft_collector.store.ports import Record, Transport
from weft_collector.telemetry import Telemetry
from weft_collector.wire.limits import RULES, Limits


class TestAccepting:
    def test_an_accepted_body_is_in_the_log_and_applied(self):
        with running() as house:
            assert house.submit(b"5-2 x") == [Accepted(5, (("future_start", 2),))]
            ((position, record),) = house.log.replay()
            assert record == Record(1, START, Transport.HTTP_PROTOBUF, b"5-2 x", RULES, 2)
            assert house.derived.applied == [(5, position, START)]
            assert house.intake.in_flight_bytes == 0

    def test_it_is_durable_before_it_is_answered(self):
        with running() as house:
            house.submit(b"5")
            house.disk.crash()
            assert [r.body for _, r in Log(house.disk, Telemetry()).replay()] == [b"5"]

    def test_bodies_are_counted(self):
        with running() as house:
            house.submit(b"5-2", b"7")
            assert house.count("bodies_accepted", "http_protobuf") == 2
            assert house.count("spans_accepted", "http_protobuf") == 12
            assert house.count("spans_rejected", "future_start") == 2
            assert house.count("bytes_received") == 4

    def test_encoded_bodies_are_kept_inflated(self):
        with running() as house:
            asyncio.run(house.intake.submit(gzip.compress(b"3 zipped"), "gzip"))
            assert [r.body for _, r in house.log.replay()] == [b"3 zipped"]

    def test_a_body_without_spans_is_acknowledged_without_a_record(self):
        with running() as house:
            assert house.submit(b"0", b"0-3") == [Accepted(0, ()), Accepted(0, (("future_start", 3),))]
            assert list(house.log.replay()) == []
            assert house.disk.steps == []
            assert house.derived.applied == []

    def test_many_loops_at_once_are_served(self):
        with running() as house:
            answers = []
            threads = [
                threading.Thread(target=lambda: answers.extend(house.submit(b"2", b"3"))) for _ in range(5)
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert sorted(a.spans for a in answers) == [2] * 5 + [3] * 5


class TestGroups:
    def test_what_waits_shares_one_sync(self):
        with running() as house:

            async def scenario():
                first = await held_up(house)
                rest = [asyncio.ensure_future(house.intake.submit(b"1 %d" % i, None)) for i in range(50)]
                await asyncio.sleep(0)
                house.decoder.go.set()
                return await asyncio.gather(first, *rest)

            assert asyncio.run(scenario()) == [Accepted(1, ())] * 51
            assert house.disk.steps.count("sync") == 1
            assert house.count("groups_committed") == 1

    def test_a_group_is_bounded_in_bytes(self):
        with running(group_bytes=1_000) as house:

            async def scenario():
                first = await held_up(house)
                rest = [
                    asyncio.ensure_future(house.intake.submit(b"1 " + b"x" * 498, None)) for _ in range(9)
                ]
                await asyncio.sleep(0)
                house.decoder.go.set()
                await asyncio.gather(first, *rest)

            asyncio.run(scenario())
            assert house.count("groups_committed") == 5

    def test_a_group_is_bounded_in_time_so_that_bad_bodies_hold_nobody_up(self):
        with running() as house:
            house.decoder.decode = lambda body, arrived: (house.clock.advance(0.02), decoded(1))[1]
            house.submit(*[b"1"] * 12)
            assert house.count("groups_committed") >= 4

    def test_bodies_are_applied_in_the_order_of_the_log(self):
        with running(group_bytes=200) as house:
            house.submit(*(b"%d %s" % (1 + i % 7, b"x" * (i % 60)) for i in range(200)))
            replayed = [(int(r.body.split(b" ")[0]), p, r.arrived_ns) for p, r in house.log.replay()]
            assert house.derived.applied == replayed
            assert len(replayed) == 200


class TestRefusing:
    def test_a_bad_body_fails_alone(self):
        with running() as house:
            good, bad, other = house.submit(b"1", b"bad", b"2")
            assert (good.spans, other.spans) == (1, 2)
            assert isinstance(bad, MalformedBody)
            assert bad.position == 0
            assert [r.body for _, r in house.log.replay()] == [b"1", b"2"]
            assert house.count("bodies_refused", "malformed") == 1
            assert house.intake.in_flight_bytes == 0

    def test_a_body_over_the_limit_is_refused_at_once(self):
        with running(limits=Limits(body_bytes=10)) as house:
            refused, taken = house.submit(b"1" * 11, b"1" + b" " * 9)
            assert isinstance(refused, BodyTooLarge)
            assert taken.spans == 1
            assert house.count("bodies_refused", "too_large") == 1

    def test_a_body_over_the_limit_once_inflated_is_refused(self):
        with running(limits=Limits(inflated_bytes=100)) as house:
            with pytest.raises(BodyTooLarge):
                asyncio.run(house.intake.submit(gzip.compress(b"1" * 101), "gzip"))
            assert house.decoder.seen == []

    def test_an_unknown_encoding_is_refused(self):
        with running() as house:
            with pytest.raises(UnsupportedEncoding):
                asyncio.run(house.intake.submit(b"1", "rot13"))
            assert house.count("bodies_refused", "encoding") == 1

    def test_beyond_the_bytes_in_flight_bodies_are_refused_until_some_are_done(self):
        with running(in_flight_bytes=10_000) as house:

            async def scenario():
                first = await held_up(house)
                fits = [
                    asyncio.ensure_future(house.intake.submit(b"1" + b" " * 2_000, None)) for _ in range(2)
                ]
                await asyncio.sleep(0)
                assert house.intake.in_flight_bytes > 6_000
                with pytest.raises(IntakeFull) as raised:
                    await house.intake.submit(b"1" + b" " * 4_000, None)
                assert raised.value.retry_after > 0
                house.decoder.go.set()
                await asyncio.gather(first, *fits)
                assert house.intake.in_flight_bytes == 0
                return await house.intake.submit(b"4" + b" " * 4_000, None)

            assert asyncio.run(scenario()).spans == 4
            assert house.count("bodies_refused", "full") == 1

    def test_tiny_bodies_count_with_their_overhead(self):
        with running(in_flight_bytes=10_000) as house:

            async def scenario():
                first = await held_up(house)
                answers = [asyncio.ensure_future(house.intake.submit(b"1", None)) for _ in range(1_000)]
                await asyncio.sleep(0)
                house.decoder.go.set()
                return await asyncio.gather(first, *answers, return_exceptions=True)

            refused = [a for a in asyncio.run(scenario()) if isinstance(a, IntakeFull)]
            assert len(refused) > 980


class TestStorage:
    @pytest.mark.parametrize("step", ["write", "sync"])
    def test_a_failing_disk_refuses_the_whole_group_and_nothing_is_applied(self, step):
        with running() as house:
            house.submit(b"1")
            house.disk.fail(step)

            async def scenario():
                first = await held_up(house)
                rest = [asyncio.ensure_future(house.intake.submit(b"2", None)) for _ in range(4)]
                await asyncio.sleep(0)
                house.decoder.go.set()
                return await asyncio.gather(first, *rest, return_exceptions=True)

            failures = asyncio.run(scenario())
            assert all(isinstance(f, StorageFailed) and f.retry_after > 0 for f in failures)
            assert len({id(f) for f in failures}) == 5
            assert len(house.derived.applied) == 1
            assert house.count("bodies_refused", "storage") == 5
            assert house.intake.in_flight_bytes == 0

    def test_it_goes_on_when_the_disk_does(self):
        with running() as house:
            house.disk.free = 0
            (refused,) = house.submit(b"1")
            assert isinstance(refused, StorageFailed)
            house.disk.free = 1 << 40
            assert house.submit(b"2") == [Accepted(2, ())]
            assert [r.body for _, r in house.log.replay()] == [b"2"]


class TestCancelling:
    def test_a_sender_that_goes_while_waiting_leaves_no_bytes_behind(self):
        with running() as house:

            async def scenario():
                first = await held_up(house)
                gone = asyncio.ensure_future(house.intake.submit(b"2" + b" " * 1_000, None))
                stays = asyncio.ensure_future(house.intake.submit(b"3", None))
                await asyncio.sleep(0)
                gone.cancel()
                with suppress(asyncio.CancelledError):
                    await gone
                assert house.intake.in_flight_bytes > 1_000  # still held
                house.decoder.go.set()
                return await asyncio.gather(first, stays)

            assert asyncio.run(scenario()) == [Accepted(1, ()), Accepted(3, ())]
            assert house.intake.in_flight_bytes == 0
            assert house.count("bodies_abandoned", "unread") == 1
            assert [r.body for _, r in house.log.replay()] == [b"1 first", b"3"]

    def test_a_sender_that_goes_while_its_body_is_written_harms_nobody(self):
        with running() as house:

            async def scenario():
                first = await held_up(house)
                other = asyncio.ensure_future(house.intake.submit(b"3", None))
                await asyncio.sleep(0)
                first.cancel()
                with suppress(asyncio.CancelledError):
                    await first
                house.decoder.go.set()
                return await other

            assert asyncio.run(scenario()) == Accepted(3, ())
            assert [r.body for _, r in house.log.replay()] == [b"1 first", b"3"]
            assert house.intake.in_flight_bytes == 0

    def test_a_loop_that_is_closed_before_the_answer_is_counted(self):
        with running() as house:

            async def abandon():
                task = await held_up(house)
                task.cancel()

            asyncio.run(abandon())
            house.decoder.go.set()
            wait_until(lambda: house.count("bodies_abandoned", "unanswered") == 1)
            assert house.submit(b"1") == [Accepted(1, ())]


class TestStartAndStop:
    def test_before_the_start_and_after_the_end_bodies_are_to_come_later(self):
        house = House()
        assert not house.intake.ready
        (early,) = house.submit(b"1")
        house.intake.start()
        assert house.intake.ready
        house.intake.stop()
        (late,) = house.submit(b"1")
        assert isinstance(early, NotReady)
        assert isinstance(late, NotReady)
        assert not house.intake.ready
        assert house.count("bodies_refused", "not_ready") == 2

    def test_starting_and_stopping_twice_is_safe(self):
        house = House()
        house.intake.start()
        house.intake.start()
        names = [t.name for t in threading.enumerate()]
        assert (names.count("weft-writer"), names.count("weft-deriver")) == (1, 1)
        house.intake.stop()
        house.intake.stop()

    def test_stopping_without_a_start_is_safe_and_final(self):
        house = House()
        house.intake.stop()
        house.intake.start()
        assert not house.intake.ready

    def test_stopping_wakes_idle_threads(self):
        house = House(tick_seconds=100.0)
        house.intake.start()
        started = time.monotonic()
        house.intake.stop()
        assert time.monotonic() - started < 50

    def test_stopping_finishes_what_waits(self):
        with running() as house:

            async def scenario():
                first = await held_up(house)
                rest = [asyncio.ensure_future(house.intake.submit(b"2", None)) for _ in range(3)]
                await asyncio.sleep(0)
                stopping = asyncio.create_task(asyncio.to_thread(house.intake.stop))
                await until(lambda: house.intake._queue.ended)
                house.decoder.go.set()
                await stopping
                return await asyncio.gather(first, *rest)

            assert [a.spans for a in asyncio.run(scenario())] == [1, 2, 2, 2]
            assert len(list(house.log.replay())) == 4

    @pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
    @pytest.mark.parametrize("group_bytes", [1, 1_000])
    def test_a_deriver_that_dies_of_a_defect_leaves_nobody_waiting(self, group_bytes):
        with running(group_bytes=group_bytes) as house:
            house.derived.apply = lambda *_: 1 / 0

            async def scenario():
                first = await held_up(house)
                rest = [asyncio.ensure_future(house.intake.submit(b"2", None)) for _ in range(3)]
                await asyncio.sleep(0)
                house.decoder.go.set()
                return await asyncio.gather(first, *rest, return_exceptions=True)

            assert all(isinstance(a, NotReady) for a in asyncio.run(scenario()))
            assert isinstance(house.submit(b"1")[0], NotReady)
            assert not house.intake.ready
            assert house.intake.in_flight_bytes == 0


class TestAging:
    def test_time_passes_while_nothing_comes(self):
        with running() as house:
            wait_until(lambda: house.derived.aged == [START])
            house.clock.advance(0.5)
            house.clock.advance(0.6)
            wait_until(lambda: house.derived.aged == [START, START + 1_100_000_000])

    def test_not_more_often_than_once_a_second(self):
        with running() as house:
            for _ in range(20):
                house.submit(b"1")
            assert len(house.derived.aged) == 1

    def test_a_clock_that_is_set_back_does_not_stop_it(self):
        with running() as house:
            wait_until(lambda: house.derived.aged == [START])
            house.clock.advance(-100)
            wait_until(lambda: len(house.derived.aged) == 2)


class TestReplay:
    def test_it_applies_just_what_was_applied_live(self):
        with running() as house:
            for i in range(30):
                house.clock.advance(0.3)
                house.submit(b"%d" % (1 + i), b"bad", b"0")
            live = house.derived.applied
            house.intake.stop()
            house.log.close()
            house.open()
            told = []
            assert house.intake.replay(told.append) == sum(range(1, 31))
            assert told[-1] == sum(range(1, 31))
            assert told == sorted(told)
            assert house.derived.applied == live
            assert len(live) == 30
            assert len(house.derived.aged) > 5  # it ages by the recorded arrivals
            assert house.count("replay_differs") == house.count("replay_skipped") == 0

    def test_records_that_mean_nothing_now_are_counted_and_passed_over(self):
        house = House()
        house.log.append([Record(77, 1, 1, b"5"), Record(1, 1, 1, b"bad"), Record(1, 1, 1, b"2")])
        house.log.sync()
        assert house.intake.replay(lambda _: None) == 2
        assert house.telemetry.snapshot()["replay_skipped"] == {"unknown_kind": 1, "undecodable": 1}

    def test_spans_refused_otherwise_than_at_arrival_are_noticed(self):
        house = House()
        house.log.append([Record(1, 1, 1, b"5-2", 1, 1)])
        house.log.sync()
        assert house.intake.replay(lambda _: None) == 5
        assert house.count("replay_differs") == 1

    def test_a_body_is_read_by_the_rules_of_its_record(self):
        house = House()
        house.log.append([Record(1, 1, 1, b"1", limits, 0) for limits in (1, 2)])
        house.log.sync()
        house.intake.replay(lambda _: None)
        assert house.decoder.rules == [1, 2]

    def test_an_empty_log_is_replayed_to_nothing(self):
        told = []
        assert House().intake.replay(told.append) == 0
        assert told == [0]
