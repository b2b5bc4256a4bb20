"""What a language model reads of an outcome: compact JSON, the same bytes for the same outcome."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import groundstate as gs

_MOST = 8
"""Violations or faults listed one by one."""

_ALTERNATIVES = 4

_MESSAGES = {
    # The runtime's own sentence advises options that only the developer can set.
    gs.Status.UNSOLVED: "No answer was found within the budget, which proves nothing. The same request ends the same way: "
    "check it for mistakes, or tell the user. `best_attempt` breaks the rules named and is no answer.",
}


def of_solution(solution: gs.Solution) -> str:
    """Status, a sentence, the answer, and what is broken. Energies, seeds and steps are in the artifact."""
    said: dict[str, Any] = {
        "status": solution.status.value,
        "message": _MESSAGES.get(solution.status, solution.status.advice),
    }
    if solution.answer is not None:
        said["answer" if solution.solved else "best_attempt"] = solution.answer
    if solution.alternatives:
        said["alternatives"] = [other.answer for other in solution.alternatives[:_ALTERNATIVES]]
        if len(solution.alternatives) > _ALTERNATIVES:
            said["further_alternatives"] = len(solution.alternatives) - _ALTERNATIVES
    if solution.violations:
        said["violations"] = _violations(solution.violations)
    return _compact(said)


def of_score(score: gs.Score) -> str:
    """Whether the answer is valid, its energy to six digits, and what it breaks."""
    said: dict[str, Any] = {"valid": score.valid}
    if score.energy is not None:
        said["energy"] = float(f"{score.energy:.6g}")
    if score.violations:
        said["violations"] = _violations(score.violations)
    return _compact(said)


def first(items: Iterable[object]) -> list[str]:
    """The first few as text, and how many more there are."""
    texts = [str(item) for item in items]
    return texts if len(texts) <= _MOST else [*texts[:_MOST], f"and {len(texts) - _MOST} more"]


def _violations(violations: Iterable[gs.Violation]) -> list[str]:
    return first(f"{violation.rule}: {violation.message}" for violation in violations)


def _compact(said: dict[str, Any]) -> str:
    return json.dumps(said, separators=(",", ":"), ensure_ascii=False)
