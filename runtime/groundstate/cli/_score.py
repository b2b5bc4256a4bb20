"""`groundstate score`: check an answer from elsewhere, and compute its energy."""

from __future__ import annotations

import click

import groundstate
from groundstate import Fault, RequestError
from groundstate.cli import _requests
from groundstate.cli.console import BAD, NOT_SOLVED, SOLVED, echo_json, number


def show_score(model: str, request: str, answer: str, device: str, threads: int | None, *, as_json: bool) -> int:
    """Check an answer and print the outcome. Returns 1 if it is invalid, 0 if it is valid or the model has no checks."""
    solver = groundstate.load(model, device=device, threads=threads)
    source, item = _requests.one(solver, request, "request")
    _, answer_item = _requests.one(solver, answer, "answer")
    try:
        asked = _requests.request(solver, item)
    except RequestError as error:
        _requests.warn(source, item, error)
        return BAD
    try:
        given = _requests.request(solver, answer_item)
    except RequestError as error:
        raise RequestError([Fault(f"answer {f.place}".rstrip(), f.message) for f in error.faults]) from None
    score = solver.score(asked, given)
    code = NOT_SOLVED if score.valid is False else SOLVED
    if as_json:
        echo_json(score.to_json())
        return code
    if score.valid is None:
        click.echo(click.style("Not checked.", bold=True) + " This model has no checks; it gives the energy only.")
    elif score.valid:
        click.echo(click.style("Valid.", fg="green", bold=True) + " The answer passes every check.")
    else:
        click.echo(click.style("Invalid.", fg="red", bold=True) + " The answer violates these checks:")
    for violation in score.violations:
        click.echo(f"  {violation.check}: {violation.message}")
    if score.energy is not None:
        click.echo(f"energy {number(score.energy)}")
        for name, value in score.terms.items():
            click.echo(click.style(f"  {name} {number(value)}", dim=True))
    return code
