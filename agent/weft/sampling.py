"""Which traces are recorded: decided once where a trace enters the process, then inherited.

A sampler is a function of the parent's trace flags (None for a root) to a decision. A span under a recorded
span of this process is always recorded, so a trace has no holes inside one process.
"""

from collections.abc import Callable, Mapping

SAMPLED = 0x01
"""The trace flag that says: some system records this trace."""

Sampler = Callable[[int | None], bool]


def always_on(_parent_flags: int | None) -> bool:
    """Record every trace, whatever the parent decided."""
    return True


def always_off(_parent_flags: int | None) -> bool:
    """Record nothing; context is still passed on."""
    return False


def parent_based_on(parent_flags: int | None) -> bool:
    """Honour the parent's sampled flag; record every root."""
    return parent_flags is None or bool(parent_flags & SAMPLED)


def parent_based_off(parent_flags: int | None) -> bool:
    """Honour the parent's sampled flag; record no root."""
    return parent_flags is not None and bool(parent_flags & SAMPLED)


SAMPLERS: Mapping[str, Sampler] = {
    "always_on": always_on,
    "always_off": always_off,
    "parentbased_always_on": parent_based_on,
    "parentbased_always_off": parent_based_off,
}
"""By the names that OTEL_TRACES_SAMPLER uses."""
