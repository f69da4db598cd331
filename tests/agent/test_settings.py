import logging
from dataclasses import fields

import pytest

from weft.errors import SettingError, WeftError
from weft.settings import READERS, SETTINGS, Options, Settings, read, traces_url


def test_the_table_the_values_and_the_options_have_the_same_names():
    names = [row.name for row in SETTINGS]
    assert names == [field.name for field in fields(Settings)]
    assert {*Options.__annotations__, "service", "collector"} == set(names)
    assert {row.type for row in SETTINGS} == set(READERS)
    assert all(row.meaning and row.env for row in SETTINGS)


def test_the_defaults():
    settings = read({}, {})
    assert settings.collector == "http://127.0.0.1:4318/v1/traces"
    assert (settings.service, settings.disabled, settings.sampler) == ("", False, "parentbased_always_on")
    assert (settings.propagate_to, settings.hooks) == (("private",), ("httpx", "sqlite3", "uvicorn"))
    assert (settings.timeout, settings.delay, settings.queue_spans, settings.batch_spans) == (
        10.0,
        1.0,
        16_384,
        2_048,
    )
    assert (settings.resource, settings.headers) == ({}, {})


@pytest.mark.parametrize(
    ("environ", "name", "value"),
    [
        ({"WEFT_SERVICE": "a", "OTEL_SERVICE_NAME": "b"}, "service", "a"),
        ({"OTEL_SERVICE_NAME": "b"}, "service", "b"),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://a/x"}, "collector", "http://a/x"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://a:1/"}, "collector", "http://a:1/v1/traces"),
        (
            {"WEFT_COLLECTOR": "http://a", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://b"},
            "collector",
            "http://b/v1/traces",
        ),
        ({"WEFT_COLLECTOR": "http://a/v1/traces"}, "collector", "http://a/v1/traces"),
        ({"OTEL_RESOURCE_ATTRIBUTES": "a=1, b=x%20y"}, "resource", {"a": "1", "b": "x y"}),
        ({"OTEL_SDK_DISABLED": "TRUE"}, "disabled", True),
        ({"OTEL_SDK_DISABLED": "1"}, "disabled", False),
        ({"OTEL_TRACES_SAMPLER": "always_off"}, "sampler", "always_off"),
        ({"WEFT_PROPAGATE_TO": "a, *.b"}, "propagate_to", ("a", "*.b")),
        ({"WEFT_PROPAGATE_TO": ""}, "propagate_to", ()),
        ({"WEFT_HOOKS": ""}, "hooks", ()),
        (
            {"OTEL_EXPORTER_OTLP_HEADERS": "authorization=Bearer%20x"},
            "headers",
            {"authorization": "Bearer x"},
        ),
        ({"OTEL_EXPORTER_OTLP_TIMEOUT": "2.5"}, "timeout", 2.5),
        ({"OTEL_BSP_SCHEDULE_DELAY": "250"}, "delay", 0.25),
        ({"OTEL_BSP_MAX_QUEUE_SIZE": "7"}, "queue_spans", 7),
        ({"OTEL_ATTRIBUTE_COUNT_LIMIT": "7"}, "attribute_count_limit", 7),
        (
            {"OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT": "8", "OTEL_ATTRIBUTE_COUNT_LIMIT": "7"},
            "attribute_count_limit",
            8,
        ),
    ],
)
def test_the_environment(environ, name, value):
    assert getattr(read(environ, {}), name) == value


@pytest.mark.parametrize(
    "environ",
    [
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "localhost:4318"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://host:port"},
        {"OTEL_RESOURCE_ATTRIBUTES": "rubbish"},
        {"OTEL_TRACES_SAMPLER": "coin"},
        {"OTEL_BSP_MAX_QUEUE_SIZE": "-1"},
        {"OTEL_BSP_MAX_QUEUE_SIZE": "many"},
        {"OTEL_BSP_SCHEDULE_DELAY": "0"},
        {"OTEL_EXPORTER_OTLP_TIMEOUT": "nan"},
    ],
)
def test_a_wrong_variable_is_logged_and_the_default_is_used(environ, caplog):
    with caplog.at_level(logging.WARNING):
        assert read(environ, {}) == read({}, {})
    (name,) = environ
    assert name in caplog.text


@pytest.mark.parametrize(
    ("arguments", "name", "value"),
    [
        ({"service": "a"}, "service", "a"),
        ({"collector": "http://a"}, "collector", "http://a/v1/traces"),
        ({"delay": 0.1}, "delay", 0.1),
        ({"queue_spans": 5}, "queue_spans", 5),
        ({"hooks": ["httpx"]}, "hooks", ("httpx",)),
        ({"hooks": ()}, "hooks", ()),
        ({"hooks": "httpx, sqlite3"}, "hooks", ("httpx", "sqlite3")),
        ({"resource": {"a": "b"}}, "resource", {"a": "b"}),
        ({"disabled": True}, "disabled", True),
        ({"service": None}, "service", "environment"),
    ],
)
def test_an_argument_wins_over_the_environment(arguments, name, value):
    assert (
        getattr(read({"WEFT_SERVICE": "environment", "WEFT_COLLECTOR": "http://e"}, arguments), name) == value
    )


@pytest.mark.parametrize(
    "arguments",
    [
        {"collector": "host"},
        {"sampler": "coin"},
        {"queue_spans": 0},
        {"delay": -1.0},
        {"servce": "typo"},
        {"timeout": "x"},
    ],
)
def test_a_wrong_argument_is_an_error(arguments):
    with pytest.raises(SettingError, match=next(iter(arguments))) as found:
        read({}, arguments)
    assert isinstance(found.value, WeftError)
    assert isinstance(found.value, ValueError)


def test_the_address_that_takes_spans():
    assert traces_url("http://a:1") == traces_url("http://a:1/v1/traces/") == "http://a:1/v1/traces"
