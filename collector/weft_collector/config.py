"""Every setting of the collector, as one table, and the values it gives.

A value comes from the first place that names it: the command line's flag, then the environment, then the
default in the table. `docs/configuration.md` shows the same table; a test keeps the two equal.
"""

import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, ClassVar, Final, Self

from weft_collector.errors import CollectorError

__all__ = ["SERVERS", "SETTINGS", "BadSetting", "Config", "Setting", "is_loopback"]

_MIB: Final = 1 << 20
_GIB: Final = 1 << 30
_WORDS: Final = {
    "1": True,
    "true": True,
    "yes": True,
    "on": True,
    "0": False,
    "false": False,
    "no": False,
    "off": False,
}
_UNITS: Final = {"b": 1, "kib": 1 << 10, "mib": _MIB, "gib": _GIB, "tib": 1 << 40}


class BadSetting(CollectorError):  # noqa: N818 - named like the tree that it belongs to
    """A setting that cannot be read or makes no sense; the text names it and what it may be."""

    title: ClassVar[str] = "A setting is wrong"


@dataclass(frozen=True, slots=True)
class Setting:
    """One row of the table.

    Attributes:
        name: Field of `Config`; the flag is the same with dashes.
        type: How a text is read: `text`, `number`, `bytes` (a number, or one with KiB, MiB, GiB), `seconds`,
            `list` (separated by commas), `switch` (true or false) or `folder`.
        default: The value where nobody says anything, written as in the environment.
        meaning: What it does, in one sentence.
        least: Smallest allowed number.
        most: Largest allowed number.
    """

    name: str
    type: str
    default: str
    meaning: str
    least: float = 0
    most: float = float("inf")

    @property
    def env(self) -> tuple[str, ...]:
        """Its environment variables; the first that is set wins."""
        return (f"WEFT_{self.name.upper()}",)

    def read(self, text: str) -> Any:
        """The value that a text stands for.

        Raises:
            BadSetting: It is none of this type, or out of range.
        """
        try:
            value = _READERS[self.type](text.strip())
        except (ValueError, KeyError, OverflowError):
            raise BadSetting(f"{self.name}: {text!r} is not {_SPOKEN[self.type]}.") from None
        return self.check(value)

    def check(self, value: Any) -> Any:
        """The value itself, if it is in range."""
        if isinstance(value, int | float) and not self.least <= value <= self.most:
            raise BadSetting(
                f"{self.name}: {value} is out of range, it may be {self.least:g} to {self.most:g}."
            )
        return value


def _read_bytes(text: str) -> int:
    digits = text.rstrip("BKMGTIbkmgti ")
    return round(float(digits) * _UNITS[text[len(digits) :].strip().lower() or "b"])


def _read_switch(text: str) -> bool:
    return _WORDS[text.lower()]


def _read_folder(text: str) -> Path:
    return Path(text).expanduser()


