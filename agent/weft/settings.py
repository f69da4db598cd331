"""The agent's settings: one table, read once from the environment when an agent is made.

An argument of `weft.init` or `weft.Agent` wins over the environment. A wrong argument raises
`SettingError`; a wrong environment variable is logged and the default is used, for a service must start
without its observer too.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypedDict, cast
from urllib.parse import unquote, urlsplit

from weft.errors import SettingError
from weft.guard import say
from weft.sampling import SAMPLERS


@dataclass(frozen=True, slots=True)
class Setting:
    """One row of the table: a setting, where it is read from, and what it means."""

    name: str
    env: tuple[str, ...]
    """Environment variables; the first that is set wins."""
    type: str
    default: str
    """As one would write it in the variable."""
    meaning: str


_TRACES = "OTEL_EXPORTER_OTLP_TRACES_"
_OTLP = "OTEL_EXPORTER_OTLP_"
_SPAN = "OTEL_SPAN_"

SETTINGS: tuple[Setting, ...] = (
    Setting(
        "service", ("WEFT_SERVICE", "OTEL_SERVICE_NAME"), "text", "",
        "Name of the service; else `service.name` of the resource, else `unknown_service:` with the program",
    ),
    Setting(
        "collector", (_TRACES + "ENDPOINT", _OTLP + "ENDPOINT", "WEFT_COLLECTOR"), "url", "http://127.0.0.1:4318",
        "Where spans are sent, by OTLP over HTTP; `/v1/traces` is added, except to the first variable",
    ),
    Setting(
        "resource", ("OTEL_RESOURCE_ATTRIBUTES",), "pairs", "",
        "Further attributes of the resource: `key=value` joined by commas, values percent-encoded",
    ),
    Setting(
        "disabled", ("OTEL_SDK_DISABLED",), "switch", "false",
        "Record nothing and install no hooks: the service runs as if the agent were absent",
    ),
    Setting(
        "sampler", ("OTEL_TRACES_SAMPLER",), "sampler", "parentbased_always_on",
        "Which traces are recorded: " + ", ".join(f"`{name}`" for name in SAMPLERS),
    ),
    Setting(
        "propagate_to", ("WEFT_PROPAGATE_TO",), "names", "private",
        "Hosts that are told the caller's name and the baggage, joined by commas: names, `*.suffix`, "
        "networks such as `10.0.0.0/8`, `*` for all, or `private` (loopback, private and link-local "
        "addresses, single-label names, `*.local`, `*.internal`, `*.svc`, `*.cluster.local`); empty for none",
    ),
    Setting(
        "hooks", ("WEFT_HOOKS",), "names", "httpx,sqlite3,uvicorn",
        "Libraries whose calls are recorded without a change to the service's code; empty for none",
    ),
    Setting(
        "headers", (_TRACES + "HEADERS", _OTLP + "HEADERS"), "pairs", "",
        "Headers of each request to the collector: `key=value` joined by commas, values percent-encoded",
    ),
    Setting(
        "timeout", (_TRACES + "TIMEOUT", _OTLP + "TIMEOUT"), "seconds", "10",
        "Seconds that one request to the collector may take (seconds, as in OpenTelemetry for Python)",
    ),
    Setting(
        "queue_spans", ("OTEL_BSP_MAX_QUEUE_SIZE",), "count", "16384",
        "Spans that may wait to be sent; further ones are dropped and counted",
    ),
    Setting(
        "queue_bytes", ("WEFT_QUEUE_BYTES",), "count", "33554432",
        "Estimated bytes of memory that waiting spans may take; further ones are dropped and counted",
    ),
    Setting(
        "batch_spans", ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE",), "count", "2048",
        "Spans in one request at most; as many waiting spans are sent without delay",
    ),
    Setting(
        "delay", ("OTEL_BSP_SCHEDULE_DELAY",), "milliseconds", "1000",
        "Milliseconds between two requests when few spans are waiting (seconds when given in code)",
    ),
    Setting(
        "attribute_count_limit",
        (_SPAN + "ATTRIBUTE_COUNT_LIMIT", "OTEL_ATTRIBUTE_COUNT_LIMIT"), "count", "128",
        "Attributes that one span may hold; further ones are dropped and counted on the span",
    ),
    Setting(
        "attribute_value_length_limit",
        (_SPAN + "ATTRIBUTE_VALUE_LENGTH_LIMIT", "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT"), "count", "65536",
        "Characters after which a text value is cut",
    ),
    Setting(
        "event_count_limit", (_SPAN + "EVENT_COUNT_LIMIT",), "count", "128",
        "Events that one span may hold; further ones are dropped and counted on the span",
    ),
    Setting(
        "link_count_limit", (_SPAN + "LINK_COUNT_LIMIT",), "count", "128",
        "Links that one span may hold; further ones are dropped and counted on the span",
    ),
)  # fmt: skip
"""Every setting of the agent, in the order in which the documentation lists them."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The values of one agent's settings, by the names of `SETTINGS`; times in seconds."""

    service: str
    collector: str
    """The whole address that takes spans."""
    resource: Mapping[str, str]
    disabled: bool
    sampler: str
    propagate_to: tuple[str, ...]
    hooks: tuple[str, ...]
    headers: Mapping[str, str]
    timeout: float
    queue_spans: int
    queue_bytes: int
    batch_spans: int
    delay: float
    attribute_count_limit: int
    attribute_value_length_limit: int
    event_count_limit: int
    link_count_limit: int


