from weft_collector.render.geometry import Shape
from weft_collector.render.memory import Memory


def shape(nodes, *edges):
    return Shape.of(nodes, edges)


def test_what_is_new_is_counted_once():
    memory = Memory(60.0, 100)
    assert memory.see(shape("ab", ("a", "b")), 0.0) == 3
    assert memory.see(shape("ab", ("a", "b")), 1.0) == 0
    assert memory.see(shape("abc", ("a", "b"), ("b", "c")), 2.0) == 2


def test_hidden_nodes_are_remembered():
    memory = Memory(60.0, 100)
    memory.see(shape("ab", ("a", "b")), 0.0)
    memory.see(shape("a"), 30.0)
    memory.forget(60.0)
    assert memory.shape() == shape("ab", ("a", "b"))


def test_what_was_not_seen_for_long_is_forgotten_with_its_edges():
    memory = Memory(60.0, 100)
    memory.see(shape("abc", ("a", "b"), ("a", "c")), 0.0)
    memory.see(shape("ab", ("a", "b")), 50.0)
    memory.forget(61.0)
    assert memory.shape() == shape("ab", ("a", "b"))


def test_beyond_the_limit_the_longest_unseen_go_first():
    memory = Memory(60.0, 2)
    for now, name in enumerate("abc"):
        memory.see(shape(name), float(now))
    memory.see(shape("a"), 3.0)
    memory.forget(3.0)
    assert memory.shape() == shape("ac")


def test_what_is_asked_for_now_is_never_dropped():
    memory = Memory(60.0, 2)
    memory.see(shape("x"), 0.0)
    memory.see(shape("abcd"), 1.0)
    memory.forget(1.0)
    assert memory.shape() == shape("abcd")
