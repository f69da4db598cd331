"""Graphs and layouts in the shapes of the collector's API, written by hand: what the page is held against."""

import copy
from itertools import pairwise
from typing import Any

Json = dict[str, Any]

SECONDS = 900
# name: (type, column, row); the pictures are those of a small shop.
SHOP = {
    "client:": ("client", 0, 2),
    "service:gateway": ("service", 1, 2),
    "service:catalogue": ("service", 2, 0),
    "service:cart": ("service", 2, 1.5),
    "service:checkout": ("service", 2, 3),
    "service:account": ("service", 2, 4.5),
    "service:pricing": ("service", 3, 0.5),
    "service:stock": ("service", 3, 1.5),
    "service:payment": ("service", 3, 3),
    "service:shipping": ("service", 3, 4),
    "external:rates.example:443": ("external", 4, 0),
    "database:sqlite/stock.db": ("database", 4, 1.5),
    "channel:kafka/orders": ("channel", 4, 3.5),
    "service:mail": ("service", 5, 3.5),
    "service:audit": ("service", 1, 5.5),
}
# caller, callee, calls, errors, p50 by the callee in ms
CALLS = [
    ("client:", "service:gateway", 11070, 12, 38.0),
    ("service:gateway", "service:catalogue", 6120, 0, 9.2),
    ("service:gateway", "service:cart", 3240, 4, 6.1),
    ("service:gateway", "service:checkout", 810, 31, 84.0),
    ("service:gateway", "service:account", 900, 0, 3.4),
    ("service:catalogue", "service:pricing", 6120, 0, 2.1),
    ("service:catalogue", "service:stock", 6120, 0, 4.4),
    ("service:cart", "service:stock", 2700, 3, 4.6),
    ("service:cart", "service:pricing", 1620, 0, 2.0),
    ("service:checkout", "service:payment", 810, 62, 61.0),
    ("service:checkout", "service:shipping", 748, 0, 420.0),
    ("service:checkout", "service:cart", 810, 0, 5.0),
    ("service:payment", "channel:kafka/orders", 748, 0, None),
    ("service:shipping", "channel:kafka/orders", 748, 0, None),
    ("channel:kafka/orders", "service:mail", 1496, 18, 12.0),
    ("service:pricing", "external:rates.example:443", 45, 2, None),
    ("service:stock", "database:sqlite/stock.db", 8820, 0, None),
    ("service:mail", "service:account", 1496, 0, 3.1),
    ("service:stock", "service:stock", 90, 0, 1.0),
]
COLUMN_STEP, ROW_STEP, LEFT, TOP = 300, 96, 140, 62


def latency(samples: int, p50: float) -> Json:
    return {
        "samples": samples,
        "p50_ms": p50,
        "p95_ms": round(p50 * 2.6, 3),
        "p99_ms": round(p50 * 4.1, 3),
        "max_ms": round(p50 * 7.7, 3),
    }


def node(node_id: str, type_: str, name: str) -> Json:
    return {
        "id": node_id,
        "type": type_,
        "name": name,
        "namespace": "",
        "environment": "",
        "system": "",
        "calls": 0,
        "errors": 0,
        "rate": 0.0,
        "error_rate": 0.0,
        "outbound_calls": 0,
        "outbound_errors": 0,
        "client": None,
        "server": None,
        "outcomes": {},
    }


def edge(caller: str, callee: str, calls: int, errors: int, p50: float | None) -> Json:
    caller_seen = not caller.startswith(("client:", "channel:"))
    both = calls if p50 is not None and caller_seen else 0
    alone = calls - both
    return {
        "id": f"{caller}->{callee}",
        "caller": caller,
        "callee": callee,
        "calls": calls,
        "errors": errors,
        "rate": calls / SECONDS,
        "error_rate": errors / calls,
        "client": latency(calls, round((p50 or 7.5) * 1.1 + 0.6, 3)) if caller_seen else None,
        "server": latency(calls, p50) if p50 is not None else None,
        "completeness": {
            "both": both,
            "client_only": alone if caller_seen else 0,
            "server_only": 0 if caller_seen else alone,
            "inferred": 0,
        },
        "outcomes": {"ok": calls - errors, **({"5xx": errors} if errors else {})},
    }


