import asyncio
import json
import re
from xml.etree import ElementTree as ET

import pytest

from tests.collector.api import bodies
from weft_collector.api import schemas


def counts(graph):
    return {edge["id"]: (edge["calls"], edge["errors"]) for edge in graph["edges"]}


def test_an_empty_collector_has_an_empty_graph(collector):
    graph = collector.get("/api/v1/graph").json()
    assert graph["nodes"] == graph["edges"] == []
    assert graph["window"] == {"start": "2026-11-23T09:53:00Z", "end": "2026-11-23T10:08:00Z", "seconds": 900}


def test_spans_that_were_acknowledged_are_in_the_next_graph(collector):
    collector.ingest_shop()
    graph = collector.get("/api/v1/graph", window="15m").json()
    assert counts(graph) == bodies.SHOP_EDGES
    assert graph["totals"]["calls"] == 12
    assert graph["totals"]["errors"] == 1
    cart = next(edge for edge in graph["edges"] if edge["callee"] == "service:cart")
    assert cart["completeness"] == {"both": 4, "client_only": 0, "server_only": 0, "inferred": 0}
    assert cart["client"]["samples"] == cart["server"]["samples"] == 4
    assert cart["client"]["p50_ms"] == pytest.approx(8.0, rel=0.03)
    assert cart["server"]["p50_ms"] == pytest.approx(5.0, rel=0.03)


def test_answers_have_the_documented_shapes(collector):
    collector.ingest_shop()
    schemas.Graph.model_validate(collector.get("/api/v1/graph").json())
    schemas.Layout.model_validate(collector.get("/api/v1/graph/layout").json())


def test_a_window_that_begins_before_the_minutes_that_are_held_is_widened(make_collector):
    collector = make_collector(minute_seconds=3600)
    collector.ingest_shop()
    collector.clock.advance(5 * 3600)
    collector.ingest_shop()
    asked = {"start": "2026-11-23T10:01:00Z", "end": "2026-11-23T10:02:00Z"}
    graph = collector.get("/api/v1/graph", **asked).json()
    assert graph["window"] == {
        "start": "2026-11-23T10:00:00Z",
        "end": "2026-11-23T11:00:00Z",
        "seconds": 3600,
    }
    assert counts(graph) == bodies.SHOP_EDGES
    assert graph["totals"]["rate"] == 12 / 3600


def test_calls_leave_the_graph_with_the_window(collector):
    collector.ingest_shop()
    collector.clock.advance(20 * 60)
    assert collector.get("/api/v1/graph", window="15m").json()["edges"] == []
    assert counts(collector.get("/api/v1/graph", window="1h").json()) == bodies.SHOP_EDGES


def test_start_and_end_name_a_window(collector):
    collector.ingest_shop()
    asked = {"start": "2026-11-23T10:06:10Z", "end": "2026-11-23T10:06:40Z"}
    graph = collector.get("/api/v1/graph", **asked).json()
    assert graph["window"]["seconds"] == 60
    assert counts(graph) == bodies.SHOP_EDGES


def test_unknown_callers_are_shown_on_demand_and_are_in_no_total(collector):
    lost = bodies.body(bodies.Call("lost", "web", 1, collector.clock()))
    request = bodies.ExportTraceServiceRequest.FromString(lost)
    del request.resource_spans[0]
    assert collector.post(request.SerializeToString()).status_code == 200
    assert collector.get("/api/v1/graph").json()["edges"] == []
    shown = collector.get("/api/v1/graph", unknown="true").json()
    assert counts(shown) == {"unknown:->service:web": (1, 0)}
    assert shown["totals"]["calls"] == 0


def test_the_layout_places_every_node_and_edge_of_the_graph(collector):
    collector.ingest_shop()
    graph = collector.get("/api/v1/graph").json()
    layout = collector.get("/api/v1/graph/layout").json()
    assert set(layout["nodes"]) == {node["id"] for node in graph["nodes"]}
    assert set(layout["edges"]) == {edge["id"] for edge in graph["edges"]}


