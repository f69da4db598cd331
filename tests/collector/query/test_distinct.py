"""Names that can be searched for, against naive lists."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.collector.query import stores
from tests.collector.wire import otlp_factory as otlp
from tests.contract.memory_tables import MemoryStore
from weft_collector.query import distinct as module
from weft_collector.query.attributes import text_of
from weft_collector.query.distinct import Distinct, Names


def distinct_of(tables):
    store = MemoryStore(block_bytes=400)
    for bodies in tables:
        store.add(bodies)
    return Distinct(store, store.log)


def naive_values(tables, key):
    found = set()
    for parsed in stores.all_spans(tables):
        resource = otlp.Resource.FromString(parsed.resource)
        for pairs in (parsed.span.attributes, resource.attributes):
            found |= {
                text_of(value) for name, value in {p.key: p.value for p in pairs}.items() if name == key
            }
    return sorted(found - {""})


@settings(max_examples=40, deadline=None)
@given(stores.TABLES, st.sampled_from(["k", "other", "absent"]))
def test_the_names_are_those_of_the_spans(tables, key):
    distinct = distinct_of(tables)
    spans = stores.all_spans(tables)
    services = sorted({p.columns["ServiceName"] for p in spans})
    assert distinct.services(stores.budget()) == Names(services, complete=True)
    for service in services:
        expected = sorted({p.span.name for p in spans if p.columns["ServiceName"] == service})
        assert distinct.operations(service, stores.budget()) == Names(expected, complete=True)
    assert distinct.values(key, stores.budget()) == Names(naive_values(tables, key), complete=True)
    assert {"service.name", "db.namespace"} <= set(distinct.keys(stores.budget()).names)


@pytest.fixture
def shop():
    spans = [
        otlp.span(f"op{n}", id=n + 1, attributes={"n": n, "http.status_code": 200 + n, "db.name": f"d{n}"})
        for n in range(5)
    ]
    return distinct_of(
        [[otlp.request(spans)], [otlp.request([otlp.span("late", id=9, attributes={"n": "late"})])]]
    )


def test_a_promoted_attribute_is_read_from_its_column_under_each_name(shop):
    numbers = Names([str(200 + n) for n in range(5)], complete=True)
    assert shop.values("http.response.status_code", stores.budget()) == numbers
    assert shop.values("http.status_code", stores.budget()) == numbers
    assert shop.values("db.namespace", stores.budget()).names == [f"d{n}" for n in range(5)]


def test_a_limit_is_kept_and_told(shop):
    assert shop.operations("cart", stores.budget(), 3).complete is False
    assert len(shop.operations("cart", stores.budget(), 3).names) == 3


def test_the_newest_come_first_when_the_time_is_over(shop):
    assert shop.values("n", stores.budget(step=2.0)) == Names(["late"], complete=False)


def test_a_sample_says_that_it_is_one(shop, monkeypatch):
    monkeypatch.setattr(module, "SAMPLED_VALUES", 2)
    monkeypatch.setattr(module, "SAMPLED_KEYS", 2)
    assert shop.values("n", stores.budget()).complete is False
    assert shop.keys(stores.budget()).complete is False
