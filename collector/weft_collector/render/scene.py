"""The picture as a value: what stands where, how thick, in which class, with which words.

A scene has everything decided but the colours' codes, so the SVG, the PNG and the PDF of one graph are the
same picture. It is a pure function of snapshot, layout and title, without a clock: equal graphs give equal
bytes.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple

from weft_collector.graph.nodes import NodeType
from weft_collector.graph.snapshot import EdgeStats, GraphSnapshot, NodeStats
from weft_collector.render import captions
from weft_collector.render.curves import Curve, curves
from weft_collector.render.geometry import BOX_HEIGHT, BOX_WIDTH, MARGIN, EdgeEnds, Layout, Point
from weft_collector.render.labels import clean, shorten
from weft_collector.render.legend import LEGEND_ROW, LegendItem, legend
from weft_collector.render.lettering import SIZES, Kind, Lettering
from weft_collector.render.placing import Wish, place_labels
from weft_collector.render.severity import Health, health_of, stroke_width
from weft_collector.render.shapes import DASHED

TEXT_INSET, NAME_LINE, FIGURES_LINE = 12.0, 22.0, 38.0
"""Left end and baselines of a box's two lines."""
HEADLINE, SUMMARY_LINE, HEADER_HEIGHT = 34.0, 54.0, 64.0
"""Baselines of headline and summary, and the height kept for both."""
NARROWEST = 720.0
EMPTY = "No calls in this window"
_DRAWING_ORDER = (Health.OK, Health.WARN, Health.BAD)


class Frame(NamedTuple):
    """The picture's own rectangle, in the layout's coordinates."""

    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class SceneBox:
    """A node.

    Attributes:
        id: The node's id.
        type: Decides the shape.
        centre: Where the layout put it.
        name: Its name, short enough for the box.
        figures: The second line.
        title: All about it, for the tooltip.
        health: The class of its inbound calls.
    """

    id: str
    type: NodeType
    centre: Point
    name: str
    figures: str
    title: str
    health: Health

    @property
    def corner(self) -> Point:
        """Its upper left corner."""
        return Point(self.centre.x - BOX_WIDTH / 2, self.centre.y - BOX_HEIGHT / 2)

    @property
    def lines(self) -> tuple[Lettering, Lettering]:
        """Its texts, seen from its corner."""
        name = Lettering(Point(TEXT_INSET, NAME_LINE), self.name, Kind.NAME)
        return name, Lettering(Point(TEXT_INSET, FIGURES_LINE), self.figures, Kind.FIGURES)

    @property
    def dashed(self) -> bool:
        """Whether its border is dashed."""
        return self.type in DASHED


@dataclass(frozen=True, slots=True)
class SceneEdge:
    """An edge.

    Attributes:
        id: The edge's id.
        curve: Its way.
        width: Of the line, in pixels.
        title: All about it, for the tooltip.
        health: The class of its calls.
    """

    id: str
    curve: Curve
    width: float
    title: str
    health: Health


@dataclass(frozen=True, slots=True)
class Scene:
    """A whole picture.

    Attributes:
        frame: What is visible.
        title: The headline.
        summary: The line under it.
        boxes: All nodes, by id.
        edges: All edges in drawing order: the worst last, so that nothing covers them.
        labels: Short texts on some of the edges, drawn over everything.
        legend: Samples and their meanings.
        note: What to say where there is nothing to draw, else empty.
    """

    frame: Frame
    title: str
    summary: str
    boxes: tuple[SceneBox, ...]
    edges: tuple[SceneEdge, ...]
    labels: tuple[Lettering, ...]
    legend: tuple[LegendItem, ...]
    note: str

    @property
    def headings(self) -> tuple[Lettering, Lettering]:
        """The headline, and the summary or the note under it."""
        left, top = self.frame.left + MARGIN, self.frame.top
        headline = Lettering(Point(left, top + HEADLINE), self.title, Kind.HEADLINE)
        return headline, Lettering(Point(left, top + SUMMARY_LINE), self.note or self.summary, Kind.SUMMARY)