def test_nodes_keep_their_places_when_others_come(collector):
    collector.ingest_shop()
    before = collector.get("/api/v1/graph/layout").json()["nodes"]
    collector.post(bodies.body(bodies.Call("cart", "stock", 50, collector.clock())))
    after = collector.get("/api/v1/graph/layout").json()["nodes"]
    assert "service:stock" in after
    assert {node: after[node] for node in before} == before


@pytest.mark.parametrize(
    ("name", "media_type", "magic"),
    [
        ("svg", "image/svg+xml", b"<"),
        ("png", "image/png", b"\x89PNG"),
        ("pdf", "application/pdf", b"%PDF"),
        ("dot", "text/vnd.graphviz; charset=utf-8", b"digraph"),
        ("json", "application/json", b"{"),
    ],
)
def test_the_graph_is_rendered_in_every_format(collector, name, media_type, magic):
    collector.ingest_shop()
    response = collector.get("/api/v1/graph/render", format=name)
    assert response.status_code == 200
    assert response.headers["content-type"] == media_type
    assert response.content.startswith(magic)


def test_the_rendered_json_is_the_graph(collector):
    collector.ingest_shop()
    for name in ('a "quoted" \\ name\n', "\u6771\u4eac", "control \x01"):
        collector.post(bodies.body(bodies.Call("web", name, 2, collector.clock())))
    rendered = collector.get("/api/v1/graph/render", format="json").json()
    assert rendered == collector.get("/api/v1/graph").json()


def test_the_svg_stands_where_the_layout_says(collector):
    collector.ingest_shop()
    layout = collector.get("/api/v1/graph/layout").json()
    svg = collector.get("/api/v1/graph/render", format="svg").text
    ET.fromstring(svg)
    for node in layout["nodes"]:
        assert f'data-node="{node}"' in svg


def test_a_hostile_name_stays_a_name_in_the_picture(collector):
    evil = '<script>alert("x")</script>'
    collector.post(bodies.body(bodies.Call("web", evil, 1, collector.clock())))
    response = collector.get("/api/v1/graph/render", format="svg")
    assert "<script" not in response.text
    ET.fromstring(response.text)
    assert "default-src 'none'" in response.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("path", "query", "said"),
    [
        ("/api/v1/graph", {"window": "15 minutes"}, "15 minutes"),
        ("/api/v1/graph", {"window": "400d"}, "31 days"),
        ("/api/v1/graph", {"unknown": "perhaps"}, "unknown"),
        ("/api/v1/graph/layout", {"end": "2026-11-23T10:00:00Z"}, "not end alone"),
        ("/api/v1/graph/render", {"format": "gif"}, "svg, png, pdf, dot, json"),
        ("/api/v1/graph/live", {"window": "x"}, "window="),
    ],
)
def test_a_query_that_cannot_be_read_is_a_problem_that_says_so(collector, path, query, said):
    response = collector.get(path, **query)
    assert response.status_code == 400
    assert response.headers["content-type"] == "application/problem+json"
    problem = schemas.Problem.model_validate(response.json())
    assert said in problem.detail


class Reader:
    """A reader of an event stream, which ASGITransport cannot be: it waits for the end of an answer."""

    def __init__(self, collector, query="", headers=()):
        self.received = asyncio.Queue()
        self.gone = asyncio.Event()
        self.head = None
        self._buffer = b""
        scope = {
            "type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, "http_version": "1.1",
            "method": "GET", "scheme": "http", "path": "/api/v1/graph/live", "query_string": query.encode(),
            "headers": [(b"host", b"localhost"), *headers], "server": ("127.0.0.1", 4318), "root_path": "",
        }  # fmt: skip
        self.task = asyncio.create_task(collector.app(scope, self._receive, self._send))

    async def _receive(self):
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message):
        if message["type"] == "http.response.start":
            self.head = message
        await self.received.put(message)

    async def event(self):
        """The next event; comments are passed over."""
        while True:
            while b"\n\n" not in self._buffer:
                message = await asyncio.wait_for(self.received.get(), 10)
                self._buffer += message.get("body", b"")
            block, _, self._buffer = self._buffer.partition(b"\n\n")
            fields = dict(
                line.split(": ", 1) for line in block.decode().splitlines() if not line.startswith(":")
            )
            if "event" in fields:
                return fields

    async def leave(self):
        self.gone.set()
        await asyncio.wait_for(self.task, 10)


