"""Scores a given answer: the checks that it fails, and its energy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from groundstate._arguments import misshapen, within
from groundstate._errors import ArtefactError, RequestError
from groundstate._gate import Passed
from groundstate._header import Header
from groundstate._pool import Pool
from groundstate._problems import Problems, violated
from groundstate._request import Schema
from groundstate._segment import segment
from groundstate._session import Session, Tensors
from groundstate._solution import Score, Violation


class Scorer:
    """Scores answers with the exact checks of the task and of the file, and with the energy.

    Args:
        session: Runs the graph of the last stage.
        problems: Reads requests.
        pool: Threads to run on.
        checker: The file's checker, and what the gate read in it.

    Raises:
        ArtefactError: If ONNX Runtime cannot load the checker.
    """

    def __init__(
        self, session: Session, problems: Problems, pool: Pool, checker: tuple[bytes, Passed] | None = None
    ) -> None:
        self._session, self._problems, self._pool = session, problems, pool
        header = problems.header
        self._answer = Schema(header.answer, header.answers, "answer", problems.values)
        self._checker: Session | None = None
        if checker is not None:
            model, passed = checker
            source = f"The checker of the artefact {header.name!r:.80}"
            self._checker = Session(model, source=source, passed=passed, float64=header.is_float64)

    def score(self, request: Mapping[str, Any], answer: Mapping[str, Any]) -> Score:
        """See `Solver.score`."""
        problems = self._problems
        meaning = problems.read(request)
        try:
            given = self._answer.validate(answer)
            tensors = meaning.encode_answer(given)
        except RequestError as error:
            raise within("answer", error) from None
        header = problems.sized(meaning.inputs)
        placed = {} if tensors is None else {name: tensors[name].shape for name in header.answers}
        if faults := [f for n, shape in placed.items() for f in misshapen(n, shape, header.answers[n])]:
            raise within("answer", RequestError(faults))
        violations = meaning.check(given)
        energy, terms = None, {}
        if self._checker is not None and tensors is not None:
            feeds = {**meaning.inputs, **{f"answer.{name}": tensor for name, tensor in tensors.items()}}
            known = {name: feeds[name] for name in self._checker.inputs if name in feeds}
            checked = self._checker.run({name: np.ascontiguousarray(tensor[None]) for name, tensor in known.items()})
            counted = self._counted(header, checked)
            # Both must pass: neither the task nor the file alone can call an answer valid.
            violations = (violations or counted) if counted is not None else violations
            place = {
                name.removeprefix("state."): tensor for name, tensor in checked.items() if name.startswith("state.")
            }
            if place:
                out = self._evaluate(header, {name: tensor[None] for name, tensor in meaning.inputs.items()}, place)
                energy = float(out["energy"][0])
                terms = {term.name: float(value) for term, value in zip(header.terms, out["terms"][0], strict=True)}
        if violations is None and energy is None:
            raise ArtefactError(
                f"The artefact {header.name!r} can neither check an answer nor place it in its landscape; "
                "export it with checks, or with encode_answer."
            )
        return Score(None if violations is None else not violations, energy, terms, tuple(violations or ()))

    def _counted(self, header: Header, checked: Tensors) -> list[Violation] | None:
        """The checks that fail; None if the file has no checks."""
        if not header.checks:
            return None
        columns = (1, len(header.checks))
        counts, excess = checked.get("violations"), checked.get("excess")
        if counts is None or counts.shape != columns or counts.dtype != np.int64:
            raise ArtefactError(f"The checker of the artefact {header.name!r} does not return its {columns[1]} checks.")
        measured = excess[0] if excess is not None and excess.shape == columns else None
        return violated(self._problems.header, counts[0], measured)

    def _evaluate(self, header: Header, inputs: Tensors, place: Tensors) -> Tensors:
        """Evaluate the graph at a state without moving it. Other state is initial."""
        random = np.random.Generator(np.random.SFC64(0))
        still = {
            n: place[n] if n in place else s.initial.draw(random, (1, *s.shape), s.dtype)
            for n, s in header.state.items()
        }
        for name, spec in header.state.items():
            if still[name].shape != (1, *spec.shape) or still[name].dtype != spec.dtype:
                raise ArtefactError(f"The checker of the artefact {header.name!r} returns a wrong 'state.{name}'.")
        noise = {n: np.zeros((1, *s.shape), s.dtype) for n, s in header.noise.items()}
        return segment(self._session, header, inputs, still, noise, np.zeros(1, np.float32), self._pool)
