# What the collector uses of pyarrow.compute.
from typing import Any

def equal(left: Any, right: Any) -> Any: ...
