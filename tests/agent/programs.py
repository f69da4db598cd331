"""Runs small programs in processes of their own, against a collector in the test."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def environment(**variables: str) -> dict[str, str]:
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "WEFT_", "PYTHON"))
    }
    return {**kept, **variables}


def python(
    program: str, *arguments: str, timeout: float = 60, **variables: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program, *arguments],
        capture_output=True, text=True, check=False, timeout=timeout, env=environment(**variables),
    )  # fmt: skip
