"""A tool for language models that learns: examples of the conversation in, a new tool out.

Learning needs ``groundstate[train]`` and runs in a process of its own, within a `Budget`; nothing of it is imported here.
"""

from __future__ import annotations

import asyncio
import hashlib
import importlib.util
import json
import logging
import os
import shutil
import tempfile
import threading
import weakref
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import groundstate as gs
from groundstate._words import did_you_mean
from groundstate.tools import LLMTool, Reply, SolveTool
from groundstate_models.learned.arguments import RETURNS, SCHEMA, check_arguments, fault
from groundstate_models.learned.process import Budget, Process

_log = logging.getLogger("groundstate_models")


@dataclass
class _State:
    """What calls share: the folder, the learned tools, the calls in progress and the thread that takes them up in turn."""

    folder: Path
    solvers: dict[str, gs.Solver] = field(default_factory=dict)
    examples: dict[str, str] = field(default_factory=dict)
    calls: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)
    thread: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, thread_name_prefix="learning"))


class LearnTool(LLMTool):
    """Learn a tool from examples.

    A call starts a process that learns and writes a file, waits for it within the budget, and loads the file. The examples go
    through a pipe, and no code of the caller runs. One call runs at a time; as many more as the budget allows wait.

    A name belongs to the examples that it was first learned from: only a call with the same examples (and replies) replaces the
    tool, so that callers who share this object do not overwrite each other's tools.

    Args:
        folder: Folder of the written files; a temporary one by default. Tools that an earlier process learned there are loaded.
        budget: What a call may use.
        learned: Called with the solver of each new tool, from the thread that learns.
        name: The tool's name.
        reserved: Names that no learned tool may have.

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
        reserved: Iterable[str] = (),
    ) -> None:
        if importlib.util.find_spec("torch") is None:
            raise gs.OptionError("Learning needs torch; install it with: pip install 'groundstate[train]'.")
        self.name, self.title = name, "Learn a tool from examples"
        self.description = (
            "Learn rules, preferences or a table from examples (solved grids, past rosters, rows), and get a new tool that "
            "completes, checks and repairs further ones by what was learned. Use it when the rules are in the examples and "
            "nobody wrote them down. If `questions` come back, ask the user, and call again with the same examples and the case "
            "in `possible` or `impossible`. To delete a learned tool, send its name in `forget` alone."
        )
        self.schema = self.accepts = SCHEMA
        self.returns = RETURNS
        self.budget = budget or Budget()
        self.learned = learned
        self.reserved = set(reserved)
        kept = folder is not None
        if folder is None:
            folder = tempfile.mkdtemp(prefix="groundstate-learned-")
            weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        self._state = _State(Path(folder))
        if kept:
            self._load()

    @property
    def solvers(self) -> list[gs.Solver]:
        """The solvers of all learned tools, the oldest first."""
        return list(self._state.solvers.values())

    def call(self, arguments: Mapping[str, Any]) -> Reply:
        """Learn, and return the new tool's name, its arguments, the report and the questions; or forget a tool.

        Raises:
            RequestError: If nothing can be learned from the examples, with the reason, or the budget is spent.
            BusyError: If too many calls wait.
        """
        future, process = self._begun(arguments)
        try:
            return future.result()
        except BaseException:
            process.stop()
            raise

    async def acall(self, arguments: Mapping[str, Any]) -> Reply:
        """`call` without blocking the event loop. If the task is cancelled, the learning process is stopped."""
        future, process = self._begun(arguments)
        try:
            return await asyncio.wrap_future(future)
        except asyncio.CancelledError:
            process.stop()
            raise

    def _begun(self, arguments: Mapping[str, Any]) -> tuple[Future[Reply], Process]:
        check_arguments(arguments, self.budget)
        process, state = Process(self.budget), self._state
        if "forget" in arguments:
            done: Future[Reply] = Future()
            done.set_result(self._forgotten(arguments["forget"]))
            return done, process
        with state.lock:
            if state.calls > self.budget.waiting:
                raise gs.BusyError(state.calls, state.calls - 1, self.budget.waiting)
            state.calls += 1
        future = state.thread.submit(self._learned, arguments, process)
        future.add_done_callback(self._ended)
        return future, process

    def _ended(self, _future: Future[Reply]) -> None:
        with self._state.lock:
            self._state.calls -= 1

    def _learned(self, arguments: Mapping[str, Any], process: Process) -> Reply:
        state = self._state
        examples = _digest(arguments["examples"])
        name = self._name(arguments.get("name"), examples)
        path = state.folder / f"{name}.onnx"
        found = process.learn({**arguments, "name": name, "path": str(path)})
        if "error" in found:
            raise gs.RequestError([gs.Fault("examples", found["error"])])
        solver = gs.load(path)
        _kept(path).write_text(examples, encoding="ascii")
        with state.lock:
            state.solvers[name], state.examples[name] = solver, examples
        if self.learned is not None:
            self.learned(solver)
        tool = SolveTool(solver)
        message = f"The tool {tool.name} is ready: it completes, checks and repairs by what was learned."
        if found["questions"]:
            message += (
                " The examples leave questions open; until they are answered, the rules asked about are not kept. Call again with"
                f" the same examples, the name {name!r}, and each case in `possible` or `impossible`."
            )
        record = {"tool": tool.name, "arguments": tool.schema, **found, "message": message}
        return Reply(record, None)

    def _name(self, given: str | None, examples: str) -> str:
        """The name of the new tool; without a given one, that of the same examples, or a free one."""
        with self._state.lock:
            taken = dict(self._state.examples)
        if given is None:
            mine = next((name for name, other in taken.items() if other == examples), None)
            numbered = (f"learned_{k}" for k in range(2, len(taken) + 3 + len(self.reserved)))
            given = mine or next(n for n in ("learned", *numbered) if n not in taken and n not in self.reserved)
        if given in self.reserved:
            raise fault("name", f"The name {given!r} belongs to a model of this server; choose another one.")
        if given in taken and taken[given] != examples:
            message = f"The tool {given!r} was learned from other examples; choose another name, or send forget {given!r} first."
            raise fault("name", message)
        if given not in taken and len(taken) >= self.budget.tools:
            are = "is 1 learned tool" if len(taken) == 1 else f"are {len(taken)} learned tools"
            message = f"There {are} already, the most that are kept. Forget one first: {', '.join(taken)}."
            raise fault("name", message)
        return given

    def _forgotten(self, name: str) -> Reply:
        state = self._state
        with state.lock:
            if name not in state.solvers:
                name = name.removeprefix("solve_")
            if name not in state.solvers:
                hint = (
                    did_you_mean(name, state.solvers) or " Learned tools: " + (", ".join(state.solvers) or "none") + "."
                )
                raise fault("forget", f"There is no learned tool {name[:60]!r}.{hint}")
            del state.solvers[name], state.examples[name]
            path = state.folder / f"{name}.onnx"
            path.unlink(missing_ok=True)
            _kept(path).unlink(missing_ok=True)
        return Reply({"tool": f"solve_{name}", "report": [], "message": f"The tool solve_{name} is forgotten."}, None)

    def _load(self) -> None:
        """Load the tools that the folder holds; a file that is no learned tool is left alone, with a warning in the log."""
        state = self._state
        state.folder.mkdir(parents=True, exist_ok=True)
        for path in sorted(state.folder.glob("*.onnx"), key=lambda one: (one.stat().st_mtime, one.name))[
            : self.budget.tools
        ]:
            try:
                solver = gs.load(path)
            except gs.GroundstateError as error:
                _log.warning("%s is not loaded: %s", path, error)
                continue
            if solver.header.name != path.stem or solver.header.task != "learned":
                _log.warning("%s is not loaded: it was not learned here.", path)
                continue
            kept = _kept(path)
            state.solvers[path.stem] = solver
            state.examples[path.stem] = kept.read_text(encoding="ascii", errors="replace") if kept.is_file() else ""


def _digest(examples: list[Any]) -> str:
    return hashlib.sha256(json.dumps(examples, sort_keys=True).encode()).hexdigest()


def _kept(path: Path) -> Path:
    """The file beside a learned tool that says which examples it was learned from."""
    return path.with_suffix(".sha256")
