"""The legend: what colours, widths, dashes and shapes mean, in rows under the picture."""

from collections.abc import Iterable
from typing import NamedTuple

from weft_collector.graph.nodes import NodeType
from weft_collector.render.geometry import Point
from weft_collector.render.labels import rate_text, text_width
from weft_collector.render.lettering import SIZES, Kind, Lettering, beside
from weft_collector.render.severity import MEANINGS, Health, stroke_width

LEGEND_ROW = 24.0
SAMPLE_WIDTH, SAMPLE_HEIGHT = 30.0, 14.0
_SPACE, _COLUMN_SPACE = 8.0, 22.0
_RATES = (1.0, 30.0, 1000.0)
_TYPES = {
    NodeType.SERVICE: "service",
    NodeType.DATABASE: "database",
    NodeType.CHANNEL: "message channel",
    NodeType.EXTERNAL: "external, not instrumented",
    NodeType.CLIENT: "client",
    NodeType.UNKNOWN: "unknown",
}


class LineSample(NamedTuple):
    """A piece of an edge."""

    health: Health
    width: float
    dashed: bool = False


class LegendItem(NamedTuple):
    """A sample and its meaning.

    Attributes:
        sample: A piece of an edge, or the shape of a node type.
        text: The meaning.
        at: The middle of the sample's left end.
    """

    sample: LineSample | NodeType
    text: str
    at: Point = Point(0.0, 0.0)

    @property
    def line(self) -> Lettering:
        """The meaning, behind the sample."""
        return beside(Point(self.at.x + SAMPLE_WIDTH + _SPACE, self.at.y), self.text, Kind.LEGEND)


def _items(types: Iterable[NodeType]) -> list[LegendItem]:
    shown = set(types)
    return [
        *(LegendItem(LineSample(health, 3.0), meaning) for health, meaning in MEANINGS.items()),
        *(LegendItem(LineSample(Health.OK, stroke_width(rate)), rate_text(rate)) for rate in _RATES),
        LegendItem(LineSample(Health.OK, 2.0, dashed=True), "against the flow"),
        *(LegendItem(node_type, meaning) for node_type, meaning in _TYPES.items() if node_type in shown),
    ]


def legend(types: Iterable[NodeType], start: Point, width: float) -> tuple[LegendItem, ...]:
    """The items for a picture with these node types, in as many rows of this width as it takes."""
    placed: list[LegendItem] = []
    x, y = start
    for item in _items(types):
        needed = SAMPLE_WIDTH + _SPACE + text_width(item.text, SIZES[Kind.LEGEND])
        if x > start.x and x + needed > start.x + width:
            x, y = start.x, y + LEGEND_ROW
        placed.append(item._replace(at=Point(x, y)))
        x += needed + _COLUMN_SPACE
    return tuple(placed)
