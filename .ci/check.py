"""Run every static check, all of them even when one fails, and end with one line that says which failed."""

import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CHECKS = {
    "format": ["ruff", "format", "--check", "."],
    "lint": ["ruff", "check", "."],
    "types": ["mypy"],
    "import rules": ["lint-imports", "--no-cache"],
    "front end": ["jlpm", "lint:check"],
    "contract": ["jlpm", "contract:check"],
    "translations": ["python", ".ci/texts.py", "--check"],
}
IN_LABEXTENSION = frozenset({"front end", "contract"})


def main() -> int:
    """Run the checks one after the other; their output is shown only where they fail."""
    failed = []
    for name, command in CHECKS.items():
        began = time.monotonic()
        folder = ROOT / "labextension" if name in IN_LABEXTENSION else ROOT
        answer = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        print(f"{name:14}{'ok' if answer.returncode == 0 else 'FAILED':8}{time.monotonic() - began:5.1f} s", flush=True)
        if answer.returncode:
            failed.append(name)
            print(answer.stdout + answer.stderr, flush=True)
    print(
        f"{len(CHECKS) - len(failed)} checks passed, {len(failed)} failed"
        + (f": {', '.join(failed)}" if failed else "")
    )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
