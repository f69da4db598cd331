"""The power goes at every single step of a scenario; what was acknowledged is there afterwards."""

import itertools
from contextlib import suppress

import pytest

from tests.collector.store.logs import append, contents, open_log, record, reopened
from weft_collector.errors import StorageFailed
from weft_collector.store.log import LogOptions
from weft_collector.telemetry import Telemetry
from weft_collector.testing import Crashed, ForgetfulFiles

TIGHT = LogOptions(file_bytes=900, block_bytes=300, floor_bytes=0)
SURVIVALS = list(itertools.product([0, 1, 50, 10_000], [False, True]))


class Run:
    """Writes groups, and notes which were acknowledged, refused, and never answered."""

    def __init__(self, disk):
        self.disk = disk
        self.acknowledged, self.refused, self.unanswered = [], [], []

    def write(self, log, groups):
        for group in groups:
            records = [record(100 * group + i, 70 + 30 * i) for i in range(1 + group % 5)]
            self.unanswered = records
            try:
                append(log, *records)
                self.acknowledged += records
            except StorageFailed:
                self.refused += records
            self.unanswered = []


def plain(run):
    """Append, sync and roll."""
    log = open_log(run.disk, TIGHT)
    run.write(log, range(9))
    log.close()


def restarts(run):
    """Sessions that each go on in the file of the last."""
    for session in range(3):
        log = open_log(run.disk, TIGHT)
        assert contents(log) == run.acknowledged
        run.write(log, range(10 * session, 10 * session + 3))
        log.close()


def torn(run):
    """A torn tail is cut off at the second start."""
    log = open_log(run.disk, TIGHT)
    run.write(log, range(3))
    log.close()
    name = run.disk.names()[-1]
    run.disk.put(name, run.disk.content(name) + b"WeftBlk\n and so on" * 20)
    log = open_log(run.disk, TIGHT)
    run.write(log, range(3, 6))
    log.close()


def failing(run):
    """Writes and syncs fail here and there."""
    run.disk.fail("sync", nth=[2, 7])
    run.disk.fail("write", nth=[6, 11])
    run.disk.fail("truncate", nth=[2])
    log = open_log(run.disk, TIGHT)
    run.write(log, range(12))
    log.close()


def steps_of(scenario):
    run = Run(ForgetfulFiles())
    scenario(run)
    return len(run.disk.steps)


@pytest.mark.parametrize("scenario", [plain, restarts, torn, failing])
@pytest.mark.parametrize(("kept_bytes", "kept_names"), SURVIVALS)
def test_a_crash_at_any_step_loses_nothing_that_was_acknowledged(scenario, kept_bytes, kept_names):
    for step in range(1, steps_of(scenario) + 2):
        run = Run(ForgetfulFiles())
        run.disk.crash_at(step)
        with suppress(Crashed):
            scenario(run)
        run.disk.crash(kept_bytes=kept_bytes, kept_names=kept_names)
        telemetry = Telemetry()
        found = reopened(run.disk, TIGHT, telemetry)

        doubtful = [*run.refused, *run.unanswered]
        assert [r for r in found if r not in doubtful] == run.acknowledged, step
        started = [r for r in found if r in run.unanswered]
        assert started == run.unanswered[: len(started)], step
        assert len(set(found)) == len(found), step
        assert telemetry.value("log_blocks_lost") == 0, step
        if kept_bytes == 0 and scenario is not failing:
            assert set(found) - set(run.acknowledged) <= set(run.unanswered)

        # What was shown once stays, and the log takes more.
        log = open_log(run.disk, TIGHT)
        assert contents(log) == found
        append(log, record(9_999))
        log.close()
        run.disk.crash()
        assert reopened(run.disk, TIGHT) == [*found, record(9_999)], step


@pytest.mark.parametrize("scenario", [plain, torn])
def test_a_second_crash_while_recovering_from_the_first_harms_nothing(scenario):
    for step in range(1, steps_of(scenario) + 1):
        for second in range(1, 8):
            run = Run(ForgetfulFiles())
            run.disk.crash_at(step)
            with suppress(Crashed):
                scenario(run)
            run.disk.crash(kept_bytes=50, kept_names=True)
            run.disk.crash_at(second)
            with suppress(Crashed):
                open_log(run.disk, TIGHT)
            run.disk.crash()
            found = reopened(run.disk, TIGHT)
            assert [r for r in found if r not in run.unanswered] == run.acknowledged, (step, second)


@pytest.mark.parametrize("scenario", [plain, restarts, torn, failing])
@pytest.mark.parametrize("more", [[], [record(9_999)]])
def test_what_a_killed_process_left_is_durable_once_it_was_shown(scenario, more):
    for step in range(1, steps_of(scenario) + 1):
        run = Run(ForgetfulFiles())
        run.disk.crash_at(step)
        with suppress(Crashed):
            scenario(run)
        run.disk.kill()
        log = open_log(run.disk, TIGHT)
        shown = contents(log)
        append(log, *more)
        run.disk.crash()
        assert [r for r in shown if r not in [*run.unanswered, *run.refused]] == run.acknowledged, step
        # After a failed sync the cache may hold what the disk never got; nothing acknowledged, though.
        lasting = run.acknowledged if scenario is failing else shown
        found = reopened(run.disk, TIGHT)
        assert [r for r in found if r in lasting or r in more] == [*lasting, *more], step


def test_a_tail_torn_at_any_byte_is_cut_and_kept_aside():
    disk = ForgetfulFiles()
    log = open_log(disk, TIGHT)
    append(log, record(1), record(2))
    kept = disk.content("log-00000001.weft")
    append(log, record(3), record(4))
    whole = disk.content("log-00000001.weft")
    log.close()
    for length in range(len(kept) + 1, len(whole)):
        torn = ForgetfulFiles()
        torn.put("log-00000001.weft", whole[:length])
        telemetry, notices = Telemetry(), []
        assert reopened(torn, TIGHT, telemetry, notices) == [record(1), record(2)]
        assert torn.content("log-00000001.weft") == kept
        assert torn.content(f"log-00000001-{len(kept)}.torn") == whole[len(kept) : length]
        torn.crash()
        assert torn.content(f"log-00000001-{len(kept)}.torn") == whole[len(kept) : length]
        assert telemetry.value("log_tails_torn") == 1
        assert telemetry.value("log_blocks_lost") == 0
        assert "cut off" in notices[0].text


def test_a_tail_of_zeros_is_cut():
    # What a file system leaves that had noted the new size and not yet the bytes.
    disk = ForgetfulFiles()
    log = open_log(disk, TIGHT)
    append(log, record(1))
    log.close()
    disk.put("log-00000001.weft", disk.content("log-00000001.weft") + bytes(3_000_000))
    assert reopened(disk, TIGHT) == [record(1)]
