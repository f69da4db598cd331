"""Least movement that keeps a distance: pool adjacent violators.

Given wanted places in a fixed order, weights, and the least distance from each to the next, find the places
that minimise the weighted sum of squared shifts. Subtracting the running distances turns "at least this far
apart" into "not decreasing", which is isotonic regression: walk once from the start, and wherever a place
would come before the one ahead of it, pool both into a block at their weighted mean. Exact, and O(n).
"""

from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple


class _Block(NamedTuple):
    mean: float
    weight: float
    members: int

    def joined(self, other: "_Block") -> "_Block":
        weight = self.weight + other.weight
        mean = (self.mean * self.weight + other.mean * other.weight) / weight
        return _Block(mean, weight, self.members + other.members)


def separated(wanted: Sequence[float], weights: Sequence[float], distances: Sequence[float]) -> list[float]:
    """Places nearest to the wanted ones that keep their order and their distances.

    Args:
        wanted: Wanted places, in the order to keep.
        weights: How strongly each holds on to its wanted place, above 0.
        distances: Least distance from each to the next one; one shorter than `wanted`.

    Returns:
        One place for each wanted one.
    """
    offsets = list(accumulate(distances, initial=0.0))
    blocks: list[_Block] = []
    for want, weight, offset in zip(wanted, weights, offsets, strict=False):
        block = _Block(want - offset, weight, 1)
        while blocks and blocks[-1].mean >= block.mean:
            block = blocks.pop().joined(block)
        blocks.append(block)
    means = (block.mean for block in blocks for _ in range(block.members))
    return [mean + offset for mean, offset in zip(means, offsets, strict=False)]
