"""Writing goes on while a group is derived, and neither order nor failure shows it."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.collector.intake_house import running, until
from weft_collector.errors import NotReady, StorageFailed
from weft_collector.intake import Accepted
from weft_collector.intake_queue import Handover
from weft_collector.store.log import Log
from weft_collector.telemetry import Telemetry


async def derived_held_up(house):
    """A body whose group is durable and stands still in the derived state."""
    house.derived.go.clear()
    first = asyncio.ensure_future(house.intake.submit(b"1 first", None))
    await until(lambda: house.derived.begun == 1)
    return first


def send(house, *bodies):
    return [asyncio.ensure_future(house.intake.submit(body, None)) for body in bodies]


def on_disk(house):
    """What would be read after a crash now."""
    return [record.body for _, record in house.log.replay()]


def test_while_a_group_is_derived_the_next_becomes_durable_and_waits_for_its_turn():
    with running() as house:

        async def scenario():
            first = await derived_held_up(house)
            (second,) = send(house, b"2 second")
            await until(lambda: on_disk(house) == [b"1 first", b"2 second"])
            assert not first.done()
            assert not second.done()
            assert house.derived.applied == []
            house.derived.go.set()
            return await asyncio.gather(first, second)

        assert asyncio.run(scenario()) == [Accepted(1, ()), Accepted(2, ())]
        assert [spans for spans, *_ in house.derived.applied] == [1, 2]


def test_no_more_than_three_groups_are_under_way():
    with running(group_bytes=1) as house:

        async def scenario():
            first = await derived_held_up(house)
            rest = send(house, *[b"1 x"] * 20)
            await until(lambda: len(on_disk(house)) == 3)
            for _ in range(200):
                await asyncio.sleep(0)
            assert len(on_disk(house)) == 3
            assert house.intake.in_flight_bytes > 20 * 1024
            house.derived.go.set()
            await asyncio.gather(first, *rest)

        asyncio.run(scenario())
        assert house.intake.in_flight_bytes == 0
        assert len(house.derived.applied) == 21


@pytest.mark.parametrize("step", ["write", "sync"])
def test_a_disk_that_fails_behind_a_group_harms_only_those_that_it_refused(step):
    with running() as house:

        async def scenario():
            first = await derived_held_up(house)
            house.disk.fail(step)
            (refused,) = await asyncio.gather(*send(house, b"2 refused"), return_exceptions=True)
            assert isinstance(refused, StorageFailed)
            (last,) = send(house, b"3 last")
            await until(lambda: len(on_disk(house)) == 2)
            house.derived.go.set()
            return await asyncio.gather(first, last)

        assert asyncio.run(scenario()) == [Accepted(1, ()), Accepted(3, ())]
        assert [(spans, at) for spans, at, _ in house.derived.applied] == [
            (int(record.body[:1]), at) for at, record in house.log.replay()
        ]


def test_a_bad_body_is_answered_before_what_is_derived():
    with running() as house:

        async def scenario():
            first = await derived_held_up(house)
            bad, empty = await asyncio.gather(*send(house, b"bad", b"0"), return_exceptions=True)
            assert not first.done()
            house.derived.go.set()
            await first
            return type(bad).__name__, empty

        assert asyncio.run(scenario()) == ("MalformedBody", Accepted(0, ()))


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("broken", ["decode", "apply"])
def test_a_thread_that_dies_takes_the_other_with_it_and_leaves_nobody_waiting(broken):
    with running(group_bytes=1) as house:

        async def scenario():
            first = await derived_held_up(house)
            rest = send(house, b"2")
            await until(lambda: len(on_disk(house)) == 2)
            setattr(*((house.decoder, "decode") if broken == "decode" else (house.derived, "apply")), None)
            rest += send(house, *[b"3"] * 5)
            if broken == "decode":
                await until(lambda: house.intake._queue.ended)
            house.derived.go.set()
            return await asyncio.gather(first, *rest, return_exceptions=True)

        first, second, *rest = asyncio.run(scenario())
        assert first == Accepted(1, ())
        # What was handed over before the writer died is derived and answered; a dead deriver answers nothing.
        assert second == Accepted(2, ()) if broken == "decode" else isinstance(second, NotReady)
        assert all(isinstance(answer, NotReady) for answer in rest)
        house.intake.stop()
        assert house.intake.in_flight_bytes == 0
        assert not house.intake.ready


@settings(deadline=None, max_examples=25)
@given(
    st.lists(st.tuples(st.integers(0, 9), st.booleans()), min_size=1, max_size=40),
    st.integers(1, 3_000),
    st.lists(st.sampled_from(["write", "sync", "derive", "pass"]), max_size=12),
)
def test_whatever_fails_on_the_way_derived_state_is_that_of_the_log_and_answers_are_true(
    bodies, size, events
):
    with running(group_bytes=size) as house:

        async def scenario():
            tasks = []
            for number, (spans, bad) in enumerate(bodies):
                event = events[number] if number < len(events) else "pass"
                if event in {"write", "sync"}:
                    house.disk.fail(event)
                elif event == "derive":
                    house.derived.go.clear()
                tasks += send(house, b"bad" if bad else b"%d %s" % (spans, b"x" * (50 * number)))
                await asyncio.sleep(0)
            house.derived.go.set()
            return await asyncio.gather(*tasks, return_exceptions=True)

        answers = asyncio.run(scenario())
        kept = [int(body.split(b" ")[0]) for body in on_disk(house)]
        assert [spans for spans, *_ in house.derived.applied] == kept
        assert [a.spans for a in answers if isinstance(a, Accepted) and a.spans] == kept
        assert house.intake.in_flight_bytes == 0
        house.disk.crash()
        after = [int(r.body.split(b" ")[0]) for _, r in Log(house.disk, Telemetry()).replay()]
        assert after[: len(kept)] == kept


def test_what_comes_after_the_end_is_not_taken():
    handover = Handover()
    assert handover.put(1)
    handover.end()
    assert not handover.put(2)
    assert not handover.done
    assert handover.take(1) == 1
    assert handover.take(1) is None
    assert handover.done
