"""Section 3, first half: calls, peers, wrappers, caller entries."""

from tests.conformance.story import HTTP, case, expected
from tests.conformance.told.distinct import WEB_CART

OK, UNAVAILABLE = {"http.response.status_code": 200}, {"http.response.status_code": 503}


@case("R3.1", "D1")
def every_callee_of_a_fan_out_counts(t):
    """One client span, three server spans: a gateway asked three services with one request header."""
    web = t.server("web")
    out = t.client("web", web)
    for service in ("cart", "stock", "mail"):
        t.server(service, out)
    return expected("""
        client -> web: 1 server_only
        web -> cart: 1 both
        web -> stock: 1 both
        web -> mail: 1 both
    """)


@case("R3.1", "D1")
def a_callee_of_a_fan_out_may_come_later(t):
    """The second server span comes when the first pair has long been made."""
    web = t.server("web")
    out = t.client("web", web)
    t.server("cart", out)
    t.later()
    t.server("cart#2", out)
    return expected("""
        client -> web: 1 server_only
        web -> cart: 2 both
    """)


@case("R3.1", "D1")
def a_retry_behind_a_proxy_is_two_calls(t):
    """An invisible proxy retries: one client span, two server spans, the first failed. Web itself saw a success.

    The caller's outcome belongs to the first of the two; both calls are measured where they were served.
    """
    web = t.server("web")
    out = t.client("web", web, at=10, lasts=50, attributes=OK)
    t.server("cart#1", out, at=12, lasts=10, attributes=UNAVAILABLE)
    t.server("cart#2", out, at=30, lasts=20, attributes=OK)
    return expected("""
        client -> web: 1 server_only
        web -> cart: 2 both; errors 1; client 50; server 10 20
    """)


@case("R3.1", "D1")
def a_retry_by_the_client_is_as_many_calls_as_attempts(t):
    """Three attempts, each with a client span of its own; the last one succeeds."""
    web = t.server("web")
    for attempt, said in enumerate((UNAVAILABLE, UNAVAILABLE, OK)):
        resent = {"http.request.resend_count": attempt} if attempt else {}
        out = t.client("web", web, attributes=said | resent)
        t.server("cart", out, attributes=said)
    return expected("""
        client -> web: 1 server_only
        web -> cart: 3 both; errors 2; resends 2
    """)


@case("R3.1", "D1")
def a_hedged_request_is_two_calls(t):
    """The client asks two instances and takes the first answer; the other attempt is cancelled on both sides."""
    web = t.server("web")
    grpc = {"rpc.system.name": "grpc"}
    t.server("cart#1", t.client("web", web, attributes=grpc), attributes=grpc)
    late = grpc | {"error.type": "CANCELLED"}
    t.server("cart#2", t.client("web", web, attributes=late, error=True), attributes=late, error=True)
    return expected("""
        client -> web: 1 server_only
        web -> cart: 2 both; outcomes ok 1, CANCELLED 1
    """)


@case("R3.1", "D1")
def a_message_delivered_again_is_another_call(t):
    """A broker delivers one message twice, as the first consumer failed."""
    web = t.server("web")
    sent = t.producer("web", web)
    t.consumer("mail#1", sent, error=True)
    t.consumer("mail#2", sent)
    return expected("""
        client -> web: 1 server_only
        web -> mail: 2 both; errors 1
    """)


@case("R3.2", "Zipkin")
def only_the_first_callee_carries_the_callers_side(t):
    """Zipkin's `client + 2 servers: 2 calls, 1 error`: the client span failed, both servers did well.

    The client's duration and its failure belong to one call, that of the callee which started first. Which one came
    first over the network does not matter.
    """
    out = t.client("web", t.server("web"), at=10, lasts=80, error=True)
    t.server("cart", out, at=40, lasts=20)
    t.later()
    t.server("stock", out, at=20, lasts=10)
    return expected("""
        client -> web: 1 server_only
        web -> stock: 1 both; errors 1; client 80; server 10
        web -> cart: 1 both; client; server 20
    """)


