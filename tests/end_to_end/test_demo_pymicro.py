import json
import re
import signal
import subprocess

import httpx
import pytest

from tests.end_to_end.weft_command import environment, free_port, running, weft
from tests.waiting import wait_until

pytestmark = pytest.mark.timeout(300)  # a first start compiles the collector's kernels


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """The classic tree after its two proofs: one request to view, one to auth."""
    folder = tmp_path_factory.mktemp("pymicro")
    with running(
        weft("demo", "--topology", "pymicro", "--no-browser", "--port", str(free_port())), folder
    ) as demo:
        demo.await_output("graph populated")
        yield demo
        demo.process.send_signal(signal.SIGINT)
        assert demo.end() == 0, demo.output
        wait_until(lambda: not demo.left())


@pytest.fixture(scope="module")
def graph(tree, tmp_path_factory):
    """What the printed `weft graph --format json` says."""
    (line,) = re.findall(r"weft (graph --collector \S+ --format json)", tree.output)
    folder = tmp_path_factory.mktemp("graph")
    output = subprocess.run(
        weft(*line.split()), cwd=folder, env=environment(folder), check=True, capture_output=True, timeout=60
    )
    return json.loads(output.stdout)


def subtree(graph, entry):
    """The edges that can be reached from an entry."""
    ends = [(edge["caller"], edge["callee"], edge["calls"]) for edge in graph["edges"]]
    reached, new = set(), {f"service:{entry}"}
    while new:
        reached |= new
        new = {callee for caller, callee, _ in ends if caller in reached} - reached
    return reached, [calls for caller, _, calls in ends if caller in reached]


@pytest.mark.parametrize(("entry", "services", "calls"), [("view", 16, 21), ("auth", 5, 4)])
def test_the_command_line_shows_the_trees_figures(graph, entry, services, calls):
    nodes, edges = subtree(graph, entry)
    assert (len(nodes), len(edges), sum(edges)) == (services, calls, calls)


def test_there_is_nothing_else_but_the_client(graph):
    assert len(graph["nodes"]) == 16 + 5 + 1
    assert len(graph["edges"]) == 21 + 4 + 2
    assert graph["totals"] == graph["totals"] | {"calls": 21 + 4 + 2, "errors": 0}


def test_the_proof_is_printed(tree):
    assert tree.output.count("as the table says") == 2
    assert "graph: 16 services, 21 edges, 21 calls" in tree.output
    assert "graph: 5 services, 4 edges, 4 calls" in tree.output


def test_all_calls_of_one_request_are_in_one_trace(tree):
    found = re.findall(r"trace ([0-9a-f]{32}): (\d+) services, (\d+) edges, (\d+) calls", tree.output)
    assert [figures[1:] for figures in found] == [("16", "21", "21"), ("5", "4", "4")]
    (url,) = set(re.findall(r"--collector (\S+) --format json", tree.output))
    for trace, *_ in found:
        assert httpx.get(f"{url}/api/v1/traces/{trace}").is_success
