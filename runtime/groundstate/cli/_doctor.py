"""`groundstate doctor`: check the installation."""

from __future__ import annotations

import hashlib
import os
import platform
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import click

import groundstate
from groundstate import GroundstateError, OptionError, Solution, Solver
from groundstate._catalog import locate
from groundstate._session import runtime
from groundstate._suspicion import suspicious
from groundstate._words import clean
from groundstate.cli.console import NOT_SOLVED, SOLVED, console, duration, echo_json

_SHOWN = 5
"""Suspicious texts of a file that are listed."""

_DISTRIBUTIONS = ("numpy", "jsonschema", "click", "rich")


def examine(files: tuple[str, ...] = (), *, as_json: bool) -> int:
    """Print versions and run every check, of the files too; 1 if any fails."""
    checks = [*_checks(), *(check for file in files for check in _of_file(file))]
    sound = all(check["passed"] for check in checks)
    versions = {
        "groundstate": groundstate.__version__,
        "python": platform.python_version(),
        **{name: _version(name) for name in _DISTRIBUTIONS},
    }
    if as_json:
        echo_json({"sound": sound, "versions": versions, "platform": platform.platform(), "checks": checks})
        return SOLVED if sound else NOT_SOLVED
    from rich.markup import escape
    from rich.table import Table

    listed = ", ".join(f"{name} {number}" for name, number in versions.items())
    console().print(f"{listed} on {platform.platform()}", markup=False, soft_wrap=True)
    table = Table.grid(padding=(0, 2))
    for check in checks:
        mark = "[green]ok[/]" if check["passed"] else "[bold red]failed[/]"
        table.add_row(mark, escape(check["name"]), escape(check["detail"]))
    console().print(table)
    failed = sum(not check["passed"] for check in checks)
    click.echo("Everything works." if sound else f"{failed} of {len(checks)} checks failed.")
    return SOLVED if sound else NOT_SOLVED


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def _check(name: str, *, passed: bool, detail: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "passed": passed, "detail": detail, **more}


def _checks() -> Iterator[dict[str, Any]]:
    try:
        ort = runtime()
    except GroundstateError as error:
        yield _check("ONNX Runtime", passed=False, detail=str(error))
    else:
        providers = ort.get_available_providers()
        yield _check(
            "ONNX Runtime", passed=True, detail=f"{ort.__version__} with {', '.join(providers)}", providers=providers
        )
    off = os.environ.get("ORT_DISABLE_TELEMETRY") == "1"
    yield _check("telemetry", passed=off, detail="off" if off else "ORT_DISABLE_TELEMETRY is not 1")
    names = groundstate.models(every=True)
    yield _check("models", passed=bool(names), detail=", ".join(names) or "none is installed")
    for name in names:
        try:
            path = locate(name)
        except GroundstateError as error:
            yield _check(f"model {name}", passed=False, detail=str(error))
        else:
            yield _self_test(f"model {name}", path)


def _of_file(file: str) -> Iterator[dict[str, Any]]:
    """The self-test of a file, and whether its text is for people only."""
    label = f"file {clean(file)}"
    try:
        found = suspicious(groundstate.load(Path(file)).header)
    except GroundstateError as error:
        yield _check(label, passed=False, detail=clean(str(error)))
        return
    yield _self_test(label, Path(file))
    more = f" And {len(found) - _SHOWN} more." if len(found) > _SHOWN else ""
    detail = " ".join(found[:_SHOWN]) + more if found else "reads like a description"
    yield _check(f"text of {clean(file)}", passed=not found, detail=detail, found=found)


def _self_test(label: str, path: Path) -> dict[str, Any]:
    try:
        solver = groundstate.load(path)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        facts = {"path": str(path), "sha256": digest, "version": solver.header.version}
        test = solver.header.self_test
        if test is None:
            return _check(label, passed=True, detail=f"loads; has no self-test; sha256 {digest[:12]}…", **facts)
        try:
            solution = solver.solve(test["request"], seed=0)
        except OptionError as error:  # a package that only this model needs, such as Pillow, isn't installed
            return _check(label, passed=True, detail=f"loads; its self-test did not run: {error}", **facts)
        right = _is_right(solver, test, solution)
    except GroundstateError as error:
        return _check(label, passed=False, detail=str(error))
    if not right:
        detail = (
            f"the self-test ended as {solution.status.value} with another answer than the stored one; sha256 {digest}"
        )
        return _check(label, passed=False, detail=detail, **facts)
    detail = f"solves its self-test in {duration(solution.seconds)}; sha256 {digest[:12]}…"
    return _check(label, passed=True, detail=detail, **facts)


def _is_right(solver: Solver, test: Mapping[str, Any], solution: Solution) -> bool:
    """Whether a self-test returned the stored answer, or another checked one if several are right."""
    if not solution.has_answer or solution.answer is None:
        return False
    if solver.read(test["request"]).same(solution.answer, test["answer"]):
        return True
    return solution.solved and solver.score(test["request"], test["answer"]).valid is True
