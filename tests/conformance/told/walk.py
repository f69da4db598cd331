"""Section 2: who called, by the parents of spans."""

from tests.conformance.story import case, expected
from tests.conformance.told.distinct import WEB_CART


@case("R2.1", "D11")
def a_span_without_kind_below_another_service_was_called(t):
    """A tracer that knows no kinds: the change of service along the parents is the call."""
    web = t.server("web")
    out = t.client("web", web)
    t.kindless("cart", out)
    return expected(WEB_CART)


@case("R2.1", "D11")
def an_internal_span_below_another_service_was_called(t):
    """INTERNAL where SERVER would be right; without a client span either, the caller's side is not seen."""
    web = t.server("web")
    t.local("cart", web)
    return expected("""
        client -> web: 1 server_only
        web -> cart: 1 server_only
    """)


@case("R2.1", "D11")
def spans_without_any_kind_still_give_the_edges(t):
    """A whole trace without kinds. The first span is a root without kind: nobody says that it was called."""
    web = t.kindless("web")
    inner = t.kindless("web", web)
    cart = t.kindless("cart", inner)
    t.kindless("stock", cart)
    return expected("""
        web -> cart: 1 server_only
        cart -> stock: 1 server_only
    """)


@case("R2.1")
def a_local_root_is_no_call(t):
    """A job that starts by itself: a local root was called by nobody; what it calls is called by its service."""
    job = t.local("nightly")
    t.server("cart", t.client("nightly", job))
    return expected("nightly -> cart: 1 both")


@case("R2.1")
def a_local_span_whose_parent_is_missing_is_no_call(t):
    """Nothing says that the lost parent was another service's."""
    t.local("cart", t.missing())
    return expected("", nodes=["service:cart"])


@case("R2.2")
def a_server_inside_a_kindless_entry_is_no_second_call(t):
    """A proxy module without kind takes the request, the framework's server span lies below it: one call."""
    web = t.server("web")
    entry = t.kindless("cart", t.client("web", web))
    t.server("cart", entry)
    return expected(WEB_CART)


@case("R2.2")
def behind_a_kindless_entry_another_instance_is_called(t):
    """The entry was one instance, the server span another: the service called itself."""
    web = t.server("web")
    entry = t.kindless("cart#1", t.client("web", web))
    t.server("cart#2", entry)
    return expected("""
        client -> web: 1 server_only
        web -> cart: 1 both
        cart -> cart: 1 server_only
    """)


@case("R2.3")
def a_call_that_both_sides_saw_is_one_call(t):
    """Client span above, server span below: one call, seen by both."""
    web = t.server("web", at=0, lasts=50)
    out = t.client("web", web, at=10, lasts=30)
    t.server("cart", out, at=15, lasts=20)
    return expected("""
        client -> web: 1 server_only; server 50
        web -> cart: 1 both; client 30; server 20
    """)


@case("R2.3")
def spans_may_come_callee_first(t):
    """Every span in a request of its own, from the leaf to the root."""
    web = t.server("web")
    out = t.client("web", web)
    cart = t.server("cart", out)
    t.bodies = [[cart], [out], [web]]
    return expected(WEB_CART)


@case("R2.3", "D4", "Zipkin")
def a_service_that_calls_itself_over_a_client_span_is_an_edge(t):
    """A loopback call: a client span of web, and a server span of the very same instance. It is a call."""
    web = t.server("web")
    t.server("web", t.client("web", web))
    return expected("""
        client -> web: 1 server_only
        web -> web: 1 both
    """)


@case("R2.3", "D21")
def a_call_needs_no_root(t):
    """The root is lost; the call below it has both sides."""
    t.server("cart", t.client("web", t.missing()))
    return expected("web -> cart: 1 both")


@case("R2.4")
def a_local_span_of_another_service_is_a_caller(t):
    """Web's client library makes no spans; its local span is the parent that cart was given."""
    web = t.server("web")
    t.server("cart", t.local("web", web))
    return expected("""
        client -> web: 1 server_only
        web -> cart: 1 server_only
    """)


