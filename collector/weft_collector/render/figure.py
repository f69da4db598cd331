"""A scene as PNG or PDF, drawn by matplotlib on the same positions as the SVG.

The only module that touches matplotlib, and only on use: the library is optional and takes most of a second
to load. No pyplot: its global state is not safe in a server. A lock makes drawings wait for each other, as
matplotlib's font and text caches are not made for threads. Metadata carry no dates, so equal scenes give
equal bytes.
"""

import io
import threading
from math import sqrt
from typing import Any, Literal

from weft_collector.errors import BadQuery, MissingLibrary
from weft_collector.graph.nodes import NodeType
from weft_collector.render.geometry import BOX_HEIGHT, BOX_WIDTH, Point
from weft_collector.render.legend import SAMPLE_HEIGHT, SAMPLE_WIDTH, LegendItem, LineSample
from weft_collector.render.lettering import FAINT, SIZES, STRONG, Kind, Lettering
from weft_collector.render.palette import BORDER_WIDTHS, DASHES, LIGHT, OPACITIES
from weft_collector.render.scene import Frame, Scene, SceneBox, SceneEdge
from weft_collector.render.severity import Health
from weft_collector.render.shapes import DASHED, Path, curve, moved, outline, path, polygon

INSTALL = 'python -m pip install "weft[all]"'
DPI = 100.0
SHARPNESS = 2.0
"""Pixels of a PNG for each pixel of the layout."""
MOST_PIXELS = 16_000_000
"""A PNG of a larger picture is scaled down; the PDF and the SVG stay sharp."""
FONT = "DejaVu Sans"
"""The font that matplotlib brings along, so that a picture is the same on every machine."""
MOST_DRAWN = 20_000
"""Nodes and edges; matplotlib takes about 3 ms for each."""
UNDRAWABLE = "\u25a1"
"""Stands for a character that the font has no glyph for."""
ORIGIN = Point(0.0, 0.0)
_POINTS = 72 / DPI
_METADATA: dict[str, dict[str, Any]] = {
    "png": {"Software": None},
    "pdf": {"Creator": "Weft", "Producer": "Weft", "CreationDate": None},
}
_LOCK = threading.Lock()
_CODES = {"M": 1, "L": 2, "C": 4, "Z": 79}
"""matplotlib's path codes."""
FigureFormat = Literal["png", "pdf"]


class _Canvas:
    """A matplotlib figure whose data coordinates are the layout's pixels, y downwards."""

    def __init__(self, frame: Frame) -> None:
        from matplotlib.figure import Figure  # noqa: PLC0415  # optional and slow to load: on use only
        from matplotlib.font_manager import FontProperties, findfont, get_font  # noqa: PLC0415  # as above

        self._figure = Figure(figsize=(frame.width / DPI, frame.height / DPI), dpi=DPI, facecolor=LIGHT.paper)
        self._axes = self._figure.add_axes((0, 0, 1, 1))
        self._axes.set_axis_off()
        self._axes.set_xlim(frame.left, frame.left + frame.width)
        self._axes.set_ylim(frame.top + frame.height, frame.top)
        self._glyphs = frozenset(get_font(findfont(FontProperties(family=[FONT]))).get_charmap())

    def path(self, drawing: Path, **style: Any) -> None:
        """Add a path; `style` are matplotlib's patch properties."""
        from matplotlib.patches import PathPatch  # noqa: PLC0415  # optional and slow to load: on use only
        from matplotlib.path import Path as Vertices  # noqa: PLC0415  # as above

        points = [at for _, points in drawing for at in points or (ORIGIN,)]
        codes = [code for letter, points in drawing for code in [_CODES[letter]] * max(len(points), 1)]
        self._axes.add_artist(PathPatch(Vertices(points, codes), capstyle="butt", **style))

    def text(self, line: Lettering, by: Point = ORIGIN) -> None:
        """Add a line of text, moved by some pixels. It is never read as TeX or as mathematics."""
        from matplotlib.patheffects import withStroke  # noqa: PLC0415  # optional and slow to load: on use only

        text = self._axes.text(
            line.at.x + by.x,
            line.at.y + by.y,
            "".join(c if ord(c) in self._glyphs else UNDRAWABLE for c in line.words),
            family=[FONT],
            fontsize=SIZES[line.kind] * _POINTS,
            fontweight="bold" if line.kind in STRONG else "normal",
            color=LIGHT.faint_ink if line.kind in FAINT else LIGHT.ink,
            horizontalalignment="center" if line.kind is Kind.LABEL else "left",
            verticalalignment="baseline",
            parse_math=False,
            usetex=False,
        )
        if line.kind is Kind.LABEL:
            text.set_path_effects([withStroke(linewidth=5 * _POINTS, foreground=LIGHT.paper)])

    def save(self, kind: FigureFormat, title: str) -> bytes:
        """The figure's bytes; a PNG is as sharp as `MOST_PIXELS` allows."""
        width, height = (inches * DPI for inches in self._figure.get_size_inches())
        sharpness = min(SHARPNESS, sqrt(MOST_PIXELS / (width * height)))
        out = io.BytesIO()
        metadata = {"Title": title, **_METADATA[kind]}
        self._figure.savefig(out, format=kind, dpi=DPI * sharpness, metadata=metadata, facecolor=LIGHT.paper)
        return out.getvalue()


