"""Optional abilities of tasks and readings: protocols, detected by `isinstance`.

A class that inherits from a protocol gets its defaults. A class with only some of the methods is refused with a list of the rest.
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
"""An answer counts as better if it is cheaper by more than this fraction of the cost (or of 1, if that is larger)."""


@runtime_checkable
class Understands(Protocol):
    """Ability of a task: accept requests in forms other than the schema's."""

    def coerce(self, request: Mapping[str, Any]) -> tuple[Mapping[str, Any], list[str]]:
        """Coerce a request that a language model sent in another form. Also returns one note per kind of coercion.

        Change only what is unambiguous. The request may contain anything.
        """
        return request, []

    def parse(self, text: str) -> dict[str, Any]:
        """Parse a request from the task's text notation.

        Raises:
            RequestError: If the text is not in the task's notation.
        """
        raise RequestError(
            [Fault("", f"This task has no text notation; give the request as JSON. You gave {text[:40]!r}.")]
        )

    def explain(self, request: Mapping[str, Any]) -> Fault | None:
        """A clearer fault that replaces all schema faults of a request; None keeps them.

        The request has not passed the schema: any property may be missing, or contain anything.
        """
        del request
        return None


@runtime_checkable
class Optimises(Protocol):
    """Ability of a reading: rank the answers that pass every check by cost."""

    @abstractmethod
    def cost(self, answer: Answer) -> float:
        """The cost of an answer: a finite number, lower is better."""

    def improves(self, cost: float, best: float) -> bool:
        """Whether a cost is lower than the best by more than rounding. For exact costs, ``cost < best``."""
        return cost < best - COST_TOLERANCE * max(1.0, abs(best))

    def with_cost_below(self, cost: float) -> dict[str, NDArray[Any]] | None:
        """The input tensors, of the same shapes, of the problem whose answers cost less; None if there are provably none."""
        del cost
        return self.encode()  # type: ignore[attr-defined, no-any-return]  # of the reading that has this ability


@runtime_checkable
class Asks(Protocol):
    """Ability of a reading: ask a question if there are several answers, or none."""

    @abstractmethod
    def variables(self, answer: Answer) -> Mapping[str, Any]:
        """The values in an answer that matter to a person, by names that are the same in all answers.

        Answers with equal values count as one answer: no question distinguishes them.
        """

    def choices(self, variable: str) -> Sequence[Any]:
        """Values that the request allows for a variable, best first; empty if they are unknown."""
        del variable
        return ()

    @abstractmethod
    def fix(self, variable: str, value: Any) -> Patch:
        """The change of the request that fixes a variable to this value."""

    def ask(self, variable: str) -> str:
        """The text of the question about a variable's value."""
        return f"Which value should {variable} have?"

    def called(self, variable: str, value: Any) -> str:
        """A variable and its value in an answer, as part of a sentence."""
        return f"{variable} ({value})"

    def relaxations(self, attempt: Attempt | None, violations: Sequence[Violation]) -> Sequence[Change]:
        """Relaxations of a request without an answer, the likeliest first.

        Args:
            attempt: The lowest-energy configuration seen; None if the request is proven infeasible.
            violations: The checks that it fails, or the contradictions.
        """
        del attempt, violations
        return ()

    def unique(self, answer: Answer) -> bool:
        """Whether this correct answer is the only one. This must be a proof: False if in doubt."""
        del answer
        return False


@runtime_checkable
class Shows(Protocol):
    """Ability of a reading: texts, drawings and files for people."""

    def summary(self) -> str:
        """The problem, as part of a sentence: "a 9×9 Sudoku with 30 givens"."""
        return str(self.header.title)  # type: ignore[attr-defined]  # of the reading that has this ability

    def decided(self, since: Mapping[str, NDArray[Any]]) -> Mapping[str, int]:
        """For each variable, the update from which it kept its value.

        Args:
            since: The same for each element of the answer tensors.
        """
        del since
        return {}

    def notation(self, answer: Answer) -> str | None:
        """The answer on one line, in the notation that the task's `parse` reads; None if there is no notation."""
        del answer
        return None

    def draw(self, answer: Answer | None) -> str | None:
        """The request, or its answer, drawn as lines of text; None if there is no drawing."""
        del answer
        return None

    def svg(self, answer: Answer | None) -> str | None:
        """The request, or its answer, as an SVG picture; None if there is no picture."""
        del answer
        return None

    def kinds(self) -> Sequence[str]:
        """File name extensions that `file` can write; ``svg`` if there are pictures."""
        return () if type(self).svg is Shows.svg else ("svg",)

    def file(self, answer: Answer, kind: str) -> bytes:
        """The answer as a file for other programs, such as ``ics``.

        Raises:
            OptionError: If the task cannot write this kind of file, or this answer; the message lists the possible kinds.
        """
        picture = self.svg(answer) if kind == "svg" else None
        if picture is None:
            known = ", ".join(map(repr, self.kinds())) or "none"
            raise OptionError(f"This task writes no files of the kind {kind!r}; it writes {known}.")
        return picture.encode()


OF_TASKS: tuple[type[Any], ...] = (Understands,)
OF_READINGS: tuple[type[Any], ...] = (Optimises, Asks, Shows)


def methods_of(protocol: type[Any]) -> list[str]:
    """The names of an ability's methods."""
    return [name for name in vars(protocol) if not name.startswith("_")]


def incomplete(kind: type[Any], protocols: Sequence[type[Any]]) -> str | None:
    """The missing methods of a partly implemented ability, as part of a sentence; None if there are none."""
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