@case("R2.4", "D12")
def a_local_span_between_the_sides_does_not_part_them(t):
    """A local span below the client span (a retry filter, a serializer) is what cart was given as its parent."""
    web = t.server("web")
    out = t.client("web", web)
    t.server("cart", t.local("web", out))
    return expected(WEB_CART)


@case("R2.4")
def the_walk_inside_the_caller_ends_at_its_own_server_span(t):
    """Several local spans of web up to web's server span: the caller is known, its side was not seen."""
    web = t.server("web")
    inner = t.local("web", t.local("web", web))
    t.server("cart", inner)
    return expected("""
        client -> web: 1 server_only
        web -> cart: 1 server_only
    """)


@case("R2.4")
def the_walk_inside_the_caller_does_not_pass_its_server_span(t):
    """Web called itself, and that server span's local span called cart: the loopback's client span is not its side."""
    web = t.server("web")
    inner = t.server("web", t.client("web", web))
    t.server("cart", t.local("web", inner))
    return expected("""
        client -> web: 1 server_only
        web -> web: 1 both
        web -> cart: 1 server_only
    """)


@case("R2.4")
def the_walk_does_not_go_on_into_a_third_service(t):
    """Web's local span lies directly below a span of edge: web called cart, and edge called web."""
    edge = t.server("edge")
    out = t.client("edge", edge)
    t.server("cart", t.local("web", out))
    return expected("""
        client -> edge: 1 server_only
        edge -> web: 1 both
        web -> cart: 1 server_only
    """)


@case("R2.5")
def a_server_span_of_another_service_is_a_caller(t):
    """Web makes no client spans: cart's parent is web's server span."""
    t.server("cart", t.server("web"))
    return expected("""
        client -> web: 1 server_only
        web -> cart: 1 server_only
    """)


@case("R2.6", "D4")
def a_server_inside_a_framework_is_no_call(t):
    """Two instrumented layers of one process (ASGI and framework) make two server spans for one request."""
    web = t.server("web")
    inner = t.server("web", web)
    t.server("cart", t.client("web", inner))
    return expected(WEB_CART)


@case("R2.6", "Zipkin")
def local_spans_between_two_layers_change_nothing(t):
    """The nearest server above is of the same instance, over two local spans: still no call."""
    web = t.server("web")
    t.server("web", t.local("web", t.local("web", web)))
    return expected("client -> web: 1 server_only")


@case("R2.6")
def a_server_inside_a_consumer_is_no_call(t):
    """A message is handled by the framework's server span, in the consumer span of the same instance."""
    got = t.consumer("mail", attributes={"messaging.system": "kafka", "messaging.destination.name": "orders"})
    t.server("mail", got)
    return expected("channel:kafka/orders -> mail: 1 server_only")


@case("R2.6", "R3.11")
def a_consumer_inside_a_server_is_no_call(t):
    """A push queue calls over HTTP, and the framework makes a consumer span inside, which names no channel."""
    t.consumer("mail", t.server("mail"))
    return expected("client -> mail: 1 server_only")


@case("R2.5")
def a_consumer_below_another_services_consumer(t):
    """Mail names no channel, and its parent is audit's consumer span: audit called it, not audit's channel."""
    got = t.consumer(
        "audit", attributes={"messaging.system": "kafka", "messaging.destination.name": "orders"}
    )
    t.consumer("mail", got)
    return expected("""
        channel:kafka/orders -> audit: 1 server_only
        audit -> mail: 1 server_only
    """)


@case("R2.7", "D4")
def another_instance_of_the_same_service_was_called(t):
    """A shard asks another shard of its own service, without a client span."""
    web = t.server("web#1")
    t.server("web#2", web)
    return expected(
        """
        client -> web: 1 server_only
        web -> web: 1 server_only
        """,
        instances="""
        client -> web |  | web-1: 1
        web -> web | web-1 | web-2: 1
        """,
    )


