import json

from benchmarks.layout import changed, main, service_graph


def test_a_synthetic_graph_has_the_size_and_density_asked_for():
    shape = service_graph(100)
    assert len(shape.nodes) == 100
    assert 190 <= len(shape.edges) <= 200
    called = {callee for _, callee in shape.edges}
    assert len(called) >= 95


def test_a_deployment_adds_three_and_takes_two():
    before = service_graph(50)
    after = changed(before)
    assert len(set(after.nodes) - set(before.nodes)) == 3
    assert len(set(before.nodes) - set(after.nodes)) == 2


def test_the_benchmark_prints_its_figures(capsys):
    main(["--json", "--nodes", "20"])
    names = [figure["name"] for figure in json.loads(capsys.readouterr().out)]
    assert names[0] == "layout of 20 nodes"
    main(["--nodes", "20"])
    shown = capsys.readouterr().out
    assert all(name in shown for name in names)
