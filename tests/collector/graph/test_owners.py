"""Where spans are equal in all else, the texts of their owners decide, whatever the order of arrival."""

from dataclasses import replace

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.property.batches import Machine
from tests.property.oracle import Span
from weft_collector.graph import owners
from weft_collector.graph.classify import MAX_INSTANCES, OTHER_INSTANCE
from weft_collector.graph.pairing import Pairing
from weft_collector.graph.pairing_table import ARRIVAL, CALLEE, CALLER

CALL = Span(1, 2, kind="CLIENT", service="web", start=10, end=800)
CART = Span(1, 3, 2, service="cart", start=20, end=700)
names = st.lists(st.text(max_size=20), min_size=2, max_size=8, unique=True)


def instance_that_carries(machine):
    """The instance of the callee that has the caller's sample."""
    booked = machine.settle().pairing.booked(0, 1 << 62)
    both = (booked.client >= 0) & (booked.server >= 0)
    return [machine.classifier.instance(int(n)) for n in booked.server_instance[both]]


@settings(deadline=None, max_examples=100)
@given(names)
@example(["instance", "instance-1"])
@example(["instance-1", "instance"])
@example(["\x7f" * 8 + "a", "\x7f" * 8 + "\U0001f600"])
@example(["\uffff", "\U00010000", "~"])
def test_the_smaller_instance_carries_the_callers_sample(texts):
    machine = Machine().take([CALL, *(replace(CART, instance=text) for text in texts)])
    assert instance_that_carries(machine) == [min(texts)]


@settings(deadline=None, max_examples=50)
@given(names)
def test_the_smaller_service_is_the_parent(texts):
    halves = [replace(CALL, service=text or "-", kind="SERVER") for text in texts]
    machine = Machine().take([*halves, CART]).settle()
    (caller,) = {row[1] for row in machine.calls if row[2] == "service:cart"}
    assert caller == min(half.node for half in halves)


def test_an_instance_is_its_text_whatever_names_it():
    twice = [replace(CART, instance="h:7"), replace(CART, host="h", pid=7)]
    assert Machine().take(twice).pairing.counters()["duplicates"] == 1


def test_texts_that_are_moved_for_more_room_are_found():
    machine = Machine().take([replace(CALL, trace=n, instance=f"{n:03}" * 40) for n in range(500)])
    machine.take([CALL, replace(CART, instance="b" * 4000), replace(CART, instance="a")])
    assert instance_that_carries(machine) == ["a"]


def test_names_of_instances_beyond_all_bounds_are_not_kept(monkeypatch):
    monkeypatch.setattr(owners, "MOST_INSTANCE_BYTES", 8)
    machine = Machine().take([CALL, *(replace(CART, instance=text) for text in ("12345678", "b", "a", "c"))])
    assert machine.pairing.counters()["duplicates"] == 2
    assert sorted(machine.pairing._table.entries["instance"][:3].tolist()) == [0, 1, OTHER_INSTANCE]


def test_instances_without_a_number_of_their_own_are_never_looked_up():
    assert OTHER_INSTANCE > MAX_INSTANCES
    spans = np.zeros(3, ARRIVAL)
    spans["trace"], spans["span"], spans["parent"] = 1, [1, 2, 2], [0, 1, 1]
    spans["flags"], spans["instance"] = [CALLER, CALLEE, CALLEE], [0, OTHER_INSTANCE, 0]
    pairing = Pairing(Machine().classifier.owners, 16)
    rows = [*pairing.take(spans, 0, 0), *pairing.flush()]
    assert sum(len(block) for block in rows) > 0
    assert (pairing.booked(0, 1).client >= 0).sum() == 1
