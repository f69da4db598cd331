"""What kernels have to know of services and instances beyond their numbers: names and environments.

Numbers are given in the order of arrival, which must not decide anything; where the graph rules leave spans equal,
texts decide. So texts lie here by number, as bytes one behind the other, where a kernel can compare them; only ever
appended to. UTF-8 keeps the order of the texts.

Kernels get the address of a block of numbers, which stays where it is when the texts are moved to make room. A text
is compared eight bytes at a time: SPARE bytes behind the last may be read. The number of a node has 16 bits, so
whatever node a kernel asks about, it finds something; of instances the block says how many there are.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from weft_collector.graph.nodes import Node

_NODES: Final = 1 << 16
SPARE: Final = 8
#: Of the names of instances, which senders choose: those of a million, 64 bytes each.
MOST_INSTANCE_BYTES: Final = 1 << 26

BLOCK: Final = ("node_texts", "node_starts", "environments", "instance_texts", "instance_starts", "instances")
"""Names of the numbers in the block, 8 bytes each; the first five are addresses."""
NODE_TEXTS, NODE_STARTS, ENVIRONMENTS, INSTANCE_TEXTS, INSTANCE_STARTS, INSTANCES = range(0, 48, 8)


class _Texts:
    """Texts by number, one behind the other: number `n` lies from `starts[n]` until before `starts[n + 1]`."""

    def __init__(self, capacity: int) -> None:
        self.texts = np.zeros(1 << 12, np.uint8)
        self.starts = np.zeros(capacity + 1, np.int64)
        self.count = 0

    @property
    def length(self) -> int:
        return int(self.starts[self.count])

    def append(self, text: str) -> None:
        data = text.encode(errors="replace")
        start = self.length
        self.texts = _with_room(self.texts, start + len(data) + SPARE)
        self.starts = _with_room(self.starts, self.count + 2)
        self.texts[start : start + len(data)] = np.frombuffer(data, np.uint8)
        self.count += 1
        self.starts[self.count] = start + len(data)


class Owners:
    """The nodes and instances that spans belong to. Not thread-safe, like the tables that give the numbers."""

    def __init__(self) -> None:
        self._nodes = _Texts(_NODES)
        self._instances = _Texts(1 << 8)
        self._instances.append("")
        self._environments = np.zeros(_NODES, np.uint16)
        self._environment_numbers = {"": 0}
        self._block = np.zeros(len(BLOCK), np.int64)
        self._note_addresses()

    @property
    def address(self) -> int:
        """The block's address; valid as long as this object lives."""
        return self._block.ctypes.data

    @property
    def nodes(self) -> int:
        """How many nodes are known."""
        return self._nodes.count

    def add_node(self, node: Node) -> None:
        """Tell of the node that has the next number."""
        numbers = self._environment_numbers
        self._environments[self._nodes.count] = numbers.setdefault(node.environment, len(numbers))
        self._nodes.append(node.id)
        self._note_addresses()

    def add_instance(self, text: str) -> bool:
        """Tell what the instance is called that has the next number; the first is 1.

        Returns:
            Whether there was room for it.
        """
        if self._instances.length + len(text) > MOST_INSTANCE_BYTES:
            return False
        self._instances.append(text)
        self._note_addresses()
        return True

    def _note_addresses(self) -> None:
        nodes, instances = self._nodes, self._instances
        arrays = (nodes.texts, nodes.starts, self._environments, instances.texts, instances.starts)
        self._block[:] = [*(array.ctypes.data for array in arrays), instances.count]


def _with_room(array: NDArray[Any], length: int) -> NDArray[Any]:
    """The array, or a longer copy of it."""
    if length <= len(array):
        return array
    longer: NDArray[Any] = np.zeros(2 * length, array.dtype)
    longer[: len(array)] = array
    return longer
