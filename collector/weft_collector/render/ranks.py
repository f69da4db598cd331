"""Ranks: the column of each node, so that every forward edge goes at least one column to the right.

Longest path from the callers puts each node right of all that call it. Two corrections shorten edges: a
node that nobody calls moves next to its first callee, and a node with room on both sides moves to the side
that has more of its edges.
"""

from weft_collector.render.cycles import Adjacency, Edge, adjacency

BALANCING_PASSES = 2


def _longest_paths(order: list[int], callees: Adjacency) -> list[int]:
    ranks = [0] * len(order)
    for node in order:
        for callee in callees[node]:
            ranks[callee] = max(ranks[callee], ranks[node] + 1)
    return ranks


def _pull_sources(ranks: list[int], callees: Adjacency, callers: Adjacency) -> None:
    for node in range(len(ranks)):
        if callees[node] and not callers[node]:
            ranks[node] = min(ranks[callee] for callee in callees[node]) - 1


def _balance(node: int, ranks: list[int], callees: list[int], callers: list[int]) -> None:
    if not (callees and callers):
        return
    first = max(ranks[caller] for caller in callers) + 1
    last = min(ranks[callee] for callee in callees) - 1
    ranks[node] = first if len(callers) >= len(callees) else last


def rank(order: list[int], edges: list[Edge]) -> list[int]:
    """The rank of each node, from 0.

    Args:
        order: All nodes, in an order that no edge goes against.
        edges: Forward edges.
    """
    callees, callers = adjacency(len(order), edges)
    ranks = _longest_paths(order, callees)
    _pull_sources(ranks, callees, callers)
    for _ in range(BALANCING_PASSES):
        for node in order:
            _balance(node, ranks, callees[node], callers[node])
    least = min(ranks)
    return [r - least for r in ranks]
