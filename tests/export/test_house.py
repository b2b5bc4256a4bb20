"""How the exporter is laid out: what is public, what may import what, and the message without PyTorch."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import groundstate_export

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "export" / "groundstate_export"
MODULES = {
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__"): path
    for path in PACKAGE.rglob("*.py")
}


def imported(path: Path) -> set[str]:
    """The modules that a file imports from, wherever in the file."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {
                full if (full := f"{node.module}.{alias.name}") in MODULES else node.module for alias in node.names
            }
    return found


def test_public_names_are_those_of_the_package_and_sorted() -> None:
    assert groundstate_export.__all__ == sorted(groundstate_export.__all__)
    assert all(hasattr(groundstate_export, name) for name in groundstate_export.__all__)


def test_every_module_but_the_package_itself_is_private_or_in_a_private_folder() -> None:
    public = [name for name in MODULES if not any(part.startswith("_") for part in name.split(".")[1:])]
    assert public == ["groundstate_export"]
    assert len(list(PACKAGE.glob("*.py"))) <= 9, "eight modules, and the package itself"


def test_nothing_outside_imports_a_private_module() -> None:
    outside = [
        (path, name)
        for folder in ("runtime", "integrations", "models", "benchmarks", "docs", "examples")
        for path in (ROOT / folder).rglob("*.py")
        for name in imported(path)
        if name.startswith("groundstate_export.")
    ]
    assert outside == []


def test_no_modules_import_each_other_in_a_circle() -> None:
    arrows = {name: imported(path) & MODULES.keys() - {name} for name, path in MODULES.items()}
    arrows = {name: {to for to in found if not name.startswith(f"{to}.")} for name, found in arrows.items()}

    def reached(name: str) -> set[str]:
        seen: set[str] = set()
        pending = [name]
        while pending:
            for to in arrows[pending.pop()] - seen:
                seen.add(to)
                pending.append(to)
        return seen

    assert [name for name in arrows if name in reached(name)] == []


def test_onnx_runtime_is_imported_in_one_place_where_its_telemetry_is_off() -> None:
    assert [name for name, path in MODULES.items() if "onnxruntime" in imported(path)] == [
        "groundstate_export._onnxruntime"
    ]


def test_no_file_is_longer_than_400_lines() -> None:
    assert [name for name, path in MODULES.items() if path.read_text(encoding="utf-8").count("\n") > 400] == []


@pytest.mark.parametrize("package", ["export/groundstate_export", "models/groundstate_models"])
def test_a_package_says_that_it_is_typed(package: str) -> None:
    assert (ROOT / package / "py.typed").exists()


@pytest.mark.parametrize(
    ("missing", "remedy"),
    [("torch", "groundstate[export]"), ("onnx", "groundstate[export]"), ("onnxruntime", "groundstate[cpu]")],
)
def test_an_environment_without_what_it_needs_names_what_to_install(missing: str, remedy: str) -> None:
    code = f"import sys; sys.modules[{missing!r}] = None; import groundstate_export"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert f"pip install '{remedy}'" in done.stderr.splitlines()[-1]
    assert done.stderr.splitlines()[-1].startswith("ImportError: ")
