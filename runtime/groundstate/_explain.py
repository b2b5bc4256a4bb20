"""Explains an outcome in a few short sentences that a language model can quote."""

from __future__ import annotations

from groundstate._header import Header
from groundstate._meaning import Meaning
from groundstate._solution import Attempt, Solution, Status
from groundstate._words import plural

_FEW = 2
"""Number of variables named as decided first, and as decided last."""


def explained(meaning: Meaning, header: Header, solution: Solution, sought: int) -> str:
    """Explain a solution: request, result, certainty, variables decided first and last, and the best attempt.

    Args:
        sought: Number of different answers searched for.
    """
    asked = f"Asked: {meaning.summary()}."
    match solution.status:
        case Status.INFEASIBLE:
            if solution.chains:
                return f"{asked} A complete search, beside the descent, proved that there is no answer."
            return f"{asked} No descent was made: the request contradicts itself, which is proven."
        case Status.UNSOLVED:
            return f"{asked} {_unsolved(header, solution)}"
        case Status.AMBIGUOUS:
            # How one of several answers was found is not a reason to prefer it.
            found = f"{len(solution.alternatives) + 1} different"
            if not solution.checked:
                return f"{asked} Found by descent: {found} minima of equal energy so far, which nothing checks."
            return f"{asked} Found by descent: {found} answers so far, {_checked(header)}."
        case Status.SETTLED:
            return f"{asked} {_settled(meaning, solution)}"
        case Status.SOLVED:
            return f"{asked} {_solved(meaning, header, solution, sought)}"


def _unsolved(header: Header, solution: Solution) -> str:
    if not solution.chains:
        return "The deadline passed before the descent began, which proves nothing."
    chains, steps, closest = plural(solution.chains, "chain"), plural(solution.steps, "update"), solution.closest
    parts = [f"{chains} of at most {steps} found no answer, which proves nothing."]
    if closest is not None:
        where = "a configuration that fails checks" if closest.violations else "a configuration that had not converged"
        parts.append(f"The lowest energy seen is {closest.energy:.4g}, at {where}.")
    elif header.checks or header.accept.converged:
        parts.append("No configuration of finite energy was seen.")
    return " ".join(parts)


def _settled(meaning: Meaning, solution: Solution) -> str:
    came = f"{solution.hits} of {plural(solution.chains, 'chain')} reached it"
    settled = (
        f"The descent settled at a minimum of energy {solution.energy:.4g} after {plural(solution.steps, 'update')}"
    )
    parts = (f"{settled}; {came}. Nothing proves that it is the lowest.", _order(meaning, solution))
    return " ".join(part for part in parts if part)


def _solved(meaning: Meaning, header: Header, solution: Solution, sought: int) -> str:
    steps = plural(solution.steps, "update")
    parts = [f"Found by descent: an answer of energy {solution.energy:.4g} after {steps}, {_checked(header)}."]
    if meaning.optimises is not None:
        parts.append(meaning.gap(solution.answer or {}, None if solution.optimal else solution.bound, solution.optimal))
    if solution.unique:
        parts.append("It is the only answer, which is proven.")
    elif sought > 1 and not meaning.indifferent(solution.answer or {}):
        came = f"{solution.hits} of {plural(solution.chains, 'chain')}"
        parts.append(f"No other answer was found, and {came} came to this one; that is not a proof.")
    parts.append(_order(meaning, solution))
    if (near := solution.runner_up) is not None:
        parts.append(_nearest(near))
    return " ".join(part for part in parts if part)


def _checked(header: Header) -> str:
    names = ", ".join(check.name for check in header.checks if check.name in header.accept.checks)
    return f"passing every check ({names})" if names else "passing the checks of its task"


def _nearest(near: Attempt) -> str:
    failed = f"failed {plural(near.violated, 'check')}" if near.violations else "had not converged"
    return f"The nearest configuration that is not an answer had energy {near.energy:.4g} and {failed}."


def _order(meaning: Meaning, solution: Solution) -> str:
    """The variables decided first and last in the descent; empty if all were decided at once."""
    decided, answer = solution.decided, solution.answer
    if answer is None or not decided or min(decided.values()) == max(decided.values()):
        return ""
    values = meaning.variables(answer)
    known = [name for name in decided if name in values]
    if not known:
        return ""
    first, last = (
        " and ".join(meaning.called(name, values[name]) for name in some) for some in (known[:_FEW], known[-_FEW:])
    )
    ends = min(decided.values()), max(decided.values())
    return f"Decided first: {first}, by update {ends[0]}; last: {last}, by update {ends[1]}."
