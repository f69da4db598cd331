"""Why is an edge missing? The halves of calls that stand at its two ends, each with the reason why it is no such call.

The newest spans of both ends in the window are found by the search machinery, and each is judged within its whole
trace (`halves.py`). Nothing is told from counters: every reason comes with spans that can be looked at.

Bounded: NEWEST spans of an end and kind, and the time of a query. Where that was not enough the answer says that it is
not complete.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, NamedTuple
from urllib.parse import unquote

import numpy as np
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from weft_collector.graph import rules
from weft_collector.graph.nodes import CLIENT, UNKNOWN_PEER, Node, NodeType
from weft_collector.query.bytes_of_spans import read_messages
from weft_collector.query.catalog import Budget
from weft_collector.query.columns import pointers
from weft_collector.query.halves import Half, Tree, halves_of
from weft_collector.query.queries import Queries
from weft_collector.query.question import Question
from weft_collector.query.reasons import REASONS
from weft_collector.query.trace_rows import span_row
from weft_collector.store.ports import SpanLog, SpanTable

__all__ = ["End", "Explanation", "explain"]

NEWEST: Final = 500
EXAMPLES: Final = 3
MOST_NODES: Final = 10
_KINDS: Final = {"caller": ("Client", "Producer"), "callee": ("Server", "Consumer")}


class End(NamedTuple):
    """An end of the edge as it was asked for: a node's id, or the name of a service in any environment."""

    text: str

    def fits(self, node: Node) -> bool:
        """Whether it means a node."""
        return self.text == node.id or (node.type is NodeType.SERVICE and self.text == node.name)

    @property
    def is_service(self) -> bool:
        """Whether it can mean a service."""
        kind, colon, _ = self.text.partition(":")
        return not colon or kind not in set(NodeType) or kind == NodeType.SERVICE

    @property
    def service(self) -> str:
        """The name of the service that it means."""
        is_id = self.text.startswith("service:")
        return unquote(self.text.partition(":")[2].rpartition("/")[2]) if is_id else self.text


class Explanation(NamedTuple):
    """What was found.

    Attributes:
        matched: Calls between the two ends among the spans that were looked at.
        looked_at: How many halves of both ends were judged.
        reasons: Why the others are no such calls: first those without spans, then most spans first.
        complete: Whether all spans of both ends in the window were judged.
    """

    matched: int
    looked_at: int
    reasons: list[dict[str, Any]]
    complete: bool


class _Asked(NamedTuple):
    caller: End
    callee: End
    start_ns: int
    end_ns: int

    def within(self, half: Half) -> bool:
        return self.start_ns <= half.start < self.end_ns


class _Verdict(NamedTuple):
    """Why a half is no call between the two, and who else has to do with it.

    Without a reason it is such a call. A caller side with a callee is told without a node: the callee counts.
    """

    reason: str
    node: Node | None = None


def explain(
    queries: Queries, budget: Budget, ends: tuple[End, End], window_ns: tuple[int, int]
) -> Explanation:
    """Why calls from one end to another are not there, or not all.

    Args:
        queries: The spans.
        budget: How long it may take.
        ends: Caller and callee.
        window_ns: First start, and the first one that is too late, ns since the epoch.
    """
    return _Explaining(queries, _Asked(*ends, *window_ns), budget).answer()


