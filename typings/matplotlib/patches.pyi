from typing import Any

from matplotlib.path import Path

class PathPatch:
    def __init__(self, path: Path, **kwargs: Any) -> None: ...
