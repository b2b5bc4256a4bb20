"""The command that makes a model's artefacts from its settings: ``python -m groundstate_models.<name>.export``."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from groundstate_export import ExportError, ExportReport, export
from groundstate_models._settings import Settings

Files = Mapping[str, Callable[[Path], Mapping[str, Any]]]
"""Names of files, and what makes the arguments of `groundstate_export.export` from a settings file."""


def export_parser(name: str, settings: Path, out: Path) -> argparse.ArgumentParser:
    """The options that every model has.

    Args:
        name: Of the model's folder.
        settings: The settings of the bundled artefacts.
        out: The folder of the bundled artefacts.
    """
    parser = argparse.ArgumentParser(
        prog=f"python -m groundstate_models.{name}.export",
        description="Export settings, and keep them beside the files. Either all files are written, or none.",
    )
    parser.add_argument("--settings", type=Path, default=settings, help="default: those of the bundled files")
    parser.add_argument("--untrained", action="store_true", help="the settings that training starts from instead")
    parser.add_argument(
        "--out", type=Path, default=out, help="a folder, or one .onnx file (default: that of the bundled files)"
    )
    return parser


def export_command(
    options: argparse.Namespace, kind: type[Settings], files: Callable[[], Files], *, keep: bool = True
) -> int:
    """Make every file of a model, or none.

    Args:
        options: Of `export_parser`.
        kind: The model's settings.
        files: Called once; what it raises as a ValueError is an error of the options.
        keep: Whether the settings are written beside the files, as ``settings.json``.

    Returns:
        The exit code: 0, or 2 after an error, which is printed as one sentence.
    """
    try:
        reports = _export(options, kind, files(), keep=keep)
    except OSError as error:
        reason = error.strerror or error
        print(f"export: {options.out} cannot be written: {reason}. Nothing there was changed.", file=sys.stderr)
        return 2
    except (ExportError, ValueError) as error:
        print(f"export: {error}", file=sys.stderr)
        return 2
    print(*reports, sep="\n\n")
    return 0


def _export(options: argparse.Namespace, kind: type[Settings], files: Files, *, keep: bool) -> list[ExportReport]:
    """Make every file in a folder beside its place, and move all of them there at the end."""
    targets = _targets(options.out, list(files))
    folder = next(iter(targets.values())).parent
    if not folder.is_dir():
        raise ValueError(f"The folder {folder} does not exist.")
    reports = []
    with tempfile.TemporaryDirectory(prefix=".export-", dir=folder) as staging:
        settings = Path(staging) / "settings.json"
        (kind() if options.untrained else kind.read(options.settings)).keep(settings)
        for name, arguments in files.items():
            report = export(**arguments(settings), path=Path(staging) / targets[name].name)
            reports.append(replace(report, path=targets[name]))
        for file in Path(staging).iterdir():
            if keep or file != settings:
                file.replace(folder / file.name)
    return reports


def _targets(out: Path, names: list[str]) -> dict[str, Path]:
    if out.suffix != ".onnx":
        return {name: out / name for name in names}
    if len(names) > 1:
        raise ValueError(
            f"{out} is one file, but {len(names)} are to be exported ({', '.join(names)}). Name a folder with --out."
        )
    return {names[0]: out}
