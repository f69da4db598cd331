r"""The graph as text for other programs: Graphviz DOT.

Every id and label is a quoted string, so a name is never read as HTML or as an attribute; quotes and
backslashes in names are escaped, which also keeps `\N` and the like from being expanded.
"""

from collections.abc import Mapping

from weft_collector.graph.nodes import NodeType
from weft_collector.graph.snapshot import EdgeStats, GraphSnapshot, NodeStats
from weft_collector.render.captions import edge_label, p95_ms
from weft_collector.render.labels import clean
from weft_collector.render.severity import stroke_width

_SHAPES = {
    NodeType.SERVICE: "shape=box, style=rounded",
    NodeType.DATABASE: "shape=cylinder",
    NodeType.CHANNEL: "shape=cds",
    NodeType.EXTERNAL: "shape=box, style=dashed",
    NodeType.CLIENT: "shape=ellipse",
    NodeType.UNKNOWN: "shape=ellipse, style=dashed",
}


def quoted(text: str) -> str:
    """A text without control characters as a DOT string."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _attributes(values: Mapping[str, str]) -> str:
    return ", ".join(f"{name}={value}" for name, value in values.items() if value)


def _node(stats: NodeStats) -> str:
    values = {
        "label": quoted(clean(stats.node.name)),
        "type": quoted(stats.node.type),
        "calls": str(stats.calls),
    }
    return f"  {quoted(stats.node.id)} [{_attributes(values)}, {_SHAPES[stats.node.type]}];\n"


def _edge(stats: EdgeStats) -> str:
    p95, label = p95_ms(stats), edge_label(stats)
    values = {
        "calls": str(stats.calls),
        "errors": str(stats.errors),
        "rate": f"{stats.rate:.6g}",
        "error_rate": f"{stats.error_rate:.6g}",
        "p95_ms": "" if p95 is None else f"{p95:.6g}",
        "label": quoted(label) if label else "",
        "penwidth": f"{stroke_width(stats.rate):g}",
    }
    return f"  {quoted(stats.caller.id)} -> {quoted(stats.callee.id)} [{_attributes(values)}];\n"


def dot(snapshot: GraphSnapshot) -> str:
    """The graph in DOT: calls, errors, rates and p95 as attributes, callers left of their callees."""
    nodes, edges = "".join(map(_node, snapshot.nodes)), "".join(map(_edge, snapshot.edges))
    return f"digraph weft {{\n  rankdir=LR;\n{nodes}{edges}}}\n"
