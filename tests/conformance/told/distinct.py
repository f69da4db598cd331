"""Section 1: which spans are distinct, and whose parent is whose."""

from tests.conformance.story import case, expected

WEB_CART = """
    client -> web: 1 server_only
    web -> cart: 1 both
"""


def call(t, **more):
    """The client calls web, and web calls cart."""
    web = t.server("web", **more)
    out = t.client("web", web, **more)
    return web, out, t.server("cart", out, **more)


@case("R1.1", "R1.2")
def the_two_sides_of_one_id_are_two_spans(t):
    """A client and a server span with one id are two spans even in one instance: their sides differ."""
    web = t.server("web")
    out = t.client("web", web)
    t.server("web", web, id=out.id)
    return expected("""
        client -> web: 1 server_only
        web -> web: 1 both
    """)


@case("R1.2")
def one_span_id_in_two_instances_is_two_spans(t):
    """Two instances that give the same id make two spans, and two calls."""
    web = t.server("web")
    out = t.client("web", web)
    one = t.server("cart", out)
    t.server("cart#2", out, id=one.id)
    return expected(
        """
        client -> web: 1 server_only
        web -> cart: 2 both
        """,
        instances="""
        client -> web |  | web-1: 1
        web -> cart | web-1 | cart-1: 1
        web -> cart | web-1 | cart-2: 1
        """,
    )


@case("R1.2", "R1.6")
def equal_ids_in_two_environments(t):
    """A trace that was recorded in production and replayed in staging, ids and all.

    The spans are distinct, as their services are; and each callee finds the caller of its own environment, although
    the other one bears the very id that it names.
    """
    for environment in ("production", "staging"):
        t._ids = 0
        call(t, resource={"deployment.environment.name": environment})
        t.later()
    t.bodies.pop()
    return expected("""
        client -> service:production//web: 1 server_only
        service:production//web -> service:production//cart: 1 both
        client -> service:staging//web: 1 server_only
        service:staging//web -> service:staging//cart: 1 both
    """)


@case("R1.3")
def an_instance_is_its_id(t):
    """Two processes on one host with ids of their own are two instances: a server below another one is a call."""
    host = {"host.name": "a7", "process.pid": 40}
    web = t.server("web", resource=host)
    t.server("web#2", web, resource=host)
    return expected("""
        client -> web: 1 server_only
        web -> web: 1 server_only
    """)


@case("R1.3")
def without_an_id_host_and_process_are_the_instance(t):
    """Of one service without instance ids, two processes are two instances, and one process is one.

    The second server span lies in the first one's process: a server inside a framework, no call. The third is of
    another process: a call of the service to itself.
    """
    web = t.server("web#", resource={"host.name": "a7", "process.pid": 40})
    t.server("web#", web, resource={"host.name": "a7", "process.pid": 40})
    t.server("web#", web, resource={"host.name": "a7", "process.pid": 41})
    return expected(
        """
        client -> web: 1 server_only
        web -> web: 1 server_only
        """,
        instances="""
        client -> web |  | a7:40: 1
        web -> web | a7:40 | a7:41: 1
        """,
    )


@case("R1.3")
def a_host_alone_is_an_instance(t):
    """Without a process, the host tells instances apart; without a host, the process does."""
    a = t.server("web#", resource={"host.name": "a7"})
    t.server("web#", a, resource={"host.name": "a8"})
    one = t.server("cart#", resource={"process.pid": 7})
    t.server("cart#", one, resource={"process.pid": 8})
    return expected(
        """
        client -> web: 1 server_only
        web -> web: 1 server_only
        client -> cart: 1 server_only
        cart -> cart: 1 server_only
        """,
        instances="""
        client -> web |  | a7:0: 1
        web -> web | a7:0 | a8:0: 1
        client -> cart |  | :7: 1
        cart -> cart | :7 | :8: 1
        """,
    )


@case("R1.3")
def without_an_id_a_pod_is_the_instance(t):
    """`k8s.pod.uid` tells instances apart where no instance id does, before host and process."""
    web = t.server("web#", resource={"k8s.pod.uid": "pod-a", "process.pid": 1})
    t.server("web#", web, resource={"k8s.pod.uid": "pod-b", "process.pid": 1})
    return expected("""
        client -> web: 1 server_only
        web -> web: 1 server_only
    """)


@case("R1.3")
def a_service_that_names_no_instance_has_one(t):
    """Spans that name no instance, host or process are all of one instance: a nested server is no call."""
    web = t.server("web#")
    t.server("web#", web)
    return expected("client -> web: 1 server_only")


