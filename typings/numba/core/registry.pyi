from typing import Any

class CPUDispatcher:
    __name__: str
    __module__: str
    targetoptions: dict[str, Any]
    signatures: list[Any]
