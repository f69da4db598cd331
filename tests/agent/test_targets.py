import pytest

from weft.targets import MAX_REMEMBERED, Targets


@pytest.mark.parametrize(
    "host",
    [
        "localhost", "LOCALHOST", "127.0.0.1", "127.1.2.3", "::1", "[::1]", "10.1.2.3", "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1", "169.254.3.4", "fe80::1", "fe80::1%eth0", "fd00::1", "::ffff:10.0.0.1", "cart",
        "cart-2", "my_cart",
        "cart.local", "cart.internal", "cart.shop.svc", "cart.shop.svc.cluster.local", "cart.local.",
        "a.localhost",
    ],
)  # fmt: skip
def test_private_hosts_are_told(host):
    assert Targets(("private",)).allows(host)


@pytest.mark.parametrize(
    "host",
    [
        "", "example.com", "8.8.8.8", "172.32.0.1", "11.0.0.1", "2001:db8::1", "::ffff:8.8.8.8",
        "134744072", "0x08080808",
        "local.example.com", "evil-internal.com", "svc.example.com", "ai.", "notlocal.com", "a.b",
    ],
)  # fmt: skip
def test_public_hosts_are_not(host):
    assert not Targets(("private",)).allows(host)


def test_named_hosts_suffixes_and_networks():
    targets = Targets(("api.example.com", "*.shop.example", "203.0.113.0/24", "2001:db8::/32"))
    assert [
        targets.allows(host)
        for host in ("api.example.com", "API.example.com.", "a.shop.example", "203.0.113.9", "2001:db8::5")
    ] == [True] * 5
    assert [
        targets.allows(host)
        for host in ("example.com", "shop.example", "203.0.114.9", "localhost", "127.0.0.1")
    ] == [False] * 5


def test_all_and_none():
    assert Targets(("*",)).allows("example.com")
    assert not Targets(()).allows("localhost")


def test_the_memory_of_hosts_is_bounded():
    targets = Targets(("private",))
    for n in range(3 * MAX_REMEMBERED):
        targets.allows(f"host{n}.example.com")
    assert len(targets._known) <= MAX_REMEMBERED
