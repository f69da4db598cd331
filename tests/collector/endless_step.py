"""A step that never ends, for tests of what happens meanwhile."""

import os
import threading
from pathlib import Path

from weft_collector.warming import Step


def _wait() -> None:
    Path(os.environ["ENDLESS_NOTE"]).write_text("begun")
    threading.Event().wait()


STEPS = (Step("endless", _wait),)
