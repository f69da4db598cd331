from typing import Any, BinaryIO

from matplotlib.axes import Axes

class Figure:
    def __init__(
        self,
        figsize: tuple[float, float] | None = ...,
        dpi: float | None = ...,
        *,
        facecolor: str | None = ...,
    ) -> None: ...
    def add_axes(self, rect: tuple[float, float, float, float]) -> Axes: ...
    def get_size_inches(self) -> tuple[float, float]: ...
    def savefig(self, fname: BinaryIO, **kwargs: Any) -> None: ...
