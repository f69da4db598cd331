"""Where the page's files lie."""

from pathlib import Path


def static_dir() -> Path:
    """The folder to serve as it is: `index.html` at its root, every address in it relative to the page.

    Returns:
        An absolute path. It exists in a checkout and in an installed wheel alike; nothing in it is built.
    """
    return Path(__file__).resolve().parent / "static"
