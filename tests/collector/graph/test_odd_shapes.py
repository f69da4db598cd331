"""One test per odd shape that graphs elsewhere get wrong; D-numbers are those of docs/graph-rules.md section 8."""

from dataclasses import replace

from tests.property.batches import SECOND, Machine
from tests.property.oracle import Span
from weft_collector.graph.outcomes import OUTCOMES
from weft_collector.graph.pairing_table import BOTH, CLIENT_ONLY, SERVER_ONLY

ROOT = Span(1, 1, kind="SERVER", service="web", instance="w1", start=0, end=900)
CALL = Span(1, 2, 1, kind="CLIENT", service="web", instance="w1", start=10, end=800)
CART = Span(1, 3, 2, kind="SERVER", service="cart", instance="c1", start=20, end=700)
ENTRY = ("client:", "service:web")
WEB_CART = ("service:web", "service:cart")


def edges(*bodies):
    machine = Machine()
    for body in bodies:
        machine.take(body if isinstance(body, list) else [body])
    return machine.settle().edges


def details(machine, caller, callee):
    return [row[3:] for row in machine.settle().calls if row[1:3] == (caller, callee)]


def test_a_call_seen_by_both_sides_is_one_call():
    assert edges([ROOT, CALL, CART]) == {ENTRY: 1, WEB_CART: 1}


def test_the_callee_may_come_before_its_caller():
    assert edges(CART, CALL, ROOT) == {ENTRY: 1, WEB_CART: 1}


def test_d1_every_callee_of_a_fan_out_counts():
    callees = [replace(CART, id=3 + n, start=20 + n, service="cart") for n in range(3)]
    assert edges([ROOT, CALL], callees)[WEB_CART] == 3


def test_d1_the_first_callee_of_a_fan_out_alone_carries_the_caller_side():
    machine = Machine().take([ROOT, CALL, replace(CART, id=4, start=30), CART])
    clients = sorted(row[0] >= 0 for row in details(machine, *WEB_CART))
    assert clients == [False, True]
    assert [row[2] for row in details(machine, *WEB_CART)] == [BOTH, BOTH]


def test_d2_a_late_callee_takes_the_call_back_from_the_peer():
    machine = Machine().take([ROOT, replace(CALL, address="10.0.0.7", port=8080)], 0).age(30 * SECOND)
    assert machine.edges == {ENTRY: 1, ("service:web", "external:10.0.0.7:8080"): 1}
    machine.take([CART], 60 * SECOND)
    assert machine.edges == {ENTRY: 1, WEB_CART: 1}
    assert machine.pairing.counters()["withdrawn"] == 1


def test_d2_a_host_waits_thirty_seconds_for_its_callee():
    machine = Machine().take([replace(CALL, parent=0, address="10.0.0.7")], 5 * SECOND)
    assert machine.age(35 * SECOND - 1).edges == {}
    assert machine.waiting == 1
    assert machine.age(35 * SECOND).edges == {("service:web", "external:10.0.0.7"): 1}
    assert machine.waiting == 0


def test_d3_a_side_never_seen_has_no_sample():
    machine = Machine().take([ROOT, replace(CALL, db_system="sqlite", db_namespace="orders.db")])
    [(client, server, sight, _)] = details(machine, "service:web", "database:sqlite/orders.db")
    assert (client >= 0, server, sight) == (True, -1, CLIENT_ONLY)
    [(client, server, sight, _)] = details(machine, *ENTRY)
    assert (client, server >= 0, sight) == (-1, True, SERVER_ONLY)


def test_d4_a_call_to_itself_is_an_edge_only_through_a_client_span_or_another_instance():
    own = replace(CART, service="web", instance="w1")
    assert edges([ROOT, CALL, own]) == {ENTRY: 1, ("service:web", "service:web"): 1}
    assert edges([ROOT, replace(own, parent=1)]) == {ENTRY: 1}
    assert edges([ROOT, replace(own, parent=1, instance="w2")]) == {
        ENTRY: 1,
        ("service:web", "service:web"): 1,
    }


def test_d5_both_halves_of_a_zipkin_span_share_an_id():
    shared = replace(CART, id=2, parent=1)
    below = Span(
        1, 9, 2, kind="CLIENT", service="cart", instance="c1", start=30, end=40, peer_service="stock"
    )
    expected = {ENTRY: 1, WEB_CART: 1, ("service:cart", "service:stock"): 1}
    assert edges([ROOT, CALL, shared, below]) == expected
    assert edges(below, shared, CALL, ROOT) == expected


