"""The process that learns: examples through its standard input, a record from its standard output, all within a budget."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import groundstate as gs

_COMMAND = (sys.executable, "-m", "groundstate_training.learning.worker")


@dataclass(frozen=True, slots=True)
class Budget:
    """What a call may use.

    Attributes:
        seconds: Wall-clock time of learning.
        cells: Largest number of values in the examples.
        characters: Largest size of all arguments as JSON.
        memory: Bytes of address space.
        file: Bytes of the written file.
        tools: Largest number of learned tools; further names are refused.
        waiting: Largest number of calls that wait while one learns.
    """

    seconds: float = 120.0
    cells: int = 200_000
    characters: int = 4_000_000
    memory: int = 8 << 30
    file: int = 4 << 20
    tools: int = 16
    waiting: int = 8


class Process:
    """One learning process.

    Args:
        budget: What it may use.
    """

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self._lock = threading.Lock()
        self._stopped = False
        self._child: subprocess.Popen[str] | None = None

    def stop(self) -> None:
        """End the process; if it has not started, it will not."""
        with self._lock:
            self._stopped = True
            if self._child is not None:
                self._child.kill()

    def learn(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Learn and write a file; returns the record of `groundstate_training.learning.worker`.

        Args:
            request: The arguments of a `LearnTool`, with the ``name`` of the tool and the ``path`` of its file.

        Raises:
            RequestError: If the budget is spent, or the process was stopped.
        """
        text = json.dumps({**request, "budget": asdict(self.budget)})
        with self._lock:
            if self._stopped:
                raise _fault("The call was cancelled.")
            self._child = child = subprocess.Popen(  # noqa: S603 - our own module; the examples go through the pipe
                _COMMAND,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                env=os.environ | {"OMP_NUM_THREADS": "1"},
            )
        with child:
            try:
                out, _ = child.communicate(text, timeout=self.budget.seconds)
            except subprocess.TimeoutExpired:
                child.kill()
                message = (
                    f"Learning took longer than {self.budget.seconds:g} seconds. Send fewer examples or variables."
                )
                raise _fault(message) from None
        if self._stopped:
            raise _fault("The call was cancelled.")
        try:
            found: dict[str, Any] = json.loads(out)
        except ValueError:
            reason = "ran out of its budget" if child.returncode < 0 else "failed"
            raise _fault(
                f"Learning {reason} (exit code {child.returncode}). Send fewer examples or variables."
            ) from None
        return found


def _fault(message: str) -> gs.RequestError:
    return gs.RequestError([gs.Fault("examples", message)])
