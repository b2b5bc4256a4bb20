"""The tool that lists the models, and describes one of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from groundstate import _words
from groundstate._errors import Fault, RequestError
from groundstate._solver import Solver
from groundstate.tools import _results
from groundstate.tools._base import LLMTool, Reply
from groundstate.tools._described import described

_SHOWN = ("name", "title", "description", "request", "answer", "checks", "defaults", "limits")


class DescribeTool(LLMTool):
    """List the models, or describe one: its arguments, checks, limits and an example.

    Args:
        solvers: The models.
        name: The tool's name.
    """

    def __init__(self, solvers: Iterable[Solver], *, name: str = "describe_models") -> None:
        self._solvers = {solver.header.name: solver for solver in solvers}
        self.name, self.title = name, "What can be solved"
        self.description = (
            "List the problems that can be solved here. With `model`, describe one: what its arguments mean, how its answers are "
            "checked, its limits. Call this when unsure which tool to use or what to send."
        )
        names = {"enum": list(self._solvers), "description": "The model to describe; leave it out to list all."}
        self.schema = self.accepts = {"type": "object", "properties": {"model": names}, "additionalProperties": False}
        self.returns = _results.OF_DESCRIPTION

    def call(self, arguments: Mapping[str, Any]) -> Reply:
        if not isinstance(arguments, Mapping) or arguments.keys() - {"model"}:
            raise RequestError([Fault("", "Only `model` may be sent.")])
        name = arguments.get("model")
        if name is None:
            models = [{"model": s.header.name, "description": described(s)} for s in self._solvers.values()]
            return Reply({"models": _words.cleaned(models)}, None)
        if not isinstance(name, str) or name not in self._solvers:
            known = _words.quoted(self._solvers)
            raise RequestError([Fault("model", f"{str(name)[:60]!r} is not a model here; there are {known}.")])
        about = self._solvers[name].describe() | {"description": described(self._solvers[name])}
        return Reply({key: _words.cleaned(about[key]) for key in _SHOWN}, None)
