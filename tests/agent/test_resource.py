import os

import weft
from weft.resource import describe, forked, unknown_service
from weft.settings import read


def described(environ=None, **arguments):
    return describe(read(environ or {}, arguments))


def test_it_says_who_where_and_with_what():
    found = described(service="cart").attributes
    assert found["service.name"] == "cart"
    assert len(found["service.instance.id"]) == 36
    assert found["process.pid"] == os.getpid()
    assert found["host.name"]
    assert (found["telemetry.sdk.name"], found["telemetry.sdk.language"]) == ("weft", "python")
    assert found["telemetry.sdk.version"] == weft.__version__


def test_attributes_of_the_environment():
    environ = {
        "OTEL_RESOURCE_ATTRIBUTES": "service.name=x,service.version=2,"
        "deployment.environment.name=prod,service.instance.id=i"
    }
    found = described(environ).attributes
    assert (found["service.name"], found["service.instance.id"]) == ("x", "i")
    assert (found["service.version"], found["deployment.environment.name"]) == ("2", "prod")
    assert described(environ, service="y").service == "y"
    assert described({**environ, "OTEL_SERVICE_NAME": "z"}).service == "z"


def test_a_nameless_service_is_named_by_its_program(monkeypatch):
    monkeypatch.setattr("sys.argv", ["/opt/shop/main.py"])
    assert unknown_service() == described().service == "unknown_service:main.py"


def test_two_agents_are_two_instances_and_a_fork_is_a_third():
    one, two = described(service="a"), described(service="a")
    child = forked(one)
    assert len({one.instance, two.instance, child.instance}) == 3
    assert child.service == "a"
    assert one != two