def _read_list(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


_READERS: Final[Mapping[str, Callable[[str], Any]]] = {
    "text": str,
    "number": int,
    "bytes": _read_bytes,
    "seconds": float,
    "list": _read_list,
    "switch": _read_switch,
    "folder": _read_folder,
}
_SPOKEN: Final = {
    "text": "a text",
    "number": "a whole number",
    "bytes": "a number of bytes such as 16MiB",
    "seconds": "a number of seconds",
    "list": "a list separated by commas",
    "switch": "true or false",
    "folder": "a folder",
}

SERVERS: Final = ("uvicorn", "granian")

SETTINGS: Final = (
    Setting("host", "text", "127.0.0.1", "Address to listen on."),
    Setting("port", "number", "4318", "Port to listen on; 0 takes any free one.", most=65535),
    Setting(
        "grpc_port", "number", "4317", "Port for OTLP over gRPC; 0 takes any free one, -1 none.", -1, 65535
    ),
    Setting("server", "text", "uvicorn", "Server of HTTP: `uvicorn`, or `granian` (of the extra `fast`)."),
    Setting("data", "folder", "~/.local/share/weft", "Folder of the log; one collector each."),
    Setting("insecure", "switch", "false", "Listen beyond this machine although there are no tokens."),
    Setting("allowed_hosts", "list", "", "Names, beside loopback ones, that a Host header may carry."),
    Setting("allowed_origins", "list", "", "Origins of web pages elsewhere that may send spans."),
    Setting(
        "retention_bytes",
        "bytes",
        "10GiB",
        "Size of log and segments at which the oldest files go.",
        least=_MIB,
    ),
    Setting("retention_seconds", "seconds", "604800", "Age at which log and segments go.", 60, 3.2e9),
    Setting("rollup_bytes", "bytes", "256MiB", "Memory of the graph's sums; the oldest go.", _MIB, 64 * _GIB),
    Setting(
        "minute_seconds", "seconds", "172800", "Age at which the graph's minutes become hours.", 3600, 3.2e9
    ),
    Setting(
        "hour_seconds", "seconds", "2678400", "Age at which the graph's hours become days.", 86_400, 3.2e9
    ),
    Setting("log_file_bytes", "bytes", "32MiB", "Size at which the log begins a new file.", _MIB, _GIB),
    Setting("free_disk_bytes", "bytes", "256MiB", "Free disk below which spans are refused."),
    Setting(
        "head_spans",
        "number",
        "4194304",
        "Newest spans whose calls can be exported one by one.",
        1024,
        1 << 27,
    ),
    Setting("pairing_entries", "number", "4194304", "Spans kept ready for pairing.", 1024, 1 << 26),
    Setting("body_bytes", "bytes", "16MiB", "Largest body as sent.", 1024, _GIB),
    Setting("inflated_bytes", "bytes", "64MiB", "Largest body after decompression.", 1024, _GIB),
    Setting("in_flight_bytes", "bytes", "64MiB", "Bytes of all bodies on their way in.", 1024, 64 * _GIB),
    Setting("body_seconds", "seconds", "30", "Time a sender has to deliver a body.", 0.1, 3600),
    Setting("viewers", "number", "64", "Open dashboards that are kept up to date.", 1, 4096),
)
"""The table."""

_ROWS: Final = {setting.name: setting for setting in SETTINGS}


@dataclass(frozen=True, slots=True)
class Config:
    """The collector's settings; each field is explained in `SETTINGS`. Sizes are bytes, times seconds."""

    host: str
    port: int
    grpc_port: int
    server: str
    data: Path
    insecure: bool
    allowed_hosts: tuple[str, ...]
    allowed_origins: tuple[str, ...]
    retention_bytes: int
    retention_seconds: float
    rollup_bytes: int
    minute_seconds: float
    hour_seconds: float
    log_file_bytes: int
    free_disk_bytes: int
    head_spans: int
    pairing_entries: int
    body_bytes: int
    inflated_bytes: int
    in_flight_bytes: int
    body_seconds: float
    viewers: int

    @classmethod
    def load(cls, environ: Mapping[str, str], flags: Mapping[str, Any] | None = None) -> Self:
        """Defaults, then the environment, then flags; validated.

        Args:
            environ: The environment; an empty value counts as not set.
            flags: Values by setting name; None counts as not given. Texts are read like the environment's.

        Raises:
            BadSetting: A value cannot be read, is out of range, or contradicts another.
        """
        given = {name: value for name, value in (flags or {}).items() if value is not None}
        config = cls(**{row.name: _value(row, environ, given) for row in SETTINGS})
        config.validate()
        return config

    def validate(self) -> None:
        """Look at all values together.

        Raises:
            BadSetting: A value is out of range or contradicts another.
        """
        for field in fields(self):
            _ROWS[field.name].check(getattr(self, field.name))
        if self.server not in SERVERS:
            raise BadSetting(f"server: {self.server!r} is none; it may be {' or '.join(SERVERS)}.")
        if not self.insecure and not is_loopback(self.host):
            raise BadSetting(_OPEN_DOOR.format(host=self.host))
        if self.body_bytes > self.in_flight_bytes:
            raise BadSetting(
                "in_flight_bytes must be at least body_bytes, or no large body could ever come in."
            )


_OPEN_DOOR: Final = (
    "{host} can be reached from other machines, and this release has no tokens: whoever reaches the port can "
    "read all traces and send false ones. Listen on 127.0.0.1 and tunnel to it "
    "(ssh -L 4318:127.0.0.1:4318 this-machine), or, in a network that you trust, say so with --insecure."
)


def _value(row: Setting, environ: Mapping[str, str], flags: Mapping[str, Any]) -> Any:
    if row.name in flags:
        value = flags[row.name]
        return row.read(value) if isinstance(value, str) else row.check(value)
    texts = [environ[name] for name in row.env if environ.get(name)]
    if row.name == "data" and not texts and environ.get("XDG_DATA_HOME"):
        return Path(environ["XDG_DATA_HOME"]) / "weft"
    return row.read(texts[0] if texts else row.default)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach an address: a loopback number, or the name `localhost`."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.rstrip(".").lower() == "localhost"
