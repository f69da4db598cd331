import subprocess
import sys

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