@case("R2.8", "D12", "Zipkin")
def local_spans_of_the_callee_are_passed(t):
    """A local span of cart above its server span (a queue in front of the workers): the walk passes it.

    It is itself the first of cart's spans below web, so it is what was called.
    """
    web = t.server("web")
    waiting = t.local("cart", t.client("web", web))
    t.server("cart", waiting)
    return expected(WEB_CART)


@case("R2.9", "Zipkin")
def a_root_server_was_called_by_the_client(t):
    """A server root: a browser, a script, whoever is outside."""
    t.server("web")
    return expected("client -> web: 1 server_only")


@case("R2.9")
def a_root_consumer_without_a_channel_is_no_call(t):
    """A consumer that says neither what it read nor who sent it: there is no edge to draw, but the node is there."""
    t.consumer("mail")
    return expected("", nodes=["service:mail"])


@case("R2.9")
def a_server_below_a_local_root_was_called_by_the_client(t):
    """A local root of the same service (a timer that records the whole connection): the walk ends at a root."""
    t.server("web", t.local("web"))
    return expected("client -> web: 1 server_only")


@case("R2.10", "R3.7", "D15")
def a_caller_entry_stands_for_a_client_span_that_never_came(t):
    """The client span went to another collector, or was lost: the server span alone says who called.

    `tracestate: weft=<span id>;web;web-1`, and the span id is that of the parent.
    """
    lost = t.missing()
    t.server("cart", lost, state=lost.entry("web", "web-1"))
    return expected(
        "web -> cart: 1 server_only",
        instances="web -> cart | web-1 | cart-1: 1",
    )


@case("R2.10")
def the_entry_of_a_local_span_above_counts(t):
    """The span that received the request is a local one of cart, and carries the entry; the server span lies below."""
    lost = t.missing()
    received = t.local("cart", lost, state=lost.entry("web", "web-1"))
    t.server("cart", received)
    return expected("web -> cart: 1 server_only")


@case("R2.10", "Zipkin")
def a_server_may_name_its_client(t):
    """Zipkin's servers name who called as their remote endpoint: a root, and a span whose parent is lost.

    What the walk finds is better, and so is an entry: the third server's parent is there, the fourth has an entry.
    """
    said = {"peer.service": "shop"}
    web = t.server("web", attributes=said)
    t.server("web", t.missing(), attributes=said)
    t.server("cart", t.client("web", web), attributes=said)
    lost = t.missing()
    t.server("stock", lost, attributes=said, state=lost.entry("cart", "c1"))
    return expected("""
        shop -> web: 2 server_only
        web -> cart: 1 both
        cart -> stock: 1 server_only
    """)


@case("R2.10")
def an_entry_of_its_own_is_better_than_the_peer_that_a_server_names(t):
    """Here it is about a span of its own service, whose parent is lost: so it helps nobody, and the peer is not asked."""
    work = t.local("web", t.missing())
    t.server("web", work, attributes={"peer.service": "shop"}, state=work.entry("shop", "s1"))
    return expected("unknown -> web: 1 server_only")


@case("R2.1", "Zipkin")
def a_span_without_kind_that_names_a_peer_calls_nobody(t):
    """It does not say which of the two called. (Zipkin takes it for a client: a convention for Zipkin's own door.)"""
    web = t.server("web")
    t.kindless("web", web, attributes={"peer.service": "stock"})
    return expected("client -> web: 1 server_only")


@case("R2.11", "D7")
def a_parent_that_never_came_is_an_unknown_caller(t):
    """Somebody called, nobody knows who: such calls are kept apart, hidden by default, and in no total."""
    t.server("cart", t.missing())
    return expected("unknown -> cart: 1 server_only", totals=[0, 0])


