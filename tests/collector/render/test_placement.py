from hypothesis import given, settings
from hypothesis import strategies as st

from tests.collector.render.drawing import overlapping
from weft_collector.render.geometry import ROW_STEP, TOP, Point, Shape, column_of, column_x, framed
from weft_collector.render.placement import insert, nearest_free


def at(column, row):
    return Point(column_x(column), TOP + row * ROW_STEP)


NAMES = st.sampled_from([f"n{i}" for i in range(14)])
SHAPES = st.builds(Shape.of, st.sets(NAMES, min_size=1), st.sets(st.tuples(NAMES, NAMES), max_size=30))
KNOWN = st.dictionaries(NAMES, st.tuples(st.integers(0, 4), st.integers(0, 4))).filter(
    lambda cells: len(set(cells.values())) == len(cells)
)


@given(KNOWN, SHAPES)
@settings(deadline=None)
def test_all_nodes_of_the_graph_are_placed_and_no_boxes_overlap(cells, shape):
    places = insert({name: at(*cell) for name, cell in cells.items()}, shape)
    assert set(places) == set(shape.nodes)
    assert not overlapping(framed(places, {}))
    assert all(place.y >= TOP for place in places.values())


@given(KNOWN, SHAPES)
@settings(deadline=None)
def test_the_same_input_gives_the_same_places(cells, shape):
    known = {name: at(*cell) for name, cell in cells.items()}
    assert insert(known, shape) == insert(dict(reversed(known.items())), shape)


def test_known_nodes_stay_where_there_is_room():
    known = {"a": at(0, 0), "b": at(1, 0)}
    places = insert(known, Shape.of([], [("a", "b"), ("a", "new")]))
    assert places == {**known, "new": at(1, 1)}


def test_a_callee_stands_right_of_its_rightmost_caller():
    places = insert({"a": at(0, 0), "b": at(2, 0)}, Shape.of([], [("a", "new"), ("b", "new")]))
    assert column_of(places["new"]) == 3


def test_a_new_caller_of_the_first_column_stands_left_of_it():
    assert column_of(insert({"a": at(0, 0)}, Shape.of([], [("new", "a")]))["new"]) == -1


def test_a_new_node_takes_the_median_height_of_its_neighbours():
    known = {"a": at(0, 0), "b": at(0, 2), "c": at(0, 7)}
    shape = Shape.of([], [(name, "new") for name in known])
    assert insert(known, shape)["new"] == at(1, 2)


def test_a_chain_of_new_nodes_grows_column_by_column():
    places = insert({"a": at(0, 0)}, Shape.of([], [("a", "x"), ("x", "y"), ("y", "z")]))
    assert [column_of(places[name]) for name in "xyz"] == [1, 2, 3]


def test_where_nothing_is_free_within_reach_the_neighbours_give_way():
    column = {f"n{i:02d}": at(1, i) for i in range(30)}
    shape = Shape.of(column, [("a", "n15"), ("a", "new")])
    places = insert({**column, "a": at(0, 15)}, shape)
    assert abs(places["new"].y - at(1, 15).y) <= 2 * ROW_STEP
    assert places["a"] == at(0, 15)
    assert not overlapping(framed(places, {}))


def test_a_new_part_of_the_graph_stands_below_everything():
    places = insert({"a": at(0, 0), "b": at(1, 3)}, Shape.of([], [("a", "b"), ("x", "y")]))
    assert min(places["x"].y, places["y"].y) > at(1, 3).y + ROW_STEP
    assert column_of(places["y"]) == column_of(places["x"]) + 1


def test_new_nodes_without_calls_stand_below_everything():
    places = insert({"a": at(0, 0), "b": at(1, 3)}, Shape.of(["x"], [("a", "b")]))
    assert places["x"].y > at(1, 3).y + ROW_STEP


def test_nodes_that_are_gone_are_dropped():
    assert set(insert({"a": at(0, 0), "gone": at(1, 0)}, Shape.of(["a"], []))) == {"a"}


def test_the_nearest_free_height():
    assert nearest_free([], TOP - 500) == TOP
    assert nearest_free([TOP], TOP) == TOP + ROW_STEP
    assert nearest_free([TOP, TOP + 3 * ROW_STEP], TOP + ROW_STEP) == TOP + ROW_STEP
    assert nearest_free([TOP, TOP + 1.9 * ROW_STEP], TOP) == TOP + 2.9 * ROW_STEP
