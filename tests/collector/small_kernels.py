"""Two steps of one small kernel each, and what a process that prepares them tells of it."""

import json
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

from weft_collector import warming_apart
from weft_collector.kernel import CACHE_FOLDER, kernel
from weft_collector.warming import Step, warm_together


@kernel
def one_more(value: int) -> int:
    return value + 1


@kernel
def one_less(value: int) -> int:
    return value - 1


STEPS = (Step("more", lambda: one_more(1)), Step("less", lambda: one_less(1)))

COMMAND = (
    sys.executable,
    "-c",
    "from weft_collector.warming_apart import main; main('tests.collector.small_kernels')",
)


def beside(
    command: Sequence[str] = COMMAND,
) -> Callable[[str], AbstractContextManager[warming_apart.Other | None]]:
    """Starts a program as the other process, whatever cores and cache there are."""
    return lambda step: warming_apart.running([*command, step])


def main() -> None:
    """Prepare the steps as a collector does, and print what happened."""
    lines: list[str] = []
    warm_together(lines.append, STEPS, beside())
    misses = {k.py_func.__name__: sum(k.stats.cache_misses.values()) for k in (one_more, one_less)}
    print(json.dumps({"lines": lines, "misses": misses, "folder": str(CACHE_FOLDER), "sum": one_more(1)}))


if __name__ == "__main__":
    main()
