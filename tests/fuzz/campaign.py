"""A campaign of damaged bodies over all decoders, in processes that may die of it.

    python -m tests.fuzz.campaign FOLDER [--bodies 10000000] [--target NAME ...]

FOLDER keeps how far each target is, and the bodies that killed, hung or confused a decoder: started again,
the campaign goes on where it was. Bodies are shared out between the targets, most of them to the protobuf
kernel, which alone reads memory by address. Exits with 1 if anything was kept.
"""

import argparse
import json
import subprocess
import sys
import time
from collections import Counter, defaultdict
from pathlib import Path
from typing import Final, NamedTuple

from tests.fuzz.mutations import BATCH
from tests.fuzz.targets import TARGETS
from tests.fuzz.worker import HEAD

__all__ = ["Campaign", "Defect"]

ROOT: Final = Path(__file__).parents[2]
SLICE: Final = 256
HANG_SECONDS: Final = 30.0
LOOK_SECONDS: Final = 0.05
WEIGHT: Final = {"otlp_protobuf": 12}
"""How many times the share of others a target gets."""


class Defect(NamedTuple):
    """What went wrong with which body."""

    target: str
    what: str
    body: Path


class Campaign:
    """What was tried so far, and the next slices.

    Args:
        folder: Where it is kept.
        worker: The module whose process is attacked.
    """

    def __init__(self, folder: Path, worker: str = "tests.fuzz.worker") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._worker = worker
        self._folder, self._path = folder, folder / "campaign.json"
        kept = json.loads(self._path.read_text()) if self._path.exists() else {}
        self.batches = Counter[str](kept.get("batches", {}))
        self.verdicts = defaultdict[str, Counter[str]](Counter)
        self.verdicts |= {name: Counter(counts) for name, counts in kept.get("verdicts", {}).items()}
        self.defects: list[Defect] = []

    @property
    def tried(self) -> int:
        """Bodies tried, in all runs of this campaign."""
        return sum(sum(counts.values()) for counts in self.verdicts.values())

    def run(self, bodies: dict[str, int]) -> None:
        """Go on until so many bodies of each target were tried."""
        for name, wanted in bodies.items():
            while (left := -(-wanted // BATCH) - self.batches[name]) > 0:
                self._slice(name, min(SLICE, left))

    def _slice(self, name: str, count: int) -> None:
        first, note = self.batches[name], self._folder / f"{name}.note"
        verdicts, what = self._attacked(name, first, count, note)
        if what:
            self._keep(name, what, note)
        self.verdicts[name].update(verdicts)
        self.batches[name] += count
        self._path.write_text(json.dumps({"batches": self.batches, "verdicts": self.verdicts}, indent=1))

    def _attacked(self, name: str, first: int, count: int, note: Path) -> tuple[dict[str, int], str]:
        """The verdicts of some batches, and what went wrong."""
        command = [sys.executable, "-m", self._worker, name, str(first), str(count), str(note)]
        errors = note.with_suffix(".err")
        with errors.open("wb") as err:
            process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=err)
        hung = _watch(process, note)
        out, _ = process.communicate()
        if process.returncode == 0:
            return json.loads(out), ""
        told = errors.read_text(errors="replace").strip().splitlines()[-1:]
        return {}, "hung" if hung else f"ended with {process.returncode}: {''.join(told)}"

    def _keep(self, name: str, what: str, note: Path) -> None:
        """Put the body that was tried last aside."""
        head = (
            note.read_bytes() if note.exists() else bytes(HEAD.size)
        )  # none: it ended before its first body
        number, length = HEAD.unpack_from(head)
        path = self._folder / f"{name}-{self.batches[name]}-{number}.body"
        path.write_bytes(head[HEAD.size : HEAD.size + length])
        self.defects.append(Defect(name, what, path))


def _watch(process: "subprocess.Popen[bytes]", note: Path) -> bool:
    """Wait for the end; whether the process had to be killed because it made no progress."""
    last, since = b"", time.monotonic()
    while process.poll() is None:
        head = _head(note)
        if head != last:
            last, since = head, time.monotonic()
        if time.monotonic() - since > HANG_SECONDS:
            process.kill()
            return True
        time.sleep(LOOK_SECONDS)
    return False


def _head(note: Path) -> bytes:
    """The number of bodies tried, as it stands in the note."""
    if not note.exists():
        return b""
    with note.open("rb") as file:
        return file.read(8)


def shares(bodies: int, targets: list[str]) -> dict[str, int]:
    """How many bodies each target gets."""
    weights = {name: WEIGHT.get(name, 1) for name in targets}
    return {name: bodies * weight // sum(weights.values()) for name, weight in weights.items()}


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--bodies", type=int, default=10_000_000)
    parser.add_argument("--target", nargs="+", default=list(TARGETS), choices=list(TARGETS))
    given = parser.parse_args()
    campaign, begun = Campaign(given.folder), time.monotonic()
    for name, count in shares(given.bodies, given.target).items():
        campaign.run({name: count})
        print(f"{name}: {dict(campaign.verdicts[name])} ({time.monotonic() - begun:.0f} s)", flush=True)
    for defect in campaign.defects:
        print(f"DEFECT {defect.target}: {defect.what}; {defect.body}")
    print(f"{campaign.tried:,} bodies, {len(campaign.defects)} defects")
    return 1 if campaign.defects else 0


if __name__ == "__main__":
    sys.exit(main())
