import pytest

from weft_collector.graph.nodes import NodeType
from weft_collector.render.geometry import Point
from weft_collector.render.shapes import DASHED, curve, moved, outline, polygon


@pytest.mark.parametrize("node_type", NodeType)
def test_an_outline_fills_its_box_exactly(node_type):
    points = [at for _, points in outline(node_type, 200, 48) for at in points]
    assert (min(p.x for p in points), max(p.x for p in points)) == (0, 200)
    assert (min(p.y for p in points), max(p.y for p in points)) == (0, 48)


def test_every_type_looks_different():
    looks = {(outline(node_type, 200, 48), node_type in DASHED) for node_type in NodeType}
    assert len(looks) == len(NodeType)


def test_commands_have_the_points_they_need():
    needs = {"M": 1, "L": 1, "C": 3, "Z": 0}
    for node_type in NodeType:
        assert all(len(points) == needs[letter] for letter, points in outline(node_type, 200, 48))


def test_curves_and_polygons():
    a, b, c, d = (Point(i, i) for i in range(4))
    assert [(letter, len(points)) for letter, points in curve((a, b, c, d))] == [("M", 1), ("C", 3)]
    assert "".join(letter for letter, _ in polygon((a, b, c))) == "MLLZ"


def test_moving_a_path_keeps_its_form():
    square = polygon((Point(0, 0), Point(1, 0), Point(1, 1)))
    assert moved(square, Point(5, 7))[2].points == (Point(6, 8),)
