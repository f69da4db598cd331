from weft_collector.render.geometry import Layout, Point, column_x, framed
from weft_collector.render.quality import Quality, is_worse, quality


def at(column, y):
    return Point(column_x(column), float(y))


def test_crossings_backward_edges_and_length_are_counted():
    nodes = {"a": at(0, 0), "b": at(0, 100), "c": at(1, 0), "d": at(1, 100)}
    edges = [("a", "d"), ("b", "c"), ("d", "a"), ("a", "a"), ("c", "d")]
    layout = framed(nodes, {f"{a}->{b}": () for a, b in edges})
    step = column_x(1) - column_x(0)
    # the edge back lies on the one forth; both cross b->c
    assert quality(layout, edges) == Quality(2, 2, 3 * (step + 100) + 100)


def test_way_points_decide_where_edges_cross():
    nodes = {"a": at(0, 0), "b": at(0, 100), "c": at(2, 0), "d": at(1, 100)}
    straight = Layout(nodes, {"a->c": (at(1, 0),), "b->d": ()}, 0, 0)
    around = Layout(nodes, {"a->c": (at(1, 200),), "b->d": ()}, 0, 0)
    edges = [("a", "c"), ("b", "d")]
    assert quality(straight, edges).crossings == 0
    assert quality(around, edges).crossings == 1


def test_half_as_much_again_is_allowed():
    fresh = Quality(100, 10, 1000.0)
    assert not is_worse(Quality(150, 15, 1500.0), fresh, 10)
    assert is_worse(Quality(151, 10, 1000.0), fresh, 10)
    assert is_worse(Quality(100, 16, 1000.0), fresh, 10)
    assert is_worse(Quality(100, 10, 1501.0), fresh, 10)


def test_one_crossing_moves_a_small_picture_but_not_a_larger_one():
    kept, fresh = Quality(1, 0, 100.0), Quality(0, 0, 100.0)
    assert is_worse(kept, fresh, 12)
    assert not is_worse(kept, fresh, 50)