@case("R3.3", "Zipkin")
def a_client_span_without_callee_is_a_call_to_the_peer_it_names(t):
    """Two leaves that name their peer: two calls, seen by the client only (Zipkin: `two client leaves`)."""
    web = t.server("web")
    for _ in range(2):
        t.client("web", web, attributes={"service.peer.name": "stock"})
    return expected("""
        client -> web: 1 server_only
        web -> stock: 2 client_only
    """)


@case("R3.3", "Zipkin")
def a_root_client_needs_no_server_above(t):
    """A script calls a service that makes no spans."""
    t.client("script", attributes={"peer.service": "stock"})
    return expected("script -> stock: 1 client_only")


@case("R3.3", "R4.8", "Zipkin")
def a_client_span_that_says_nothing_calls_an_unknown_peer(t):
    """No peer, no host: it was a call, so it counts; Zipkin draws nothing where one name is lacking."""
    t.client("web", t.server("web"))
    return expected("""
        client -> web: 1 server_only
        web -> unknown:peer: 1 client_only
    """)


@case("R3.4", "D2")
def a_late_callee_takes_the_call_back_from_its_host(t):
    """The client span has long stood as a call to a host when the server span arrives: the call moves."""
    web = t.server("web")
    out = t.client("web", web, attributes={"server.address": "10.0.0.7", "server.port": 8080})
    t.later()
    t.server("cart", out)
    return expected(WEB_CART)


@case("R3.4", "D2")
def a_late_callee_takes_the_call_back_from_a_named_peer(t):
    """Even a peer that was named outright: what really answered has another name."""
    web = t.server("web")
    out = t.client("web", web, attributes={"peer.service": "cart-lb"})
    t.later()
    t.server("cart", out)
    return expected(WEB_CART)


@case("R3.4", "D2")
def a_late_caller_takes_the_call_back_from_the_unknown(t):
    """The callee first, alone: its caller is unknown until the caller's spans arrive."""
    web = t.server("web")
    out = t.client("web", web)
    cart = t.server("cart", out)
    t.bodies = [[cart], [web, out]]
    return expected(WEB_CART)


@case("R3.4", "D12")
def a_late_local_span_closes_the_gap(t):
    """The local span between the two sides comes last of all."""
    web = t.server("web")
    out = t.client("web", web)
    between = t.local("web", out)
    cart = t.server("cart", between)
    t.bodies = [[web, out, cart], [between]]
    return expected(WEB_CART)


# ---- wrappers


@case("R3.5")
def a_client_span_around_a_client_span_is_no_call(t):
    """A client library over HTTP makes a span, and the HTTP client below it makes another: one call."""
    web = t.server("web")
    sdk = t.client("web", web, name="Cart.Get")
    t.server("cart", t.client("web", sdk, attributes=HTTP))
    return expected(WEB_CART)


@case("R3.5")
def local_spans_in_between_do_not_hide_a_wrapper(t):
    """The inner client span lies below two local spans."""
    web = t.server("web")
    sdk = t.client("web", web)
    t.server("cart", t.client("web", t.local("web", t.local("web", sdk))))
    return expected(WEB_CART)


@case("R3.5")
def a_wrapper_is_withdrawn_when_the_inner_span_comes_later(t):
    """The wrapper came first, and stood as a call to the peer it names."""
    web = t.server("web")
    sdk = t.client("web", web, attributes={"peer.service": "cart"})
    t.later()
    t.server("cart", t.client("web", sdk))
    return expected(WEB_CART)


@case("R3.5")
def a_wrapper_around_retries_is_no_call_beside_them(t):
    """One logical call, two attempts: two calls, not three."""
    web = t.server("web")
    logical = t.client("web", web, name="Cart.Get")
    for said in (UNAVAILABLE, OK):
        t.server("cart", t.client("web", logical, attributes=said), attributes=said)
    return expected("""
        client -> web: 1 server_only
        web -> cart: 2 both; errors 1
    """)


@case("R3.5")
def a_client_span_of_the_service_that_was_called_makes_no_wrapper(t):
    """Web's client span, cart's server span, cart's client span: two calls, as the server lies in between."""
    web = t.server("web")
    cart = t.server("cart", t.client("web", web))
    t.client("cart", cart, attributes={"db.system.name": "redis"})
    return expected("""
        client -> web: 1 server_only
        web -> cart: 1 both
        cart -> database:redis/redis: 1 client_only
    """)


