"""What must hold in every picture, asked of layouts and curves."""

from itertools import combinations

from weft_collector.render.curves import curves, point_on
from weft_collector.render.geometry import BOX_HEIGHT, BOX_WIDTH, Layout


def overlapping(layout: Layout) -> list[tuple[str, str]]:
    """Pairs of boxes that overlap or touch."""
    return [
        (a, b)
        for (a, p), (b, q) in combinations(layout.nodes.items(), 2)
        if abs(p.x - q.x) < BOX_WIDTH + 1 and abs(p.y - q.y) < BOX_HEIGHT + 1
    ]


def behind_boxes(layout: Layout, edges) -> list[tuple[tuple[str, str], str]]:
    """Edges that pass behind a box; their own ends' boxes count as well, but for the rim."""
    found = []
    for ends, curve in curves(layout, edges).items():
        pieces = [curve.points[i : i + 4] for i in range(0, len(curve.points) - 1, 3)]
        samples = [point_on(piece, step / 12) for piece in pieces for step in range(13)]
        found += [
            (ends, node)
            for node, at in layout.nodes.items()
            if any(
                abs(p.x - at.x) < BOX_WIDTH / 2 - 1 and abs(p.y - at.y) < BOX_HEIGHT / 2 - 1 for p in samples
            )
        ]
    return found
