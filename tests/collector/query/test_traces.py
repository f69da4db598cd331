"""Traces by id and OTLP out, against what was sent."""

import base64
import json

import pytest
from google.protobuf.json_format import ParseDict
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from tests.collector.query import stores
from tests.collector.wire import otlp_factory as otlp
from tests.contract.memory_tables import MemoryStore
from weft_collector.query import otlp as out
from weft_collector.query.traces import find_trace, raw_spans


def store_of(tables):
    store = MemoryStore(block_bytes=400)
    for number, bodies in enumerate(tables):
        store.add(bodies, pieces=1 + number % 2)
    return store


def spans_of(store, hi, lo):
    return list(raw_spans(store.log, find_trace(store.tables(), hi, lo)))


@settings(max_examples=60, deadline=None)
@given(stores.TABLES, st.integers(1, 6), st.integers(0, 1))
def test_a_trace_is_the_distinct_spans_that_were_sent_in_the_order_of_the_log(tables, lo, hi):
    expected = [
        (p.raw, p.resource, p.resource_schema, p.scope, p.scope_schema)
        for p in stores.all_spans(tables)
        if p.span.trace_id[8:] == lo.to_bytes(8, "big")
        and (not hi or p.span.trace_id[:8] in {bytes(8), hi.to_bytes(8, "big")})
    ]
    assert [tuple(span) for span in spans_of(store_of(tables), hi, lo)] == expected


def rich():
    group = otlp.resource_spans([otlp.span(trace=1, id=n) for n in range(1, 4)], "cart", {"k": 1})
    group.schema_url, group.scope_spans[0].schema_url = "https://a/1", "https://a/2"
    return group


def test_protobuf_is_what_was_sent_with_schema_urls():
    store = store_of([[otlp.body([rich()])]])
    data = b"".join(out.protobuf_pieces(spans_of(store, 0, 1)))
    assert TracesData.FromString(data) == TracesData(resource_spans=[rich()])


@pytest.fixture
def small_pieces(monkeypatch):
    monkeypatch.setattr(out, "PIECE_SPANS", 2)


def test_pieces_are_one_message_and_one_document(small_pieces):
    store = store_of([[otlp.body([rich()])]])
    protobuf = list(out.protobuf_pieces(spans_of(store, 0, 1)))
    assert len(protobuf) == 2
    whole = TracesData.FromString(b"".join(protobuf))
    assert [len(group.scope_spans[0].spans) for group in whole.resource_spans] == [2, 1]
    document = json.loads(b"".join(out.json_pieces(spans_of(store, 0, 1))))
    for group in document["resourceSpans"]:
        for span in group["scopeSpans"][0]["spans"]:
            for name in ("traceId", "spanId"):
                span[name] = base64.b64encode(bytes.fromhex(span[name])).decode()
    assert ParseDict(document, TracesData()) == whole


def test_nothing_is_an_empty_document():
    assert json.loads(b"".join(out.json_pieces([]))) == {"resourceSpans": []}
    assert list(out.protobuf_pieces([])) == []


def test_spans_whose_log_file_is_gone_are_left_out():
    store = store_of([[otlp.request([otlp.span("gone", id=1)])], [otlp.request([otlp.span("here", id=2)])]])
    store.files.remove(store.files.names()[0])
    assert [b"here" in span.span for span in spans_of(store, 0, 1)] == [True]
