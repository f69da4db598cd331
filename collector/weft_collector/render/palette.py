"""The picture's colours, light and dark.

Grey, amber and vermillion (Okabe and Ito's palette) can be told apart with any kind of colour vision, and
differ in lightness as well.
"""

from typing import NamedTuple

from weft_collector.render.severity import Health

FONT_FAMILIES = ("Inter", "Segoe UI", "Helvetica Neue", "Liberation Sans", "DejaVu Sans", "sans-serif")


class Palette(NamedTuple):
    """Colours as `#rrggbb`."""

    paper: str
    ink: str
    faint_ink: str
    box: str
    border: str
    line: str
    warn: str
    bad: str

    def stroke(self, health: Health) -> str:
        """The colour of an edge of this class."""
        return {Health.OK: self.line, Health.WARN: self.warn, Health.BAD: self.bad}[health]

    def edge_of_box(self, health: Health) -> str:
        """The colour of a box's border."""
        return self.border if health is Health.OK else self.stroke(health)


LIGHT = Palette("#ffffff", "#0f172a", "#475569", "#f8fafc", "#64748b", "#8a99ad", "#e6a817", "#d55e00")
DARK = Palette("#0f172a", "#e2e8f0", "#a3b1c4", "#1e293b", "#7d8ca1", "#7d8ca1", "#f0b93a", "#ff7d2e")
DASHES = (6.0, 4.0)
BORDER_WIDTHS = {Health.OK: 1.2, Health.WARN: 2.0, Health.BAD: 2.6}
OPACITIES = {Health.OK: 0.75, Health.WARN: 0.95, Health.BAD: 0.95}
"""Of edges: many healthy ones make a grey ground on which the others stand out."""
