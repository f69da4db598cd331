"""`/api/v1/status`, `/healthz`, `/readyz`: the collector about itself."""

from typing import Final

from fastapi import APIRouter, Response

from weft_collector.api.answers import Json
from weft_collector.api.deps import GivenParts
from weft_collector.api.documents import PROBLEMS
from weft_collector.api.schemas import Ready, Status

__all__ = ["router"]

router: Final = APIRouter(tags=["Collector"])


@router.get("/api/v1/status", responses={200: {"model": Status, "description": "State and counters."}})
async def status(parts: GivenParts) -> Response:
    """State, sizes and every counter; answers while the collector starts, too."""
    return Json(
        {
            "version": parts.surface.version,
            "state": parts.lifecycle.state,
            "progress": parts.lifecycle.progress,
            "endpoint": parts.surface.endpoint,
            "uptime_seconds": (parts.clock_ns() - parts.started_ns) / 1e9,
            "spans_received": parts.lifecycle.spans_read + parts.telemetry.value("spans_accepted"),
            "graph_version": parts.graphs.version,
            **parts.graphs.exactness.as_dict(),
            "viewers": parts.viewers.open,
            "in_flight_bytes": parts.intake.in_flight_bytes,
            "log": {"files": parts.log.files, "size_bytes": parts.log.size_bytes},
            "counters": parts.telemetry.snapshot(),
        }
    )


@router.get("/healthz", responses={200: {"model": Ready, "description": "It lives."}})
async def healthz() -> Response:
    """200 as long as the process answers."""
    return Json({"status": "ok"})


@router.get("/readyz", responses={200: {"model": Ready, "description": "It serves."}, 503: PROBLEMS[503]})
async def readyz(parts: GivenParts) -> Response:
    """200 when spans and queries are served; else 503, with what the collector is doing."""
    parts.lifecycle.require_ready()
    return Json({"status": "ready"})
