"""Section 5, second half: weights of sampled spans, counts of agents, queueing."""

from tests.conformance.story import case, expected

# ---- sampling


@case("R5.11")
def a_sampled_span_stands_for_several(t):
    """`ot=th:8`: half of the traces were dropped, so each call stands for two. `th:c` is one in four."""
    web = t.server("web", state="ot=th:8")
    t.server("cart", t.client("web", web, state="ot=th:8"), state="ot=th:c")
    return expected("""
        client -> web: 1 server_only; adjusted 2.0
        web -> cart: 1 both; adjusted 4.0
    """)


@case("R5.11")
def a_call_weighs_what_the_span_weighs_that_identifies_it(t):
    """The callee's threshold where there is a callee; the caller's for a call to a peer."""
    web = t.server("web", state="ot=th:0")
    t.server("cart", t.client("web", web, state="ot=th:c"), state="ot=th:8")
    t.client("web", web, state="ot=th:c", attributes={"peer.service": "stock"})
    return expected("""
        client -> web: 1 server_only; adjusted 1.0
        web -> cart: 1 both; adjusted 2.0
        web -> stock: 1 client_only; adjusted 4.0
    """)


@case("R5.11")
def a_threshold_has_up_to_fourteen_digits(t):
    """`th:fd70a3d70a3d71` keeps one in a hundred. Weights are whole multiples of 2^-20: 100 it is, rounded down."""
    t.server("web", state="ot=th:fd70a3d70a3d71")
    return expected("client -> web: 1 server_only; adjusted 100.0")


@case("R5.11")
def a_random_value_beside_the_threshold(t):
    """`rv` is what the decision was made with: at least the threshold, or the span would not be there.

    The second one contradicts itself, so its threshold is not believed; the third threshold is no number.
    """
    t.server("web", state="ot=th:8;rv:9b8233f7e3a151")
    t.server("web", state="ot=th:8;rv:80000000000000")
    t.server("cart", state="ot=rv:6e6d1a75832a2f;th:8")
    t.server("mail", state="ot=th:8g")
    return expected("""
        client -> web: 2 server_only; adjusted 4.0
        client -> cart: 1 server_only; adjusted 1.0
        client -> mail: 1 server_only; adjusted 1.0
    """)


@case("R5.11")
def no_span_stands_for_more_than_a_million_calls(t):
    """A threshold that keeps one of 2^56 is a mistake, or malice: a weight is at most 2^20."""
    t.server("web", state="ot=th:ffffffffffffff")
    return expected("client -> web: 1 server_only; adjusted 1048576.0")


@case("R5.11")
def other_members_beside_the_sampling_state(t):
    """The member `ot` among others, with fields that are not known."""
    lost = t.missing()
    t.server("cart", lost, state=f"{lost.entry('web', 'w1')},ot=p:8;th:8,congo=x")
    return expected("web -> cart: 1 server_only; adjusted 2.0")


# ---- edge counts

FROM_WEB = {"weft.caller": "web;web-1"}


@case("R5.12")
def the_agents_own_counts_replace_weights(t):
    """cart's agent has counted 40 calls in the minute; the one span of it is an example, whatever it weighs."""
    web = t.server("web")
    t.server("cart", t.client("web", web), state="ot=th:8")
    t.counted("cart", 40, **FROM_WEB)
    return expected("""
        client -> web: 1 server_only; adjusted 1.0
        web -> cart: 1 both; adjusted 40.0
    """)


@case("R5.12")
def a_count_delivered_twice_counts_once(t):
    """The same point of the same stream; a point of another minute is another one."""
    t.server("cart", at=1)
    t.counted("cart", 40)
    t.counted("cart", 40)
    t.counted("cart", 2, start=60_000)
    return expected("client -> cart: 1 server_only; adjusted 42.0")


@case("R5.12")
def counts_of_an_instance_say_nothing_about_another(t):
    """Instance 1 counts, instance 2 does not: the spans of the latter keep their weights. So do other minutes."""
    t.server("cart#1", state="ot=th:8", at=1)
    t.server("cart#2", state="ot=th:8", at=2)
    t.server("cart#1", state="ot=th:8", at=60_000)
    t.counted("cart#1", 40)
    return expected("client -> cart: 3 server_only; adjusted 44.0")


@case("R5.12")
def a_caller_counts_only_what_nobody_else_can(t):
    """Towards a database, a channel or a host the caller's own count stands; a service that was called counts itself.

    web counts 7 calls to cart, which are left out, 9 to redis and 3 to a host. cart sends no counts, so the call to it
    weighs what its span weighs; mail does, so the one call whose server span was lost is in there.
    """
    web = t.server("web", at=1)
    t.client("web", web, attributes={"db.system.name": "redis"})
    t.client("web", web, attributes={"peer.service": "cart"}, state="ot=th:8")
    t.client("web", web, attributes={"peer.service": "mail"}, state="ot=th:8")
    t.client("web", web, attributes={"server.address": "api.example"})
    t.counted("web", 1)
    t.counted("web", 3, side="caller", **{"server.address": "api.example"})
    t.counted("mail", 5, **FROM_WEB)
    t.counted("web", 9, side="caller", **{"db.system.name": "redis"})
    t.counted("web", 7, side="caller", **{"peer.service": "cart"})
    return expected("""
        client -> web: 1 server_only; adjusted 1.0
        web -> database:redis/redis: 1 client_only; adjusted 9.0
        web -> cart: 1 client_only; adjusted 2.0
        web -> mail: 1 client_only; adjusted 5.0
        web -> external:api.example: 1 client_only; adjusted 3.0
    """)


# ---- the one figure with two clocks


@case("R5.13")
def a_message_waits_from_publishing_to_processing(t):
    """From the start of the producer's span to the start of the consumer's, raw.

    A negative one is kept: clocks differ.
    """
    said = {"messaging.system": "kafka", "messaging.destination.name": "orders"}
    for sent_at, got_at in ((0, 250), (100, 90)):
        sent = t.producer("web", at=sent_at, attributes=said)
        t.consumer("mail", sent, at=got_at, attributes=said)
    return expected("""
        web -> channel:kafka/orders: 2 client_only
        channel:kafka/orders -> mail: 2 server_only; queueing 250 -10
    """)


@case("R5.15", "D20")
def what_is_hidden_changes_no_total(t):
    """Unknown callers, hints and derived edges can be shown or not: the totals are those of the edges that are sure."""
    web = t.server("web")
    said = {"messaging.system": "kafka", "messaging.destination.name": "orders"}
    t.consumer("mail", t.producer("web", web, attributes=said), attributes=said)
    t.server("cart", t.missing(), error=True)
    lost = t.missing()
    t.server("stock", t.missing(lost), state=lost.entry("web", "web-1"))
    return expected(
        """
        client -> web: 1 server_only
        web -> channel:kafka/orders: 1 client_only
        channel:kafka/orders -> mail: 1 server_only
        unknown -> cart: 1 server_only; errors 1
        unknown -> stock: 1 server_only
        """,
        inferred="""
        client -> web: 1 server_only
        web -> channel:kafka/orders: 1 client_only
        channel:kafka/orders -> mail: 1 server_only
        unknown -> cart: 1 server_only; errors 1
        web -> stock: 1 inferred
        """,
        totals=[3, 0],
    )
