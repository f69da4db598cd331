"""Spans into an exact graph: rules, pairing, rollups, snapshots."""
