from typing import Any

class Compiler:
    state: Any

    def __init__(self, *arguments: Any) -> None: ...