def _box(stats: NodeStats, centre: Point, seconds: int) -> SceneBox:
    room = BOX_WIDTH - 2 * TEXT_INSET
    return SceneBox(
        id=stats.node.id,
        type=stats.node.type,
        centre=centre,
        name=shorten(clean(stats.node.name), SIZES[Kind.NAME], room),
        figures=shorten(captions.node_figures(stats, seconds), SIZES[Kind.FIGURES], room),
        title=captions.node_title(stats),
        health=health_of(stats.error_rate),
    )


def _edge(stats: EdgeStats, curve: Curve) -> SceneEdge:
    return SceneEdge(
        id=stats.id,
        curve=curve,
        width=stroke_width(stats.rate),
        title=captions.edge_title(stats),
        health=health_of(stats.error_rate),
    )


def _ends(stats: EdgeStats) -> EdgeEnds:
    return stats.caller.id, stats.callee.id


def _telling(stats: EdgeStats) -> tuple[int, float, str]:
    """Sort key of the labels: the worst class first, then where most of the time goes, then by id."""
    worst_first = -_DRAWING_ORDER.index(health_of(stats.error_rate))
    return worst_first, -stats.calls * (captions.p95_ms(stats) or 0.0), stats.id


def _labels(edges: tuple[EdgeStats, ...], drawn: Mapping[EdgeEnds, Curve]) -> tuple[Lettering, ...]:
    wanted = ((captions.edge_label(stats), drawn[_ends(stats)]) for stats in sorted(edges, key=_telling))
    return place_labels(Wish(text, curve) for text, curve in wanted if text)


def _points(boxes: tuple[SceneBox, ...], edges: tuple[SceneEdge, ...]) -> Iterator[Point]:
    """Everything that must be visible; a curve stays within its control points."""
    for box in boxes:
        yield box.corner
        yield Point(box.corner.x + BOX_WIDTH, box.corner.y + BOX_HEIGHT)
    yield from chain.from_iterable(edge.curve.points for edge in edges)


def _drawing(boxes: tuple[SceneBox, ...], edges: tuple[SceneEdge, ...]) -> Frame:
    """The rectangle of boxes and edges with a margin; at least as wide as the headline needs."""
    points = list(_points(boxes, edges)) or [Point(MARGIN, MARGIN)]
    left, top = min(at.x for at in points) - MARGIN, min(at.y for at in points) - MARGIN / 2
    width = max(max(at.x for at in points) + MARGIN - left, NARROWEST)
    return Frame(left, top, width, max(at.y for at in points) + MARGIN / 2 - top)


def _framed(drawing: Frame, items: tuple[LegendItem, ...]) -> Frame:
    """The drawing with its headline above and its legend below."""
    bottom = max(item.at.y for item in items) + LEGEND_ROW
    top = drawing.top - HEADER_HEIGHT
    return Frame(drawing.left, top, drawing.width, bottom - top)


def scene(snapshot: GraphSnapshot, layout: Layout, title: str) -> Scene:
    """The picture of a graph.

    Args:
        snapshot: The graph.
        layout: A place for each of its nodes and a route for each of its edges.
        title: The headline; hostile text is made safe.
    """
    drawn = curves(layout, map(_ends, snapshot.edges))
    boxes = tuple(
        _box(stats, layout.nodes[stats.node.id], snapshot.window.seconds) for stats in snapshot.nodes
    )
    edges = [_edge(stats, drawn[_ends(stats)]) for stats in snapshot.edges]
    ordered = tuple(sorted(edges, key=lambda edge: (_DRAWING_ORDER.index(edge.health), edge.id)))
    drawing = _drawing(boxes, ordered)
    start = Point(drawing.left + MARGIN, drawing.top + drawing.height + LEGEND_ROW / 2)
    items = legend((box.type for box in boxes), start, drawing.width - 2 * MARGIN)
    return Scene(
        frame=_framed(drawing, items),
        title=clean(title),
        summary=captions.summary(snapshot),
        boxes=boxes,
        edges=ordered,
        labels=_labels(snapshot.edges, drawn),
        legend=items,
        note="" if boxes else EMPTY,
    )
