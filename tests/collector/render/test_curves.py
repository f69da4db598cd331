from benchmarks.layout import service_graph
from tests.collector.render.drawing import behind_boxes
from weft_collector.render.curves import HEAD_LENGTH, curves
from weft_collector.render.geometry import BOX_HEIGHT, BOX_WIDTH, Point, Shape, column_x, framed
from weft_collector.render.layout import lay_out


def test_an_edge_runs_from_the_callers_right_side_to_the_callees_left_side():
    layout = lay_out(Shape.of([], [("a", "b")]))
    curve = curves(layout, [("a", "b")])["a", "b"]
    a, b = layout.nodes["a"], layout.nodes["b"]
    assert curve.points[0] == (a.x + BOX_WIDTH / 2, a.y)
    assert curve.head[0] == (b.x - BOX_WIDTH / 2, b.y)
    assert curve.points[-1] == (b.x - BOX_WIDTH / 2 - HEAD_LENGTH, b.y)
    assert not curve.back


def test_a_call_back_leaves_at_the_left_arrives_at_the_right_and_is_marked():
    edges = [("a", "b"), ("b", "a")]
    layout = lay_out(Shape.of([], edges))
    forth, back = curves(layout, edges).values()
    assert back.back
    assert back.points[0].x == layout.nodes["b"].x - BOX_WIDTH / 2
    assert back.head[0].x == layout.nodes["a"].x + BOX_WIDTH / 2
    assert back.points[0].y != forth.head[0].y  # side by side, not on top of each other


def test_edges_at_one_side_get_ports_in_the_order_of_their_other_ends():
    edges = [("a", name) for name in "bcdef"]
    layout = lay_out(Shape.of([], edges))
    drawn = curves(layout, edges)
    by_callee = sorted(edges, key=lambda e: layout.nodes[e[1]].y)
    ports = [drawn[e].points[0].y for e in by_callee]
    assert ports == sorted(set(ports))


def test_ports_of_a_hub_stay_on_its_side():
    edges = [(f"n{i}", "hub") for i in range(60)]
    layout = lay_out(Shape.of([], edges))
    tips = [curve.head[0].y - layout.nodes["hub"].y for curve in curves(layout, edges).values()]
    assert max(map(abs, tips)) < BOX_HEIGHT / 2


def test_an_edge_within_a_column_bulges_to_the_right():
    nodes = {"a": Point(column_x(0), 100.0), "b": Point(column_x(0), 300.0)}
    curve = curves(framed(nodes, {"a->b": ()}), [("a", "b")])["a", "b"]
    assert curve.back
    assert min(p.x for p in curve.points) >= column_x(0) + BOX_WIDTH / 2


def test_a_self_call_arrives_from_above():
    layout = lay_out(Shape.of([], [("a", "a")]))
    curve = curves(layout, [("a", "a")])["a", "a"]
    assert curve.head[0].y == layout.nodes["a"].y - BOX_HEIGHT / 2
    assert curve.points[-1].y < curve.head[0].y


def test_no_edge_of_a_service_graph_passes_behind_a_box():
    shape = service_graph(80)
    assert not behind_boxes(lay_out(shape), shape.edges)
