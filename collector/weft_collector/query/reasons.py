"""Why halves of calls are no call from one node to another: the words of the answer, and what to do about each."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

__all__ = ["REASONS", "Reason"]


class Reason(NamedTuple):
    """A reason.

    Attributes:
        side: Whose spans it is told of: `caller` or `callee`.
        meaning: What it says about such a span.
        next: What to do.
    """

    side: str
    meaning: str
    next: str


REASONS: Final[Mapping[str, Reason]] = MappingProxyType(
    {
        "no_caller_spans": Reason(
            "caller",
            "The caller has no client or producer span in the window.",
            "Instrument the library that it calls with (`weft run`), or choose a window in which it called.",
        ),
        "no_callee_spans": Reason(
            "callee",
            "The callee has no server or consumer span in the window.",
            "Instrument the server that takes its requests, and see that its exporter sends to this collector.",
        ),
        "outside_window": Reason(
            "caller",
            "The call counts at the start of the callee's span, which lies outside the window.",
            "Ask for a longer window.",
        ),
        "parent_missing": Reason(
            "callee",
            "It names a parent span that never came: that span was lost, dropped by its agent, or nobody sends it.",
            "Look for dropped spans in the logs of the calling service, and for a proxy between the two that passes "
            "`traceparent` on and sends no spans. Weft's agent names itself in `tracestate`, so that its calls count "
            "even without the parent.",
        ),
        "sampled_out": Reason(
            "callee",
            "Its parent is missing, and its `tracestate` says that the trace is sampled by a threshold: "
            "the parent's side kept fewer.",
            "Sample both services alike, or where traces begin only.",
        ),
        "stale_entry": Reason(
            "callee",
            "Its parent is missing, and its caller entry is about another span: a hop in between passed it on.",
            "The node that is named called that hop, not this service. Let the hop send its spans.",
        ),
        "new_trace": Reason(
            "callee",
            "It begins a trace of its own, so it was called by `client`.",
            "If a service called it, `traceparent` got lost on the way: see that the caller's library is instrumented, "
            "and that proxies pass the header on.",
        ),
        "inside": Reason(
            "callee",
            "It lies inside another call of the same service, which counts instead.",
            "Nothing: two layers of instrumentation saw one request.",
        ),
        "called_by_another": Reason(
            "callee",
            "Somebody else called it.",
            "If the caller reaches it through the node that is named, there are two edges, one behind the other.",
        ),
        "wrapper": Reason(
            "caller",
            "Another client span of the same service lies inside it: the inner one is the call.",
            "Nothing: two layers of instrumentation saw one call.",
        ),
        "answered_by_another": Reason(
            "caller",
            "Another node answered it, or is named as its peer.",
            "If that node passes requests on, there are two edges, one behind the other.",
        ),
        "callee_missing": Reason(
            "caller",
            "No server span came below it, and all that it says about its peer is a host.",
            "If the host belongs to the callee: instrument the callee, or see that the header `traceparent` reaches it.",
        ),
        "no_peer_name": Reason(
            "caller",
            "No server span came below it, and it says nothing about its peer.",
            "Let the client's instrumentation set `server.address` or `service.peer.name`.",
        ),
    }
)
"""By name, in the order in which they are told where equally many spans have them."""
