"""Callers who leave, and turns."""

import threading

import pytest

from tests.waiting import wait_until
from weft_collector.errors import CallerGone, Unavailable
from weft_collector.query.caller import Caller, Turns

BUSY = Unavailable("busy")


def test_what_a_caller_is_to_tell_is_told_once_they_leave_as_long_as_somebody_listens():
    caller, told = Caller(), []
    with caller.telling(lambda: told.append("early")):
        caller.check()
    with caller.telling(lambda: told.append("waiting")):
        caller.leave()
    with caller.telling(lambda: told.append("late")):
        pass
    assert told == ["waiting", "late"]
    assert caller.gone
    with pytest.raises(CallerGone):
        caller.check()


def test_turns_are_given_as_many_as_there_are_and_given_back():
    turns = Turns(2, 0.0)
    with (
        turns.turn(Caller(), BUSY),
        turns.turn(Caller(), BUSY),
        pytest.raises(Unavailable),
        turns.turn(Caller(), BUSY),
    ):
        pass
    with turns.turn(Caller(), BUSY):
        pass


def test_a_turn_is_given_back_after_an_error():
    turns = Turns(1, 0.0)
    for _ in range(2):
        with pytest.raises(KeyError), turns.turn(Caller(), BUSY):
            raise KeyError


@pytest.mark.parametrize("leaves", [True, False])
def test_who_waits_for_a_turn_is_let_in_when_one_is_free_or_gives_up_when_the_caller_leaves(leaves):
    turns, caller, ended = Turns(1, 60.0), Caller(), []

    def wait():
        try:
            with turns.turn(caller, BUSY):
                ended.append("served")
        except CallerGone:
            ended.append("gone")

    with turns.turn(Caller(), BUSY):
        thread = threading.Thread(target=wait)
        thread.start()
        wait_until(lambda: turns._changed._waiters)
        if leaves:
            caller.leave()
            thread.join()
    thread.join()
    assert ended == (["gone"] if leaves else ["served"])
