"""A scene as SVG text: no library, no script, no reference to anything outside.

Every text and id is escaped. Colours are CSS classes with a dark variant for readers who prefer one, so the
picture fits a page of either kind. The same scene gives the same bytes.
"""

from collections.abc import Iterable
from html import escape

from weft_collector.render.geometry import BOX_HEIGHT, BOX_WIDTH, Point
from weft_collector.render.legend import SAMPLE_HEIGHT, SAMPLE_WIDTH, LegendItem, LineSample
from weft_collector.render.lettering import FAINT, SIZES, STRONG, Lettering
from weft_collector.render.palette import (
    BORDER_WIDTHS,
    DARK,
    DASHES,
    FONT_FAMILIES,
    LIGHT,
    OPACITIES,
    Palette,
)
from weft_collector.render.scene import Scene, SceneBox, SceneEdge
from weft_collector.render.severity import Health
from weft_collector.render.shapes import DASHED, Path, curve, outline, polygon


def number(value: float) -> str:
    """A coordinate with at most two decimals and nothing superfluous."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def path_data(drawing: Path) -> str:
    """A path as the value of an SVG `d` attribute."""
    return "".join(
        letter + " ".join(f"{number(x)} {number(y)}" for x, y in points) for letter, points in drawing
    )


def _colours(palette: Palette) -> str:
    by_health = (
        f".edge.{health} .line{{stroke:{palette.stroke(health)}}}"
        f".edge.{health} .head{{fill:{palette.stroke(health)}}}"
        f".box.{health} .shape{{stroke:{palette.edge_of_box(health)}}}"
        for health in Health
    )
    faint = ",".join(f".{kind}" for kind in sorted(FAINT))
    return (
        f".paper{{fill:{palette.paper}}}text{{fill:{palette.ink}}}{faint}{{fill:{palette.faint_ink}}}"
        f".label{{stroke:{palette.paper}}}.shape{{fill:{palette.box};stroke:{palette.border}}}"
        + "".join(by_health)
    )


def _measures() -> str:
    by_health = (
        f".edge.{health}{{opacity:{OPACITIES[health]}}}"
        f".box.{health} .shape{{stroke-width:{BORDER_WIDTHS[health]}}}"
        for health in Health
    )
    by_kind = (f".{kind}{{font-size:{size}px}}" for kind, size in SIZES.items())
    families = ",".join(f"'{family}'" if " " in family else family for family in FONT_FAMILIES)
    strong = ",".join(f".{kind}" for kind in sorted(STRONG))
    return (
        f"text{{font-family:{families}}}{strong}{{font-weight:600}}"
        f".line{{fill:none}}.dashed{{stroke-dasharray:{DASHES[0]} {DASHES[1]}}}"
        ".label{text-anchor:middle;paint-order:stroke;stroke-width:5px;stroke-linejoin:round}"
        + "".join((*by_kind, *by_health))
    )


_STYLE = f"{_measures()}{_colours(LIGHT)}@media (prefers-color-scheme:dark){{{_colours(DARK)}}}"


def _text(line: Lettering) -> str:
    at = f'x="{number(line.at.x)}" y="{number(line.at.y)}"'
    return f'<text class="{line.kind}" {at}>{escape(line.words)}</text>'


def _edge(edge: SceneEdge) -> str:
    dashed = " dashed" if edge.curve.back else ""
    line = path_data(curve(edge.curve.points))
    return (
        f'<g class="edge {edge.health}" data-edge="{escape(edge.id)}"><title>{escape(edge.title)}</title>'
        f'<path class="line{dashed}" d="{line}" stroke-width="{number(edge.width)}"/>'
        f'<path class="head" d="{path_data(polygon(edge.curve.head))}"/></g>'
    )


def _box(box: SceneBox) -> str:
    dashed = " dashed" if box.dashed else ""
    corner = f"{number(box.corner.x)} {number(box.corner.y)}"
    return (
        f'<g class="box {box.type} {box.health}" data-node="{escape(box.id)}"'
        f' transform="translate({corner})"><title>{escape(box.title)}</title>'
        f'<path class="shape{dashed}" d="{path_data(outline(box.type, BOX_WIDTH, BOX_HEIGHT))}"/>'
        f"{''.join(map(_text, box.lines))}</g>"
    )


def _legend_item(item: LegendItem) -> str:
    return f"<g>{_sample(item)}{_text(item.line)}</g>"


def _sample(item: LegendItem) -> str:
    if isinstance(item.sample, LineSample):
        return _line_sample(item.sample, item.at)
    dashed = " dashed" if item.sample in DASHED else ""
    shape = path_data(outline(item.sample, SAMPLE_WIDTH, SAMPLE_HEIGHT))
    corner = f"{number(item.at.x)} {number(item.at.y - SAMPLE_HEIGHT / 2)}"
    return f'<path class="shape{dashed}" transform="translate({corner})" d="{shape}"/>'


def _line_sample(sample: LineSample, at: Point) -> str:
    dashed = " dashed" if sample.dashed else ""
    way = f"M{number(at.x)} {number(at.y)}L{number(at.x + SAMPLE_WIDTH)} {number(at.y)}"
    line = f'<path class="line{dashed}" d="{way}" stroke-width="{number(sample.width)}"/>'
    return f'<g class="edge {sample.health}">{line}</g>'


def _group(kind: str, parts: Iterable[str]) -> str:
    return f'<g class="{kind}">\n' + "".join(f"{part}\n" for part in parts) + "</g>\n"


def _open(scene: Scene) -> str:
    left, top, width, height = map(number, scene.frame)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{left} {top} {width} {height}"'
        f' width="{width}" height="{height}" role="img">'
        f"<title>{escape(scene.title)}</title><desc>{escape(scene.summary)}</desc>\n<style>{_STYLE}</style>\n"
        f'<rect class="paper" x="{left}" y="{top}" width="{width}" height="{height}"/>\n'
    )


def render(scene: Scene) -> str:
    """The scene as an SVG document."""
    return "".join(
        [
            _open(scene),
            _group("headings", map(_text, scene.headings)),
            _group("edges", map(_edge, scene.edges)),
            _group("boxes", map(_box, scene.boxes)),
            _group("labels", map(_text, scene.labels)),
            _group("key", map(_legend_item, scene.legend)),
            "</svg>\n",
        ]
    )