class _Explaining:
    """One answer in the making."""

    def __init__(self, queries: Queries, asked: _Asked, budget: Budget) -> None:
        self._queries, self._asked, self._budget = queries, asked, budget
        self._tables: Sequence[SpanTable] = queries.catalog.tables()
        self._told: Counter[str] = Counter()
        self._nodes: dict[str, Counter[str]] = {}
        self._examples: dict[str, list[dict[str, Any]]] = {}
        self._looked_at = self._matched = 0
        self._complete = True

    def answer(self) -> Explanation:
        """Look at all traces that both ends have spans in."""
        callers, callees = (
            self._traces(self._asked.caller, "caller"),
            self._traces(self._asked.callee, "callee"),
        )
        self._told.update({"no_caller_spans": 0} if self._asked.caller.is_service and not callers else {})
        self._told.update({"no_callee_spans": 0} if self._asked.callee.is_service and not callees else {})
        for trace in dict.fromkeys((*callers, *callees)):
            if self._budget.over():
                self._complete = False
                break
            self._look_at(trace)
        order = list(REASONS)
        told = sorted(
            self._told, key=lambda name: (self._told[name] > 0, -self._told[name], order.index(name))
        )
        return Explanation(
            self._matched, self._looked_at, [self._shown(name) for name in told], self._complete
        )

    def _traces(self, end: End, side: str) -> list[int]:
        """Low halves of the traces of an end's newest spans on a side."""
        found: list[int] = []
        for kind in _KINDS[side]:
            question = Question(
                service=end.service, kind=kind, start_ns=self._asked.start_ns, end_ns=self._asked.end_ns
            )
            page = self._queries.search.spans(question, self._budget, NEWEST)
            self._complete &= page.complete and page.cursor is None
            found += [int(row["trace_id"][16:], 16) for row in page.rows]
        return found

    def _look_at(self, trace_lo: int) -> None:
        halves = halves_of(self._tables, trace_lo)
        if halves is None:
            self._complete = False
            return
        tree = Tree(halves)
        for half, verdict in _judged(tree, self._asked, self._orphan):
            self._looked_at += 1
            if verdict.reason:
                self._tell(half, verdict)
            else:
                self._matched += half.role == "callee" or verdict.node is not None

    def _orphan(self, half: Half) -> _Verdict:
        """Why a span has no caller whose parent is missing, by its own bytes."""
        if half.entry is not None:
            return _Verdict("" if self._asked.caller.fits(half.entry) else "called_by_another", half.entry)
        return _by_tracestate(_members(self._queries.log, half), half.node)

    def _tell(self, half: Half, verdict: _Verdict) -> None:
        self._told[verdict.reason] += 1
        if verdict.node is not None:
            self._nodes.setdefault(verdict.reason, Counter())[verdict.node.id] += 1
        examples = self._examples.setdefault(verdict.reason, [])
        if len(examples) < EXAMPLES:
            examples.append(span_row(half.rows, half.row))

    def _shown(self, name: str) -> dict[str, Any]:
        nodes = self._nodes.get(name, Counter())
        return {
            "reason": name,
            "spans": self._told[name],
            **REASONS[name]._asdict(),
            "nodes": dict(nodes.most_common(MOST_NODES)),
            "examples": self._examples.get(name, []),
        }


def _judged(tree: Tree, asked: _Asked, orphan: Callable[[Half], _Verdict]) -> Iterator[tuple[Half, _Verdict]]:
    """The halves of a trace that stand at one of the two ends, each with why it is no call between them."""
    answered: dict[int, list[Half]] = {}
    for half in tree.halves:
        if half.role == "callee":
            found = tree.called_by(half)
            if found.side is not None and found.how == "called":
                answered.setdefault(id(found.side), []).append(half)
            if asked.callee.fits(half.node) and asked.within(half):
                missing = found.how == "missing"
                yield half, orphan(found.last) if missing else _of_callee(found.how, found.caller, asked)
    for half in tree.halves:
        if half.role == "caller" and asked.caller.fits(half.node) and asked.within(half):
            yield half, _of_caller(half, answered.get(id(half), []), id(half) in tree.wrappers, asked)


def _of_callee(how: str, caller: Node | None, asked: _Asked) -> _Verdict:
    if how == "called" and caller is not None:
        return _Verdict("" if asked.caller.fits(caller) else "called_by_another", caller)
    if how == "inside":
        return _Verdict("inside")
    return _Verdict("" if asked.caller.fits(CLIENT) else "new_trace")


def _of_caller(half: Half, callees: list[Half], wrapper: bool, asked: _Asked) -> _Verdict:
    wanted = [callee for callee in callees if asked.callee.fits(callee.node)]
    if wanted:
        return _Verdict("" if any(map(asked.within, wanted)) else "outside_window")
    if callees:
        return _Verdict("answered_by_another", callees[0].node)
    if wrapper:
        return _Verdict("wrapper")
    peer = half.other or UNKNOWN_PEER
    if peer == UNKNOWN_PEER:
        return _Verdict("no_peer_name")
    if asked.callee.fits(peer):
        return _Verdict("", peer)
    return _Verdict("callee_missing" if peer.type is NodeType.EXTERNAL else "answered_by_another", peer)


def _members(log: SpanLog, half: Half) -> dict[str, str]:
    """The members of a span's `tracestate`; of one key the first counts."""
    where = pointers(half.rows).take(np.array([half.row], np.intp))
    message = read_messages(log, half.table.number, where).message(0)
    members = Span.FromString(message).trace_state.split(",")
    pairs = [member.strip().partition("=") for member in reversed(members)]
    return {key: value for key, _, value in pairs}


def _by_tracestate(members: dict[str, str], node: Node) -> _Verdict:
    if "weft" in members:
        named = members["weft"].partition(";")[2]
        home = rules.Home(node.namespace, node.environment)
        return _Verdict("stale_entry", rules.named_caller(named, home) if named else None)
    thresholds = [word[3:] for word in members.get("ot", "").split(";") if word.startswith("th:")]
    return _Verdict("sampled_out" if any(t.strip("0") for t in thresholds) else "parent_missing")