def test_the_stream_shows_the_graph_and_then_every_new_version(collector):
    async def main():
        reader = Reader(collector)
        first = await reader.event()
        async with collector.client() as client:
            body = bodies.shop(collector.clock() - 60_000_000_000)
            headers = {"content-type": "application/x-protobuf"}
            await client.post("/v1/traces", content=body, headers=headers)
        second = await reader.event()
        await reader.leave()
        return reader.head, first, second

    head, first, second = asyncio.run(main())
    assert (b"content-type", b"text/event-stream; charset=utf-8") in head["headers"]
    assert first["event"] == second["event"] == "graph"
    assert int(second["id"]) > int(first["id"])
    data = json.loads(second["data"])
    assert counts(data["graph"]) == bodies.SHOP_EDGES
    assert set(data["layout"]["nodes"]) == {node["id"] for node in data["graph"]["nodes"]}


def test_a_reader_that_has_the_version_gets_the_next_one_only(collector):
    collector.ingest_shop()

    async def main():
        version = collector.parts.graphs.version
        reader = Reader(collector, headers=[(b"last-event-id", str(version).encode())])
        async with collector.client() as client:
            content = bodies.body(bodies.Call("cart", "stock", 50, collector.clock()))
            await client.post(
                "/v1/traces", content=content, headers={"content-type": "application/x-protobuf"}
            )
        event = await reader.event()
        await reader.leave()
        return version, int(event["id"])

    known, sent = asyncio.run(main())
    assert sent > known


def test_the_window_of_a_stream_moves_on(collector):
    collector.ingest_shop()

    async def main():
        reader = Reader(collector, "window=5m")
        before = json.loads((await reader.event())["data"])
        collector.clock.advance(10 * 60)
        after = json.loads((await reader.event())["data"])
        await reader.leave()
        return before["graph"], after["graph"]

    before, after = asyncio.run(main())
    assert len(before["edges"]) == 3
    assert after["edges"] == []


def test_a_quiet_stream_is_kept_alive(collector):
    async def main():
        reader = Reader(collector)
        await reader.event()
        text = b""
        while b": still here\n\n" not in text:
            text += (await asyncio.wait_for(reader.received.get(), 10)).get("body", b"")
        await reader.leave()

    asyncio.run(main())


def test_streams_are_counted_bounded_and_given_back(make_collector):
    collector = make_collector(viewers=2)

    async def main():
        readers = [Reader(collector), Reader(collector)]
        for reader in readers:
            await reader.event()
        async with collector.client() as client:
            status = (await client.get("/api/v1/status")).json()
            refused = await client.get("/api/v1/graph/live")
        for reader in readers:
            await reader.leave()
        return status["viewers"], refused, collector.parts.viewers.open

    viewers, refused, left = asyncio.run(main())
    assert viewers == 2
    assert refused.status_code == 503
    assert int(refused.headers["retry-after"]) >= 1
    assert left == 0


def test_streams_end_when_the_collector_stops(collector):
    async def main():
        reader = Reader(collector)
        await reader.event()
        collector.parts.lifecycle.stopping()
        await asyncio.wait_for(reader.task, 10)

    asyncio.run(main())


def test_the_title_of_a_picture_names_its_window(collector):
    svg = collector.get("/api/v1/graph/render", window="1h").text
    assert re.search(r"2026-11-23 09:08 .* 2026-11-23 10:08 UTC", svg)
