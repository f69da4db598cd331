"""How many pairs of edges cross.

Between two neighbouring columns, two edges cross exactly if their upper and lower ends are in opposite
order, so the crossings are the inversions of the right ends read in order of the left ends. A Fenwick tree
counts them in O(n log n); a sorted list with bisection is a third faster below 10,000 edges in a gap, but
twelve times slower at 300,000, and what comes from outside decides the number.
"""

from bisect import bisect_right
from collections.abc import Sequence

from weft_collector.render.cycles import Adjacency


def inversions(values: Sequence[int]) -> int:
    """How many pairs of numbers from 0 on stand in the wrong order; equal values are in order."""
    size = max(values, default=0) + 1
    tree = [0] * (size + 1)
    found = 0
    for count, value in enumerate(values):
        found += count
        at = value + 1
        while at:  # take away those seen that are not larger
            found -= tree[at]
            at &= at - 1
        at = value + 1
        while at <= size:
            tree[at] += 1
            at += at & -at
    return found


def crossings_between(row: Sequence[int], right: Adjacency, place: Sequence[int]) -> int:
    """Crossings of the edges between a row, in drawing order, and the next one."""
    return inversions([target for vertex in row for target in sorted([place[w] for w in right[vertex]])])


def pair_crossings(upper: Sequence[int], lower: Sequence[int]) -> int:
    """Crossings of two neighbours' edges while one is drawn above the other, from their sorted far ends."""
    return sum([len(upper) - bisect_right(upper, end) for end in lower])
