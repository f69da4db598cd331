import re
import socket
from contextlib import ExitStack, suppress

import pytest

from tests.end_to_end.weft_command import running, weft
from tests.waiting import wait_until
from weft_collector.demo.topology import SHOP

pytestmark = pytest.mark.timeout(300)  # a first start compiles the collector's kernels


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """A whole run of the shop while somebody else holds the usual port; what it printed, and how it ended."""
    with ExitStack() as stack:
        usual = stack.enter_context(socket.socket())
        with suppress(OSError):  # taken by somebody else: just as well
            usual.bind(("127.0.0.1", 4318))
            usual.listen()
        demo = stack.enter_context(
            running(weft("demo", "--for", "6s", "--no-browser"), tmp_path_factory.mktemp("shop"))
        )
        demo.end(110)
        yield demo


def test_it_ends_by_itself_with_equal_counts(shop):
    assert shop.process.returncode == 0, shop.output
    assert f"Equal: {len(SHOP.edges)} edges" in shop.output


def test_the_table_names_every_edge_and_no_other(shop):
    rows = re.findall(r"^ *(\S+) +(\S+)(?: +\d+){4} .* yes *$", shop.output, re.MULTILINE)
    assert sorted(rows) == sorted(SHOP.edges)


def test_no_false_edge_passes_through_the_stock_service(shop):
    assert re.search(r"shipping +couriers +\d+", shop.output)
    assert not re.search(r"checkout +couriers", shop.output)


def test_it_shows_its_progress_and_where_to_look(shop):
    for text in (
        "ready: 13 services",
        "ready: collector on http://127.0.0.1:",
        "The live graph:",
        "graph populated",
    ):
        assert text in shop.output


def test_a_taken_port_is_told(shop):
    assert re.search(r"Port 4318 is taken: the collector listens on port \d+ instead", shop.output)


def test_failures_are_counted_on_the_failing_edge(shop):
    (errors,) = re.findall(r"checkout +payment +\d+ +\d+ +(\d+)", shop.output)
    assert int(errors) > 0


def test_nothing_is_left(shop):
    wait_until(lambda: not shop.left())
