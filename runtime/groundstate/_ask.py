"""Builds questions: which variable distinguishes several answers, and which relaxations make an answer possible.

Every option has been tried: its changed request has been solved, and the answer checked.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from itertools import combinations
from typing import Any

from groundstate._meaning import Meaning
from groundstate._question import Change, Option, Question, patched, question
from groundstate._solution import Attempt, Violation

JSON = Mapping[str, Any]

Answer = dict[str, Any]

Trial = Callable[[Iterable[JSON], int, int], Awaitable[list[tuple[int, Answer]]]]
"""Solves requests in a batch with an effort of 1 or more: index and answer of each solved request, in the order of their ends.

The last argument is the number of answers at which it stops.
"""

PROBED = 4
"""Variables whose values are all probed before choosing which one to ask about."""

MOST_PROBES = 48
"""Maximum number of values tried for one question."""

MOST_OPTIONS = 9
"""Maximum number of options of a question."""

MOST_TRIED = 64
"""Maximum number of relaxations, and of pairs of them, that are tried."""

IN_PAIRS = 8
"""Number of likeliest relaxations whose pairs are tried if no single one helps."""


async def ambiguous(meaning: Meaning, answers: Sequence[Answer], trial: Trial) -> Question | None:
    """Ask about the variable that distinguishes the answers best; None if the task cannot ask.

    Args:
        meaning: The meaning of the request; it names the variables.
        answers: Two or more different, equally good answers.
        trial: Tries values that none of the answers has.
    """
    found = [meaning.variables(answer) for answer in answers]
    open_ = [name for name in found[0] if len({_key(one.get(name)) for one in found}) > 1]
    if not open_:
        return None
    choices = {name: meaning.choices(name) for name in open_}
    rank = {name: (-_information(name, found), -len(choices[name]), place) for place, name in enumerate(open_)}
    asked = sorted(open_, key=rank.__getitem__)[:PROBED]
    cost = meaning.cost(answers[0])
    tries = [(name, value) for name in asked for value in _untried(choices[name], name, found)][:MOST_PROBES]
    requests = (patched(meaning.request, meaning.fix(name, value)) for name, value in tries)
    for place, answer in await trial(requests, 1, MOST_PROBES):
        if not meaning.cheaper(cost, meaning.cost(answer)) and not meaning.check(answer):
            one = meaning.variables(answer)
            # Accept only answers that have the probed value.
            if _key(one.get(tries[place][0])) == _key(tries[place][1]) and one not in found:
                found.append(one)
    best = max(asked, key=lambda name: (_information(name, found), -rank[name][2]))
    tried = {_key(value) for name, value in tries if name == best} | {_key(one.get(best)) for one in found}
    more = any(_key(value) not in tried for value in choices[best])
    return _question(meaning, best, choices[best], found, more=more)


async def relax(
    meaning: Meaning, attempt: Attempt | None, violations: Sequence[Violation], trial: Trial, checks: str
) -> Question | None:
    """Ask which part of the request to relax; None if no relaxation that was tried leads to an answer.

    Args:
        attempt, violations: As in `Asks.relaxations`.
        checks: The verb phrase about an answer in the question: "passes every check".
    """
    request = meaning.request
    changes = meaning.relaxations(attempt, violations)[:MOST_TRIED]
    proven = attempt is None and bool(violations)
    most = meaning.most_options
    # A proof names few parts. All of them are tried, so that the likeliest are offered, not those that are solved soonest.
    stop = len(changes) if proven else most
    for effort in (1, 2):
        if helping := await _helping(request, changes, trial, effort, most, stop):
            return _which(request, helping, proven=proven, checks=checks)
    pairs = [_both(*pair) for pair in combinations(changes[:IN_PAIRS], 2) if _apart(*pair)][:MOST_TRIED]
    helping = await _helping(request, pairs, trial, 1, most, most)
    return _which(request, helping, proven=proven, checks=checks) if helping else None


async def _helping(
    request: JSON, changes: Sequence[Change], trial: Trial, effort: int, most: int, stop: int
) -> list[Change]:
    """The changes that lead to an answer, in order; at most ``most`` of the first ``stop`` found."""
    tried = await trial((patched(request, change.patch) for change in changes), effort, stop)
    return [changes[place] for place, _ in sorted(tried, key=lambda one: one[0])][:most]


def _which(request: JSON, helping: Sequence[Change], *, proven: bool, checks: str) -> Question:
    """The question which of the changes would be right.

    Args:
        proven: Whether the request is proven infeasible. If not, the question adds that an answer may exist.
    """
    several = len(helping) > 1
    after = "any one of them" if several else "it"
    if proven:
        text = "Which of these changes would be right? " if several else "Would this change be right? "
        text += f"After {after} an answer was found that {checks}."
    else:
        text = f"Would {'any of these changes' if several else 'this change'} be right? There may be an answer as it is, which "
        text += f"was not found; after {after} one was found that {checks}."
    options = [Option(change.id, change.label, change.patch, 1) for change in helping]
    return question(request, text, "", options, len(options))


def _apart(one: Change, other: Change) -> bool:
    """Whether two changes are of different parts of the request."""
    paths = [{f"{step['path']}/" for step in change.patch if step["op"] != "test"} for change in (one, other)]
    return not any(a.startswith(b) or b.startswith(a) for a in paths[0] for b in paths[1])


def _both(one: Change, other: Change) -> Change:
    # Change the last elements of a list first, so that the indices of the others stay valid.
    patch = tuple(sorted((*one.patch, *other.patch), key=lambda step: _natural(step["path"]), reverse=True))
    order: list[Mapping[str, Any]] = []
    for path in dict.fromkeys(step["path"] for step in patch):
        order += [step for step in (*one.patch, *other.patch) if step["path"] == path]
    return Change(f"{one.id} {other.id}", f"{one.label} {other.label}", tuple(order))


def _natural(path: str) -> list[tuple[int, str]]:
    return [(int(step), "") if re.fullmatch(r"\d+", step) else (-1, step) for step in path.split("/")]


def _question(
    meaning: Meaning, name: str, choices: Sequence[Any], found: Sequence[Mapping[str, Any]], *, more: bool
) -> Question:
    values = {_key(one.get(name)): one.get(name) for one in found}
    kept = Counter(_key(one.get(name)) for one in found)
    order = {_key(value): place for place, value in enumerate(choices)}
    sorted_ = sorted(values, key=lambda key: (order.get(key, len(order)), key))[:MOST_OPTIONS]
    labels = {key: _text(values[key]) for key in sorted_}
    alike = {label for label, times in Counter(labels.values()).items() if times > 1}
    options = []
    for key in sorted_:
        label = labels[key]
        options.append(Option(key if label in alike else label, label, meaning.fix(name, values[key]), kept[key]))
    text = meaning.ask(name)
    if more:
        text += " Other replies may be possible too; these were tried."
    return question(meaning.request, text, name, options, len(found))


def _untried(choices: Sequence[Any], name: str, found: Sequence[Mapping[str, Any]]) -> list[Any]:
    seen = {_key(one.get(name)) for one in found}
    return [value for value in choices if _key(value) not in seen][: max(MOST_OPTIONS - len(seen), 0)]


def _information(name: str, found: Sequence[Mapping[str, Any]]) -> float:
    """Entropy in bits of a variable's value over the answers."""
    counts = Counter(_key(one.get(name)) for one in found)
    return -sum(n / len(found) * math.log2(n / len(found)) for n in counts.values())


def _key(value: Any) -> str:
    # Variables are discrete: floating-point values that differ only by rounding are equal.
    return json.dumps(float(f"{value:.6g}") if isinstance(value, float) else value, sort_keys=True)


def _text(value: Any) -> str:
    return "none" if value is None else str(value)
