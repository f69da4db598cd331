"""Distinct spans against a dictionary, and owners against their texts."""

import hashlib
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.collector.wire import otlp_factory
from tests.collector.wire.otlp_factory import CLIENT, CONSUMER, INTERNAL, NOW, PRODUCER, SERVER, span
from tests.property.batches import KINDS, Machine, Texts, decoded
from tests.property.oracle import Span
from weft_collector.store.identity import (
    CALLEE,
    CALLER,
    LOCAL,
    SIDES,
    Identity,
    Owners,
    OwnerTexts,
    distinct,
    instance_of,
    owner_of,
)
from weft_collector.wire.otlp_protobuf import Decoder


def identity_of(spans, owners) -> Identity:
    return Identity(spans.trace_lo, spans.span_id, owners[spans.resource], SIDES[spans.kind])


def owners_of(owners, resources):
    return owners.of(OwnerTexts(*(getattr(resources, name) for name in OwnerTexts._fields)))


def owner(environment="", namespace="", service="", instance="", host="", pid=0) -> int:  # noqa: PLR0917 - as the tuple
    return owner_of(OwnerTexts(environment, namespace, service, instance, host, pid))


few = st.integers(0, 2) | st.sampled_from([2**63, 2**64 - 1])
rows_of_identity = st.lists(st.tuples(few, few, few, st.integers(0, 2)), max_size=80)


def identity(rows) -> Identity:
    trace_lo, span_id, owner, side = zip(*rows, strict=True) if rows else ((), (), (), ())
    wide = (np.array(values, np.uint64) for values in (trace_lo, span_id, owner))
    return Identity(*wide, np.array(side, np.uint8))


@settings(deadline=None)
@given(rows_of_identity, st.integers(0, 2**62))
def test_the_first_row_of_each_identity_counts(rows, seed):
    first: dict[tuple[int, ...], int] = {}
    for at, row in enumerate(rows):
        first.setdefault(row, at)
    assert distinct(identity(rows), seed).tolist() == list(first.values())
    assert distinct(identity(rows)).tolist() == list(first.values())


def test_a_million_rows_and_as_many_duplicates():
    draw = np.random.default_rng(3)
    half = 1 << 19
    ids = [draw.integers(0, 2**64, half, np.uint64) for _ in range(2)]
    owner, side = draw.integers(0, 96, half).astype(np.uint64), draw.integers(0, 3, half).astype(np.uint8)
    twice = Identity(*(np.concatenate([column, column]) for column in (*ids, owner, side)))
    distinct(identity([]))
    before = time.process_time()
    found = distinct(twice)
    assert time.process_time() - before < 1.0  # 0.04 s on a quiet machine
    assert np.array_equal(found, np.arange(half))


@pytest.mark.parametrize(
    ("kind", "side"),
    [
        (0, LOCAL),
        (INTERNAL, LOCAL),
        (CLIENT, CALLER),
        (PRODUCER, CALLER),
        (SERVER, CALLEE),
        (CONSUMER, CALLEE),
    ],
)
def test_sides_follow_the_kind(kind, side):
    decoder = Decoder()
    decoded = decoder.decode(otlp_factory.request([span(kind=kind)]), NOW)
    assert identity_of(decoded.spans, np.zeros(1, np.uint64)).side.tolist() == [side]


def test_spans_that_differ_in_one_part_are_distinct_and_repeated_ones_are_not():
    groups = [
        otlp_factory.resource_spans(
            [span(), span("other name"), span(id=2), span(trace=2), span(kind=CLIENT)], "cart", one
        )
        for one in ({"service.instance.id": "1"}, {"service.instance.id": "2"}, {"host.name": "h"}, {})
    ]
    groups.append(
        otlp_factory.resource_spans([span(trace=1 << 64 | 1)], "shop", {"service.instance.id": "2"})
    )
    decoder = Decoder()
    decoded = decoder.decode(otlp_factory.body(groups), NOW)
    found = distinct(identity_of(decoded.spans, owners_of(Owners(decoder.strings.text), decoded.resources)))
    assert found.tolist() == [at for at in range(21) if at % 5 != 1]


def test_an_owner_is_a_service_and_its_instance():
    one = owner("prod", "shop", "cart", "i1", "h", 7)
    assert one == owner("prod", "shop", "cart", "i1", "other", 8)
    others = [
        owner("", "shop", "cart", "i1"),
        owner("prod", "", "cart", "i1"),
        owner("prod", "shop", "web", "i1"),
    ]
    others += [
        owner("prod", "shop", "cart", "i2"),
        owner("prod", "shop", "cart", "", "h", 7),
        owner("prod", "shop", "cart"),
    ]
    assert len({one, *others}) == 7


def test_an_instance_without_a_name_is_host_and_process():
    assert [instance_of("", "h", 7), instance_of("", "h", 0), instance_of("", "", 7)] == ["h:7", "h:0", ":7"]
    assert instance_of("", "", 0) == ""
    assert owner("", "", "cart", "", "h", 7) == owner("", "", "cart", "h:7")
    assert owner("", "", "cart", "", "h", 7) != owner("", "", "cart", "", "h", 8)


def test_a_service_without_a_name_is_the_unknown_one():
    assert owner() == owner(service="unknown_service") != owner(service="cart")


def test_owners_are_hashes_of_the_documented_bytes():
    expected = hashlib.blake2b("4:prod0:7:größe3:h:7".encode(), digest_size=8).digest()
    assert owner("prod", "", "größe", "", "h", 7) == int.from_bytes(expected, "little")


few_texts = st.sampled_from(["", "a", "a:1", "1", "unknown_service"])
said = st.builds(OwnerTexts, few_texts, few_texts, few_texts, few_texts, few_texts, st.integers(0, 1))


@settings(deadline=None)
@given(st.lists(st.tuples(said, st.integers(0, 5)), min_size=2, max_size=12))
def test_the_pairing_table_and_the_segments_tell_the_same_spans_apart(resources):
    """Spans of one trace and id, by what their resources say and their kind."""
    spans = [
        Span(
            1, 1, kind=KINDS[kind], service=r.service, instance=r.instance, namespace=r.namespace,
            environment=r.environment, host=r.host, pid=r.pid,
        )
        for r, kind in resources
    ]  # fmt: skip
    texts = Texts()
    columns = decoded(spans, texts)
    segments = distinct(identity_of(columns.spans, owners_of(Owners(texts.text), columns.resources)))
    machine = Machine()
    for one in spans:
        machine.take([one])
    counters = machine.pairing.counters()
    again = counters["duplicates"] + counters["conflicting"]
    assert len(segments) == len({(one.side, one.node, one.place) for one in spans})
    assert min(len(segments), 8) == len(spans) - again - counters["crowded"]


def test_owners_are_the_same_through_another_table_of_texts():
    body = next(otlp_factory.realistic(1, 200))
    found = []
    for first in ("x", "y"):
        decoder = Decoder()
        decoder.decode(otlp_factory.request([span(first)], first), NOW)
        owners = Owners(decoder.strings.text)
        decoded = decoder.decode(body, NOW)
        found += [
            owners_of(owners, decoded.resources).tolist(),
            owners_of(owners, decoded.resources).tolist(),
        ]
    assert found[0] == found[1] == found[2] == found[3]
    assert len(set(found[0])) > 30
