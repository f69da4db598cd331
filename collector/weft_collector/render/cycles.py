"""Breaking cycles: an order of the nodes that few edges go against.

A layered picture needs an acyclic graph. The greedy heuristic of Eades, Lin and Smyth peels nodes that
nobody calls to the front and nodes that call nobody to the back; when neither is left, the node with the
most calls out over calls in goes to the front. Edges against the order are turned around for the layout and
drawn dashed as back edges. A tie goes to the node nearest to an entry (a node that nobody calls), so that of
two that call each other the one that the outside calls stays in front; then to the smaller number. Numbers
are given by name, so the order is a pure function of the graph.
"""

import heapq
from collections import deque
from collections.abc import Iterable

Adjacency = list[list[int]]
Edge = tuple[int, int]


def adjacency(size: int, edges: Iterable[Edge]) -> tuple[Adjacency, Adjacency]:
    """The callees and the callers of each of the nodes 0 .. size - 1."""
    callees: Adjacency = [[] for _ in range(size)]
    callers: Adjacency = [[] for _ in range(size)]
    for caller, callee in edges:
        callees[caller].append(callee)
        callers[callee].append(caller)
    return callees, callers


def depths(callees: Adjacency, callers: Adjacency) -> list[int]:
    """How many calls lead to each node from the nearest that nobody calls; the number of nodes if none do."""
    size = len(callees)
    found = [0 if not callers[node] else size for node in range(size)]
    queue = deque(node for node in range(size) if not callers[node])
    while queue:
        node = queue.popleft()
        for callee in callees[node]:
            if found[callee] == size:
                found[callee] = found[node] + 1
                queue.append(callee)
    return found


class _Peeling:
    """The nodes that are left, with their degrees among each other."""

    def __init__(self, callees: Adjacency, callers: Adjacency) -> None:
        self._callees, self._callers = callees, callers
        self._out, self._in = [len(c) for c in callees], [len(c) for c in callers]
        self._left = [True] * len(callees)
        self._depths = depths(callees, callers)
        self._excess = [self._key(v) for v in range(len(callees))]
        heapq.heapify(self._excess)
        self._sources = [v for v, degree in enumerate(self._in) if not degree]
        self._sinks = [v for v, degree in enumerate(self._out) if not degree]
        self.front: list[int] = []
        self.back: list[int] = []

    def run(self) -> None:
        while True:
            self._peel(self._sources, self.front)
            self._peel(self._sinks, self.back)
            if self._sources:
                continue
            node = self._most_outgoing()
            if node is None:
                return
            self._take(node, self.front)

    def _peel(self, heap: list[int], end: list[int]) -> None:
        while heap:
            self._take(heapq.heappop(heap), end)

    def _take(self, node: int, end: list[int]) -> None:
        if not self._left[node]:
            return
        self._left[node] = False
        end.append(node)
        self._release(self._callees[node], self._in, self._sources)
        self._release(self._callers[node], self._out, self._sinks)

    def _release(self, neighbours: list[int], degrees: list[int], freed: list[int]) -> None:
        for other in neighbours:
            degrees[other] -= 1
            if not self._left[other]:
                continue
            heapq.heappush(self._excess, self._key(other))
            if not degrees[other]:
                heapq.heappush(freed, other)

    def _most_outgoing(self) -> int | None:
        """The node with the most calls out over calls in; outdated entries are passed over."""
        while self._excess:
            key = heapq.heappop(self._excess)
            node = key[-1]
            if self._left[node] and key == self._key(node):
                return node
        return None

    def _key(self, node: int) -> tuple[int, int, int]:
        """Sort key: most calls out over calls in, then nearest to an entry, then by number."""
        return self._in[node] - self._out[node], self._depths[node], node


def acyclic_order(size: int, edges: Iterable[Edge]) -> list[int]:
    """All nodes in an order that few of the edges go against; self-calls must have been taken out."""
    peeling = _Peeling(*adjacency(size, edges))
    peeling.run()
    return peeling.front + peeling.back[::-1]


def forward_edges(size: int, edges: Iterable[Edge]) -> tuple[list[int], list[Edge]]:
    """The order, and the edges with those against it turned around (then sorted, and none twice)."""
    listed = list(edges)
    order = acyclic_order(size, listed)
    step = {node: i for i, node in enumerate(order)}
    return order, sorted({(a, b) if step[a] < step[b] else (b, a) for a, b in listed})
