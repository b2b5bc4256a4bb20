"""Turn an energy written in PyTorch into a file: `groundstate export`."""

from __future__ import annotations

import dataclasses
import importlib
import importlib.util
import inspect
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from groundstate.cli.console import NOT_SOLVED, SOLVED, complain, console, echo_json, example

if TYPE_CHECKING:
    from types import ModuleType

    from groundstate_export import ExportReport

_REQUIRED = ("energy", "inputs", "state", "rule", "unroll")


@dataclass(frozen=True, slots=True)
class Options:
    """The options of the command, as they were typed."""

    output: str | None
    unroll: int | None
    trace_every: int | None
    form: str | None
    batch: int | None
    precision: str | None
    tolerance: float | None
    as_json: bool
    quiet: bool

    @property
    def given(self) -> dict[str, Any]:
        """The options that override arguments of `groundstate_export.export`."""
        named = {
            "path": self.output,
            "unroll": self.unroll,
            "trace_every": self.trace_every,
            "form": self.form,
            "fixed_batch": self.batch,
            "precision": self.precision,
            "tolerance": self.tolerance,
        }
        return {name: value for name, value in named.items() if value is not None}


@click.command(
    name="export",
    epilog=example(
        "groundstate export mymodels.points:export -o points.onnx",
        "groundstate export points.py:export --unroll 32 --form loop --json",
    ),
)
@click.argument("target", metavar="MODULE:FUNCTION")
@click.option("--output", "-o", metavar="FILE.onnx", help="The file to write.  [default: FUNCTION.onnx]")
@click.option("--unroll", type=click.IntRange(1), help="Steps in a segment.")
@click.option(
    "--trace-every", type=click.IntRange(1), metavar="N", help="Record the energy every N steps only (faster)."
)
@click.option(
    "--form", type=click.Choice(["unrolled", "loop"]), help="unrolled, or loop: an ONNX Loop whose limits are inputs."
)
@click.option("--batch", type=click.IntRange(1), help="The only batch size to take; every shape is then static.")
@click.option("--precision", type=click.Choice(["float32", "float16"]), help="Precision of matrix products.")
@click.option("--tolerance", type=float, help="Relative difference allowed between file and PyTorch.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
@click.option("--quiet", is_flag=True, help="Print nothing but errors.")
def command(target: str, **options: Any) -> int:
    """Turn an energy written in PyTorch into a file.

    The file is verified against PyTorch, or not written. MODULE:FUNCTION, or FILE.py:FUNCTION, names a function without
    arguments. It returns the arguments of groundstate_export.export as a mapping or a dataclass: energy, inputs, state, rule,
    unroll, and any others. Options override them.
    """
    return export(target, Options(**options))


def export(target: str, options: Options) -> int:
    """Run the export of a TARGET argument and print the report. Returns the exit code."""
    if options.output is not None and Path(options.output).suffix != ".onnx":
        raise click.UsageError(f"--output is {options.output!r}; it must end in .onnx.")
    arguments = _arguments(target) | options.given
    from groundstate_export import ExportError
    from groundstate_export import export as run

    _check(target, arguments, run)
    try:
        with _stages(shown=not (options.quiet or options.as_json)) as progress:
            report = run(**{"path": f"{target.rpartition(':')[2]}.onnx", "progress": progress} | arguments)
    except (ExportError, OSError) as error:
        complain(str(error))
        if options.as_json:
            echo_json({"status": "error", "error": type(error).__name__, "message": str(error)})
        return NOT_SOLVED
    _show(report, options)
    return SOLVED


def _arguments(target: str) -> dict[str, Any]:
    """Call a target's function and return its arguments."""
    place, colon, name = target.rpartition(":")
    if not (place and colon and name.isidentifier()):
        raise click.UsageError(f"{target!r} names no function; write module:function or path/to/file.py:function.")
    module = _imported(place)
    if not hasattr(module, name):
        functions = [n for n, v in vars(module).items() if inspect.isfunction(v) and v.__module__ == module.__name__]
        raise click.UsageError(f"{place} has no {name!r}; its functions are {', '.join(functions) or 'none'}.")
    function = getattr(module, name)
    if not callable(function):
        raise click.UsageError(
            f"{target} is of type {type(function).__name__}; it must be a function without arguments."
        )
    try:
        inspect.signature(function).bind()
    except TypeError as error:
        raise click.UsageError(f"{target} cannot be called without arguments: {error}.") from None
    made = _guarded(target, function)
    if dataclasses.is_dataclass(made) and not isinstance(made, type):
        return {field.name: getattr(made, field.name) for field in dataclasses.fields(made)}
    if not isinstance(made, Mapping):
        raise click.UsageError(
            f"{target} returned {type(made).__name__}; it must return the arguments of export as a mapping or dataclass: "
            f"{', '.join(_REQUIRED)} and any others."
        )
    return dict(made)


def _imported(place: str) -> ModuleType:
    if place.endswith(".py"):
        path = Path(place)
        if not path.is_file():
            raise click.UsageError(f"There is no file {place!r}.")
        spec = importlib.util.spec_from_file_location(path.stem, path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        # Dataclasses and others look up a definition by its module's name.
        sys.modules[spec.name] = module
        run = spec.loader.exec_module
        try:
            _guarded(place, lambda: run(module))
        except click.ClickException:
            del sys.modules[spec.name]
            raise
        return module
    if "" not in sys.path:
        sys.path.insert(0, "")
    try:
        found = importlib.util.find_spec(place)
    except (ImportError, ValueError):
        found = None
    if found is None:
        raise click.UsageError(f"There is no module {place!r} that can be imported from here.")
    imported: ModuleType = _guarded(place, lambda: importlib.import_module(place))
    return imported


def _guarded(what: str, function: Callable[[], Any]) -> Any:
    """Call the user's code. Reports an exception with its line."""
    try:
        return function()
    except Exception as error:
        *_, last = traceback.extract_tb(error.__traceback__)
        where = f"{last.filename}, line {last.lineno}"
        message = str(error).strip().splitlines()
        raise click.ClickException(
            f"{what} raised {type(error).__name__} in {where}{': ' + message[0] if message else '.'}"
        ) from error


def _check(target: str, arguments: Mapping[str, Any], run: Callable[..., Any]) -> None:
    known = [name for name in inspect.signature(run).parameters if name != "progress"]
    if missing := [name for name in _REQUIRED if name not in arguments]:
        raise click.UsageError(
            f"{target} returned no {' and no '.join(map(repr, missing))}; needed are {', '.join(_REQUIRED)}."
        )
    if unknown := sorted(set(arguments) - set(known)):
        raise click.UsageError(
            f"{target} returned {unknown[0]!r}, which is not an argument of export; those are {', '.join(known)}."
        )


@contextmanager
def _stages(*, shown: bool) -> Iterator[Callable[[str], None] | None]:
    """Show the current stage on stderr, if that is a terminal."""
    if not shown:
        yield None
        return
    with console(error=True).status("examine") as status:
        yield status.update


def _show(report: ExportReport, options: Options) -> None:
    if options.as_json:
        echo_json(report.to_json())
    elif not options.quiet:
        from rich.markup import escape
        from rich.table import Table

        facts = Table.grid(padding=(0, 2))
        for heading, text in report.facts().items():
            facts.add_row(f"[cyan]{heading}[/]", escape(text))
        for name, text in report.outputs().items():
            facts.add_row("", f"{escape(name):<24} {escape(text)}")
        facts.add_row("[cyan]time[/]", escape(report.times()))
        console().print(facts)
