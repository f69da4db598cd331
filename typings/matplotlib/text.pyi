from collections.abc import Sequence

from matplotlib.patheffects import withStroke

class Text:
    def set_path_effects(self, path_effects: Sequence[withStroke]) -> None: ...