class Options(TypedDict, total=False):
    """The settings that `weft.init` and `weft.Agent` take by name beside `service` and `collector`."""

    resource: Mapping[str, str]
    disabled: bool
    sampler: str
    propagate_to: tuple[str, ...]
    hooks: tuple[str, ...]
    headers: Mapping[str, str]
    timeout: float
    queue_spans: int
    queue_bytes: int
    batch_spans: int
    delay: float
    attribute_count_limit: int
    attribute_value_length_limit: int
    event_count_limit: int
    link_count_limit: int


def pairs(value: str) -> dict[str, str]:
    """Read `key=value,key=value` with percent-encoded values, as OpenTelemetry's variables use it."""
    members = [member.partition("=") for member in value.split(",") if member.strip()]
    if not all(key.strip() and sign for key, sign, _ in members):
        raise ValueError("expected key=value joined by commas")
    return {key.strip(): unquote(text.strip()) for key, _, text in members}


def _positive(value: str) -> int:
    number = int(value)
    if number <= 0:
        raise ValueError("expected a whole number above zero")
    return number


def _seconds(value: str) -> float:
    number = float(value)
    if not 0 < number < 86_400:
        raise ValueError("expected a time above zero and below one day")
    return number


def _url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("expected http://host:port or https://host:port")
    _ = parts.port  # raises ValueError for a port that is no number
    return value


def _sampler(value: str) -> str:
    if value not in SAMPLERS:
        raise ValueError(f"expected one of {', '.join(SAMPLERS)}")
    return value


def _names(value: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in value.split(",") if name.strip())


READERS: Mapping[str, Callable[[str], object]] = {
    "text": str,
    "url": _url,
    "pairs": pairs,
    "switch": lambda value: value.lower() == "true",
    "sampler": _sampler,
    "names": _names,
    "seconds": _seconds,
    "milliseconds": lambda value: _seconds(str(float(value) / 1000)),
    "count": _positive,
}
"""How a text becomes a value, by the setting's type; each raises ValueError for a text it cannot read."""


def read(environ: Mapping[str, str], arguments: Mapping[str, object]) -> Settings:
    """Read every setting: the argument of its name if given, else its variable, else its default.

    Args:
        environ: the environment, `os.environ` in a running service.
        arguments: values given in code by setting name; None counts as not given.

    Raises:
        SettingError: an argument is unknown or cannot be used.
    """
    unknown = set(arguments) - {row.name for row in SETTINGS}
    if unknown:
        raise SettingError(f"unknown setting {', '.join(sorted(unknown))}; see weft.settings.SETTINGS")
    values = {row.name: _value(row, environ, arguments.get(row.name)) for row in SETTINGS}
    return Settings(**values)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - by its type, each reader returns the field's


def _value(row: Setting, environ: Mapping[str, str], argument: object) -> object:
    if argument is not None:
        return _argument(row, argument)
    for variable in row.env:
        text = environ.get(variable, "").strip()
        if text or (row.type == "names" and variable in environ):
            return _variable(row, variable, text)
    return _complete(row, READERS[row.type](row.default))


def _argument(row: Setting, argument: object) -> object:
    if isinstance(argument, list | set):
        return tuple(cast("list[object]", argument))
    if row.type in {"count", "seconds", "milliseconds"} and isinstance(argument, int | float):
        return _number(row, argument)
    if not isinstance(argument, str):
        return argument
    try:
        return _complete(row, READERS[row.type](argument))
    except ValueError as error:
        raise SettingError(f"{row.name}={argument!r}: {error}") from error


def _number(row: Setting, argument: float) -> float:
    if argument <= 0:
        raise SettingError(f"{row.name}={argument!r}: expected a number above zero")
    return argument


def _variable(row: Setting, variable: str, text: str) -> object:
    try:
        value = READERS[row.type](text)
    except ValueError as error:
        say(logging.WARNING, "weft: %s=%r is not used: %s", variable, text, error)
        return _complete(row, READERS[row.type](row.default))
    return value if variable == _TRACES + "ENDPOINT" else _complete(row, value)


def _complete(row: Setting, value: object) -> object:
    return traces_url(str(value)) if row.type == "url" else value


def traces_url(base: str) -> str:
    """Return the address that takes spans at a collector's base address."""
    trimmed = base.rstrip("/")
    return trimmed if trimmed.endswith("/v1/traces") else trimmed + "/v1/traces"
