import socket

from weft_collector.demo import addresses


def test_ports_differ():
    chosen = addresses.choose([f"s{number}" for number in range(30)])
    assert len({port for _, port in chosen.values()}) == 30


def test_the_table_survives_the_environment(monkeypatch):
    table = {"a": ("127.0.0.1", 4001), "b-2": ("127.0.0.1", 4002)}
    monkeypatch.setenv(addresses.VARIABLE, addresses.to_text(table))
    assert addresses.from_environment() == table


def test_outside_the_demo_the_table_is_empty(monkeypatch):
    monkeypatch.delenv(addresses.VARIABLE, raising=False)
    assert addresses.from_environment() == {}


def test_a_listening_port_is_taken_and_answers():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        assert not addresses.is_free(port)
        assert addresses.answers(("127.0.0.1", port))
    assert addresses.is_free(port)
    assert not addresses.answers(("127.0.0.1", port))
