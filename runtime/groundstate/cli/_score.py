"""`groundstate score`: somebody else's answer against the rules."""

from __future__ import annotations

import click

import groundstate
from groundstate import Fault, RequestError
from groundstate.cli import _puzzles
from groundstate.cli._console import NOT_SOLVED, SOLVED, echo_json, number


def show_score(model: str, puzzle: str, answer: str, device: str, threads: int | None, *, as_json: bool) -> int:
    """Judge an answer and print the verdict; 1 if it is invalid, else 0."""
    _, puzzle_item = _puzzles.one(puzzle, "puzzle")
    _, answer_item = _puzzles.one(answer, "answer")
    solver = groundstate.load(model, device=device, threads=threads)
    request = _puzzles.request(solver, puzzle_item)
    try:
        given = _puzzles.request(solver, answer_item)
    except RequestError as error:
        raise RequestError([Fault(f"answer {f.place}".rstrip(), f.message) for f in error.faults]) from None
    verdict = solver.score(request, given)
    code = NOT_SOLVED if verdict.valid is False else SOLVED
    if as_json:
        echo_json(verdict.to_json())
        return code
    if verdict.valid:
        click.echo(click.style("Valid.", fg="green", bold=True) + " The answer passes every check.")
    elif verdict.valid is False:
        click.echo(click.style("Invalid.", fg="red", bold=True) + " The answer fails these checks:")
    for violation in verdict.violations:
        click.echo(f"  {violation.check}: {violation.message}")
    if verdict.energy is not None:
        click.echo(f"energy {number(verdict.energy)}")
        for name, value in verdict.terms.items():
            click.echo(click.style(f"  {name} {number(value)}", dim=True))
    return code
