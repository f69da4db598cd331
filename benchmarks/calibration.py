"""How quick the machine is now: a fixed piece of work on every core at once.

A benchmark on a shared machine measures its neighbours. So the same loop runs before and after each part, on
as many cores as the benchmarks use; the wall time of the slowest process counts. If it differs from the
quickest of the run by more than DRIFT, the part was not alone, and its figures are not to be believed.
"""

import subprocess
import sys
from typing import Final

__all__ = ["DRIFT", "Calibration"]

DRIFT: Final = 0.15
CORES: Final = 2
TRIES: Final = 3
LOOP: Final = """
import time
begun, table, x = time.perf_counter(), {}, 1
for i in range(2_000_000):
    x = (x * 1103515245 + 12345) & 0x7FFFFFFF
    table[x & 4095] = i
print(time.perf_counter() - begun)
"""


def seconds() -> float:
    """Wall seconds of the loop, run on all cores at once; of the slowest."""
    command = [sys.executable, "-c", LOOP]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(CORES)]
    return max(float(process.communicate()[0]) for process in running)


class Calibration:
    """Remembers the quickest loop of a run."""

    def __init__(self) -> None:
        self.quickest = min(seconds() for _ in range(TRIES))

    def drift(self) -> float:
        """By how much the machine is slower now than at its quickest: 0.1 is a tenth."""
        now = seconds()
        self.quickest = min(self.quickest, now)
        return now / self.quickest - 1
