import os
import signal

import pytest

from weft_collector.demo.ending import END_SIGNALS, interrupt, on_end_signal


@pytest.mark.parametrize("number", END_SIGNALS, ids=lambda number: number.name)
def test_each_end_signal_acts(number):
    acted = []
    with on_end_signal(lambda: acted.append(number)):
        os.kill(os.getpid(), number)
    assert acted == [number]


def test_the_signals_are_given_back():
    before = [signal.getsignal(number) for number in END_SIGNALS]
    with on_end_signal(interrupt):
        assert [signal.getsignal(number) for number in END_SIGNALS] != before
    assert [signal.getsignal(number) for number in END_SIGNALS] == before


def test_an_interrupt_is_that_of_ctrl_c():
    with on_end_signal(interrupt), pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGTERM)
