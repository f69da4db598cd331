"""A case made a run's own: names, trace ids and times that nothing else on a server has.

Service names and channels get a prefix, wherever they are said: resources, peers, destinations, caller entries, ids of
nodes in what is expected. So what belongs to a case is seen by its names alone. Databases and hosts stay: their edges
begin at a service.
"""

import json
import re
from dataclasses import dataclass

NAMES = (
    "service.name",
    "service.peer.name",
    "peer.service",
    "messaging.destination.name",
    "messaging.destination.template",
    "messaging.destination",
)
LOW = (1 << 64) - 1
ENTRY = re.compile("(weft=[0-9a-f]{16};)([^;,]*)")
LAST = re.compile(r"((?:service|channel):(?:[^/]*/)*)([^/]+)")
LONG = 128
NO_NAME = ("unknown_service", "%28temporary%29")


@dataclass(frozen=True)
class Renaming:
    """What sets one case of one run apart.

    Attributes:
        prefix: Of its names.
        mask: What trace ids are mixed with, 64 bits.
        shift_ns: What times are moved by.
    """

    prefix: str
    mask: int
    shift_ns: int

    def body(self, request):
        """A request with names, ids and times of its own; the one that is given stays as it is."""
        return json.loads(json.dumps(request), object_hook=self._object)

    def name(self, text):
        """A name of this case's own; one so long that its length may matter gets no longer."""
        return self.prefix + (text[len(self.prefix) :] if len(text) > LONG else text)

    def node(self, id_):
        """The id of a node."""
        found = LAST.fullmatch(id_)
        return found[1] + self.name(found[2]) if found and found[2] not in NO_NAME else id_

    def edges(self, rows):
        """Edges of expected.json."""
        return [
            row | {"caller": self.node(row["caller"]), "callee": self.node(row["callee"])} for row in rows
        ]

    def _object(self, said):
        if said.get("key") in NAMES and said["value"].get("stringValue"):
            return {"key": said["key"], "value": {"stringValue": self.name(said["value"]["stringValue"])}}
        return {key: self._field(key, value) for key, value in said.items()}

    def _field(self, key, value):
        if key == "traceId":
            return f"{int(value, 16) ^ self.mask:032x}"
        if key.endswith("UnixNano"):
            return str(int(value) + self.shift_ns)
        return ENTRY.sub(self._entry, value) if key == "traceState" else value

    def _entry(self, found):
        return found[1] + self.name(found[2])
