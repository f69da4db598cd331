"""Section 5, first half: time, sides, outcomes, sums."""

from tests.conformance.story import BASE, HTTP, MS, case, expected

MINUTE = BASE // (60_000 * MS)
GRPC = {"rpc.system.name": "grpc"}


def outcomes(t, *said, calls, errors):
    """One call for each of the sets of attributes, which the server span says; `error` in one is its status."""
    web = t.server("web")
    for attributes in said:
        error = attributes.pop("error", False)
        t.server("cart", t.client("web", web), attributes=attributes, error=error)
    return expected(f"""
        client -> web: 1 server_only
        web -> cart: {len(said)} both; errors {errors}; outcomes {calls}
    """)


@case("R5.1")
def a_call_belongs_to_the_minute_of_its_callee(t):
    """The client span starts at the end of one minute, the server span in the next: the call is the callee's.

    Without a callee it is the caller's minute that counts.
    """
    web = t.server("web", at=59_980)
    t.server("cart", t.client("web", web, at=59_990), at=60_000)
    t.client("web", web, at=59_999, attributes={"peer.service": "stock"})
    return expected(
        """
        client -> web: 1 server_only
        web -> cart: 1 both
        web -> stock: 1 client_only
        """,
        minutes=f"""
        client -> web | {MINUTE}: 1
        web -> cart | {MINUTE + 1}: 1
        web -> stock | {MINUTE}: 1
        """,
    )


@case("R5.2", "D17")
def a_span_of_an_hour_ago_counts_an_hour_ago(t):
    """A request that was queued for an hour arrives now: it changes the minute in which it happened."""
    t.server("web")
    t.later()
    t.server("web", at=-3_600_000)
    return expected(
        "client -> web: 2 server_only",
        minutes=f"""
        client -> web | {MINUTE - 60}: 1
        client -> web | {MINUTE}: 1
        """,
    )


@case("R5.3", "D3")
def a_side_that_was_never_seen_has_no_duration(t):
    """A call to a database has no server side, the call of a client no client side. Neither is 0."""
    web = t.server("web", at=0, lasts=30)
    t.client("web", web, at=5, lasts=12, attributes={"db.system.name": "redis"})
    return expected("""
        client -> web: 1 server_only; client; server 30
        web -> database:redis/redis: 1 client_only; client 12; server
    """)


@case("R5.3", "D17")
def each_side_is_measured_by_its_own_clock(t):
    """The clock of cart is an hour and a half behind: durations are differences on one clock, so nothing changes."""
    web = t.server("web", at=0, lasts=50)
    out = t.client("web", web, at=10, lasts=30)
    t.server("cart", out, at=-5_400_000, lasts=20)
    return expected("""
        client -> web: 1 server_only; server 50
        web -> cart: 1 both; client 30; server 20
    """)


@case("R5.3", "D17")
def a_span_that_ends_before_it_starts_has_lasted_nothing(t):
    """A clock that was set back in between: the duration is 0, never negative."""
    t.server("web", at=10, lasts=-8)
    return expected("client -> web: 1 server_only; server 0")


# ---- outcomes


@case("R5.4")
def a_4xx_is_no_error(t):
    """The callee did its part. It is a class of its own, even if a span is marked as failed for it."""
    return outcomes(
        t,
        {"http.response.status_code": 400},
        {"http.response.status_code": 404, "error": True},
        {"http.response.status_code": 499},
        {"http.status_code": 429, "error.type": "429"},
        {"http.response.status_code": 302},
        calls="4xx 4, ok 1",
        errors=0,
    )


@case("R5.4")
def a_5xx_is_an_error(t):
    """Marked as failed or not, by the new name or the old."""
    return outcomes(
        t,
        {"http.response.status_code": 500, "error": True},
        {"http.response.status_code": 503},
        {"http.status_code": 502},
        {"http.response.status_code": 599},
        calls="5xx 4",
        errors=4,
    )


