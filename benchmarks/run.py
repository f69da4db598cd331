"""Runs every benchmark of this folder, one after the other, each in a process of its own.

Run: python benchmarks/run.py [NAME ...]. Figures are CPU times and ratios where a shared machine would make wall
times lie; docs/figures.md keeps the last ones with date and machine.
"""

import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parent


def main(names: list[str]) -> int:
    scripts = [
        p for p in sorted(FOLDER.glob("*.py")) if p.name != "run.py" and (not names or p.stem in names)
    ]
    failed = []
    for script in scripts:
        print(f"\n== {script.stem}", flush=True)
        if subprocess.run([sys.executable, str(script)], check=False).returncode:
            failed.append(script.stem)
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