@case("R3.5")
def a_client_span_of_another_instance_makes_no_wrapper(t):
    """The inner client span is of another instance, which says nothing else: two calls."""
    web = t.server("web#1")
    out = t.client("web#1", web, attributes={"peer.service": "cart"})
    t.client("web#2", out, attributes={"peer.service": "stock"})
    return expected("""
        client -> web: 1 server_only
        web -> cart: 1 client_only
        web -> stock: 1 client_only
    """)


@case("R3.5")
def a_wrapper_can_still_be_the_callers_side(t):
    """The header was written from the outer span: the callee names that as its parent.

    The call is there with both sides. The inner span stands by itself; nothing ties the callee to it.
    """
    web = t.server("web")
    sdk = t.client("web", web)
    t.client("web", sdk, attributes={"server.address": "cart.example"})
    t.server("cart", sdk)
    return expected("""
        client -> web: 1 server_only
        web -> external:cart.example: 1 client_only
        web -> cart: 1 both
    """)


@case("R3.6")
def a_database_library_over_http_lends_its_name(t):
    """The outer span knows the database, the inner one only the host that HTTP goes to: one call to the database."""
    web = t.server("web")
    said = {"db.system.name": "elasticsearch", "db.namespace": "logs", "server.address": "es.example"}
    search = t.client("web", web, attributes=said)
    t.client("web", search, attributes=HTTP | {"server.address": "es.example", "server.port": 9200})
    return expected("""
        client -> web: 1 server_only
        web -> database:elasticsearch/es.example/logs: 1 client_only
    """)


@case("R3.6")
def the_nearest_wrapper_that_has_a_name_lends_it(t):
    """Three client spans: the outermost names a service, the middle one nothing, the inner one a host."""
    web = t.server("web")
    outer = t.client("web", web, attributes={"service.peer.name": "stock"})
    middle = t.client("web", t.local("web", outer))
    t.client("web", middle, attributes={"server.address": "10.0.0.7"})
    return expected("""
        client -> web: 1 server_only
        web -> stock: 1 client_only
    """)


@case("R3.6")
def a_name_is_not_lent_to_another_instance_or_through_a_server(t):
    """Only client spans around, in one instance and one request, know what the inner one calls."""
    web = t.server("web")
    out = t.client("web", web, attributes={"peer.service": "cart"})
    t.client("web#2", out, attributes={"server.address": "a.example"})
    again = t.client("web", web, attributes={"peer.service": "web-lb"})
    t.client("web", t.server("web", again), attributes={"server.address": "b.example"})
    return expected("""
        client -> web: 1 server_only
        web -> cart: 1 client_only
        web -> external:a.example: 1 client_only
        web -> web: 1 both
        web -> external:b.example: 1 client_only
    """)


@case("R3.6")
def a_local_span_lends_nothing(t):
    """A local span that names a database did not call it: what its client span names is what was called."""
    web = t.server("web")
    mapped = t.local("web", web, attributes={"db.system.name": "postgresql"})
    t.client("web", mapped, attributes={"server.address": "a.example"})
    return expected("""
        client -> web: 1 server_only
        web -> external:a.example: 1 client_only
    """)


@case("R3.6")
def an_inner_span_with_a_name_of_its_own_keeps_it(t):
    """An ORM's span names one database, the driver's span below it another: the driver knows better."""
    web = t.server("web")
    orm = t.client("web", web, attributes={"db.system.name": "other_sql", "db.namespace": "app"})
    t.client("web", orm, attributes={"db.system.name": "postgresql", "db.namespace": "orders"})
    return expected("""
        client -> web: 1 server_only
        web -> database:postgresql/orders: 1 client_only
    """)


# ---- caller entries


@case("R3.7", "D15")
def an_entry_and_a_client_span_are_one_call(t):
    """Both say the same: one call, seen by both sides."""
    web = t.server("web")
    out = t.client("web", web)
    t.server("cart", out, state=out.entry("web", "web-1"))
    return expected(WEB_CART)


@case("R3.7", "D15")
def a_client_span_replaces_the_entry_that_stood_for_it(t):
    """First the server span with its entry, then the client span."""
    web = t.server("web")
    out = t.client("web", web)
    cart = t.server("cart", out, state=out.entry("web", "web-1"))
    t.bodies = [[cart], [web, out]]
    return expected(WEB_CART)


