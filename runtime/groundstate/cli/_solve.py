"""`groundstate solve`: one puzzle for people, many for programs."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

import groundstate
from groundstate import Option, Question, RequestError, Segment, Solution, Solver, Status
from groundstate.cli import _puzzles, _report
from groundstate.cli._console import BAD, NOT_SOLVED, SOLVED, echo_json
from groundstate.cli._puzzles import Item, Source


@dataclass(frozen=True, slots=True)
class Options:
    """The options of the command, as they were typed."""

    model: str
    restarts: int | None
    max_steps: int | None
    deadline: float | None
    seed: int
    alternatives: int | None
    talk: bool
    reply: tuple[str, ...]
    device: str
    threads: int | None
    watch: bool
    picture: str | None
    save: str | None
    as_json: bool

    @property
    def budget(self) -> dict[str, Any]:
        """What `Solver.solve` and `Solver.solve_many` take."""
        return {
            "restarts": self.restarts,
            "max_steps": self.max_steps,
            "deadline": self.deadline,
            "seed": self.seed,
            "alternatives": self.alternatives or (2 if self.talk else 1),
        }

    @property
    def replies(self) -> dict[str, str]:
        """From the ids of questions to those of options."""
        return dict(reply.split("=", 1) for reply in self.reply)

    def check(self) -> None:
        """Refuse what does not go together, before anything is loaded.

        Raises:
            click.UsageError: If it does not.
        """
        if self.watch and self.as_json:
            raise click.UsageError("--watch draws for people and --json prints for programs; give one of them.")
        if self.talk and (self.as_json or self.watch):
            raise click.UsageError(
                "--talk asks people, --json prints for programs and --watch draws; give one of them."
            )
        for reply in self.reply:
            if "=" not in reply:
                raise click.UsageError(
                    f"--reply takes the id of a question and of an option, q1a2b3c4=5, not {reply!r}."
                )
        for option, name in (("--picture", self.picture), ("--save", self.save)):
            if name is None:
                continue
            path = Path(name)
            if option == "--picture" and path.suffix.lower() != ".svg":
                raise click.UsageError(f"--picture writes SVG; {name!r} must end in .svg.")
            if not path.suffix:
                raise click.UsageError(f"--save tells the kind of file by its ending, and {name!r} has none.")
            if not path.absolute().parent.is_dir():
                raise click.UsageError(f"{option} cannot write {name!r}: there is no folder {path.parent}.")


def solve(puzzle: str | None, options: Options) -> int:
    """Solve what a PUZZLE argument means and print it; returns the exit code."""
    options.check()
    source = _puzzles.find(puzzle)
    solver = groundstate.load(options.model, device=options.device, threads=options.threads)
    ahead = list(itertools.islice(source.items, 2))
    if not ahead:
        raise click.UsageError(f"{source.name} holds no puzzle.")
    if len(ahead) == 1:
        return _solve_one(solver, source, ahead[0], options)
    if options.watch or options.picture or options.save or options.talk or options.reply:
        told = "--watch, --picture, --save, --talk and --reply are about one puzzle"
        raise click.UsageError(f"{told}; {source.name} holds more than one.")
    from groundstate.cli._many import solve_many

    return solve_many(solver, source, _chain(ahead, source), options.budget, as_json=options.as_json)


def _chain(ahead: list[Item], source: Source) -> Iterator[Item]:
    yield from ahead
    yield from source.items


def _solve_one(solver: Solver, source: Source, item: Item, options: Options) -> int:
    segments: list[Segment] = []
    try:
        request = _puzzles.request(solver, item)
        solution = _solved(solver, request, options, segments, options.replies)
        if options.talk:
            solution = _talk(solver, request, options, solution)
    except RequestError as error:
        if options.as_json:
            place = {} if item.line is None else {"line": item.line}
            echo_json({"status": "error", "message": str(error), **place})
        _puzzles.warn(source, item, error)
        return BAD
    _show(solver, dict(solution.request), solution, segments, options)
    return SOLVED if solution.has_answer else NOT_SOLVED


def _solved(
    solver: Solver, request: dict[str, Any], options: Options, segments: list[Segment], replies: dict[str, str]
) -> Solution:
    if options.watch:
        from groundstate.cli._watch import searching

        with searching(solver, request, segments) as watch:
            return solver.solve(request, **options.budget, replies=replies, watch=watch)
    keep = segments.append if options.picture else None
    return solver.solve(request, **options.budget, replies=replies, watch=keep)


def _talk(solver: Solver, request: dict[str, Any], options: Options, solution: Solution) -> Solution:
    """Put each question to the person at the terminal, and solve again with the reply; an empty reply ends it."""
    replies = options.replies
    while (question := solution.question) is not None:
        _report.show(solver, dict(solution.request), solution, hint=False)
        option = _replied(question)
        if option is None:
            break
        replies[question.id] = option.id
        solution = solver.solve(request, **options.budget, replies=replies)
    return solution


def _replied(question: Question) -> Option | None:
    """The option that a person chooses; None for an empty reply."""
    while reply := click.prompt("Your reply (nothing to leave it open)", default="", show_default=False).strip():
        try:
            return question.option(reply)
        except RequestError as error:
            click.echo(error.faults[0].message)
    return None


def _show(
    solver: Solver,
    request: dict[str, Any],
    solution: Solution,
    segments: list[Segment],
    options: Options,
) -> None:
    if options.watch or options.picture:
        from groundstate.cli._descent import follow

        descent = follow(solver, request, solution, segments)
        if options.watch and descent is not None:
            from groundstate.cli._watch import replay

            replay(descent)
        if options.picture and descent is not None:
            from groundstate.cli._picture import draw

            _write(options.picture, draw(descent, solver.header.title))
        if options.picture and descent is None:
            click.echo("There was no descent to draw, so no picture was written.", err=True)
    if options.as_json:
        echo_json(solution.to_json())
    else:
        _report.show(solver, request, solution, drawn=not (options.watch and solution.status is Status.SOLVED))
        if options.picture and segments:
            click.echo(f"The descent is drawn in {options.picture}.")
    if options.save:
        _save(solver, request, solution, options.save)


def _save(solver: Solver, request: dict[str, Any], solution: Solution, path: str) -> None:
    """Write the answer as a file; it has been printed already, so that nothing is lost where it cannot be written."""
    if solution.answer is None:
        click.echo(f"There is no answer to save, so {path} was not written.", err=True)
        return
    _write(path, solver.file(request, solution.answer, Path(path).suffix[1:].lower()))
    click.echo(f"The answer is in {path}.", err=True)


def _write(path: str, content: str | bytes) -> None:
    try:
        Path(path).write_bytes(content.encode() if isinstance(content, str) else content)
    except OSError as error:
        raise click.ClickException(f"{path!r} cannot be written: {error.strerror}.") from None
