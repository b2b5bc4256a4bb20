"""A tool for language models that learns: examples of the conversation in, a new tool out.

Learning needs ``groundstate[train]`` and runs in a process of its own, within a `Budget`; nothing of it is imported here.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import weakref
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import groundstate as gs
from groundstate.tools import LLMTool, Reply, SolveTool

_TEXTS: dict[str, Any] = {"type": "array", "items": {"type": "string"}}
_CASES: dict[str, Any] = {"type": "array", "items": {"type": "object"}}

FEWEST = 5
"""Smallest number of examples."""

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "examples": {
            "type": "array",
            "minItems": FEWEST,
            "description": "One complete example an entry: an object of names and values, or the rows of a grid.",
            "items": {"type": ["object", "array", "string"]},
        },
        "name": {"type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]{0,40}$", "description": "Name of the new tool."},
        "kind": {"enum": ["rules", "table"], "description": "Default: decided by the values."},
        "known": {"type": "array", "items": {"type": "object"}, "description": "Constraints that certainly hold."},
        "possible": {**_CASES, "description": "Cases that may be: replies to questions."},
        "impossible": {**_CASES, "description": "Cases that never are: replies to questions."},
    },
    "required": ["examples"],
    "additionalProperties": False,
}

RETURNS: dict[str, Any] = {
    "type": "object",
    "properties": {
        "tool": {"type": "string", "description": "Name of the new tool."},
        "arguments": {"type": "object", "description": "The schema of its arguments."},
        "report": _TEXTS,
        "questions": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"text": {"type": "string"}, "case": {"type": "object"}},
                "required": ["text", "case"],
            },
        },
        "message": {"type": "string"},
    },
    "required": ["tool", "report", "message"],
}


@dataclass(frozen=True, slots=True)
class Budget:
    """What a call may use.

    Attributes:
        seconds: Wall-clock time.
        cells: Largest number of values in the examples.
        memory: Bytes of address space.
        file: Bytes of the written file.
        tools: Largest number of learned tools; further names are refused.
    """

    seconds: float = 120.0
    cells: int = 200_000
    memory: int = 8 << 30
    file: int = 4 << 20
    tools: int = 16


@dataclass
class _Learned:
    folder: Path
    solvers: dict[str, gs.Solver] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)


class LearnTool(LLMTool):
    """Learn a tool from examples.

    A call starts a process that learns and writes a file, waits for it within the budget, and loads the file. The examples go
    through a pipe, and no code of the caller runs. One call runs at a time.

    Args:
        folder: Folder of the written files; a temporary one by default.
        budget: What a call may use.
        learned: Called with the solver of each new tool, from the calling thread.
        name: The tool's name.

    Raises:
        OptionError: If learning is not installed.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str] | None = None,
        *,
        budget: Budget | None = None,
        learned: Callable[[gs.Solver], object] | None = None,
        name: str = "learn_tool",
    ) -> None:
        if importlib.util.find_spec("torch") is None:
            raise gs.OptionError("Learning needs torch; install it with: pip install 'groundstate[train]'.")
        self.name, self.title = name, "Learn a tool from examples"
        self.description = (
            "Learn rules, preferences or a table from examples (solved grids, past rosters, rows), and get a new tool that "
            "completes, checks and repairs further ones by what was learned. Use it when the rules are in the examples and "
            "nobody wrote them down. If `questions` come back, ask the user, and call again with the same examples and the case "
            "in `possible` or `impossible`."
        )
        self.schema = self.accepts = SCHEMA
        self.returns = RETURNS
        self.budget = budget or Budget()
        self.learned = learned
        if folder is None:
            folder = tempfile.mkdtemp(prefix="groundstate-learned-")
            weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        self._state = _Learned(Path(folder))

    @property
    def solvers(self) -> list[gs.Solver]:
        """The solvers of all learned tools, the oldest first."""
        return list(self._state.solvers.values())

    def call(self, arguments: Mapping[str, Any]) -> Reply:
        """Learn, and return the new tool's name, its arguments, the report and the questions.

        Raises:
            RequestError: If nothing can be learned from the examples, with the reason, or the budget is spent.
        """
        self._check(arguments)
        with self._state.lock:
            return self._learn(arguments)

    def _check(self, arguments: Any) -> None:
        if not isinstance(arguments, Mapping) or (extra := arguments.keys() - SCHEMA["properties"].keys()):
            odd = f" There is no {min(extra)!r}." if isinstance(arguments, Mapping) else ""
            raise gs.RequestError([gs.Fault("", f"The arguments are `examples` and options.{odd}")])
        examples = arguments.get("examples")
        if not isinstance(examples, list):
            raise gs.RequestError([gs.Fault("examples", "This must be a list with one example an entry.")])
        if len(examples) < FEWEST:
            raise gs.RequestError(
                [gs.Fault("examples", f"There are {len(examples)} examples; learning needs {FEWEST}.")]
            )
        cells = sum(map(_cells, examples))
        if cells > self.budget.cells:
            message = f"There are {cells} values; up to {self.budget.cells} are allowed. Send a sample of the examples."
            raise gs.RequestError([gs.Fault("examples", message)])
        name = arguments.get("name", "learned")
        if not isinstance(name, str) or not re.fullmatch(SCHEMA["properties"]["name"]["pattern"], name):
            raise gs.RequestError(
                [gs.Fault("name", f"{str(name)[:60]!r} is not a word of letters, digits and underscores.")]
            )
        if name not in self._state.solvers and len(self._state.solvers) >= self.budget.tools:
            raise gs.RequestError(
                [
                    gs.Fault(
                        "name", f"There are {self.budget.tools} learned tools already; give the name of one of them."
                    )
                ]
            )
        if arguments.get("kind") not in (None, "rules", "table"):
            raise gs.RequestError([gs.Fault("kind", "This must be 'rules' or 'table'.")])
        for part in ("known", "possible", "impossible"):
            given = arguments.get(part, [])
            if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
                raise gs.RequestError([gs.Fault(part, "This must be a list of objects.")])

    def _learn(self, arguments: Mapping[str, Any]) -> Reply:
        name = arguments.get("name", "learned")
        path = self._state.folder / f"{name}.onnx"
        request = {**arguments, "name": name, "path": str(path), "budget": asdict(self.budget)}
        command = [sys.executable, "-m", "groundstate_training.learning.worker"]
        environment = os.environ | {"OMP_NUM_THREADS": "1"}
        try:
            done = subprocess.run(  # noqa: S603 - our own module; the examples go through the pipe
                command,
                input=json.dumps(request),
                capture_output=True,
                text=True,
                timeout=self.budget.seconds,
                env=environment,
                check=False,
            )
        except subprocess.TimeoutExpired:
            message = f"Learning took longer than {self.budget.seconds:g} seconds. Send fewer examples or variables."
            raise gs.RequestError([gs.Fault("examples", message)]) from None
        try:
            found = json.loads(done.stdout)
        except ValueError:
            reason = "ran out of its budget" if done.returncode < 0 else "failed"
            message = f"Learning {reason} (exit code {done.returncode}). Send fewer examples or variables."
            raise gs.RequestError([gs.Fault("examples", message)]) from None
        if "error" in found:
            raise gs.RequestError([gs.Fault("examples", found["error"])])
        solver = gs.load(path)
        self._state.solvers[name] = solver
        if self.learned is not None:
            self.learned(solver)
        tool = SolveTool(solver)
        message = f"The tool {tool.name} is ready: it completes, checks and repairs by what was learned."
        if found["questions"]:
            message += (
                " The examples leave questions open; until they are answered, the rules asked about are not kept."
            )
        record = {"tool": tool.name, "arguments": tool.schema, **found, "message": message}
        return Reply(record, None)


def _cells(example: Any) -> int:
    if isinstance(example, Mapping):
        return sum(map(_cells, example.values()))
    if isinstance(example, list):
        return sum(map(_cells, example))
    return len(example) if isinstance(example, str) and len(example) > 8 else 1
