"""The process that is attacked: batches of one target, counted by verdict.

    python -m tests.fuzz.worker TARGET FIRST COUNT NOTE

Batch number n is the same in every run. Each body is written into the mapped file NOTE before it is tried:
number of bodies so far, length, bytes. So the body that kills the process, or hangs it, is still there.
"""

import json
import mmap
import struct
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from tests.fuzz.mutations import batch, noise, places_of_structure
from tests.fuzz.targets import TARGETS, Target

__all__ = ["HEAD", "NOTE_BYTES", "bodies", "main"]

HEAD: Final = struct.Struct("<QI")
NOTE_BYTES: Final = 1 << 18
NOISE_EVERY: Final = 16
"""One batch of so many is noise."""


class Seeds:
    """The bodies of a target that are damaged."""

    def __init__(self, target: Target) -> None:
        self.bodies: Sequence[bytes] = target.seeds()
        nothing = np.zeros(0, np.int64)
        self.places = [places_of_structure(b) if target.protobuf else nothing for b in self.bodies]


def bodies(seeds: Seeds, name: str, number: int) -> Iterator[bytes]:
    """The bodies of a batch."""
    chance = np.random.default_rng([*name.encode(), number])
    if number % NOISE_EVERY == 0:
        return noise(chance)
    which = int(chance.integers(len(seeds.bodies)))
    return batch(seeds.bodies[which], seeds.bodies, seeds.places[which], chance)


class Note:
    """The mapped file in which the parent finds the body that was tried last."""

    def __init__(self, path: Path) -> None:
        path.write_bytes(bytes(NOTE_BYTES))
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), NOTE_BYTES)
        self._tried = 0

    def write(self, body: bytes) -> None:
        """Say which body comes next."""
        self._tried += 1
        kept = body[: NOTE_BYTES - HEAD.size]
        self._map[: HEAD.size + len(kept)] = HEAD.pack(self._tried, len(kept)) + kept


def main(name: str, first: int, count: int, path: Path) -> None:
    target, note, verdicts = TARGETS[name], Note(path), Counter[str]()
    attack, seeds = target.start(), Seeds(target)
    for number in range(first, first + count):
        for body in bodies(seeds, name, number):
            note.write(body)
            verdicts[attack(body)] += 1
    print(json.dumps(verdicts))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]))
