"""Writes the tables of docs/configuration.md from the tables of settings in the code.

python -m tests.architecture.settings_page
"""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import weft.settings
import weft_collector.config

PAGE = Path(__file__).parents[2] / "docs/configuration.md"
TABLES = {"agent": weft.settings.SETTINGS, "collector": weft_collector.config.SETTINGS}
HEAD = "| Setting | Environment | Type | Default | Meaning |\n|---|---|---|---|---|\n"


def names(setting: Any) -> tuple[str, ...]:
    """The environment variables of a setting, the strongest first."""
    return (setting.env,) if isinstance(setting.env, str) else tuple(setting.env)


def row(setting: Any) -> str:
    """One line of a table."""
    variables = ", ".join(f"`{name}`" for name in names(setting))
    default = f"`{setting.default}`" if setting.default else ""
    return (
        f"| `{setting.name}` | {variables} | {setting.type} | {default} | {setting.meaning.rstrip('.')} |\n"
    )


def table(settings: Iterable[Any]) -> str:
    """A whole table."""
    return HEAD + "".join(map(row, settings))


def page() -> str:
    """The page with its tables made anew."""
    text = PAGE.read_text()
    for name, settings in TABLES.items():
        found = re.search(rf"(<!-- {name} -->\n).*?(<!-- end -->)", text, re.DOTALL)
        assert found, f"docs/configuration.md lost its mark {name}"
        text = text[: found.end(1)] + table(settings) + text[found.start(2) :]
    return text


if __name__ == "__main__":
    PAGE.write_text(page())