def graph(nodes: list[Json], edges: list[Json], version: int = 1) -> Json:
    """The whole answer; the nodes' inbound and outbound figures are sums of the edges."""
    by_id = {one["id"]: one for one in nodes}
    for call in edges:
        _book(by_id[call["caller"]], by_id[call["callee"]], call)
    calls, errors = sum(e["calls"] for e in edges), sum(e["errors"] for e in edges)
    return {
        "window": {"start": "2026-11-23T10:00:00Z", "end": "2026-11-23T10:15:00Z", "seconds": SECONDS},
        "version": version,
        "nodes": sorted(nodes, key=lambda one: one["id"]),
        "edges": sorted(edges, key=lambda one: one["id"]),
        "totals": {"calls": calls, "errors": errors, "rate": calls / SECONDS},
        "pending": 0,
        "settled_through": {"file": 3, "arrived": "2026-11-23T10:09:00.000000000Z"},
        "repairs_pending": 0,
    }


def _book(caller: Json, callee: Json, call: Json) -> None:
    caller["outbound_calls"] += call["calls"]
    caller["outbound_errors"] += call["errors"]
    callee["calls"] += call["calls"]
    callee["errors"] += call["errors"]
    callee["rate"] = callee["calls"] / SECONDS
    callee["error_rate"] = callee["errors"] / callee["calls"]
    callee["client"] = callee["client"] or call["client"]
    callee["server"] = callee["server"] or call["server"]


def place(column: float, row: float) -> Json:
    return {"x": LEFT + COLUMN_STEP * column, "y": TOP + ROW_STEP * row}


def layout(places: dict[str, Json], edges: list[Json]) -> Json:
    routes = {one["id"]: _way(places[one["caller"]], places[one["callee"]]) for one in edges}
    return {
        "nodes": places,
        "edges": routes,
        "width": max([0, *(at["x"] for at in places.values())]) + LEFT,
        "height": max([0, *(at["y"] for at in places.values())]) + TOP,
        "box": {"width": 200, "height": 44},
    }


def _way(start: Json, end: Json) -> list[list[float]]:
    """One way point in each column between, halfway to the next row so that it meets no box."""
    step = COLUMN_STEP if end["x"] > start["x"] else -COLUMN_STEP
    columns = range(start["x"] + step, end["x"], step)
    down = end["y"] - start["y"]
    return [[x, start["y"] + down * 0.5 + ROW_STEP / 2] for x in columns]


def shop() -> Json:
    """Fifteen nodes, nineteen edges: slow, failing, going back, calling itself, alone."""
    nodes = [node(key, type_, key.partition(":")[2]) for key, (type_, _, _) in SHOP.items()]
    database = next(one for one in nodes if one["type"] == "database")
    database.update(name="stock.db", system="sqlite")
    channel = next(one for one in nodes if one["type"] == "channel")
    channel.update(name="orders", system="kafka")
    edges = [edge(*call) for call in CALLS]
    return {
        "graph": graph(nodes, edges),
        "layout": layout({key: place(*where[1:]) for key, where in SHOP.items()}, edges),
    }


def with_node(snapshot: Json, name: str, caller: str, column: float, row: float) -> Json:
    """The same snapshot with one more service in it, as the next live update."""
    node_id = f"service:{name}"
    grown = copy.deepcopy(snapshot)
    call = edge(caller, node_id, 90, 0, 3.0)
    grown["graph"]["nodes"].append({**node(node_id, "service", name), "calls": 90, "rate": 90 / SECONDS})
    grown["graph"]["edges"].append(call)
    grown["graph"]["version"] += 1
    grown["layout"]["nodes"][node_id] = place(column, row)
    grown["layout"]["edges"][call["id"]] = []
    return grown


def empty() -> Json:
    return {"graph": graph([], []), "layout": layout({}, [])}


def hostile(names: list[str]) -> Json:
    """One chain of services that bear these names."""
    nodes = [node(f"service:{name}", "service", name) for name in names]
    ids = [one["id"] for one in nodes]
    edges = [edge(a, b, 90, 9, 5.0) for a, b in pairwise(ids)]
    places = {key: place(at % 4, at // 4) for at, key in enumerate(ids)}
    return {"graph": graph(nodes, edges), "layout": layout(places, edges)}
