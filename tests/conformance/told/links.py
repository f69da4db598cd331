"""Section 2, last part: links of those who consume."""

from tests.conformance.story import case, expected


@case("R2.13")
def a_consumer_without_parent_was_called_by_what_it_links_to(t):
    """The messaging convention: a consumer starts a trace of its own and links to the producer.

    Neither names a channel, so the producer is the caller side of the call.
    """
    web = t.server("web")
    sent = t.producer("web", web)
    t.other_trace()
    t.consumer("mail", links=(sent,))
    return expected("""
        client -> web: 1 server_only
        web -> mail: 1 both
    """)


@case("R2.13")
def a_link_counts_before_the_span_that_it_names_has_come(t):
    """The consumer's request comes first, the producer's later."""
    web = t.server("web")
    sent = t.producer("web", web)
    t.other_trace()
    got = t.consumer("mail", links=(sent,))
    t.bodies = [[got], [web, sent]]
    return expected("""
        client -> web: 1 server_only
        web -> mail: 1 both
    """)


@case("R2.13")
def a_remote_parent_wins_over_a_link(t):
    """The parent is another service's: it called. The link is a remark."""
    sent = t.producer("web", t.server("web"))
    t.other_trace()
    other = t.producer("shop", t.server("shop"))
    t.consumer("mail", other, links=(sent,))
    return expected("""
        client -> web: 1 server_only
        web -> unknown:peer: 1 client_only
        client -> shop: 1 server_only
        shop -> mail: 1 both
    """)


@case("R2.13")
def the_first_link_that_names_somebody_wins(t):
    """Three links: to a span that never comes, to web, to shop. A call has one caller: web."""
    gone = t.missing()
    t.other_trace()
    web = t.producer("web", t.server("web"))
    t.other_trace()
    shop = t.producer("shop", t.server("shop"))
    t.other_trace()
    t.consumer("mail", links=(gone, web, shop))
    return expected("""
        client -> web: 1 server_only
        web -> mail: 1 both
        client -> shop: 1 server_only
        shop -> unknown:peer: 1 client_only
    """)


@case("R2.13")
def a_consumer_inside_its_own_poll_loop_follows_its_link(t):
    """The parent is a consumer span of the same instance, which leads nowhere: the link does."""
    sent = t.producer("web", t.server("web"))
    t.other_trace()
    polled = t.consumer("mail", name="poll")
    t.consumer("mail", polled, links=(sent,))
    return expected("""
        client -> web: 1 server_only
        web -> mail: 1 both
    """)


@case("R2.13")
def a_link_means_nothing_on_a_server_span(t):
    """Server spans link to all kinds of things (the request that filled a cache): they were called by their parent."""
    cause = t.client("batch", t.local("batch"), attributes={"peer.service": "cache"})
    t.other_trace()
    t.server("web", links=(cause,))
    return expected("""
        batch -> cache: 1 client_only
        client -> web: 1 server_only
    """)