def _dashes(width: float, *, dashed: bool) -> Any:
    """A line style; matplotlib measures dashes in line widths."""
    return (0, tuple(length / width for length in DASHES)) if dashed else "solid"


def _draw_edge(canvas: _Canvas, edge: SceneEdge) -> None:
    colour, opacity = LIGHT.stroke(edge.health), OPACITIES[edge.health]
    line = curve(edge.curve.points)
    canvas.path(
        line,
        fill=False,
        edgecolor=colour,
        alpha=opacity,
        linewidth=edge.width * _POINTS,
        linestyle=_dashes(edge.width, dashed=edge.curve.back),
    )
    canvas.path(polygon(edge.curve.head), facecolor=colour, alpha=opacity, linewidth=0)


def _draw_shape(canvas: _Canvas, shape: Path, node_type: NodeType, health: Health) -> None:
    canvas.path(
        shape,
        facecolor=LIGHT.box,
        edgecolor=LIGHT.edge_of_box(health),
        linewidth=BORDER_WIDTHS[health] * _POINTS,
        linestyle=_dashes(BORDER_WIDTHS[health], dashed=node_type in DASHED),
    )


def _draw_box(canvas: _Canvas, box: SceneBox) -> None:
    _draw_shape(canvas, moved(outline(box.type, BOX_WIDTH, BOX_HEIGHT), box.corner), box.type, box.health)
    for line in box.lines:
        canvas.text(line, box.corner)


def _draw_legend_item(canvas: _Canvas, item: LegendItem) -> None:
    canvas.text(item.line)
    if isinstance(item.sample, LineSample):
        _draw_line_sample(canvas, item.sample, item.at)
        return
    corner = Point(item.at.x, item.at.y - SAMPLE_HEIGHT / 2)
    _draw_shape(
        canvas, moved(outline(item.sample, SAMPLE_WIDTH, SAMPLE_HEIGHT), corner), item.sample, Health.OK
    )


def _draw_line_sample(canvas: _Canvas, sample: LineSample, at: Point) -> None:
    canvas.path(
        path(("M", [at]), ("L", [(at.x + SAMPLE_WIDTH, at.y)])),
        edgecolor=LIGHT.stroke(sample.health),
        alpha=OPACITIES[sample.health],
        linewidth=sample.width * _POINTS,
        linestyle=_dashes(sample.width, dashed=sample.dashed),
    )


def _draw(scene: Scene) -> _Canvas:
    canvas = _Canvas(scene.frame)
    for edge in scene.edges:
        _draw_edge(canvas, edge)
    for box in scene.boxes:
        _draw_box(canvas, box)
    for item in scene.legend:
        _draw_legend_item(canvas, item)
    for line in (*scene.labels, *scene.headings):
        canvas.text(line)
    return canvas


def render(scene: Scene, kind: FigureFormat) -> bytes:
    """The scene as a PNG or PDF file; takes tenths of a second, and a second more the first time.

    Raises:
        BadQuery: The graph has more than `MOST_DRAWN` nodes and edges.
        MissingLibrary: matplotlib is not installed.
    """
    if len(scene.boxes) + len(scene.edges) > MOST_DRAWN:
        raise BadQuery(
            f"more than {MOST_DRAWN:,} nodes and edges cannot be drawn as {kind}; ask for svg or dot"
        )
    with _LOCK:
        try:
            return _draw(scene).save(kind, scene.title)
        except ModuleNotFoundError as error:
            raise MissingLibrary("PNG and PDF pictures need matplotlib", INSTALL) from error
