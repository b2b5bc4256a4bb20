"""What a task, or a reading, may be able to do beside what it must: protocols, found by `isinstance`.

A class that inherits from one gets its defaults. One that only has some of its methods is refused, with what it lacks.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from numpy.typing import NDArray

from groundstate._errors import Fault, OptionError, RequestError
from groundstate._question import Change, Patch
from groundstate._solution import Attempt, Violation

Answer = dict[str, Any]

COST_TOLERANCE = 1e-6
"""By what share of the cost (or of 1, where that is more) an answer must be cheaper to count as better."""


@runtime_checkable
class Understands(Protocol):
    """An ability of a task: requests in other forms than its schema's, before there is a reading."""

    def coerce(self, request: Mapping[str, Any]) -> tuple[Mapping[str, Any], list[str]]:
        """A request as it is meant, where a language model sent another form of it, and a sentence for each such change.

        Only what is meant beyond doubt is changed. The request may hold anything.
        """
        return request, []

    def parse(self, text: str) -> dict[str, Any]:
        """A request from what a person types for this task.

        Raises:
            RequestError: If the text is not in the task's notation.
        """
        raise RequestError(
            [Fault("", f"This task has no text notation; give the request as JSON. You gave {text[:40]!r}.")]
        )

    def explain(self, request: Mapping[str, Any]) -> Fault | None:
        """One sentence in place of all that the header's schema found wrong with a request, where that says it better.

        The request has not passed the schema: any property may be missing, or hold anything.
        """
        del request
        return None


@runtime_checkable
class Optimises(Protocol):
    """An ability of a reading: answers that pass every check are still better or worse."""

    @abstractmethod
    def cost(self, answer: Answer) -> float:
        """What an answer costs: a finite number, the lower the better."""
        raise NotImplementedError

    def improves(self, cost: float, best: float) -> bool:
        """Whether a cost is lower than the best one by more than rounding; of exact costs, ``cost < best``."""
        return cost < best - COST_TOLERANCE * max(1.0, abs(best))

    def with_cost_below(self, cost: float) -> dict[str, NDArray[Any]] | None:
        """The input tensors, of the same shapes, of the problem whose answers cost less; None where there can be none."""
        del cost
        return self.encode()  # type: ignore[attr-defined, no-any-return]  # of the reading that has this ability


@runtime_checkable
class Asks(Protocol):
    """An ability of a reading: questions where there are several answers, or none."""

    @abstractmethod
    def variables(self, answer: Answer) -> Mapping[str, Any]:
        """The value of everything in an answer that a person would care about, by a name that is the same in all answers.

        Answers whose values are all equal are as good as one; nobody is asked which is meant.
        """
        raise NotImplementedError

    def choices(self, variable: str) -> Sequence[Any]:
        """Values that a variable may have as far as the request says, most fitting first; empty where that is not known."""
        del variable
        return ()

    @abstractmethod
    def fix(self, variable: str, value: Any) -> Patch:
        """The change of the request that leaves a variable only this value."""
        raise NotImplementedError

    def ask(self, variable: str) -> str:
        """The question which value a variable should have, as a sentence."""
        return f"Which value should {variable} have?"

    def called(self, variable: str, value: Any) -> str:
        """A variable and its value in an answer, as words of a sentence."""
        return f"{variable} ({value})"

    def relaxations(self, attempt: Attempt | None, violations: Sequence[Violation]) -> Sequence[Change]:
        """Things in the request that may be given up where it has no answer, the likeliest first.

        Args:
            attempt: The lowest-energy configuration that was seen; None where the request was proven infeasible.
            violations: The checks that it fails, or the contradictions.
        """
        del attempt, violations
        return ()

    def unique(self, answer: Answer) -> bool:
        """Whether there is no other answer beside this right one. Must be a proof: False where in doubt."""
        del answer
        return False


@runtime_checkable
class Shows(Protocol):
    """An ability of a reading: words, drawings and files for people."""

    def summary(self) -> str:
        """What is asked for, as words of a sentence: "a 9×9 Sudoku with 30 givens"."""
        return str(self.header.title)  # type: ignore[attr-defined]  # of the reading that has this ability

    def decided(self, since: Mapping[str, NDArray[Any]]) -> Mapping[str, int]:
        """The update from which on each variable kept its value, from the same for each element of the answer tensors."""
        del since
        return {}

    def notation(self, answer: Answer) -> str | None:
        """The answer on one line, in the notation that the task's `parse` reads; None where there is none."""
        del answer
        return None

    def draw(self, answer: Answer | None) -> str | None:
        """The request, or its answer, drawn as lines of text; None where there is no drawing."""
        del answer
        return None

    def svg(self, answer: Answer | None) -> str | None:
        """The request, or its answer, as an SVG picture; None where there is none."""
        del answer
        return None

    def kinds(self) -> Sequence[str]:
        """The kinds of files that `file` writes, by the endings of their names; ``svg`` where there are pictures."""
        return () if type(self).svg is Shows.svg else ("svg",)

    def file(self, answer: Answer, kind: str) -> bytes:
        """The answer as a file of a kind that other programs read, such as ``ics``.

        Raises:
            OptionError: If the task writes no such files, or not of this answer; it says which it writes.
        """
        picture = self.svg(answer) if kind == "svg" else None
        if picture is None:
            known = ", ".join(map(repr, self.kinds())) or "none"
            raise OptionError(f"This task writes no files of the kind {kind!r}; it writes {known}.")
        return picture.encode()


OF_TASKS: tuple[type[Any], ...] = (Understands,)
OF_READINGS: tuple[type[Any], ...] = (Optimises, Asks, Shows)


def methods_of(protocol: type[Any]) -> list[str]:
    """The methods that an ability needs."""
    return [name for name in vars(protocol) if not name.startswith("_")]


def incomplete(kind: type[Any], protocols: Sequence[type[Any]]) -> str | None:
    """What a class lacks of an ability that it has in part, as words of a sentence; None where nothing."""
    for protocol in protocols:
        names = methods_of(protocol)
        has = [name for name in names if callable(getattr(kind, name, None))]
        lacks = [name for name in names if name not in has]
        if has and lacks:
            return (
                f"{kind.__name__} has {', '.join(f'{name}()' for name in has)}, and lacks "
                f"{', '.join(f'{name}()' for name in lacks)}; inherit from groundstate.{protocol.__name__} for defaults"
            )
    return None
