"""JSON as an answer."""

import json
from typing import Any

from starlette.responses import Response

__all__ = ["Json"]


class Json(Response):
    """Compact ASCII JSON: names with broken surrogates pass, NaN does not."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """The body's bytes."""
        return json.dumps(content, separators=(",", ":"), allow_nan=False).encode()