def test_d5_children_of_a_shared_id_belong_to_their_own_services_half_else_to_the_callee():
    shared = replace(CART, id=2, parent=1)
    stock = Span(1, 9, 2, service="stock", start=30, end=40)
    assert edges([ROOT, CALL, stock], shared) == {ENTRY: 1, WEB_CART: 1, ("service:cart", "service:stock"): 1}


def test_d6_trace_ids_of_64_and_128_bits_meet():
    assert edges([ROOT, CALL, replace(CART, trace=(77 << 64) + 1)]) == {ENTRY: 1, WEB_CART: 1}


def test_d7_a_missing_service_in_between_gives_no_edge_across_it():
    stock = Span(1, 9, 8, service="stock", start=30, end=40)
    assert edges([ROOT, CALL, CART, stock])["unknown:", "service:stock"] == 1


def test_d8_equal_span_ids_of_different_traces_have_nothing_to_do_with_each_other():
    assert edges([ROOT, CALL, replace(CART, trace=2)]) == {
        ENTRY: 1,
        ("unknown:", "service:cart"): 1,
        ("service:web", "unknown:peer"): 1,
    }


def test_d9_one_database_name_on_two_hosts_is_two_databases():
    one = replace(CALL, db_system="postgresql", db_namespace="orders", address="eu.internal")
    two = replace(one, id=8, address="us.internal")
    by_address = replace(one, id=9, address="10.0.0.9")
    callees = {callee for _, callee in edges([one, two, by_address])}
    assert callees == {
        "database:postgresql/eu.internal/orders",
        "database:postgresql/us.internal/orders",
        "database:postgresql/orders",
    }


def test_d10_a_channel_is_a_node_between_producer_and_consumer():
    topic = {"messaging_system": "kafka", "destination": "orders"}
    send = replace(CALL, kind="PRODUCER", **topic)
    read = replace(CART, kind="CONSUMER", **topic)
    expected = {
        ENTRY: 1,
        ("service:web", "channel:kafka/orders"): 1,
        ("channel:kafka/orders", "service:cart"): 1,
    }
    assert edges([ROOT, send, read]) == expected
    assert edges([ROOT, send, replace(read, destination="", messaging_system="")]) == expected


def test_d10_a_consumer_that_names_no_channel_and_has_no_parent_is_no_call():
    assert edges([replace(CART, kind="CONSUMER", parent=0)]) == {}


def test_d11_a_span_without_kind_below_another_service_is_a_callee():
    assert edges([ROOT, CALL, replace(CART, kind="UNSPECIFIED")]) == {ENTRY: 1, WEB_CART: 1}
    assert edges([ROOT, replace(CART, kind="INTERNAL", parent=1)]) == {ENTRY: 1, WEB_CART: 1}


def test_d11_a_server_inside_such_an_entry_is_no_second_call():
    entry = replace(CART, kind="INTERNAL")
    server = Span(1, 4, 3, service="cart", instance="c1", start=25, end=600)
    assert edges([ROOT, CALL, server], entry) == {ENTRY: 1, WEB_CART: 1}


def test_d12_local_spans_may_lie_between_the_sides():
    local = Span(1, 20, 2, kind="INTERNAL", service="web", instance="w1", start=12, end=750)
    assert edges(replace(CART, parent=20), ROOT, local, CALL) == {ENTRY: 1, WEB_CART: 1}


def test_d15_a_caller_entry_stands_for_a_client_span_that_was_lost():
    assert edges([replace(CART, entry="web;w1")]) == {WEB_CART: 1}


def test_d15_the_client_span_wins_over_a_caller_entry_that_disagrees():
    machine = Machine().take([replace(CART, entry="liar;x")])
    assert machine.edges == {("service:liar", "service:cart"): 1}
    machine.take([CALL, ROOT]).settle()
    assert machine.edges == {ENTRY: 1, WEB_CART: 1}
    assert machine.pairing.counters()["mismatches"] == 1


def test_d16_a_span_delivered_twice_counts_once():
    machine = Machine().take([ROOT, CALL, CART]).take([CART, CALL]).settle()
    assert machine.edges == {ENTRY: 1, WEB_CART: 1}
    assert machine.pairing.counters()["duplicates"] == 2


