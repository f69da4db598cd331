"""The collector's own counters: how often, by name and reason.

Whatever the collector refuses, drops, skips or evicts is counted here and shown by `/api/v1/status`. The
names are a fixed table, so that a counter cannot be misspelt or invented by input; reasons are words of the
code, never of a sender. A counter only ever grows while the process lives.
"""

import threading
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

__all__ = ["COUNTERS", "Telemetry"]

COUNTERS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "bodies_accepted": "bodies acknowledged, by transport",
        "bodies_refused": "bodies that were not taken, by reason",
        "bodies_abandoned": "bodies whose sender had gone: dropped unread, or left unanswered",
        "bytes_received": "bytes of acknowledged bodies, as sent; of edge counts, what is kept of a body",
        "spans_accepted": "spans acknowledged, by transport",
        "spans_rejected": "spans refused one by one inside accepted bodies, by reason",
        "edge_points_accepted": "points of edge counts acknowledged, by transport",
        "edge_points_rejected": "points of edge counts refused one by one inside accepted bodies, by reason",
        "edge_points_left_out": "acknowledged points of edge counts that no answer shows, by reason",
        "edge_minutes_dropped": "oldest minutes that left the table of edge counts",
        "parts_not_kept": "metric points and log records acknowledged and not kept, by signal",
        "groups_committed": "groups of bodies made durable by one sync",
        "log_bytes_written": "bytes appended to the log, headers included",
        "log_failures": "groups that the storage refused, by the step that failed",
        "segments_sealed": "log files that became segments",
        "sealing_failures": "attempts to seal a log file that the disk refused; each is made again",
        "spans_left_out": "spans that no answer shows, by reason",
        "log_files_removed": "whole log files removed, by reason",
        "searches_ended": "searches and lists that were refused, or ended before they were complete, by reason",
        "queries_ended": "SQL queries that were refused or ended, by reason",
        "log_blocks_lost": "blocks found damaged or missing when the log was read again, by reason",
        "log_tails_torn": "unfinished ends of the log cut off at start and kept aside",
        "replay_differs": "records whose count of refused spans is not that of their arrival",
        "replay_skipped": "records passed over when the log was read again, by reason",
        "traces_judged_apart": "traces of a log file judged without their older spans",
        "head_spans_dropped": "oldest spans that fell out of the head; exports of their calls lack details",
        "strings_overflowed": "texts counted as `other` because the string table is full",
        "nodes_overflowed": "nodes counted as `other` because the node table is full",
        "pairing_duplicates": "spans that were here before, by same or conflicting content",
        "pairing_evicted": "entries that left the pairing table, by reason",
        "pairing_withdrawn": "calls booked to a peer node and withdrawn when the real callee arrived",
        "pairing_unresolved": "spans whose caller could not be decided, by reason",
        "caller_mismatch": "calls whose caller entry disagrees with the paired caller",
        "caller_stale": "caller entries ignored because they belong to an earlier hop",
        "rollup_coarsened": "oldest minutes and hours that left the rollups; hours and days still hold their calls",
        "rollup_dropped": "oldest days that left the rollups, and counters that came for them later",
    }
)
"""Every counter's name and meaning."""


class Telemetry:
    """Counters by (name, reason); every method may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._values: dict[str, dict[str, int]] = {name: {} for name in COUNTERS}

    def count(self, name: str, reason: str = "", amount: int = 1) -> None:
        """Add `amount` to a counter.

        Args:
            name: A name out of COUNTERS.
            reason: The word that tells cases apart; empty where the counter has only one.
            amount: How many, not negative; 0 changes nothing.

        Raises:
            KeyError: The name is not declared.
        """
        reasons = self._values[name]
        if amount:
            with self._lock:
                reasons[reason] = reasons.get(reason, 0) + amount

    def value(self, name: str, reason: str | None = None) -> int:
        """One counter for a reason, or the sum over all its reasons where `reason` is None."""
        with self._lock:
            reasons = self._values[name]
            return sum(reasons.values()) if reason is None else reasons.get(reason, 0)

    def snapshot(self) -> dict[str, dict[str, int]]:
        """All declared counters as `{name: {reason: count}}`, also those that are still empty; a copy."""
        with self._lock:
            return {name: dict(reasons) for name, reasons in self._values.items()}
