import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.collector.render.drawing import behind_boxes
from weft_collector.render import geometry
from weft_collector.render.geometry import (
    BOX_HEIGHT,
    ROW_STEP,
    TOP,
    Point,
    column_of,
    column_x,
    framed,
    loop_route,
)
from weft_collector.render.routes import LANE, reroute


def at(column, row):
    return Point(column_x(column), TOP + row * ROW_STEP)


CELLS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=2, max_size=14, unique=True)


@given(CELLS, st.data())
@settings(max_examples=80, deadline=None)
def test_routes_meet_no_box(cells, data):
    places = {f"n{i}": at(*cell) for i, cell in enumerate(cells)}
    names = st.sampled_from(sorted(places))
    edges = data.draw(st.sets(st.tuples(names, names), max_size=12))
    layout = framed(places, reroute(places, edges, {}))
    assert set(layout.routes) == {f"{a}->{b}" for a, b in edges}
    assert not behind_boxes(layout, edges)


def test_a_free_way_is_straight():
    places = {"a": at(0, 0), "b": at(1, 1), "c": at(3, 0)}
    assert {p.y for p in reroute(places, [("a", "c")], {})["a->c"]} == {TOP}


def test_a_box_in_the_way_is_passed_at_the_nearer_side():
    places = {"a": at(0, 1), "b": Point(column_x(1), at(1, 1).y + 10), "c": at(2, 1)}
    (point,) = reroute(places, [("a", "c")], {})["a->c"]
    assert column_of(point) == 1
    assert point.y < places["b"].y - BOX_HEIGHT / 2


def test_way_points_come_in_the_direction_of_the_call():
    places = {"a": at(0, 0), "d": at(3, 0)}
    forth = reroute(places, [("a", "d")], {})["a->d"]
    back = reroute(places, [("d", "a")], {})["d->a"]
    assert [column_of(p) for p in forth] == [1, 2]
    assert [column_of(p) for p in back] == [2, 1]


def test_edges_in_one_gutter_get_lanes_of_their_own():
    places = {"a": at(0, 0), "b": at(0, 1), "c": at(2, 0), "d": at(2, 1), "wall": at(1, 0), "floor": at(1, 3)}
    routes = reroute(places, [("a", "c"), ("a", "d"), ("b", "c"), ("b", "d")], {})
    heights = sorted(route[0].y for route in routes.values())
    assert all(b - a >= LANE - 0.2 for a, b in itertools.pairwise(heights))


def test_a_narrow_gutter_is_shared():
    places = {"a": at(0, 0.5), "b": at(2, 0.5), "c": at(2, 1.5), "upper": at(1, 0), "lower": at(1, 1)}
    routes = reroute(places, [("a", "b"), ("a", "c")], {})
    assert routes["a->b"][0].y == (places["upper"].y + places["lower"].y) / 2


def test_a_route_that_fits_is_kept():
    places, before = {"a": at(0, 0), "c": at(2, 0)}, (at(1, 5),)
    assert reroute(places, [("a", "c")], {"a->c": before})["a->c"] == before


def test_a_route_that_meets_a_new_box_is_led_anew():
    places, before = {"a": at(0, 0), "b": at(1, 5), "c": at(2, 0)}, (at(1, 5),)
    assert reroute(places, [("a", "c")], {"a->c": before})["a->c"] == (at(1, 0),)


def test_a_route_between_other_columns_is_led_anew():
    places, before = {"a": at(0, 0), "c": at(3, 0)}, (at(1, 0),)
    assert len(reroute(places, [("a", "c")], {"a->c": before})["a->c"]) == 2


def test_self_calls_follow_their_box():
    places = {"a": at(0, 2)}
    assert reroute(places, [("a", "a")], {"a->a": loop_route(at(0, 0))}) == {"a->a": loop_route(at(0, 2))}


def test_the_longest_edges_get_no_way_points_beyond_the_bound(monkeypatch):
    monkeypatch.setattr(geometry, "MOST_WAY_POINTS", 2)
    places = {"a": at(0, 0), "b": at(2, 0), "c": at(9, 0)}
    routes = reroute(places, [("a", "b"), ("a", "c")], {})
    assert {edge: len(route) for edge, route in routes.items()} == {"a->b": 1, "a->c": 0}
