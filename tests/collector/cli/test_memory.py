import ctypes
import subprocess
import sys
import threading

import pytest

from weft_collector.cli.memory import Keeper, give_back

PROGRAM = """
import gc, resource
from weft_collector.cli.memory import freeze_objects, keep_blocks
keep_blocks()
freeze_objects()
assert gc.get_freeze_count() > 1_000
assert gc.get_threshold()[0] > 700
def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(50):
        bytearray(1 << 20)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
faults()
print(faults())
"""


def test_freed_blocks_are_used_again_and_objects_of_the_start_are_permanent():
    run = subprocess.run([sys.executable, "-c", PROGRAM], check=True, capture_output=True, text=True)
    assert int(run.stdout) < 50 * 256  # pages that 50 blocks would take anew


def test_another_c_library_is_left_alone(monkeypatch):
    from weft_collector.cli import memory

    monkeypatch.setattr(memory.ctypes, "CDLL", lambda _: object())
    memory.keep_blocks()
    memory.give_back()


FREE_INSIDE = """
import ctypes
from pathlib import Path
from weft_collector.cli.memory import give_back, keep_blocks
def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096
keep_blocks()
blocks = [bytearray(1 << 20) for _ in range(100)]
del blocks[:-1]  # the last one keeps the heap's end where it is
before = resident()
give_back()
print(before - resident())
"""


def test_free_memory_inside_the_heap_goes_back():
    if not hasattr(ctypes.CDLL(None), "malloc_trim"):
        pytest.skip("no glibc")
    run = subprocess.run([sys.executable, "-c", FREE_INSIDE], check=True, capture_output=True, text=True)
    assert int(run.stdout) > 80 << 20


def test_memory_goes_back_once_when_work_is_followed_by_rest():
    used, rests = [0.0], []
    keeper = Keeper(lambda: rests.append(used[0]), lambda: used[0], every=5.0)
    for seconds in (0.1, 4.0, 3.0, 0.1, 0.1, 0.1):  # of CPU, from look to look
        used[0] += seconds
        keeper.look()
    assert rests == [pytest.approx(7.2)]


def test_a_collector_that_did_little_is_left_alone():
    used, rests = [0.0], []
    keeper = Keeper(lambda: rests.append(used[0]), lambda: used[0], every=5.0)
    for _ in range(9):
        used[0] += 0.1
        keeper.look()
    assert rests == []


def test_the_looking_thread_looks_and_ends():
    looked = threading.Event()
    used = [0.0]

    def cpu() -> float:
        used[0] += 10.0
        return used[0]

    keeper = Keeper(looked.set, cpu, every=1000.0)
    keeper.start()
    keeper.stop()
    keeper.stop()
    Keeper(give_back).stop()
    assert not looked.is_set()
