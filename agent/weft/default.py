"""The default agent of the process, and the functions of `import weft`.

OpenTelemetry's global provider can be set only once in a process. So it gets one object of ours, `GLOBAL`,
which is aimed at the default agent, and at nothing before and after.
"""

import logging
import threading
from typing import TYPE_CHECKING, Final

from opentelemetry import trace
from typing_extensions import Unpack

from weft.agent import DEFAULT_PARTS, EXIT_DEADLINE, Agent, Parts, silent
from weft.context import Process
from weft.guard import guarded, say
from weft.provider import TracerProvider
from weft.sampling import always_off
from weft.settings import Options

if TYPE_CHECKING:
    from weft.hooks.asgi import ASGIApp, Middleware

GLOBAL: Final = TracerProvider(silent(always_off), follows=True)
"""The provider behind OpenTelemetry's global API."""

_changing = threading.RLock()


def init(
    service: str | None = None,
    *,
    collector: str | None = None,
    parts: Parts = DEFAULT_PARTS,
    **options: Unpack[Options],
) -> Agent:
    """Make the process's default agent, and serve OpenTelemetry's global API with it.

    Called again it returns the agent that is there; only one that `weft run` started gives way to another
    name.

    Args:
        service: the name of the service; else from the environment, see `weft.settings`.
        collector: base address of the collector, such as `http://127.0.0.1:4318`.
        parts: clock, ids and reporter, for tests.
        options: any other setting by its name in `weft.settings.SETTINGS`.

    Raises:
        SettingError: an argument cannot be used.
    """
    with _changing:
        there = Process.default
        if there is not None and not _gives_way(there, service):
            return there
        agent = Agent(service, collector=collector, parts=parts, **options)
        if there is not None:
            there.shutdown()
        Process.default, Process.autostarted = agent, False
        if not agent.settings.disabled:
            _serve_global_api(agent)
        return agent


def _gives_way(there: Agent, service: str | None) -> bool:
    if service is None or service == there.service:
        return False
    if not Process.autostarted:
        say(
            logging.WARNING,
            "weft: this process is %r already; for a second service in it use weft.Agent(service=%r)",
            there.service,
            service,
        )
    return Process.autostarted


@guarded
def _serve_global_api(agent: Agent) -> None:
    from weft.textmap import serve_global_propagation  # noqa: PLC0415 - loads OpenTelemetry's own propagators

    agent.serve(GLOBAL)
    serve_global_propagation()
    if not Process.provider_is_set:
        Process.provider_is_set = True
        trace.set_tracer_provider(GLOBAL)
        if trace.get_tracer_provider() is not GLOBAL:
            say(
                logging.WARNING,
                "weft: another tracer provider was set before weft.init; only Weft's own hooks are recorded",
            )


def shutdown(timeout: float = EXIT_DEADLINE) -> bool:
    """End the default agent; whether nothing was lost. Safe twice, and safe without `init`."""
    with _changing:
        agent, Process.default = Process.default, None
        GLOBAL.core = silent(always_off)
    return agent is None or agent.shutdown(timeout)


def flush(timeout: float = EXIT_DEADLINE) -> bool:
    """Send what the default agent holds; whether the collector took all of it within `timeout` seconds."""
    agent = Process.default
    return agent is None or agent.flush(timeout)


def asgi(app: "ASGIApp") -> "Middleware":
    """Wrap an ASGI application for the default agent, whether `init` was called before or will be later."""
    from weft.hooks.asgi import Middleware  # noqa: PLC0415 - costs nothing where no ASGI app is served

    return Middleware(app)


@guarded
def autostart() -> None:
    """Make the default agent of a process begun by `weft run`."""
    init()
    Process.autostarted = True
