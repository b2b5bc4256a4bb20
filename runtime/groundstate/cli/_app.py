"""The group of all installed commands. It lists commands without an import, and imports only the called one."""

from __future__ import annotations

import ast
import importlib.util
from functools import cached_property
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

import click

from groundstate import _words
from groundstate._version import __version__

GROUP = "groundstate.commands"

_EPILOG = """\b
Example:
  groundstate solve sudoku \\
    53..7....6..195....98....6.8...6...34..8.3..17...2...6.6....28....419..5....8..79

\b
Exit codes:
  0    solved or settled (also when several answers are right), or all checks passed
  1    no answer found, an invalid answer, a refused export, or a failed check
  2    bad usage, bad request, unknown model or bad artefact
  130  interrupted"""


class _Commands(click.Group):
    """Commands by name, from the entry points."""

    @cached_property
    def _entries(self) -> dict[str, EntryPoint]:
        return {entry.name: entry for entry in entry_points(group=GROUP)}

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return sorted(self._entries)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        entry = self._entries.get(cmd_name)
        return None if entry is None else _loaded(entry)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and not args[0].startswith("-") and args[0] not in self._entries:
            hint = _words.did_you_mean(args[0], self._entries)
            raise click.UsageError(f"There is no command {args[0]!r}.{hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        del ctx
        if rows := [(name, _summary(entry)) for name, entry in sorted(self._entries.items())]:
            with formatter.section("Commands"):
                formatter.write_dl(rows)


@click.group(cls=_Commands, epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="groundstate %(version)s")
def app() -> None:
    """Solve problems by descent on energies: one ONNX file per model, every answer checked."""


def _loaded(entry: EntryPoint) -> click.Command:
    """The command of an entry point.

    Raises:
        click.ClickException: If the command cannot be imported; the message names the missing package.
    """
    try:
        command: Any = entry.load()
    except ImportError as error:
        extras = ",".join(entry.extras)
        reason = str(error).rstrip(".").splitlines()[0] if str(error) else type(error).__name__
        named = extras and "pip install" not in reason
        remedy = f" Install it with: pip install 'groundstate[{extras}]'." if named else ""
        raise click.ClickException(f"The command {entry.name!r} cannot be loaded: {reason}.{remedy}") from None
    except AttributeError as error:
        raise click.ClickException(f"The command {entry.name!r} cannot be loaded: {error}.") from None
    if not isinstance(command, click.Command):
        raise click.ClickException(
            f"The command {entry.name!r} ({entry.value}) is a {type(command).__name__}; it must be a click.Command."
        )
    return command


def _summary(entry: EntryPoint) -> str:
    """The first docstring line of an entry point's function, read from its source.

    An import would load PyTorch or the MCP SDK for one line of help.
    """
    try:
        tree = ast.parse(_source(entry.module).read_text(encoding="utf-8"))
    except (OSError, SyntaxError, ValueError):
        return ""
    functions = (node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == entry.attr)
    text = next((ast.get_docstring(function) for function in functions), None) or ast.get_docstring(tree) or ""
    return text.partition("\n")[0]


def _source(module: str) -> Path:
    """The source file of a module, found without an import of its package."""
    package, *rest = module.split(".")
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError(module)
    for folder in spec.submodule_search_locations:
        path = Path(folder).joinpath(*rest)
        for file in (path.with_suffix(".py"), path / "__init__.py"):
            if file.is_file():
                return file
    raise FileNotFoundError(module)
