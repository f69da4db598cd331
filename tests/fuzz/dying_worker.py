"""A worker whose decoders do what a decoder must not, to try out the campaign itself."""

import ctypes
import sys
import threading
from pathlib import Path

from tests.fuzz import worker
from tests.fuzz.guarded import Guarded
from tests.fuzz.targets import TARGETS, Target

TENTH = 10


class Dying:
    """Takes nine bodies and does something terrible with the tenth."""

    def __init__(self, terrible):
        self._terrible, self._tried = terrible, 0

    def __call__(self, body):
        self._tried += 1
        if self._tried == TENTH:
            self._terrible()
        return "taken"


def overrun():
    area = Guarded(10)
    ctypes.string_at(area.address + area.room, 1)


def hang():
    threading.Event().wait()


def confuse():
    raise ValueError("not the decoder's own way of refusing")


def abort():
    ctypes.CDLL(None).abort()


DEEDS = {"overrun": overrun, "hang": hang, "confuse": confuse, "abort": abort}

if __name__ == "__main__":
    TARGETS.update({n: Target(lambda: [b"seed body"], lambda d=d: Dying(d)) for n, d in DEEDS.items()})
    worker.main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]))
