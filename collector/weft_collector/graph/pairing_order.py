"""Which of two spans comes first, where the graph rules compare by start, and by names where starts are equal.

`owners` says where the names lie. Two spans that are equal in all are one span, so arrival decides nothing.
"""

from weft_collector.graph.owners import (
    ENVIRONMENTS,
    INSTANCE_STARTS,
    INSTANCE_TEXTS,
    INSTANCES,
    NODE_STARTS,
    NODE_TEXTS,
)
from weft_collector.graph.pairing_table import INSTANCE, NODE, OWNERS, SPAN, START, entry_at, load16
from weft_collector.kernel import ZERO, byte_swap, inline, load32, load64, number, routine

_SIGN = number(-(1 << 63))


@inline
def _less(one: int, other: int) -> bool:
    """Whether a number without sign is less than another."""
    return one ^ _SIGN < other ^ _SIGN


@routine
def _text_before(texts: int, starts: int, one: int, other: int) -> bool:
    """Whether a text comes before another one."""
    left, right = load64(starts + 8 * one), load64(starts + 8 * other)
    lengths = load64(starts + 8 * one + 8) - left, load64(starts + 8 * other + 8) - right
    shorter = min(lengths[0], lengths[1])
    at = ZERO
    while at < shorter:
        a, b = byte_swap(load64(texts + left + at)), byte_swap(load64(texts + right + at))
        rest = shorter - at
        if rest < 8:
            beyond = 64 - 8 * rest  # bits of what follows the shorter text
            a, b = a >> beyond << beyond, b >> beyond << beyond
        if a != b:
            return _less(a, b)
        at += 8
    return lengths[0] < lengths[1]


@routine
def owner_before(table: int, one: int, other: int) -> bool:
    """Whether the owner of an entry comes before that of another, by service id and instance as texts."""
    block = load64(table + OWNERS)
    left, right = load16(one + NODE), load16(other + NODE)
    if left != right:
        return _text_before(load64(block + NODE_TEXTS), load64(block + NODE_STARTS), left, right)
    left, right = load32(one + INSTANCE), load32(other + INSTANCE)
    if max(left, right) >= load64(block + INSTANCES):
        return left < right  # one of those beyond all bounds, which have a number in common
    return _text_before(load64(block + INSTANCE_TEXTS), load64(block + INSTANCE_STARTS), left, right)


@inline
def same_environment(table: int, one: int, other: int) -> bool:
    """Whether two entries are of services of one environment."""
    numbers = load64(load64(table + OWNERS) + ENVIRONMENTS)
    return load16(numbers + 2 * load16(one + NODE)) == load16(numbers + 2 * load16(other + NODE))


@inline
def started_before(table: int, one: int, other: int) -> bool:
    """Whether the span in a slot comes before the one in another: by start, then by its owner."""
    left, right = entry_at(table, one), entry_at(table, other)
    if load64(left + START) != load64(right + START):
        return load64(left + START) < load64(right + START)
    return owner_before(table, left, right)


@inline
def called_before(table: int, one: int, other: int) -> bool:
    """Whether the callee in a slot comes before the one in another: by start, then span id, then owner."""
    left, right = entry_at(table, one), entry_at(table, other)
    if load64(left + START) != load64(right + START):
        return load64(left + START) < load64(right + START)
    if load64(left + SPAN) != load64(right + SPAN):
        return _less(load64(left + SPAN), load64(right + SPAN))
    return owner_before(table, left, right)
