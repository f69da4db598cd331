import os
import signal

import pytest

from tests.end_to_end.process_table import having
from tests.end_to_end.terminal import CTRL_C, terminal
from tests.end_to_end.weft_command import environment, free_port, running, weft
from tests.waiting import wait_until

pytestmark = pytest.mark.timeout(300)  # a first start compiles the collector's kernels


def start(tmp_path, *options):
    folder = tmp_path / "temporary"
    folder.mkdir()
    line = weft("demo", "--no-browser", "--port", str(free_port()), *options)
    return running(line, tmp_path, TMPDIR=str(folder)), folder


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda s: s.name)
def test_a_signal_during_the_start_leaves_nothing(tmp_path, number):
    demo, folder = start(tmp_path)
    with demo as runner:
        wait_until(lambda: len(runner.left()) > 5)
        runner.process.send_signal(number)
        assert runner.end() == 130, runner.output
        wait_until(lambda: not runner.left())
    assert not list(folder.iterdir())


def test_a_killed_runner_leaves_nothing(tmp_path):
    demo, folder = start(tmp_path)
    with demo as runner:
        runner.await_output("The live graph")
        assert len(runner.left()) > 10
        runner.process.kill()
        runner.end()
        wait_until(lambda: not runner.left())
        wait_until(lambda: not list(folder.iterdir()))


def test_a_service_that_dies_ends_the_demo_with_a_reason(tmp_path):
    demo, folder = start(tmp_path, "--topology", "pymicro")
    with demo as runner:
        runner.await_output("The live graph")
        os.kill(max(runner.left()), signal.SIGKILL)
        assert runner.end() == 1, runner.output
        assert "ended with code -9" in runner.output
        wait_until(lambda: not runner.left())
    assert not list(folder.iterdir())


def test_ctrl_c_in_a_terminal_ends_in_order_and_leaves_nothing(tmp_path):
    mark = f"mark-{tmp_path}"
    line = weft("demo", "--no-browser", "--topology", "pymicro", "--rate", "5", "--port", str(free_port()))
    with terminal(line, environment(tmp_path, DEMO_TEST_MARK=mark, COLUMNS="120")) as demo:
        wait_until(lambda: demo.shows("graph populated") or demo.ended(), 90)
        demo.press(CTRL_C)
        wait_until(demo.ended, 60)
        assert demo.process.returncode == 0, demo.screen
        assert "Equal: 27 edges" in demo.screen
    wait_until(lambda: not having(mark))