def test_d16_the_first_of_two_that_differ_counts():
    machine = Machine().take([ROOT, CALL, CART, replace(CART, end=701, error=True)])
    assert [row[3] for row in details(machine, *WEB_CART)] == [0]
    assert machine.pairing.counters()["conflicting"] == 1


def test_d17_clocks_that_disagree_touch_no_figure():
    late = replace(CART, start=CART.start - 10**9, end=CART.end - 10**9)
    machine = Machine().take([ROOT, CALL, CART])
    skewed = Machine().take([ROOT, CALL, replace(late, start=max(late.start, 0), end=CART.end - CART.start)])
    assert details(machine, *WEB_CART) == details(skewed, *WEB_CART)


def test_d18_cycles_end():
    one = Span(1, 1, 2, kind="INTERNAL", service="a", start=1, end=2)
    two = Span(1, 2, 1, kind="INTERNAL", service="a", start=1, end=2)
    own = Span(1, 3, 3, kind="INTERNAL", service="a", start=1, end=2)
    server = Span(1, 4, 1, service="a", instance="x", start=1, end=2)
    assert edges([one, two, own, server, replace(server, id=5, parent=3)]) == {("unknown:", "service:a"): 2}


def test_d21_a_call_needs_neither_root_nor_environment():
    assert edges([replace(CALL, parent=99), CART]) == {WEB_CART: 1}


def test_a_walk_looks_at_32_parents_and_no_more():
    def seen_by(between):
        chain = [
            Span(1, 100 + n, 99 + n if n else 2, kind="INTERNAL", service="web", start=1)
            for n in range(between)
        ]
        machine = Machine().take([replace(CART, parent=99 + between), *chain[::-1], CALL])
        return [row[2] for row in details(machine, *WEB_CART)]

    assert seen_by(31) == [BOTH]
    assert seen_by(32) == [SERVER_ONLY]


def test_a_wrapper_and_its_name_reach_thirty_two_parents():
    def inner(locals_between):
        outer = replace(CALL, parent=0, db_system="elasticsearch")
        way = [replace(CALL, id=n + 3, parent=n + 2, kind="INTERNAL") for n in range(locals_between)]
        wrapped = replace(CALL, id=99, parent=locals_between + 2, address="es.example")
        return edges(wrapped, *way[::-1], outer)

    database, host = ("database:elasticsearch/elasticsearch", "external:es.example")
    assert inner(31) == {("service:web", database): 1}
    assert inner(32) == {("service:web", database): 1, ("service:web", host): 1}


def test_a_wrapper_that_lends_a_channel_puts_it_before_callees_that_came_first():
    outer = replace(CALL, id=9, kind="PRODUCER", messaging_system="kafka", destination="orders")
    inner = replace(CALL, parent=9)
    channel = "channel:kafka/orders"
    sent = {("service:web", channel): 1, (channel, "service:cart"): 1}
    assert edges(inner, CART) == {WEB_CART: 1}
    assert edges(inner, CART, outer) == sent


def test_a_stale_or_foreign_parent_that_never_comes_is_an_unknown_caller():
    assert edges([CART]) == {("unknown:", "service:cart"): 1}


def test_an_id_shared_by_nine_instances_counts_eight():
    machine = Machine().take([replace(CART, instance=str(n), start=n) for n in range(9)]).settle()
    assert machine.edges == {("unknown:", "service:cart"): 8}
    assert machine.pairing.counters()["crowded"] == 1


def test_a_bare_peer_name_means_the_callers_own_namespace_and_environment():
    call = replace(CALL, namespace="shop", environment="prod", peer_service="cart", parent=0)
    cart = replace(CART, namespace="shop", environment="prod")
    assert edges([call]) == {("service:prod/shop/web", "service:prod/shop/cart"): 1}
    assert edges([call, cart]) == {("service:prod/shop/web", "service:prod/shop/cart"): 1}


def outcomes(machine):
    return [OUTCOMES[row[3]] for row in details(machine, *WEB_CART)]


def test_either_side_can_make_the_call_fail():
    assert outcomes(Machine().take([ROOT, replace(CALL, error=True), CART])) == ["exception"]
    assert outcomes(Machine().take([ROOT, CALL, replace(CART, http=503)])) == ["5xx"]


def test_a_4xx_is_no_error_even_if_marked_as_one():
    machine = Machine().take([ROOT, replace(CALL, http=404, error=True), replace(CART, http=404)])
    assert outcomes(machine) == ["4xx"]
