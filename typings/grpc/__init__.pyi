import enum
from collections.abc import Callable
from typing import Any

class StatusCode(enum.Enum):
    OK = (0, "ok")

class HandlerCallDetails:
    method: str

class GenericRpcHandler:
    def service(self, handler_call_details: HandlerCallDetails) -> Any: ...

def stream_unary_rpc_method_handler(behavior: Callable[..., Any]) -> Any: ...