@case("R2.11", "D7", "Zipkin")
def no_edge_is_drawn_across_a_service_that_is_missing(t):
    """web -> (lost) -> stock. A link from web to stock would be a lie; Zipkin backfills one here on purpose."""
    web = t.server("web")
    lost = t.missing(t.client("web", web, attributes={"server.address": "cart.example"}))
    t.server("stock", lost)
    return expected("""
        client -> web: 1 server_only
        web -> external:cart.example: 1 client_only
        unknown -> stock: 1 server_only
    """)


@case("R2.11")
def a_consumer_whose_parent_is_missing_was_called_by_the_unknown(t):
    """It names no channel, but a parent: somebody sent what it got."""
    t.consumer("mail", t.missing())
    return expected("unknown -> mail: 1 server_only")


@case("R2.11", "Zipkin")
def siblings_below_a_missing_root_are_not_linked(t):
    """Two servers whose common parent is lost: each was called, by somebody."""
    lost = t.missing()
    t.server("cart", lost)
    t.server("stock", lost)
    return expected("""
        unknown -> cart: 1 server_only
        unknown -> stock: 1 server_only
    """)


@case("R2.11", "D21", "Zipkin")
def a_chain_below_a_missing_root_is_linked(t):
    """Only the first caller is unknown; the rest of the chain needs no root."""
    cart = t.server("cart", t.missing())
    t.server("stock", t.client("cart", cart))
    return expected("""
        unknown -> cart: 1 server_only
        cart -> stock: 1 both
    """)


@case("R2.12", "D12")
def a_walk_looks_at_32_parents(t):
    """31 local spans lie between the server span and the client span above: the client span is parent number 32."""
    web = t.server("web")
    at = t.client("web", web)
    for _ in range(31):
        at = t.local("web", at)
    t.server("cart", at)
    return expected(WEB_CART)


@case("R2.12")
def a_walk_looks_at_no_33rd_parent(t):
    """One local span more: the caller is known from the first of them, its client span is too far to be seen.

    So the client span has no callee, and stands as a call to what it names.
    """
    web = t.server("web")
    at = t.client("web", web, attributes={"server.address": "cart.example"})
    for _ in range(32):
        at = t.local("web", at)
    t.server("cart", at)
    return expected("""
        client -> web: 1 server_only
        web -> external:cart.example: 1 client_only
        web -> cart: 1 server_only
    """)


@case("R2.12", "R2.9")
def a_root_may_be_31_parents_up_and_no_more(t):
    """Cart's walk ends at parent 31, a root. Stock's looks at 32 parents and gives up at the last, which is one too."""
    for service, locals_ in (("cart", 31), ("stock", 32)):
        at = None
        for _ in range(locals_):
            at = t.local(service, at)
        t.server(service, at)
        t.other_trace()
    return expected("""
        client -> cart: 1 server_only
        unknown -> stock: 1 server_only
    """)


@case("R2.12")
def beyond_32_local_spans_of_ones_own_nobody_is_known(t):
    """32 local spans of cart above its server span: the walk ends inside cart, however near the caller is.

    The first of cart's spans below web is an entry, so the call is there all the same.
    """
    web = t.server("web")
    at = t.client("web", web)
    for _ in range(32):
        at = t.local("cart", at)
    t.server("cart", at)
    return expected("""
        client -> web: 1 server_only
        web -> cart: 1 both
        unknown -> cart: 1 server_only
    """)


@case("R2.12", "D18")
def a_cycle_of_parents_ends(t):
    """Two local spans name each other as parents. The walk turns 32 times and gives up: caller unknown."""
    one = t.local("cart")
    two = t.local("cart", one)
    one.parent = two.id
    t.server("cart#2", one)
    return expected("unknown -> cart: 1 server_only")


@case("R2.12", "D18")
def services_that_call_each_other_in_a_circle(t):
    """a -> b -> c -> a: a cycle of edges is a plain fact, not a problem."""
    at = t.server("a")
    for caller, callee in (("a", "b"), ("b", "c"), ("c", "a")):
        at = t.server(callee, t.client(caller, at))
    return expected("""
        client -> a: 1 server_only
        a -> b: 1 both
        b -> c: 1 both
        c -> a: 1 both
    """)
