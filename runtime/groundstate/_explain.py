"""What happened, in a few short sentences that a language model can quote."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from groundstate._header import Header
from groundstate._solution import Solution, Status
from groundstate._task import Task

_FEW = 2
"""Variables named as decided first, and as decided last."""


def explained(task: Task, header: Header, request: Mapping[str, Any], solution: Solution, sought: int) -> str:
    """What was asked, what was found, how sure that is, what was decided first and last, and what came nearest.

    Args:
        request: What was asked, plain.
        sought: Different answers that were looked for.
    """
    said = [f"Asked: {task.summary(request)}."]
    if solution.status is Status.INFEASIBLE:
        return " ".join([*said, "No descent was made: the request contradicts itself, which is proven."])
    chains, steps, energy = _times(solution.chains, "chain"), _times(solution.steps, "update"), solution.energy
    if not solution.solved:
        said.append(f"{chains} of at most {steps} found no answer, which proves nothing.")
        if energy is not None:
            said.append(f"The lowest energy seen is {energy:.4g}, at a configuration that breaks rules.")
        return " ".join(said)
    rules = ", ".join(rule.name for rule in header.rules)
    checked = f"checked exactly against every rule ({rules})" if rules else "checked exactly"
    if solution.alternatives:
        # How one of several came about is no reason to prefer it.
        return " ".join(
            [*said, f"Found by descent: {len(solution.alternatives) + 1} different answers so far, {checked}."]
        )
    said.append(f"Found by descent: an answer of energy {energy:.4g} after {steps}, {checked}.")
    if solution.only:
        said.append("It is the only answer, which is proven.")
    elif sought > 1:
        came = f"{solution.arrivals} of {chains}"
        said.append(f"No other answer was found, and {came} came to this one; that is no proof.")
    if order := _order(task, request, solution):
        said.append(order)
    if (near := solution.runner_up) is not None:
        said.append(
            f"The nearest wrong configuration had energy {near.energy:.4g} and broke {_times(near.broken, 'rule')}."
        )
    return " ".join(said)


def _order(task: Task, request: Mapping[str, Any], solution: Solution) -> str:
    """What settled first and last in the descent; nothing where all settled at once."""
    decided, answer = solution.decided, solution.answer
    if answer is None or not decided or min(decided.values()) == max(decided.values()):
        return ""
    values = task.variables(request, answer)
    known = [name for name in decided if name in values]
    first, last = (
        " and ".join(task.called(request, name, values[name]) for name in some)
        for some in (known[:_FEW], known[-_FEW:])
    )
    ends = min(decided.values()), max(decided.values())
    return f"Decided first: {first}, by update {ends[0]}; last: {last}, by update {ends[1]}."


def _times(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
