import asyncio
from types import ModuleType, SimpleNamespace

from tests.agent.test_hooks_asgi import answering
from weft.hooks import uvicorn as hook
from weft.hooks.asgi import Middleware


def library() -> ModuleType:
    class Server:
        def __init__(self, app):
            self.config = SimpleNamespace(loaded_app=app)
            self.calls = []

        async def startup(self, sockets=None):
            self.calls.append(("startup", self.config.loaded_app, sockets))

        async def shutdown(self, sockets=None):
            self.calls.append(("shutdown", sockets))

    module = ModuleType("uvicorn.server")
    module.Server = Server
    return module


def test_an_application_is_wrapped_once_before_the_server_listens(agent):
    module = library()
    hook.apply(module)
    for app in (answering(), agent.asgi(answering())):
        server = module.Server(app)
        asyncio.run(server.startup(sockets=[1]))
        asyncio.run(server.startup())
        wrapped = server.calls[0][1]
        assert isinstance(wrapped, Middleware)
        assert not isinstance(wrapped.app, Middleware)
        assert server.calls == [("startup", wrapped, [1]), ("startup", wrapped, None)]
    hook.undo(module)
    server = module.Server(answering())
    asyncio.run(server.startup())
    assert not isinstance(server.calls[0][1], Middleware)


def test_spans_are_flushed_when_the_server_ends(agent, monkeypatch):
    flushed = []
    monkeypatch.setattr(hook, "flush", lambda: flushed.append(1))
    module = library()
    hook.apply(module)
    server = module.Server(answering())
    asyncio.run(server.shutdown(sockets=None))
    assert (server.calls, flushed) == ([("shutdown", None)], [1])


def test_a_server_without_a_loaded_application_starts_all_the_same():
    module = library()
    hook.apply(module)
    server = module.Server(None)
    del server.config.loaded_app
    server.config.__dict__["other"] = 1
    server.startup.__wrapped__  # noqa: B018 - the hook is on
    hook.wrap(server.config)
    hook.flush()
