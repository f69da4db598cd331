"""A graph as the API answers it, for the demo's tests."""


def graph(*edges):
    """Each edge: caller id, callee id, calls, errors."""
    ids = dict.fromkeys(end for caller, callee, *_ in edges for end in (caller, callee))
    return {"nodes": [node(i) for i in ids], "edges": [edge(*e) for e in edges]}


def node(node_id):
    kind, _, path = node_id.partition(":")
    system, _, name = path.rpartition("/")
    return {"id": node_id, "type": kind, "name": name or kind, "system": system}


def edge(caller, callee, calls, errors):
    side = {"samples": calls, "p50_ms": 1.0, "p95_ms": 12.34, "p99_ms": 20.0, "max_ms": 20.0}
    ends = {"id": f"{caller}->{callee}", "caller": caller, "callee": callee}
    return {**ends, "calls": calls, "errors": errors, "server": side, "client": None}
