"""Outlines as drawing commands, which the SVG writer and the figure both understand.

A node's type shows by its shape, not by colour: a service is a rounded box, a database a cylinder, a
channel a cylinder lying on its side, an external peer a dashed box, the client and unknown ends are pills.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from weft_collector.graph.nodes import NodeType
from weft_collector.render.geometry import Point

_ARC = 1 - 0.5523
"""From a corner to the control point of its quarter circle, in parts of the radius."""


class Command(NamedTuple):
    """One step: `M` to a point, `L` a line to it, `C` a cubic over two control points to it, `Z` closed."""

    letter: str
    points: tuple[Point, ...]


Path = tuple[Command, ...]


def path(*steps: tuple[str, Iterable[tuple[float, float]]]) -> Path:
    """A path from letters and coordinates."""
    return tuple(Command(letter, tuple(Point(x, y) for x, y in points)) for letter, points in steps)


def curve(points: tuple[Point, ...]) -> Path:
    """A path of cubics: a start, then three points for each segment."""
    segments = (Command("C", points[i : i + 3]) for i in range(1, len(points), 3))
    return (Command("M", points[:1]), *segments)


def polygon(points: tuple[Point, ...]) -> Path:
    """A closed path of straight lines."""
    return (Command("M", points[:1]), *(Command("L", (at,)) for at in points[1:]), Command("Z", ()))


def moved(outline: Path, by: Point) -> Path:
    """The same path with its origin at another point."""
    return tuple(
        Command(letter, tuple(Point(at.x + by.x, at.y + by.y) for at in points)) for letter, points in outline
    )


def _rounded(w: float, h: float, r: float) -> Path:
    """A box with corners of this radius, its upper left corner at the origin."""
    k = r * _ARC
    return path(
        ("M", [(r, 0)]),
        ("L", [(w - r, 0)]),
        ("C", [(w - k, 0), (w, k), (w, r)]),
        ("L", [(w, h - r)]),
        ("C", [(w, h - k), (w - k, h), (w - r, h)]),
        ("L", [(r, h)]),
        ("C", [(k, h), (0, h - k), (0, h - r)]),
        ("L", [(0, r)]),
        ("C", [(0, k), (k, 0), (r, 0)]),
        ("Z", []),
    )


def _cylinder(w: float, h: float, lid: float) -> Path:
    """Body and lid, the lid being an ellipse of half height `lid`; its front edge comes last."""
    a, b = w / 2 * _ARC, lid * _ARC
    return path(
        ("M", [(0, lid)]),
        ("C", [(0, b), (a, 0), (w / 2, 0)]),
        ("C", [(w - a, 0), (w, b), (w, lid)]),
        ("L", [(w, h - lid)]),
        ("C", [(w, h - b), (w - a, h), (w / 2, h)]),
        ("C", [(a, h), (0, h - b), (0, h - lid)]),
        ("L", [(0, lid)]),
        ("C", [(0, 2 * lid - b), (a, 2 * lid), (w / 2, 2 * lid)]),
        ("C", [(w - a, 2 * lid), (w, 2 * lid - b), (w, lid)]),
    )


def _lying_cylinder(w: float, h: float, lid: float) -> Path:
    """A cylinder on its side, its lid on the right."""
    return path(*((letter, [(w - y, x) for x, y in points]) for letter, points in _cylinder(h, w, lid)))


_OUTLINES: dict[NodeType, Callable[[float, float], Path]] = {
    NodeType.SERVICE: lambda w, h: _rounded(w, h, h / 6),
    NodeType.DATABASE: lambda w, h: _cylinder(w, h, h / 14),
    NodeType.CHANNEL: lambda w, h: _lying_cylinder(w, h, h / 8),
    NodeType.EXTERNAL: lambda w, h: _rounded(w, h, h / 24),
    NodeType.CLIENT: lambda w, h: _rounded(w, h, h / 2),
    NodeType.UNKNOWN: lambda w, h: _rounded(w, h, h / 2),
}
DASHED = frozenset({NodeType.EXTERNAL, NodeType.UNKNOWN})
"""Types with a dashed border: what is not instrumented, or not known."""


def outline(node_type: NodeType, width: float, height: float) -> Path:
    """The outline of a node of this type and size, its upper left corner at the origin."""
    return _OUTLINES[node_type](width, height)
