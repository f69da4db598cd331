import socket
from dataclasses import replace

import pytest

from weft_collector.cli.exits import PortTaken
from weft_collector.cli.listening import address_of, hold, listen, local_url, port_of
from weft_collector.config import BadSetting, Config

CONFIG = Config.load({}, {"port": 0, "grpc_port": 0})


def test_port_0_takes_a_free_one():
    with listen(CONFIG) as opened:
        assert port_of(opened) > 0


def test_a_taken_port_is_told_with_the_next_free_one():
    with listen(CONFIG) as opened:
        with pytest.raises(PortTaken) as caught:
            listen(replace(CONFIG, port=port_of(opened)))
        offered = int(str(caught.value).partition("--port ")[2].partition(".")[0])
        with listen(replace(CONFIG, port=offered)) as second:
            assert port_of(second) == offered


@pytest.mark.parametrize("host", ["no-such-host.invalid", "198.51.100.7"])
def test_an_address_of_another_machine_is_a_wrong_setting(host):
    with pytest.raises(BadSetting, match=host):
        listen(replace(CONFIG, host=host))


@pytest.mark.parametrize(
    ("host", "url"),
    [("127.0.0.1", "http://127.0.0.1:5"), ("0.0.0.0", "http://127.0.0.1:5"), ("::1", "http://[::1]:5"),
     ("::", "http://[::1]:5"), ("localhost", "http://localhost:5")],
)  # fmt: skip
def test_the_url_is_one_that_this_machine_can_ask(host, url):
    assert local_url(replace(CONFIG, host=host), 5) == url


def test_ipv6_loopback_can_be_listened_on():
    if not socket.has_ipv6:
        return
    with listen(replace(CONFIG, host="::1")) as opened:
        assert opened.family == socket.AF_INET6


def test_the_port_of_grpc_is_held_against_everyone_but_who_shares_it():
    with hold(CONFIG) as held:
        port = port_of(held)
        for option, take in (("grpc_port", hold), ("port", listen)):
            with pytest.raises(PortTaken, match=f"Port {port}"):
                take(replace(CONFIG, **{option: port}))
        with socket.socket() as shared:
            shared.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            shared.bind(("127.0.0.1", port))
            shared.listen()
            socket.create_connection(("127.0.0.1", port)).close()


def test_a_taken_port_of_grpc_is_told_with_its_option():
    with listen(CONFIG) as opened:
        with pytest.raises(PortTaken) as caught:
            hold(replace(CONFIG, grpc_port=port_of(opened)))
        assert "weft serve --grpc-port" in str(caught.value)
        assert "-1 goes without gRPC" in str(caught.value)


def test_no_port_of_grpc_is_held_where_none_is_wanted():
    assert hold(replace(CONFIG, grpc_port=-1)) is None


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_the_address_is_written_as_grpc_reads_it(host):
    if ":" in host and not socket.has_ipv6:
        return
    with hold(replace(CONFIG, host=host)) as held:
        expected = f"[::1]:{port_of(held)}" if ":" in host else f"127.0.0.1:{port_of(held)}"
        assert address_of(held) == expected
