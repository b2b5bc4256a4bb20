"""The command line `groundstate`: nothing here but the door; the commands are in `_app`."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: What follows the program's name; `sys.argv`, if None.

    Returns:
        The exit code, as ``groundstate --help`` documents it.
    """
    if any(importlib.util.find_spec(name) is None for name in ("click", "rich")):
        message = "The command line needs click and rich; install them with: pip install 'groundstate[cli]'."
        print(f"groundstate: {message}", file=sys.stderr)
        return 2
    from groundstate.cli._app import run

    return run(arguments)
