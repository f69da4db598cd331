"""The dashboard of the Weft collector: static files, no code that runs on the server."""

from weft_dashboard.files import static_dir

__all__ = ["static_dir"]