@case("R5.4")
def rpc_codes_that_blame_the_caller_are_no_errors(t):
    """What 4xx is to HTTP. The code may come as text, as gRPC's number, or as the type of the error."""
    return outcomes(
        t,
        GRPC | {"rpc.response.status_code": "NOT_FOUND", "error": True},
        {"rpc.system": "grpc", "rpc.grpc.status_code": 7, "error": True},
        GRPC | {"error.type": "ABORTED", "error": True},
        {"rpc.system": "connect_rpc", "rpc.connect_rpc.error_code": "not_found"},
        {"rpc.system": "grpc", "error.type": "OUT_OF_RANGE", "error": True},
        GRPC | {"rpc.status_code": "UNAUTHENTICATED"},
        {"rpc.system": "grpc", "rpc.grpc.status_code": 16},
        GRPC | {"rpc.response.status_code": "OK"},
        calls="NOT_FOUND 2, PERMISSION_DENIED 1, ABORTED 1, OUT_OF_RANGE 1, UNAUTHENTICATED 2, ok 1",
        errors=0,
    )


@case("R5.4")
def rpc_codes_that_blame_the_callee_are_errors(t):
    """UNKNOWN, DEADLINE_EXCEEDED, UNIMPLEMENTED, INTERNAL, UNAVAILABLE, DATA_LOSS."""
    return outcomes(
        t,
        GRPC | {"rpc.response.status_code": "UNAVAILABLE"},
        {"rpc.system": "grpc", "rpc.grpc.status_code": 4},
        GRPC | {"error.type": "INTERNAL", "error": True},
        calls="UNAVAILABLE 1, DEADLINE_EXCEEDED 1, INTERNAL 1",
        errors=3,
    )


@case("R5.4")
def a_code_without_rpc_is_any_error(t):
    """`error.type` NOT_FOUND on a span that is of no rpc is somebody's own error class."""
    return outcomes(t, {"error.type": "NOT_FOUND"}, calls="exception 1", errors=1)


@case("R5.4")
def timeouts_and_refused_connections_are_told_apart(t):
    """By the words in `error.type`, as languages spell them."""
    return outcomes(
        t,
        {"error.type": "requests.exceptions.ConnectTimeout", "error": True},
        {"error.type": "timeout", "error": True},
        {"error.type": "context.deadlineExceededError", "error": True},
        {"error.type": "ConnectionRefusedError", "error": True},
        {"error.type": "ETIMEDOUT", "error": True},
        {"error.type": "ECONNREFUSED", "error": True},
        {"error.type": "ValueError", "error": True},
        {"error": True},
        {"error.type": "ValueError"},
        calls="timeout 4, refused 2, exception 3",
        errors=9,
    )


@case("R5.4", "Zipkin")
def an_annotation_called_error_is_no_error(t):
    """Only status and outcome attributes say that a span failed: an event by that name does not."""
    web = t.server("web", events=("error",))
    t.client("web", web, events=("error",), attributes={"peer.service": "stock"})
    return expected("""
        client -> web: 1 server_only; errors 0
        web -> stock: 1 client_only; errors 0
    """)


@case("R5.5", "Zipkin")
def either_side_makes_the_call_fail_and_only_once(t):
    """One call, and both sides say that it failed: one error. Then the callee alone says so, then the caller alone."""
    web = t.server("web")
    for caller, callee in ((True, True), (False, True), (True, False)):
        t.server("cart", t.client("web", web, error=caller), error=callee)
    return expected("""
        client -> web: 1 server_only
        web -> cart: 3 both; errors 3; outcomes exception 3
    """)


@case("R5.5")
def the_callers_timeout_is_the_calls_outcome_if_the_callee_went_on(t):
    """The caller gave up, the callee finished well a little later: timeout."""
    web = t.server("web")
    out = t.client("web", web, attributes={"error.type": "timeout"}, error=True)
    t.server("cart", out, attributes=HTTP)
    return expected("""
        client -> web: 1 server_only
        web -> cart: 1 both; errors 1; outcomes timeout 1
    """)


@case("R5.5")
def the_callees_failure_says_more_than_the_callers(t):
    """The callee raised an exception and answered 500: its own word counts. A mere 4xx of the caller is kept too."""
    web = t.server("web")
    out = t.client("web", web, attributes={"error.type": "timeout"}, error=True)
    t.server("cart", out, attributes={"http.response.status_code": 500})
    t.server("cart", t.client("web", web, attributes={"http.response.status_code": 404}))
    return expected("""
        client -> web: 1 server_only
        web -> cart: 2 both; errors 1; outcomes 5xx 1, 4xx 1
    """)


