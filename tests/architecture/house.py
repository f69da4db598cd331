"""Draws docs/pictures/house.svg: the parts of the three packages and who imports whom, from the code's own imports.

python -m tests.architecture.house
"""

import itertools
from html import escape
from pathlib import Path

import grimp

from weft_collector.render.layout import Layout, Shape, lay_out

PICTURE = Path(__file__).parents[2] / "docs/pictures/house.svg"
PACKAGES = ("weft", "weft_collector", "weft_dashboard")
EVERYWHERE = {"weft_collector.errors"}  # every part imports the error tree: arrows that would say nothing
WIDTH, HEIGHT = 150, 40


def part(module: str) -> str:
    """The part a module belongs to: the agent as one, a folder or file of the collector, the page."""
    names = module.split(".")
    return ".".join(names[:2]) if names[0] == "weft_collector" and len(names) > 1 else names[0]


def edges() -> set[tuple[str, str]]:
    """(importer, imported) between parts."""
    graph = grimp.build_graph(*PACKAGES, cache_dir=None)
    pairs = {(part(m), part(n)) for m in graph.modules for n in graph.find_modules_directly_imported_by(m)}
    return {(a, b) for a, b in pairs if a != b and b not in EVERYWHERE and "weft_collector" not in {a, b}}


def draw(shape: Shape, layout: Layout) -> str:
    """The picture as SVG text, the same for the same imports."""
    lines = [_arrow(layout, edge) for edge in shape.edges] + [_box(layout, node) for node in shape.nodes]
    return "\n".join(
        [
            (
                f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {layout.width:.0f} {layout.height:.0f}" '
                'font-family="DejaVu Sans, sans-serif" font-size="12" role="img">'
            ),
            "<title>Parts of Weft; an arrow means: imports</title>",
            '<rect width="100%" height="100%" fill="#ffffff"/>',
            (
                '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
                'orient="auto"><path d="M0 0L8 4L0 8z" fill="#64748b"/></marker></defs>'
            ),
            *lines,
            "</svg>\n",
        ]
    )


def _arrow(layout: Layout, edge: tuple[str, str]) -> str:
    a, b = layout.nodes[edge[0]], layout.nodes[edge[1]]
    points = [(a.x + WIDTH / 2, a.y), *layout.routes["->".join(edge)], (b.x - WIDTH / 2, b.y)]
    path = f"M{points[0][0]:.0f} {points[0][1]:.0f}"
    for (x0, y0), (x1, y1) in itertools.pairwise(points):
        half = (x1 - x0) / 2
        path += f"C{x0 + half:.0f} {y0:.0f} {x1 - half:.0f} {y1:.0f} {x1:.0f} {y1:.0f}"
    title = f"<title>{escape(' -> '.join(edge))}</title>"
    return f'<path d="{path}" fill="none" stroke="#64748b" marker-end="url(#tip)">{title}</path>'


def _box(layout: Layout, node: str) -> str:
    at = layout.nodes[node]
    fill = {"weft": "#dbeafe", "weft_dashboard": "#dcfce7"}.get(node, "#f1f5f9")
    x, y = at.x - WIDTH / 2, at.y - HEIGHT / 2
    name = escape(node.removeprefix("weft_collector."))
    return (
        f'<rect x="{x:.0f}" y="{y:.0f}" width="{WIDTH}" height="{HEIGHT}" rx="8" fill="{fill}" stroke="#475569"/>'
        f'<text x="{at.x:.0f}" y="{at.y + 4:.0f}" text-anchor="middle">{name}</text>'
    )


def picture() -> str:
    """The picture of the code as it stands."""
    found = edges()
    nodes = sorted({node for edge in found for node in edge})
    shape = Shape(tuple(nodes), tuple(sorted(found)))
    return draw(shape, lay_out(shape))


if __name__ == "__main__":
    PICTURE.write_text(picture())