@case("R1.4", "D16")
def a_span_delivered_twice_counts_once(t):
    """An exporter that got no answer sends its request again: nothing counts twice."""
    spans = call(t)
    t.later()
    for span in spans:
        t.again(span)
    return expected(WEB_CART, refused={"duplicate": 3})


@case("R1.4", "D16")
def a_span_twice_in_one_request_counts_once(t):
    """A copy within one request is a duplicate as well."""
    *_, cart = call(t)
    t.again(cart)
    return expected(WEB_CART, refused={"duplicate": 1})


@case("R1.4", "D13", "Zipkin")
def a_whole_stream_sent_again_after_a_restart_changes_nothing(t):
    """An agent that restarts replays what it kept: sums come from distinct spans, no counter starts over.

    Zipkin's linker, given the same trace twice, says two calls: it counts what it is given. Here a span counts once.
    """
    first = call(t)
    t.other_trace()
    second = call(t)
    for _ in range(2):
        t.later()
        for span in (*second, *first):
            t.again(span)
    return expected(
        """
        client -> web: 2 server_only
        web -> cart: 2 both
        """,
        refused={"duplicate": 12},
    )


@case("R1.4")
def of_two_that_differ_the_first_counts(t):
    """The same span with other content: the first in the log counts, the other is counted as conflicting."""
    *_, cart = call(t)
    t.later()
    t.again(cart, error=True, end=cart.start + 900_000_000)
    t.ordered = True
    return expected(WEB_CART, refused={"conflicting_duplicate": 1})


@case("R1.4")
def the_first_counts_even_if_it_is_the_one_that_failed(t):
    """Which of two conflicting spans is better cannot be known: what came first stays."""
    web = t.server("web")
    out = t.client("web", web)
    cart = t.server("cart", out, error=True)
    t.later()
    t.again(cart, error=False)
    t.ordered = True
    return expected(
        """
        client -> web: 1 server_only
        web -> cart: 1 both; errors 1
        """,
        refused={"conflicting_duplicate": 1},
    )


@case("R1.4")
def another_peer_or_another_entry_is_a_conflict(t):
    """What a span says about its peer, or about its caller, is content too."""
    web = t.server("web")
    out = t.client("web", web, attributes={"peer.service": "cart"})
    lost = t.missing()
    cart = t.server("cart", lost, state=lost.entry("web", "w1"))
    t.later()
    t.again(out, attributes={"peer.service": "stock"})
    t.again(cart, state=lost.entry("shop", "s1"))
    t.ordered = True
    return expected(
        """
        client -> web: 1 server_only
        web -> cart: 1 client_only, 1 server_only
        """,
        refused={"conflicting_duplicate": 2},
    )


@case("R1.5")
def eight_spans_may_share_an_id(t):
    """Nine instances gave one id, a sign of a broken tracer. Eight count, the ninth is left out, and counted as such."""
    web = t.server("web")
    out = t.client("web", web)
    one = t.server("cart#1", out)
    for number in range(2, 10):
        t.server(f"cart#{number}", out, id=one.id)
    t.ordered = True
    return expected(
        """
        client -> web: 1 server_only
        web -> cart: 8 both
        """,
        refused={"crowded_id": 1},
    )


@case("R1.6", "D5", "Zipkin")
def the_two_halves_of_a_zipkin_call_share_an_id(t):
    """In Zipkin a server joins the client's span: both halves bear one id and name the same parent."""
    web = t.server("web")
    out = t.client("web", web)
    cart = t.server("cart", web, id=out.id)
    t.client("cart", cart, attributes={"peer.service": "stock"})
    return expected("""
        client -> web: 1 server_only
        web -> cart: 1 both
        cart -> stock: 1 client_only
    """)


@case("R1.6", "D5", "Zipkin")
def a_server_half_may_have_lost_its_parent_id(t):
    """Zipkin's `server missing parent id`: the server half shares its id and names no parent. It is no root."""
    arn = t.client("arn")
    t.server("link", id=arn.id)
    return expected("arn -> link: 1 both")


@case("R1.6", "D5", "Zipkin")
def a_shared_id_is_found_in_any_order(t):
    """The server half, and what it calls, come a request earlier than the client half."""
    web = t.server("web")
    cart = t.server("cart", web)
    t.client("cart", cart, attributes={"peer.service": "stock"})
    t.later()
    t.client("web", web, id=cart.id, at=15)
    return expected("""
        client -> web: 1 server_only
        web -> cart: 1 both
        cart -> stock: 1 client_only
    """)


