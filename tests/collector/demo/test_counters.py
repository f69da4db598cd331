from weft_collector.demo.counters import Count, Counters, Edge, add, minus, read

AB, BC = Edge("a", "b"), Edge("b", "c")


def test_calls_and_errors_are_counted_apart():
    counters = Counters()
    counters.call(AB)
    counters.call(AB, failed=True)
    counters.call(BC)
    assert counters.totals() == {AB: Count(2, 1), BC: Count(1, 0)}


def test_what_a_process_wrote_is_read_back(tmp_path):
    counters = Counters()
    counters.call(AB, failed=True)
    counters.write(tmp_path, "b")
    assert read(tmp_path) == {AB: Count(1, 1)}


def test_several_files_add_up(tmp_path):
    for service in ("b", "b2"):
        counters = Counters()
        counters.call(AB)
        counters.write(tmp_path, service)
    assert read(tmp_path) == {AB: Count(2, 0)}


def test_an_unfinished_file_is_not_read(tmp_path):
    (tmp_path / "b-1.partial").write_text("[[")
    assert read(tmp_path) == {}


def test_add_begins_at_zero():
    totals = {}
    add(totals, AB, Count(2, 1))
    add(totals, AB, Count(3, 0))
    assert totals == {AB: Count(5, 1)}


def test_minus_leaves_what_was_added():
    assert minus({AB: Count(5, 2), BC: Count(1, 0)}, {AB: Count(3, 2)}) == {AB: Count(2, 0), BC: Count(1, 0)}


def test_minus_leaves_unchanged_edges_out():
    assert minus({AB: Count(3, 2)}, {AB: Count(3, 2)}) == {}