@case("R3.7")
def a_lying_entry_loses_against_the_client_span(t):
    """The entry has the right span id and the wrong name. What spans say wins; the contradiction is counted."""
    web = t.server("web")
    out = t.client("web", web)
    t.server("cart", out, state=out.entry("admin", "root"))
    return expected(WEB_CART)


@case("R3.7")
def an_entry_is_percent_encoded(t):
    """Names in an entry may hold anything: a blank, a semicolon, a letter beyond ASCII."""
    lost = t.missing()
    t.server("cart", lost, state=lost.entry("b%C3%BCro%3B%20x", "i%201"))
    return expected("service:b%C3%BCro%3B%20x -> cart: 1 server_only")


@case("R3.7", "R4.2")
def an_entry_means_a_service_of_ones_own_environment(t):
    """The entry has no room for namespace and environment: those of the span that carries it are meant."""
    lost = t.missing()
    home = {"service.namespace": "shop", "deployment.environment.name": "prod"}
    t.server("cart", lost, state=lost.entry("web", "w1"), resource=home)
    return expected("service:prod/shop/web -> service:prod/shop/cart: 1 server_only")


@case("R3.7")
def other_members_of_tracestate_do_not_matter(t):
    """The entry is one member among others, with blanks around it; the first of its name counts."""
    lost = t.missing()
    state = f"congo=t61rcWkgMzE, {lost.entry('web', 'w1')} ,weft=0000000000000001;liar;x"
    t.server("cart", lost, state=state)
    return expected("web -> cart: 1 server_only")


@case("R3.7")
def an_entry_that_cannot_be_read_is_none(t):
    """Too few fields, digits that are none, bytes that are not encoded, more than 256 characters: no entry."""
    for number, value in enumerate(
        ("{id};web", "00000000000000xy;web;w1", "{id};we b;w1", "{id};" + "w" * 250 + ";w1")
    ):
        lost = t.missing()
        t.server(f"cart{number}", lost, state="weft=" + value.replace("{id}", f"{lost.id:016x}"))
    return expected("\n".join(f"unknown -> cart{number}: 1 server_only" for number in range(4)))


@case("R3.7")
def an_entry_has_at_most_256_characters(t):
    """Of two entries with long names, one has 256 characters, and one more than that."""
    for service, length in (("cart", 256), ("stock", 257)):
        lost = t.missing()
        t.server(service, lost, state=lost.entry("w" * (length - 16 - 1 - 3), "w1"))
    return expected(f"""
        {"w" * 236} -> cart: 1 server_only
        unknown -> stock: 1 server_only
    """)


@case("R3.8")
def a_stale_entry_is_no_caller(t):
    """A proxy with spans of its own passed tracestate on unchanged: the entry names the span before it.

    The proxy's spans never came. The entry says who called the proxy, not who called cart. With hints shown, the
    call stands as inferred, in place of the unknown caller; totals are the same either way.
    """
    asked = t.missing()
    proxy = t.missing(asked)
    t.server("cart", proxy, state=asked.entry("web", "web-1"))
    return expected(
        "unknown -> cart: 1 server_only",
        inferred="web -> cart: 1 inferred",
        totals=[0, 0],
    )


@case("R3.8")
def a_stale_entry_changes_nothing_where_spans_speak(t):
    """The proxy's spans are there: web -> proxy -> cart, whatever the entry says that cart was handed."""
    web = t.server("web")
    out = t.client("web", web)
    proxy = t.server("proxy", out, state=out.entry("web", "web-1"))
    t.server("cart", t.client("proxy", proxy), state=out.entry("web", "web-1"))
    edges = """
        client -> web: 1 server_only
        web -> proxy: 1 both
        proxy -> cart: 1 both
    """
    return expected(edges, inferred=edges)


@case("R3.8")
def a_stale_entry_on_a_root_is_nothing(t):
    """A root has no parent that an entry could be about: the client called."""
    lost = t.missing()
    t.server("web", state=lost.entry("shop", "s1"))
    edges = "client -> web: 1 server_only"
    return expected(edges, inferred=edges)
