"""What a fork needs: no import under way while it happens, and agents that become new instances in the child.

A child inherits locks in the state in which other threads held them. The agent's own locks are made anew;
the import system's are not ours, and a module that a thread of the parent was importing can never be
imported in the child. So the sender thread's one large import holds `importing`, and a fork waits for it.
"""

import os
import threading
import weakref
from typing import Final, Protocol

IMPORT_DEADLINE: Final = 5.0
"""Seconds that a fork waits for the import at most."""


class Forked(Protocol):
    """Something that must know that it is in the child of a fork now."""

    def after_fork(self) -> None:
        """Begin anew."""
        ...


importing: Final = threading.Lock()
"""Held while the sender thread imports."""
told: "Final[weakref.WeakSet[Forked]]" = weakref.WeakSet()
"""Who is told in the child."""


def _before() -> None:
    importing.acquire(timeout=IMPORT_DEADLINE)


def _in_parent() -> None:
    if importing.locked():
        importing.release()


def _in_child() -> None:
    _in_parent()
    for member in list(told):
        member.after_fork()


os.register_at_fork(before=_before, after_in_parent=_in_parent, after_in_child=_in_child)
