"""Outcomes as text for people."""

from __future__ import annotations

import json
import shlex
import shutil
from collections.abc import Mapping
from typing import Any

import click

from groundstate import Question, Solution, Solver, Status
from groundstate._words import clean, first, plural
from groundstate.cli import _board
from groundstate.cli.console import duration, number, speaks_unicode

_GAP = 4
_VIOLATIONS = 3
"""Most violations to print in full; the rest are counted."""

_COLOURS = {
    Status.SOLVED: "green",
    Status.SETTLED: "green",
    Status.AMBIGUOUS: "green",
    Status.INFEASIBLE: "red",
    Status.UNSOLVED: "yellow",
}


def show(
    solver: Solver, request: Mapping[str, Any], solution: Solution, *, drawn: bool = True, hint: bool = True
) -> None:
    """Print one outcome: the drawings side by side, the status, the question, and the cost.

    Args:
        drawn: Whether to draw; False if the board is on the screen already.
        hint: Whether to explain how to reply to a question.
    """
    if drawn:
        _draw(solver, request, solution)
    click.echo(status(solution))
    if solution.question is not None:
        for text in asked(solution.question, hint=hint):
            click.echo(text)
    if facts := effort(solution):
        click.echo(click.style(facts, dim=True))


def status(solution: Solution) -> str:
    """``Solved. The answer passes every check.``, in colour."""
    word = click.style(f"{solution.status.value.capitalize()}.", fg=_COLOURS[solution.status], bold=True)
    messages = first((violation.message for violation in solution.violations), _VIOLATIONS)
    more = "." if len(messages) > _VIOLATIONS else ""
    return f"{word} {clean(' '.join([solution.advice, *messages]) + more)}"


def asked(question: Question, *, hint: bool) -> list[str]:
    """A question, its options (one per line: a label and the id to type), and how to reply."""
    lines = [click.style(clean(question.text), bold=True)]
    wide = max(len(clean(option.id)) for option in question.options)
    for option in question.options:
        if option.label != option.id:
            about = option.label
        else:
            about = f"leaves {option.answers_left} of the {plural(question.answers_found, 'answer')} found"
        lines.append(f"  {clean(option.id):<{wide}}  {click.style(clean(about), dim=True)}")
    if hint:
        shown = question.options[0].id
        plain = all(character.isalnum() or character in "-_.:" for character in shown)
        reply = f"{question.id}={shown}"
        lines.append(f"Reply with --talk, or call again with --reply {reply if plain else shlex.quote(clean(reply))}")
    return lines


def effort(solution: Solution) -> str:
    """Energy, steps, chains and time in a line."""
    energy = solution.energy if solution.closest is None else solution.closest.energy
    facts = [] if energy is None else [f"energy {number(energy)}"]
    if solution.chains:
        facts += [plural(solution.steps, "step"), plural(solution.chains, "chain")]
    return " · ".join([*facts, duration(solution.seconds)])


def line(solver: Solver, solution: Solution) -> str:
    """One outcome of many on a line: the status, and the answer if there is one."""
    if solution.answer is not None:
        text = solver.notation(solution.request, solution.answer) or json.dumps(solution.answer)
    else:
        text = "-" if solution.status is Status.UNSOLVED else f"- {' '.join(v.message for v in solution.violations)}"
    return f"{solution.status.value:<10} {text}"


def _draw(solver: Solver, request: Mapping[str, Any], solution: Solution) -> None:
    given = solver.draw(request)
    best = solution.answer if solution.closest is None else solution.closest.answer
    answers = [] if best is None else [best, *(other.answer for other in solution.alternatives)]
    drawings = [drawing for answer in answers if (drawing := solver.draw(request, answer)) is not None]
    if given is None or len(drawings) < len(answers):
        for answer in answers:
            click.echo(json.dumps(answer, indent=2))
        return
    first = "answer" if solution.has_answer else "closest found"
    titles = ["given", first, *(f"answer {i}" for i in range(2, len(answers) + 1))][: 1 + len(answers)]
    boards = [_board.classify(given, [drawing])[0] for drawing in [given, *drawings]]
    if speaks_unicode():
        boards = [_board.ruled(board) for board in boards]
    columns = [max(len(title), max(map(len, board), default=0)) for title, board in zip(titles, boards, strict=True)]
    room = shutil.get_terminal_size().columns
    shelf: list[int] = []
    for i, width in enumerate(columns):
        if shelf and sum(columns[j] + _GAP for j in shelf) + width > room:
            _shelve(shelf, titles, boards, columns)
            shelf = []
        shelf.append(i)
    _shelve(shelf, titles, boards, columns)


def _shelve(shelf: list[int], titles: list[str], boards: list[_board.Cells], columns: list[int]) -> None:
    """Print boards side by side."""
    gap = " " * _GAP
    click.echo(gap.join(click.style(f"{titles[i]:<{columns[i]}}", dim=True) for i in shelf).rstrip())
    for row in range(max(len(boards[i]) for i in shelf)):
        parts = []
        for i in shelf:
            cells = boards[i][row] if row < len(boards[i]) else []
            parts.append("".join(_board.ansi([cells])) + " " * (columns[i] - len(cells)))
        click.echo(gap.join(parts).rstrip())
