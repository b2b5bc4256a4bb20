"""The constraints task: requests to factor graphs, answers to values, proofs of contradiction, an exact check of its own."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from threading import Lock
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from groundstate import Change, Header, Patch, Task, Violation
from groundstate_models.constraints import asking
from groundstate_models.constraints.factors import Value
from groundstate_models.constraints.problem import Problem
from groundstate_models.constraints.tensors import Network

_REMEMBERED = 64


class Read:
    """What the task knows of a request.

    Attributes:
        problem: Its meaning.
        network: Its factor graph.
    """

    def __init__(self, request: Mapping[str, Any]) -> None:
        self.problem = Problem.of(request)

    @cached_property
    def network(self) -> Network:
        return Network(self.problem.graph)

    def below(self, cost: float, without: NDArray[np.bool_] | None = None) -> dict[str, NDArray[Any]] | None:
        """The tensors of the problem whose answers cost less; None where there can be none."""
        most = round(cost * self.network.quantum) - 1
        return None if most < self.network.least else self.network.tensors(most, without)


Known = TypeVar("Known")


class Memory(Generic[Known]):
    """What is known of the requests asked about last: a task is asked several times about each.

    Args:
        make: What is to be known of a request.
    """

    def __init__(self, make: Callable[[Mapping[str, Any]], Known]) -> None:
        self._make = make
        self._known: OrderedDict[int, tuple[Mapping[str, Any], Known]] = OrderedDict()
        self._lock = Lock()

    def __call__(self, request: Mapping[str, Any]) -> Known:
        with self._lock:
            # The request is kept with its number, so that no other object can come to have it.
            if (known := self._known.get(id(request))) is not None:
                return known[1]
        made = self._make(request)
        with self._lock:
            self._known[id(request)] = request, made
            while len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        return made


def counted(many: int, noun: str) -> str:
    """``"1 variable"``, ``"2 variables"``."""
    if many == 1:
        return f"1 {noun}"
    return f"{many} {noun.removesuffix('y')}ies" if noun.endswith("y") else f"{many} {noun}s"


class ConstraintsTask(Task):
    """Finite problems as typed constraints: the request is `schema.REQUEST`, the answer ``{"values": …, "cost": …}``."""

    def __init__(self, header: Header) -> None:
        super().__init__(header)
        self.read = Memory(Read)

    def contradictions(self, request: Mapping[str, Any]) -> list[Violation]:
        read = self.read(request)
        sources = read.network.proof()
        if sources is None:
            return []
        problem = read.problem
        named = [s for s in sources if 0 <= s < len(problem.constraints)]
        said = "; ".join(f"{problem.names[s]}: {problem.constraints[s].said()}" for s in named)
        places = tuple(f"constraints[{s}]" for s in named)
        return [Violation("constraints", len(named), f"These cannot all hold: {said}.", places)]

    def encode(self, request: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
        return self.read(request).network.tensors()

    def encode_answer(self, request: Mapping[str, Any], answer: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
        return {"value": self.read(request).network.chosen(answer["values"])}

    def decode(self, request: Mapping[str, Any], answer: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
        read = self.read(request)
        values = read.network.values(np.asarray(answer["value"]))
        return {"values": values, "cost": read.problem.cost(values)} if read.problem.preferences else {"values": values}

    def check(self, request: Mapping[str, Any], answer: Mapping[str, Any]) -> list[Violation]:
        return self.read(request).problem.violations(answer["values"])

    def cost(self, request: Mapping[str, Any], answer: Mapping[str, Any]) -> float | None:
        problem = self.read(request).problem
        return problem.cost(answer["values"]) if problem.preferences else None

    def below(self, request: Mapping[str, Any], cost: float) -> dict[str, NDArray[Any]] | None:
        return self.read(request).below(cost)

    def unique(self, request: Mapping[str, Any], answer: Mapping[str, Any]) -> bool:
        """Whether propagation alone leaves one value of every variable."""
        del answer
        return not self.read(request).network.kept

    def variables(self, request: Mapping[str, Any], answer: Mapping[str, Any]) -> dict[str, Any]:
        return {name: answer["values"][name] for name in request["variables"]}

    def choices(self, request: Mapping[str, Any], variable: str) -> list[Value]:
        return asking.choices(self.read(request).network, variable)

    def fix(self, request: Mapping[str, Any], variable: str, value: Any) -> Patch:
        return asking.fix(request, variable, value)

    def ask(self, request: Mapping[str, Any], variable: str) -> str:
        del request
        return f"Which value is {variable} to have?"

    def called(self, request: Mapping[str, Any], variable: str, value: Any) -> str:
        del request
        return f"{variable} = {value}"

    def relaxations(
        self, request: Mapping[str, Any], answer: Mapping[str, Any] | None, violations: Sequence[Violation]
    ) -> list[Change]:
        return asking.relaxations(request, self.read(request).problem, answer, violations)

    def decided(self, request: Mapping[str, Any], since: Mapping[str, NDArray[Any]]) -> dict[str, int]:
        steps = since["value"].tolist()
        return {
            name: step for name, step in zip(self.read(request).network.rows, steps, strict=False) if name is not None
        }

    def summary(self, request: Mapping[str, Any]) -> str:
        counts = (len(request[part]) if part in request else 0 for part in ("variables", "constraints", "preferences"))
        variables, constraints, preferences = counts
        liked = f" and {counted(preferences, 'preference')}" if preferences else ""
        return f"{counted(variables, 'variable')} under {counted(constraints, 'constraint')}{liked}"

    def draw(self, request: Mapping[str, Any], answer: Mapping[str, Any] | None) -> str:
        names = list(request["variables"])
        wide = max(map(len, names))
        values = {} if answer is None else answer["values"]
        return "\n".join(f"{name:<{wide}}  {values.get(name, '·')}" for name in names)
