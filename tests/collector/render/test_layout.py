import math
import random
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.layout import service_graph
from tests.collector.render.drawing import behind_boxes, overlapping
from weft_collector.render import geometry
from weft_collector.render.geometry import BOX_HEIGHT, MARGIN, TOP, Point, Shape, column_of, edge_id
from weft_collector.render.layout import components, lay_out
from weft_collector.render.quality import quality

NAMES = st.sampled_from([f"n{i}" for i in range(14)])
SHAPES = st.builds(Shape.of, st.sets(NAMES), st.sets(st.tuples(NAMES, NAMES), max_size=30))


@given(SHAPES)
@settings(deadline=None)
def test_every_node_has_a_place_and_every_edge_a_route(shape):
    layout = lay_out(shape)
    assert set(layout.nodes) == set(shape.nodes)
    assert set(layout.routes) == {edge_id(edge) for edge in shape.edges}


@given(SHAPES)
@settings(deadline=None)
def test_no_two_boxes_overlap(shape):
    assert not overlapping(lay_out(shape))


@given(SHAPES)
@settings(max_examples=60, deadline=None)
def test_no_edge_passes_behind_a_box(shape):
    assert not behind_boxes(lay_out(shape), shape.edges)


@given(SHAPES)
@settings(deadline=None)
def test_everything_is_inside_the_frame_and_finite(shape):
    layout = lay_out(shape)
    points = [*layout.nodes.values(), *(at for route in layout.routes.values() for at in route)]
    assert all(math.isfinite(at.x) and math.isfinite(at.y) for at in points)
    assert all(0 <= at.x <= layout.width and 0 <= at.y <= layout.height for at in points)
    assert all(at.y >= TOP for at in layout.nodes.values())


@given(SHAPES)
@settings(deadline=None)
def test_edges_of_an_acyclic_graph_go_from_left_to_right(shape):
    downward = Shape.of(shape.nodes, {(min(e), max(e)) for e in shape.edges if e[0] != e[1]})
    nodes = lay_out(downward).nodes
    assert all(nodes[caller].x < nodes[callee].x for caller, callee in downward.edges)


@given(SHAPES, st.randoms(use_true_random=False))
@settings(deadline=None)
def test_the_order_of_the_input_does_not_matter(shape, dice):
    nodes, edges = list(shape.nodes), list(shape.edges)
    dice.shuffle(nodes)
    dice.shuffle(edges)
    assert lay_out(Shape.of(nodes, edges)) == lay_out(shape)


@given(SHAPES)
@settings(deadline=None)
def test_a_route_has_one_way_point_in_each_column_between_its_ends(shape):
    layout = lay_out(shape)
    for a, b in shape.edges:
        if a != b:
            start, end = column_of(layout.nodes[a]), column_of(layout.nodes[b])
            step = 1 if start < end else -1
            assert [column_of(at) for at in layout.routes[f"{a}->{b}"]] == list(
                range(start + step, end, step)
            )


def test_nothing_to_lay_out():
    layout = lay_out(Shape.of([], []))
    assert (layout.nodes, layout.routes) == ({}, {})


def test_callers_stand_left_of_callees_and_databases_at_the_right_end():
    shape = Shape.of(
        [], [("client", "web"), ("web", "cart"), ("web", "auth"), ("cart", "db"), ("auth", "db")]
    )
    columns = {name: column_of(at) for name, at in lay_out(shape).nodes.items()}
    assert columns == {"client": 0, "web": 1, "auth": 2, "cart": 2, "db": 3}


def test_a_chain_is_a_straight_line():
    nodes = lay_out(Shape.of([], [("a", "b"), ("b", "c"), ("c", "d")])).nodes
    assert {at.y for at in nodes.values()} == {TOP}


def test_a_call_back_keeps_the_others_in_order_and_has_the_same_route_turned_around():
    layout = lay_out(Shape.of([], [("a", "b"), ("b", "c"), ("c", "a"), ("a", "c")]))
    assert [column_of(layout.nodes[n]) for n in "abc"] == [0, 1, 2]
    assert layout.routes["c->a"] == layout.routes["a->c"][::-1]
    assert len(layout.routes["c->a"]) == 1


def test_unconnected_parts_are_stacked_the_largest_on_top():
    nodes = lay_out(Shape.of([], [("a", "b"), ("p", "q"), ("q", "r")])).nodes
    assert max(nodes[n].y for n in "pqr") + BOX_HEIGHT < min(nodes[n].y for n in "ab")


def test_nodes_without_calls_stand_in_a_strip_below():
    nodes = lay_out(Shape.of(["lone", "self", "z"], [("a", "b"), ("self", "self")])).nodes
    assert nodes["lone"].y == nodes["self"].y == nodes["z"].y > nodes["a"].y
    assert nodes["lone"].x < nodes["self"].x < nodes["z"].x


def test_the_strip_breaks_into_rows():
    nodes = lay_out(Shape.of([f"n{i}" for i in range(9)], [])).nodes
    assert len({at.y for at in nodes.values()}) == 3


def test_a_self_call_loops_at_its_box():
    layout = lay_out(Shape.of([], [("a", "a"), ("a", "b")]))
    out, over = layout.routes["a->a"]
    at = layout.nodes["a"]
    assert out.x > at.x
    assert over.y < at.y - BOX_HEIGHT / 2


def test_components_are_sorted_by_size_then_name():
    shape = Shape.of(["x"], [("c", "d"), ("a", "b"), ("e", "f"), ("f", "g")])
    assert [part.nodes for part in components(shape)] == [("e", "f", "g"), ("a", "b"), ("c", "d"), ("x",)]


@pytest.mark.parametrize(("nodes", "most"), [(50, 235), (300, 8500)])
def test_a_service_graph_has_few_crossings(nodes, most):
    # A plain layered layout without swaps needs a tenth to a fifth more; the figures leave 5 % of room.
    shape = service_graph(nodes)
    assert quality(lay_out(shape), shape.edges).crossings <= most


def test_few_edges_of_a_service_graph_go_backward():
    shape = service_graph(300)
    assert quality(lay_out(shape), shape.edges).backward <= len(shape.edges) * 0.04


def test_a_dense_graph_with_long_chains_is_laid_out_within_bounds(monkeypatch):
    monkeypatch.setattr(geometry, "MOST_WAY_POINTS", 2_000)
    dice = random.Random(1)
    names = [f"n{i:04d}" for i in range(200)]
    skips = [tuple(sorted(dice.sample(names, 2))) for _ in range(400)]
    layout = lay_out(Shape.of([], [*pairwise(names), *skips]))
    assert 1_000 <= sum(map(len, layout.routes.values())) <= 2_000
    assert len(layout.nodes) == 200


def test_the_json_shape():
    layout = lay_out(Shape.of([], [("a", "b"), ("b", "c"), ("a", "c")]))
    shown = layout.as_dict()
    assert set(shown) == {"nodes", "edges", "width", "height", "box"}
    assert shown["nodes"]["a"] == {"x": layout.nodes["a"].x, "y": layout.nodes["a"].y}
    assert shown["edges"]["a->b"] == []
    [[x, y]] = shown["edges"]["a->c"]
    assert Point(x, y) == layout.routes["a->c"][0]
    assert shown["box"]["height"] == BOX_HEIGHT
    assert shown["width"] == layout.nodes["c"].x + shown["box"]["width"] / 2 + MARGIN
