"""The command line `groundstate`.

Commands come from the entry-point group ``groundstate.commands``: a name, and a `click.Command`. A package adds one with

    [project.entry-points."groundstate.commands"]
    paint = "my_package.command:paint [extra]"

The message about a missing import names the extra in brackets. `groundstate.cli.console` has the exit codes and the print
functions of these commands.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: The arguments after the program's name; default: `sys.argv`.

    Returns:
        The exit code; ``groundstate --help`` lists the codes.
    """
    if any(importlib.util.find_spec(name) is None for name in ("click", "rich")):
        message = "The command line needs click and rich; install them with: pip install 'groundstate[cli]'."
        print(f"groundstate: {message}", file=sys.stderr)
        return 2
    from groundstate.cli._app import app
    from groundstate.cli.console import run

    return run(app, arguments)
