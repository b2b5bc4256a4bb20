"""Judging somebody else's answer: what it breaks, and where it lies in the landscape."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

import numpy as np

from groundstate import _header
from groundstate._chains import Pool, segment
from groundstate._checks import misshapen, within
from groundstate._errors import ArtefactError, Fault, RequestError
from groundstate._header import Header
from groundstate._problems import Problems
from groundstate._request import Schema
from groundstate._session import Session, Tensors
from groundstate._solution import Score


class Judge:
    """The exact checks of the task and of the file, and the energy.

    Args:
        session: Runs the graph.
        problems: Reads requests.
        pool: Threads to run on.

    Raises:
        ArtefactError: If the file's judge is damaged.
    """

    def __init__(self, session: Session, problems: Problems, pool: Pool) -> None:
        self._session, self._problems, self._pool = session, problems, pool
        header = problems.header
        self._answer = Schema(header.answer, header.answers, "answer")
        encoded = session.metadata.get(_header.JUDGE_KEY)
        self._rules: Session | None = None
        if encoded is not None:
            try:
                self._rules = Session(base64.b64decode(encoded, validate=True))
            except binascii.Error:
                raise ArtefactError("The artefact's judge is not base64; the file is damaged.") from None

    def score(self, request: Mapping[str, Any], answer: Mapping[str, Any]) -> Score:
        """See `Solver.score`."""
        problems, task = self._problems, self._problems.task
        plain = problems.plain(request)
        try:
            given = self._answer.validate(answer)
            tensors = task.encode_answer(plain, given)
        except RequestError as error:
            raise within("answer", error) from None
        inputs = task.encode(plain)
        header = problems.sized(inputs)
        placed = {} if tensors is None else {name: tensors[name].shape for name in header.answers}
        if faults := [f for n, shape in placed.items() for f in misshapen(n, shape, header.answers[n])]:
            raise within("answer", RequestError(faults))
        violations = task.check(plain, given)
        energy, terms = None, {}
        if self._rules is not None and tensors is not None:
            feeds = {**inputs, **{f"answer.{name}": tensor for name, tensor in tensors.items()}}
            judged = self._rules.run({name: np.ascontiguousarray(tensor[None]) for name, tensor in feeds.items()})
            counted = problems.violations(judged["violations"][0]) if "violations" in judged else []
            # Both checks must pass: neither the task nor the file alone can call an answer valid.
            violations = violations or counted
            place = {
                name.removeprefix("state."): tensor for name, tensor in judged.items() if name.startswith("state.")
            }
            if place:
                out = self._evaluate(header, {name: tensor[None] for name, tensor in inputs.items()}, place)
                energy = float(out["energy"][0])
                terms = {term.name: float(value) for term, value in zip(header.terms, out["terms"][0], strict=True)}
        elif violations is None:
            raise RequestError([Fault("", f"The artefact {header.name!r} brings no rules to judge an answer by.")])
        return Score(not violations, energy, terms, tuple(violations or ()))

    def _evaluate(self, header: Header, inputs: Tensors, place: Tensors) -> Tensors:
        """Outputs at a state without moving it; what else is carried is as when a chain starts."""
        random = np.random.Generator(np.random.SFC64(0))
        still = {
            n: place[n] if n in place else s.initial.draw(random, (1, *s.shape), s.dtype)
            for n, s in header.state.items()
        }
        noise = {n: np.zeros((1, *s.shape), np.float32) for n, s in header.noise.items()}
        return segment(self._session, header, inputs, still, noise, np.zeros(1, np.float32), self._pool)