@case("R1.6", "D5")
def a_child_of_a_shared_id_belongs_to_the_half_of_its_own_service(t):
    """Two spans share the id that local spans name as their parent: each goes to the half of its own service.

    Web's server and cart's server are below local spans of web and of cart: the one is inside web, the other
    inside cart.
    """
    web = t.server("web")
    out = t.client("web", web)
    t.server("cart", web, id=out.id)
    at_cart, at_web = t.local("cart", out), t.local("web", out)
    t.client("cart", at_cart, attributes={"peer.service": "stock"})
    t.server("mail", at_web)
    return expected("""
        client -> web: 1 server_only
        web -> cart: 1 both
        web -> mail: 1 both
        cart -> stock: 1 client_only
    """)


@case("R1.6", "D5")
def a_foreign_child_of_a_shared_id_belongs_to_the_callee_half(t):
    """A third service's span below a shared id was called by the half that was called."""
    web = t.server("web")
    out = t.client("web", web)
    t.server("cart", web, id=out.id)
    t.server("stock", out)
    return expected("""
        client -> web: 1 server_only
        web -> cart: 1 both
        cart -> stock: 1 server_only
    """)


@case("R1.6")
def a_span_without_kind_does_not_join_a_shared_id(t):
    """Only callee sides join the client span whose id they share. Without a kind, the parent id alone is followed.

    So web's server span called cart, and nobody is known to have answered the client span.
    """
    web = t.server("web")
    out = t.client("web", web, attributes={"peer.service": "stock"})
    t.kindless("cart", web, id=out.id)
    return expected("""
        client -> web: 1 server_only
        web -> stock: 1 client_only
        web -> cart: 1 server_only
    """)


@case("R1.6")
def the_same_service_comes_before_another(t):
    """Web's second instance and cart gave the id that web's first instance names as its parent: web's it is."""
    web = t.server("web#2", at=20, lasts=5)
    t.server("cart", id=web.id, at=10, lasts=5)
    t.server("web#1", web, at=30)
    return expected("""
        client -> web: 1 server_only
        client -> cart: 1 server_only
        web -> web: 1 server_only
    """)


@case("R1.6")
def a_span_is_not_its_own_parent(t):
    """A span that names itself as its parent has a parent that never comes."""
    web = t.server("web")
    web.parent = web.id
    return expected("unknown -> web: 1 server_only")


@case("R1.6")
def a_tie_is_broken_by_names_not_by_arrival(t):
    """Two services gave the id that the callee names as its parent, with one start: the smaller name has it.

    The other one came first. Which came first is chance, and chance is no part of a graph.
    """
    zoo = t.client("zoo", at=10, lasts=5, attributes={"peer.service": "elsewhere"})
    ant = t.client("ant", at=10, lasts=5, id=zoo.id, attributes={"peer.service": "elsewhere"})
    t.later()
    t.server("cart", ant)
    return expected("""
        ant -> cart: 1 both
        zoo -> elsewhere: 1 client_only
    """)


@case("R1.7")
def a_parent_of_zeros_is_none(t):
    """A parent id of sixteen zeros, as some exporters write it, makes a root."""
    t.server("web", zero_parent=True)
    return expected("client -> web: 1 server_only")


@case("R1.8", "D6", "Zipkin")
def trace_ids_of_64_and_128_bits_meet(t):
    """A tracer that knows only the low half of the trace id still belongs to the trace.

    Web writes 32 digits, cart writes sixteen of them: the upper half is zeros.
    """
    web = t.server("web")
    out = t.client("web", web)
    t.server("cart", out, wide=False)
    return expected(WEB_CART)


@case("R1.8", "D6")
def mixed_widths_do_not_depend_on_the_order(t):
    """The span with the short trace id comes first, then the wide ones, then a wide copy of the first: still once."""
    web = t.server("web")
    out = t.client("web", web)
    cart = t.server("cart", out, wide=False)
    t.bodies = [[cart], [web, out]]
    t.later()
    t.again(cart, wide=True)
    return expected(WEB_CART, refused={"duplicate": 1})


@case("R1.8", "D8")
def equal_span_ids_of_two_traces_have_nothing_to_do_with_each_other(t):
    """Span ids are unique within a trace only; two traces here use the same ones."""
    web = t.server("web")
    out = t.client("web", web, attributes={"server.address": "cart.example"})
    t.other_trace()
    lone = t.server("cart", out, trace=t._trace)
    assert lone.trace != out.trace
    return expected("""
        client -> web: 1 server_only
        web -> external:cart.example: 1 client_only
        unknown -> cart: 1 server_only
    """)
