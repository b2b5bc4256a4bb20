"""`groundstate solve`: one request for people, many for programs."""

from __future__ import annotations

import itertools
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

import groundstate
from groundstate import Option, Question, RequestError, Segment, Shows, Solution, Solver, Status, _words
from groundstate.cli import _report, _requests
from groundstate.cli._requests import Item, Source
from groundstate.cli.console import BAD, NOT_SOLVED, SOLVED, echo_json


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
    column: str | None
    watch: bool
    picture: str | None
    save: str | None
    as_json: bool

    @property
    def budget(self) -> dict[str, Any]:
        """The keyword arguments for `Solver.solve` and `Solver.solve_many`."""
        return {
            "restarts": self.restarts,
            "max_steps": self.max_steps,
            "deadline": self.deadline,
            "seed": self.seed,
            "alternatives": self.alternatives if self.alternatives is not None else 2 if self.talk else 1,
        }

    @property
    def replies(self) -> dict[str, str]:
        """Question ids to option ids."""
        return dict(reply.split("=", 1) for reply in self.reply)

    def check(self) -> None:
        """Refuse contradictory options, before any model is loaded.

        Raises:
            click.UsageError: If options contradict each other.
        """
        if self.watch and self.as_json:
            raise click.UsageError("--watch draws for people and --json prints for programs; give one of them.")
        if self.talk and (self.as_json or self.watch):
            raise click.UsageError(
                "--talk asks people, --json prints for programs and --watch draws; give one of them."
            )
        for reply in self.reply:
            if "=" not in reply:
                raise click.UsageError(f"--reply takes ID=OPTION, such as q1a2b3c4=5; {reply!r} has no '='.")
        self._check_files()

    def _check_files(self) -> None:
        if self.picture is not None and Path(self.picture).suffix.lower() != ".svg":
            raise click.UsageError(f"--picture writes SVG; {self.picture!r} must end in .svg.")
        if self.save is not None and not Path(self.save).suffix:
            raise click.UsageError(f"--save selects the format by the file's ending, but {self.save!r} has no ending.")
        for option, name in (("--picture", self.picture), ("--save", self.save)):
            if name is None:
                continue
            path = Path(name)
            if path.is_dir():
                raise click.UsageError(f"{option} cannot write {name!r}: it is a folder.")
            if not path.absolute().parent.is_dir():
                raise click.UsageError(f"{option} cannot write {name!r}: there is no folder {str(path.parent)!r}.")


def solve(argument: str | None, options: Options) -> int:
    """Solve the requests of a REQUEST argument and print the outcomes; returns the exit code."""
    options.check()
    solver = groundstate.load(options.model, device=options.device, threads=options.threads)
    source = _requests.find(solver, argument, options.column)
    ahead = list(itertools.islice(source.items, 2))
    if not ahead:
        raise click.UsageError(f"{source.name} has no request.")
    if len(ahead) == 1:
        return _solve_one(solver, source, ahead[0], options)
    if options.watch or options.picture or options.save or options.talk or options.reply:
        alone = "--watch, --picture, --save, --talk and --reply need a single request"
        raise click.UsageError(f"{alone}; {source.name} has more than one.")
    from groundstate.cli._many import solve_many

    return solve_many(solver, source, itertools.chain(ahead, source.items), options.budget, as_json=options.as_json)


def _solve_one(solver: Solver, source: Source, item: Item, options: Options) -> int:
    segments: list[Segment] = []
    try:
        request = _requests.request(solver, item)
        if options.save:
            _check_kind(solver, request, options.save)
        solution = _solved(solver, request, options, segments, options.replies)
        if options.talk:
            solution = _talk(solver, request, options, solution)
    except RequestError as error:
        if options.as_json:
            place = {} if item.line is None else {"line": item.line}
            echo_json({"status": "error", "message": str(error), **place})
        _requests.warn(source, item, error)
        return BAD
    _show(solver, dict(solution.request), solution, segments, options)
    return SOLVED if solution.has_answer else NOT_SOLVED


def _check_kind(solver: Solver, request: dict[str, Any], path: str) -> None:
    """Refuse a kind of file that the model does not write, before the solve."""
    reading, kind = solver.read(request), Path(path).suffix[1:].lower()
    kinds = reading.kinds() if isinstance(reading, Shows) else ()
    if kind not in kinds:
        known = f"it writes {_words.quoted(kinds)}" if kinds else "it writes no files"
        raise click.UsageError(f"--save is {path!r}, and {solver.header.name!r} does not write {kind!r}; {known}.")


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
    """Ask the person at the terminal each question, and solve again with the reply. An empty reply ends the dialogue."""
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
    """The option that the person chooses; None for an empty reply or at the end of the input."""
    while True:
        try:
            reply = click.prompt("Your reply (nothing to leave it open)", default="", show_default=False).strip()
        except click.Abort:
            click.echo()  # start a new line
            if not sys.stdin.isatty():
                return None  # the end of the input
            raise
        if not reply:
            return None
        try:
            return question.option(reply)
        except RequestError as error:
            click.echo(error.faults[0].message)


def _show(
    solver: Solver,
    request: dict[str, Any],
    solution: Solution,
    segments: list[Segment],
    options: Options,
) -> None:
    if options.watch:
        from groundstate.cli._descent import shown
        from groundstate.cli._watch import replay

        if (descent := shown(solver, solution, segments)) is not None:
            replay(descent)
    if options.picture:
        from groundstate._descent_picture import picture

        if (svg := picture(solver, solution, segments)) is None:
            click.echo("There was no descent to draw, so no picture was written.", err=True)
        else:
            _write(options.picture, svg)
    if options.as_json:
        echo_json(solution.to_json())
    else:
        _report.show(solver, request, solution, drawn=not (options.watch and solution.status is Status.SOLVED))
        if options.picture and segments:
            click.echo(f"The descent is drawn in {options.picture}.")
    if options.save:
        _save(solver, request, solution, options.save)


def _save(solver: Solver, request: dict[str, Any], solution: Solution, path: str) -> None:
    """Write the answer to a file. It is printed before, so a failed write loses nothing."""
    if solution.answer is None:
        click.echo(f"{path} was not written, because there is no answer.", err=True)
        return
    _write(path, solver.file(request, solution.answer, Path(path).suffix[1:].lower()))
    click.echo(f"The answer is in {path}.", err=True)


def _write(path: str, content: str | bytes) -> None:
    try:
        Path(path).write_bytes(content.encode() if isinstance(content, str) else content)
    except OSError as error:
        raise click.ClickException(f"{path!r} cannot be written: {error.strerror}.") from None
