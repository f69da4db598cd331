import pytest
from google.rpc.status_pb2 import Status

from weft_collector.api.security import AccessRules

PAGES = [
    "/",
    "/docs",
    "/openapi.json",
    "/healthz",
    "/readyz",
    "/api/v1/graph",
    "/api/v1/status",
    "/v1/traces",
    "/nothing",
]


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:4318", "localhost.evil.example", "127.0.0.1.evil.example"]
)
def test_a_rebound_name_is_answered_on_no_path(collector, path, host):
    response = collector.request("GET", path, headers={"host": host})
    assert response.status_code == 403
    assert "allowed_hosts" in response.text


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:4318", "127.0.0.1", "127.1.2.3:80", "[::1]:4318", "shop.localhost"]
)
def test_loopback_names_are_always_answered(collector, host):
    assert collector.request("GET", "/healthz", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["localhost@evil.example", "localhost,evil.example", "localhost/x", "", "[::1", "a b", "\x00"]
)
def test_a_host_that_is_none_is_refused(host):
    assert not AccessRules(hosts=frozenset({"a"})).knows(host)


def test_listed_names_are_answered(make_collector):
    collector = make_collector(allowed_hosts=("Weft.Example",))
    assert collector.request("GET", "/healthz", headers={"host": "weft.example:4318"}).status_code == 200


@pytest.mark.parametrize(("listens_on", "answered"), [("127.0.0.1", False), ("0.0.0.0", True)])
def test_numbers_are_answered_where_the_collector_listens_beyond_loopback(listens_on, answered):
    rules = AccessRules.of(listens_on, (), ())
    assert rules.knows("192.168.1.5:4318") is answered
    assert not rules.knows("evil.example")


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://127.0.0.1:9999", "http://127.0.0.1:4318.evil.example"]
)
def test_a_page_of_another_origin_cannot_send_spans(collector, origin):
    response = collector.post(b"", origin=origin)
    assert response.status_code == 403
    assert "allowed_origins" in Status.FromString(response.content).message
    assert collector.parts.telemetry.value("bodies_accepted") == 0


def test_our_own_page_and_programs_can_send_spans(collector):
    assert collector.post(b"", origin="http://127.0.0.1:4318").status_code == 200
    assert collector.post(b"").status_code == 200


def test_a_listed_origin_can_send_spans_and_nothing_else(make_collector):
    collector = make_collector(allowed_origins=("https://shop.example",))
    asks = {"origin": "https://shop.example", "access-control-request-method": "POST"}
    preflight = collector.request("OPTIONS", "/v1/traces", headers=asks)
    assert preflight.status_code == 204
    assert preflight.headers["access-control-allow-origin"] == "https://shop.example"
    assert "content-type" in preflight.headers["access-control-allow-headers"]
    sent = collector.post(b"", origin="https://shop.example")
    assert sent.status_code == 200
    assert sent.headers["access-control-allow-origin"] == "https://shop.example"
    read = collector.request("GET", "/api/v1/graph", headers={"origin": "https://shop.example"})
    assert "access-control-allow-origin" not in read.headers


def test_an_unlisted_origin_gets_no_preflight(collector):
    asks = {"origin": "https://evil.example", "access-control-request-method": "POST"}
    response = collector.request("OPTIONS", "/v1/traces", headers=asks)
    assert response.status_code == 405
    assert "access-control-allow-origin" not in response.headers


@pytest.mark.parametrize("path", PAGES)
def test_every_answer_forbids_sniffing_framing_and_foreign_content(collector, path):
    headers = collector.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe-eval" not in policy
    assert "http" not in policy
    assert "script-src 'unsafe" not in policy


def test_a_defect_says_nothing_of_the_inside_and_is_guarded_too(collector):
    def broken(*_args, **_options):
        raise RuntimeError("the password is swordfish")

    object.__setattr__(collector.parts, "derived", None)
    collector.parts.graphs.table = broken
    response = collector.get("/api/v1/graph")
    assert response.status_code == 500
    assert response.json()["type"] == "urn:weft:problem:server-failed"
    assert "swordfish" not in response.text
    assert response.headers["x-content-type-options"] == "nosniff"
