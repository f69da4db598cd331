import random
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.layout import changed, service_graph
from tests.collector.render.drawing import behind_boxes, overlapping
from tests.collector.render.graphs import shape_of, shop
from weft_collector.render.geometry import Layout, Shape, edge_id
from weft_collector.render.layout import lay_out
from weft_collector.render.positions import CHECK_EVERY, Positions
from weft_collector.render.quality import is_worse, quality


class Clock:
    """Stands still until it is set."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def unmoved(before: Layout, after: Layout) -> float:
    both = before.nodes.keys() & after.nodes.keys()
    return sum(before.nodes[name] == after.nodes[name] for name in both) / len(both)


def test_the_first_layout_is_a_fresh_one():
    shape = service_graph(50)
    assert Positions().layout(*shape) == lay_out(shape)


def test_nothing_new_moves_nothing_and_costs_no_new_layout():
    positions, shape = Positions(), service_graph(50)
    assert positions.layout(*shape) is positions.layout(shape.nodes[::-1], shape.edges[::-1])


@pytest.mark.parametrize("seed", range(8))
def test_after_a_deployment_almost_all_services_stand_where_they_stood(seed):
    positions, shape = Positions(), service_graph(300, seed)
    before = positions.layout(*shape)
    after = positions.layout(*changed(shape, seed))
    assert unmoved(before, after) >= 0.96


def test_after_many_deployments_the_picture_is_still_bearable():
    positions, shape = Positions(), service_graph(120)
    for seed in range(12):
        shape = changed(shape, seed)
        renamed = {name: f"{name}-{seed}" if "new" in name else name for name in shape.nodes}
        shape = Shape.of(renamed.values(), ((renamed[a], renamed[b]) for a, b in shape.edges))
        kept = positions.layout(*shape)
        assert not overlapping(kept)
    fresh = quality(lay_out(shape), shape.edges)
    assert not is_worse(quality(kept, shape.edges), fresh._replace(crossings=fresh.crossings * 2), 10**4)


@pytest.mark.parametrize("step", [1, 2, 3, 7])
@pytest.mark.parametrize("seed", range(3))
def test_a_young_graph_grows_into_a_good_picture(step, seed):
    shape = shape_of(shop())
    edges = list(shape.edges)
    random.Random(seed).shuffle(edges)
    positions = Positions()
    for end in range(step, len(edges) + step, step):
        known = Shape.of([], edges[:end])
        layout = positions.layout(*known)
        assert not overlapping(layout)
        assert not behind_boxes(layout, known.edges)
    layout = positions.layout(*shape)
    assert not is_worse(quality(layout, shape.edges), quality(lay_out(shape), shape.edges), 0)


@pytest.mark.parametrize("nodes", [50, 120])
def test_a_larger_graph_that_grows_stays_within_the_bound(nodes):
    shape = service_graph(nodes)
    edges = list(shape.edges)
    random.Random(2).shuffle(edges)
    positions = Positions()
    for end in range(3, len(edges) + 3, 3):
        layout = positions.layout([], edges[:end])
    kept, fresh = quality(layout, edges), quality(lay_out(shape), edges)
    assert kept.crossings <= 1.6 * fresh.crossings
    assert kept.backward <= 1.5 * fresh.backward + nodes // 25 + 1  # the last change may not have been due


def test_when_more_than_half_is_new_all_is_laid_out_anew():
    positions = Positions()
    positions.layout([], [("m", "n")])
    shape = Shape.of([], [("a", "b"), ("b", "m"), ("m", "n")])
    positions.layout(*shape)
    assert positions.layout(*Shape.of([], [*shape.edges, ("a", "c"), ("c", "d")])).nodes["m"].x > 0
    final = Shape.of([], [("a", "b"), ("b", "m"), ("m", "n"), *(("a", f"x{i}") for i in range(9))])
    assert positions.layout(*final).nodes["a"].x < positions.layout(*final).nodes["b"].x


def test_a_caller_in_front_of_the_first_column_moves_the_map_as_a_whole():
    positions = Positions()
    chain = [("a", "b"), ("b", "c"), ("a", "d"), ("d", "c")]
    before = positions.layout([], chain)
    after = positions.layout([], [*chain, ("client", "a")])
    shifts = {
        (after.nodes[n].x - before.nodes[n].x, after.nodes[n].y - before.nodes[n].y) for n in before.nodes
    }
    assert len(shifts) == 1
    assert after.nodes["client"].x < after.nodes["a"].x
    assert min(at.x for at in after.nodes.values()) == min(at.x for at in before.nodes.values())


def test_a_node_hidden_in_one_window_keeps_its_place_for_the_next():
    positions, shape = Positions(), service_graph(50)
    whole = positions.layout(*shape)
    part = Shape.of([], shape.edges[:20])
    assert unmoved(whole, positions.layout(*part)) == 1
    assert positions.layout(*shape) == whole


def test_two_windows_side_by_side_do_not_move_each_other():
    positions, shape = Positions(), service_graph(50)
    narrow, wide = Shape.of([], shape.edges[:60]), shape
    positions.layout(*narrow)
    first = positions.layout(*wide)
    for _ in range(3):
        assert positions.layout(*narrow).nodes.items() <= first.nodes.items()
        assert positions.layout(*wide) == first


def test_a_node_unseen_for_long_loses_its_place():
    clock = Clock()
    positions = Positions(clock, forget_after=60.0)
    star = [("a", name) for name in ("b", "c", "d", "e")]
    positions.layout([], star)
    clock.now = 100.0
    layout = positions.layout([], [*star[:3], ("a", "f")])
    assert "e" not in layout.nodes
    assert positions._memory.shape() == Shape.of([], [*star[:3], ("a", "f")])
    assert set(positions._map.nodes) == set("abcdf")


def test_a_node_leaves_the_strip_with_its_first_call():
    positions = Positions()
    star = [("a", name) for name in ("b", "c", "d", "e")]
    strip = positions.layout(["lone"], star).nodes["lone"]
    after = positions.layout([], [*star, ("a", "lone")])
    assert after.nodes["lone"].x > after.nodes["a"].x
    assert after.nodes["lone"] != strip


def test_a_fresh_layout_is_compared_only_when_enough_has_changed(monkeypatch):
    calls = []
    positions, shape = Positions(), service_graph(200)
    positions.layout(*shape)
    monkeypatch.setattr("weft_collector.render.positions.lay_out", lambda s: calls.append(s) or lay_out(s))
    a, b = shape.nodes[0], shape.nodes[-1]
    edges = [*shape.edges]
    for i in range(CHECK_EVERY // 10):
        edges.append((a, f"new-{i}"))
        positions.layout([], edges)
    assert len(calls) == 1  # 10 changes (5 nodes, 5 edges) of 400 edges: due once at the eighth
    positions.layout([], [*edges, (b, a)])
    assert len(calls) == 1


def test_few_answers_are_cached():
    positions, shape = Positions(), service_graph(50)
    positions.layout(*shape)
    for end in range(1, 40):
        positions.layout([], shape.edges[:end])
    assert len(positions._answers) == 16


def test_many_threads_get_the_same_answer():
    positions, shape = Positions(), service_graph(50)
    found = []
    threads = [threading.Thread(target=lambda: found.append(positions.layout(*shape))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [lay_out(shape)] * 8


NAMES = st.sampled_from([f"n{i}" for i in range(12)])
EDGES = st.sets(st.tuples(NAMES, NAMES), max_size=16)


@given(st.lists(st.tuples(st.sets(NAMES, max_size=3), EDGES), min_size=1, max_size=6))
@settings(max_examples=60, deadline=None)
def test_whatever_is_asked_for_is_answered_whole_and_readable(graphs):
    positions = Positions(Clock())
    for nodes, edges in graphs:
        layout = positions.layout(sorted(nodes), sorted(edges))
        shape = Shape.of(nodes, edges)
        assert set(layout.nodes) == set(shape.nodes)
        assert set(layout.routes) == set(map(edge_id, shape.edges))
        assert not overlapping(layout)
        assert not behind_boxes(layout, shape.edges)
        assert all(at.x > 0 and at.y > 0 for at in layout.nodes.values())