@case("R5.5", "Zipkin")
def an_error_needs_somebody_who_was_called(t):
    """Zipkin's `both sides named: web -> app 1, app -> db 1 (1 error)`: the failure stays on its own edge."""
    web = t.server("web")
    app = t.server("app", t.client("web", web))
    t.client("app", app, error=True, attributes={"peer.service": "db"})
    return expected("""
        client -> web: 1 server_only
        web -> app: 1 both
        app -> db: 1 client_only; errors 1
    """)


# ---- sums


@case("R5.6", "R3.7", "Zipkin")
def the_four_counts_of_completeness_add_up(t):
    """One edge, seen in every way: by both sides, by the client alone, by the server alone."""
    web = t.server("web")
    t.server("cart", t.client("web", web))
    t.client("web", web, attributes={"service.peer.name": "cart"}, error=True)
    t.server("cart", web)
    lost = t.missing(web)
    t.server("cart", lost, state=lost.entry("web", "web-1"))
    return expected("""
        client -> web: 1 server_only
        web -> cart: 1 both, 1 client_only, 2 server_only; errors 1
    """)


@case("R5.8")
def operations_and_instances_add_up_to_services(t):
    """Four calls of two instances to two operations: whichever way they are grouped, it is four."""
    web = t.server("web")
    for instance, operation in ((1, "GET /a"), (1, "GET /b"), (2, "GET /a"), (2, "GET /a")):
        t.server(f"cart#{instance}", t.client("web", web), name=operation)
    return expected(
        """
        client -> web: 1 server_only
        web -> cart: 4 both
        """,
        operations="""
        client -> web | GET /web: 1
        web -> cart | GET /a: 3
        web -> cart | GET /b: 1
        """,
        instances="""
        client -> web |  | web-1: 1
        web -> cart | web-1 | cart-1: 2
        web -> cart | web-1 | cart-2: 2
        """,
    )


@case("R5.8")
def the_operation_of_a_call_to_a_peer_is_the_callers(t):
    """Nobody else has a name for it."""
    t.client("web", t.server("web"), name="SELECT orders", attributes={"db.system.name": "postgresql"})
    return expected(
        """
        client -> web: 1 server_only
        web -> database:postgresql/postgresql: 1 client_only
        """,
        operations="""
        client -> web | GET /web: 1
        web -> database:postgresql/postgresql | SELECT orders: 1
        """,
    )


@case("R5.9")
def an_edge_says_how_it_is_called(t):
    """http, rpc, messaging, database or other: by the callee's span, else by the caller's."""
    web = t.server("web", attributes=HTTP)
    t.server("cart", t.client("web", web, attributes=HTTP), attributes=HTTP)
    t.server("cart", t.client("web", web, attributes=GRPC))
    t.server("cart", t.client("web", web))
    t.client("web", web, attributes={"db.system.name": "redis"})
    t.producer("web", web, attributes={"messaging.system": "kafka", "messaging.destination.name": "orders"})
    for said in (
        {"http.method": "GET"},
        {"url.full": "http://a/"},
        {"http.url": "http://a/"},
        {"http.status_code": 200},
    ):
        t.server("stock", t.client("web", web, attributes={"rpc.system": "grpc"}), attributes=said)
    for said in ({"db.system": "redis"}, {"rpc.system": "grpc"}, {"http.response.status_code": 200}):
        t.server("mail", web, attributes=said)
    for word in ("system", "destination.name", "destination"):
        t.server("push", web, attributes=HTTP | {f"messaging.{word}": "x"})
    return expected("""
        client -> web: 1 server_only; connections http 1
        web -> cart: 3 both; connections http 1, rpc 1, other 1
        web -> database:redis/redis: 1 client_only; connections database 1
        web -> channel:kafka/orders: 1 client_only; connections messaging 1
        web -> stock: 4 both; connections http 4
        web -> mail: 3 server_only; connections database 1, rpc 1, http 1
        web -> push: 3 server_only; connections messaging 3
    """)


@case("R5.10")
def attempts_that_were_sent_again_are_counted(t):
    """`http.request.resend_count`, by its old name too: how many calls were repetitions."""
    web = t.server("web")
    for said in ({}, {"http.request.resend_count": 1}, {"http.resend_count": 2}):
        t.client("web", web, attributes=HTTP | said | {"server.address": "api.example"})
    return expected("""
        client -> web: 1 server_only
        web -> external:api.example: 3 client_only; resends 2
    """)
