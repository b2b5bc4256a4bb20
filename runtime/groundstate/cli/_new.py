"""`groundstate new`: create a small package from the template."""

from __future__ import annotations

import importlib.util
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import entry_points
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

import click

import groundstate
from groundstate.cli.console import SOLVED, run

_SUFFIX = ".in"
_NAME = re.compile(r"[a-z][a-z0-9]*([_-][a-z0-9]+)*")
_LONGEST = 40


def create(name: str, into: str, *, export: bool) -> int:
    """Write the package, and its artefact if the exporter is installed; returns the exit code."""
    package = name.replace("-", "_")
    _check(name, package)
    folder = Path(into) / name
    if not Path(into).is_dir():
        raise click.UsageError(f"There is no folder {into!r}.")
    if folder.exists():
        raise click.UsageError(f"{str(folder)!r} exists already; choose another name, or another place with --into.")
    words = package.split("_")
    marks = {
        "@NAME@": name,
        "@PACKAGE@": package,
        "@CLASS@": "".join(map(str.capitalize, words)),
        "@TITLE@": " ".join(words).capitalize(),
    }
    for source, place in _files(files("groundstate") / "_template", Path()):
        path = folder / Path(*(package if part == "package" else part for part in place.parts))
        path.parent.mkdir(parents=True, exist_ok=True)
        text = source.read_text(encoding="utf-8")
        for mark, value in marks.items():
            text = text.replace(mark, value)
        path.with_suffix("").write_text(text, encoding="utf-8")
    click.echo(f"{folder} contains the package {package!r}.")
    target, output = f"{package}.energy:export", f"{package}/{package}.onnx"
    made = export and _exported(folder, package, target, output)
    click.echo("Next:")
    for line in [
        f"cd {folder}",
        "pip install -e .",
        *([] if made else [f"groundstate export {target} -o {output}"]),
        f"""groundstate solve {package} '{{"borders": [["A", "B"], ["B", "C"], ["C", "A"]]}}'""",
    ]:
        click.echo(f"  {line}")
    return SOLVED


def _check(name: str, package: str) -> None:
    if not _NAME.fullmatch(name) or len(name) > _LONGEST:
        raise click.UsageError(
            f"{name!r} is not a valid package name; use small letters and digits, with - or _ between words, at most {_LONGEST}."
        )
    if name in groundstate.models(every=True) or package in groundstate.models(every=True):
        raise click.UsageError(f"A model {name!r} is installed already; choose another name.")
    if importlib.util.find_spec(package) is not None:
        raise click.UsageError(f"A module {package!r} is installed already; choose another name.")


def _files(folder: Traversable, place: Path) -> Iterator[tuple[Traversable, Path]]:
    for one in folder.iterdir():
        if one.is_dir():
            yield from _files(one, place / one.name)
        elif one.name.endswith(_SUFFIX):
            yield one, place / one.name


def _exported(folder: Path, package: str, target: str, output: str) -> bool:
    """Whether the command `export` is installed and wrote the artefact."""
    entry = next(iter(entry_points(group="groundstate.commands", name="export")), None)
    try:
        command = None if entry is None else entry.load()
    except ImportError:
        command = None
    if command is None:
        click.echo("The exporter is not installed; install it with: pip install 'groundstate[cpu,export]'.")
        return False
    with _inside(folder):
        try:
            return run(command, [target, "-o", output, "--quiet"], "groundstate export") == SOLVED
        finally:
            for name in [name for name in sys.modules if name.partition(".")[0] == package]:
                del sys.modules[name]


@contextmanager
def _inside(folder: Path) -> Iterator[None]:
    """A context with a folder as working directory and import path."""
    before, path = Path.cwd(), list(sys.path)
    os.chdir(folder)
    sys.path.insert(0, str(Path.cwd()))
    try:
        yield
    finally:
        os.chdir(before)
        sys.path[:] = path
