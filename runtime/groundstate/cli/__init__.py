"""The command line `groundstate`.

Commands come from the entry-point group ``groundstate.commands``: a name, and a `click.Command`. A package adds one with

    [project.entry-points."groundstate.commands"]
    paint = "my_package.command:paint [extra]"

where the extra in brackets is named to users who lack what the command imports. `groundstate.cli.console` has the exit codes and
what the commands here print with.
"""

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
    from groundstate.cli._app import app
    from groundstate.cli.console import run

    return run(app, arguments)
