"""The pack as it lies on the disk: cases, and how an answer is held against what a case expects.

An answer is a dict: `edges` as {(caller, callee): {figure: value}}, and whatever else a case may expect (`nodes`,
`totals`, `operations` ...). Only what both name is compared, so a server is asked for no figure that it does not
serve; but its edges must be exactly those that are expected.
"""

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

CASES = Path(__file__).parent / "cases"
ENDS = ("caller", "callee")
PLAIN = ("calls", "errors", "completeness")
FIGURES = (
    *PLAIN,
    "outcomes",
    "connections",
    "messages",
    "resends",
    "adjusted",
    "client",
    "server",
    "queueing",
)
SECTIONS = ("inferred", "operations", "instances", "minutes", "derived", "nodes", "totals", "refused")


@dataclass(frozen=True)
class Case:
    """A folder of the pack."""

    folder: Path

    @property
    def name(self):
        return self.folder.name

    @cached_property
    def expected(self):
        return self._json("expected.json")

    @cached_property
    def bodies(self):
        """The requests, in their order."""
        numbered = sorted(self.folder.glob("[0-9]*.json"), key=lambda file: int(file.stem))
        return [json.loads(file.read_text()) for file in numbered] or [self._json("spans.json")]

    @cached_property
    def leases(self):
        return self._json("leases.json") or []

    @cached_property
    def counts(self):
        return self._json("counts.json")

    @property
    def one_by_one(self):
        """The same spans, each in a request of its own."""
        return [
            {"resourceSpans": [{"resource": resource_spans["resource"], "scopeSpans": [{"spans": [span]}]}]}
            for body in self.bodies
            for resource_spans in body["resourceSpans"]
            for scope_spans in resource_spans["scopeSpans"]
            for span in scope_spans["spans"]
        ]

    def _json(self, file):
        path = self.folder / file
        return json.loads(path.read_text()) if path.exists() else None


def cases():
    """All cases by name."""
    return [Case(folder) for folder in sorted(CASES.iterdir()) if folder.is_dir()]


def by_ends(rows):
    """Rows of expected.json as an answer's edges."""
    return {tuple(row[end] for end in ENDS): {k: v for k, v in row.items() if k not in ENDS} for row in rows}


def differences(expected, answer):
    """What an answer says otherwise, a line each."""
    lines = edge_differences(by_ends(expected["edges"]), answer["edges"])
    for section in SECTIONS:
        if section not in expected or section not in answer:
            continue
        if section == "inferred":
            lines += edge_differences(by_ends(expected[section]), answer[section], "inferred shown, ")
        elif expected[section] != answer[section]:
            lines.append(f"{section}: expected {expected[section]}, found {answer[section]}")
    return lines


def edge_differences(wanted, found, where=""):
    lines = []
    for ends in sorted(wanted.keys() | found.keys()):
        edge, want, have = f"{where}{' -> '.join(ends)}", wanted.get(ends), found.get(ends)
        if have is None:
            lines.append(f"{edge}: missing, with {want['calls']} calls")
        elif want is None:
            lines.append(f"{edge}: there, with {have['calls']} calls, and not expected")
        else:
            differing = [name for name in want if name in have and want[name] != have[name]]
            lines += [f"{edge}: {name} expected {want[name]}, found {have[name]}" for name in differing]
    return lines
