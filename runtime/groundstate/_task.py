"""Tasks: how requests become tensors and tensors answers, where the header's schema alone does not say it.

A task is a class that an installed package announces in the entry-point group ``groundstate.tasks``; an artefact names it.
`Task` itself is the default: properties of the request map to the input tensors of the same name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundstate._checks import misshapen
from groundstate._errors import Fault, OptionError, RequestError, TaskError
from groundstate._header import Header, Spec
from groundstate._question import Change, Patch
from groundstate._solution import Violation

GROUP = "groundstate.tasks"


class Task:
    """Encodes requests, decodes and checks answers. Requests have passed the header's schema before any method but `explain`.

    Args:
        header: The artefact's header.
    """

    def __init__(self, header: Header) -> None:
        self.header = header

    def encode(self, request: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
        """The input tensors of a request, without the batch.

        Raises:
            RequestError: If the request means nothing, though the schema allows it.
        """
        return _tensors(self.header.inputs, request)

    def encode_answer(self, request: Mapping[str, Any], answer: Mapping[str, Any]) -> dict[str, NDArray[Any]] | None:
        """The answer tensors of somebody else's answer, without the batch; None where the landscape has no place for it."""
        del request
        return _tensors(self.header.answers, answer)

    def decode(self, request: Mapping[str, Any], answer: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
        """The answer, JSON-ready, from the answer tensors without the batch."""
        del request
        return {name: tensor.tolist() for name, tensor in answer.items()}

    def contradictions(self, request: Mapping[str, Any]) -> list[Violation]:
        """What in the request itself proves that it has no answer. Must be a proof: an empty list where in doubt."""
        del request
        return []

    def check(self, request: Mapping[str, Any], answer: Mapping[str, Any]) -> list[Violation] | None:
        """The rules that an answer breaks, found without the graph; None where only the graph can tell."""
        del request, answer
        return None

    def cost(self, request: Mapping[str, Any], answer: Mapping[str, Any]) -> float | None:
        """What an answer costs, where answers that pass every rule are still better or worse; None where they are all as good."""
        del request, answer
        return None

    def below(self, request: Mapping[str, Any], cost: float) -> dict[str, NDArray[Any]] | None:
        """The input tensors, of the same shapes, of the problem whose answers cost less; None where there can be none."""
        del request, cost
        return None

    def unique(self, request: Mapping[str, Any], answer: Mapping[str, Any]) -> bool:
        """Whether there is no other answer beside this right one. Must be a proof: False where in doubt."""
        del request, answer
        return False

    def variables(self, request: Mapping[str, Any], answer: Mapping[str, Any]) -> dict[str, Any]:
        """The value of every variable of an answer that can be asked about, by a name that is the same in all answers.

        Empty where the task cannot ask: several answers are then reported without a question.
        """
        del request, answer
        return {}

    def choices(self, request: Mapping[str, Any], variable: str) -> Sequence[Any]:
        """Values that a variable may have as far as the request says, most fitting first; empty where that is not known."""
        del request, variable
        return ()

    def fix(self, request: Mapping[str, Any], variable: str, value: Any) -> Patch:
        """The change of the request that leaves a variable only one value.

        Raises:
            TaskError: Of a task that overrides `variables` and not this: only its author can mend that. The default task has no
                variables, so nothing calls this.
        """
        del request
        raise TaskError(f"The task {type(self).__name__} has variables, and no fix() that makes {variable} {value!r}.")

    def ask(self, request: Mapping[str, Any], variable: str) -> str:
        """The question which value a variable is to have, as a sentence."""
        del request
        return f"What is {variable} to be?"

    def called(self, request: Mapping[str, Any], variable: str, value: Any) -> str:
        """A variable and its value in an answer, as words of a sentence."""
        del request
        return f"{variable} ({value})"

    def relaxations(
        self, request: Mapping[str, Any], answer: Mapping[str, Any] | None, violations: Sequence[Violation]
    ) -> Sequence[Change]:
        """Things in the request that may be given up where it has no answer, the likeliest first.

        Args:
            answer: The configuration of lowest energy that was seen; None where the request was proven infeasible.
            violations: The rules which that breaks, or by which the request is proven infeasible.
        """
        del request, answer, violations
        return ()

    def decided(self, request: Mapping[str, Any], since: Mapping[str, NDArray[Any]]) -> dict[str, int]:
        """The update from which on each variable kept its value, from the same for each entry of the answer tensors."""
        del request, since
        return {}

    def summary(self, request: Mapping[str, Any]) -> str:
        """What a request asks for, as words of a sentence: "a 9×9 Sudoku with 30 givens"."""
        del request
        return self.header.title

    def explain(self, request: Mapping[str, Any]) -> Fault | None:
        """One sentence in place of all that the header's schema found wrong with a request, where that says it better.

        The request has not passed the schema: any property may be missing, or hold anything.
        """
        del request
        return None

    def mend(self, request: Mapping[str, Any]) -> tuple[Mapping[str, Any], list[str]]:
        """A request as it is meant, where a language model sent another shape of it, and a sentence for each such change.

        Only what is meant beyond doubt is changed. The request may hold anything.
        """
        return request, []

    def parse(self, text: str) -> dict[str, Any]:
        """A request from what a person types for this task.

        Raises:
            RequestError: If the text is not in the task's notation.
        """
        raise RequestError(
            [Fault("", f"{self.header.name} has no text notation; give the request as JSON. You gave {text[:40]!r}.")]
        )

    def notation(self, answer: Mapping[str, Any]) -> str | None:
        """The answer on one line in the notation that `parse` reads; None where there is none."""
        del answer
        return None

    def file(self, request: Mapping[str, Any], answer: Mapping[str, Any], kind: str) -> bytes:
        """The answer as a file of a kind that other programs read, such as ``ics``.

        Raises:
            OptionError: If the task writes no such files, or not of this answer; it says which.
        """
        del request, answer
        raise OptionError(f"{self.header.name} writes no files of the kind {kind!r}.")

    def draw(self, request: Mapping[str, Any], answer: Mapping[str, Any] | None) -> str | None:
        """The request, or its answer, drawn as lines of text for a person; None where there is no drawing."""
        del request, answer
        return None


def _tensors(specs: Mapping[str, Spec], values: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
    tensors: dict[str, NDArray[Any]] = {}
    faults: list[Fault] = []
    for name, spec in specs.items():
        if name not in values:
            faults.append(Fault(name, "This is missing."))
            continue
        try:
            tensors[name] = np.asarray(values[name]).astype(spec.dtype)
        except (ValueError, TypeError, OverflowError):
            faults.append(Fault(name, f"This must be an array of {spec.dtype} of shape {spec.text}."))
            continue
        faults += misshapen(name, tensors[name].shape, spec)
    if faults:
        raise RequestError(faults)
    return tensors


def find(header: Header) -> Task:
    """The task that a header names, or the default one.

    Raises:
        TaskError: If no installed package brings the task.
    """
    if header.task is None:
        return Task(header)
    from importlib.metadata import entry_points  # slow to import, see `_catalog`

    for entry in entry_points(group=GROUP, name=header.task):
        found: Task = entry.load()(header)
        return found
    known = ", ".join(sorted(entry.name for entry in entry_points(group=GROUP))) or "none"
    raise TaskError(
        f"The artefact {header.name!r} needs the task {header.task!r}, which no installed package brings (installed: {known})."
    )
