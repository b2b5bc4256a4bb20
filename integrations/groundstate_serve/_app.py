"""The application: routes and their guard."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

import groundstate as gs
from groundstate._words import clean, cleaned
from groundstate.tools import Model, collected
from groundstate_serve._guard import guard
from groundstate_serve._openapi import document, page
from groundstate_serve._settings import Settings

OPTIONS = ("restarts", "max_steps", "deadline", "seed", "alternatives", "ask", "replies")
"""Options of `Solver.solve` that a call may set."""

_log = logging.getLogger("groundstate_serve")

_GONE = 499
"""The status for a caller who disconnected, as in nginx."""


def build_app(models: Iterable[Model] | Model, settings: Settings | None = None, *, device: str = "cpu") -> Starlette:
    """An ASGI application that solves and scores.

    A model that cannot be loaded is left out, with a warning in the log, as long as another one can. Requests cannot name files
    of this host, except to solvers that were loaded with other `groundstate.Ceilings`.

    Args:
        models: Loaded solvers, installed names, paths of files or of folders; one or several.
        settings: Limits and access rules.
        device: As in `groundstate.load`.

    Returns:
        The application. Routes: ``GET /health``, ``GET /models``, ``GET /models/{name}``, ``POST /models/{name}/solve``,
        ``POST /models/{name}/score``, ``GET /openapi.json`` and a page at ``/``.

    Raises:
        GroundstateError: If no model can be loaded.
        OptionError: If there is no model, or two have the same name.
    """
    solvers = collected(models, device, ceilings=gs.Ceilings(files=False), skipped=_skipped)
    return _Server({solver.header.name: solver for solver in solvers}, settings or Settings()).app()


def _skipped(model: Model, error: gs.GroundstateError) -> None:
    what = f"{len(model)} bytes" if isinstance(model, bytes) else clean(str(model))
    _log.warning("%s is not served: %s", what, error)


class _Server:
    """The routes for some models."""

    def __init__(self, solvers: Mapping[str, gs.Solver], settings: Settings) -> None:
        self._solvers, self._settings = solvers, settings
        self._running = 0

    def app(self) -> Starlette:
        routes = [
            Route("/", self._page),
            Route("/health", self._health),
            Route("/openapi.json", self._openapi),
            Route("/models", self._models),
            Route("/models/{name}", self._describe),
            Route("/models/{name}/solve", self._solve, methods=["POST"]),
            Route("/models/{name}/score", self._score, methods=["POST"]),
        ]
        app = Starlette(routes=routes, exception_handlers={HTTPException: _refused, gs.GroundstateError: _wrong})
        return guard(app, self._settings)

    async def _page(self, _: Request) -> Response:
        return HTMLResponse(clean(page(self._solvers)))

    async def _health(self, _: Request) -> Response:
        return JSONResponse({"status": "ok", "models": sorted(self._solvers), "running": self._running})

    async def _openapi(self, _: Request) -> Response:
        return JSONResponse(cleaned(document(self._solvers)))

    async def _models(self, _: Request) -> Response:
        return JSONResponse([_about(solver, "name", "title", "description") for solver in self._solvers.values()])

    async def _describe(self, request: Request) -> Response:
        return JSONResponse(_about(self._solver(request)))

    async def _solve(self, request: Request) -> Response:
        solver, sent = self._solver(request), await _object(request, ("request", "options"), ("request",))
        options = _options(sent.get("options", {}), self._settings.deadline)
        solution = await self._run(request, lambda: solver.asolve(sent["request"], **options))
        return _json(solution.to_json() | {"seconds": round(solution.seconds, 6)})

    async def _score(self, request: Request) -> Response:
        solver = self._solver(request)
        sent = await _object(request, ("request", "answer"), ("request", "answer"))
        score = await self._run(request, lambda: solver.ascore(sent["request"], sent["answer"]))
        return _json(score.to_json())

    def _solver(self, request: Request) -> gs.Solver:
        name = request.path_params["name"]
        if name not in self._solvers:
            known = ", ".join(map(repr, sorted(self._solvers)))
            raise HTTPException(404, f"There is no model {name!r:.80} here; known are {known}.")
        return self._solvers[name]

    async def _run(self, request: Request, start: Callable[[], Awaitable[Any]]) -> Any:
        """Await a computation; cancel it when its caller disconnects."""
        if self._running >= self._settings.waiting:
            message = f"{self._running} calls are in progress, which is this server's limit; call again in a second."
            raise HTTPException(503, message, {"Retry-After": "1"})
        self._running += 1
        try:
            async with _abandoned(request) as gone:
                work = asyncio.ensure_future(start())
                await asyncio.wait({work, gone}, return_when=asyncio.FIRST_COMPLETED)
                if not work.done():
                    work.cancel()
                    with contextlib.suppress(asyncio.CancelledError):
                        await work
                    raise HTTPException(_GONE, "The caller left.")
                return await work
        finally:
            self._running -= 1


@contextlib.asynccontextmanager
async def _abandoned(request: Request) -> AsyncIterator[asyncio.Future[None]]:
    """A future that completes when the caller disconnects."""

    async def watch() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass

    future = asyncio.ensure_future(watch())
    try:
        yield future
    finally:
        future.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await future


def _about(solver: gs.Solver, *names: str) -> dict[str, Any]:
    """What a model is, without characters that steer a terminal, and the file that says so; None for an installed model."""
    about = cleaned(solver.describe())
    return {name: about[name] for name in names or about} | {"origin": cleaned(solver.origin)}


async def _object(request: Request, known: Sequence[str], needed: Sequence[str]) -> dict[str, Any]:
    """The JSON object in the body of a call."""
    try:
        sent = json.loads(await request.body())
    except (ValueError, RecursionError) as error:
        raise HTTPException(400, f"The body is not valid JSON: {str(error)[:120]}.") from None
    if not isinstance(sent, dict):
        raise HTTPException(400, f"The body is of type {type(sent).__name__}; it must be an object.")
    allowed = ", ".join(map(repr, known))
    for name in needed:
        if name not in sent:
            raise HTTPException(400, f"The body lacks {name!r}; it may hold {allowed}.")
    for name in sent:
        if name not in known:
            raise HTTPException(400, f"{name!r:.80} in the body is unknown; it may hold {allowed}.")
    return sent


def _options(sent: Any, most: float) -> dict[str, Any]:
    if not isinstance(sent, dict):
        raise HTTPException(400, f"'options' is of type {type(sent).__name__}; it must be an object.")
    for name in sent:
        if name not in OPTIONS:
            raise HTTPException(400, f"The option {name!r:.80} is unknown; known are {', '.join(OPTIONS)}.")
    deadline = sent.get("deadline")
    number = isinstance(deadline, int | float) and not isinstance(deadline, bool)
    if deadline is not None and not (number and 0 < deadline <= most):
        raise HTTPException(400, f"deadline is {deadline!r:.40}; it must be above 0 and at most {most:g} seconds.")
    return {**sent, "deadline": most if deadline is None else float(deadline)}


def _json(found: Mapping[str, Any]) -> Response:
    return JSONResponse(_plain(found))


def _plain(value: Any) -> Any:
    """The value with null for numbers that JSON does not have."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {name: _plain(item) for name, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return JSONResponse({"error": error.detail}, error.status_code, error.headers)


async def _wrong(_: Request, error: Exception) -> Response:
    """An error of ours: the caller's fault, or the server's."""
    if isinstance(error, gs.RequestError):
        faults = [{"place": fault.place, "message": fault.message} for fault in error.faults]
        return JSONResponse({"error": str(error), "faults": faults}, 422)
    if isinstance(error, gs.BusyError | gs.ClosedError):
        return JSONResponse({"error": str(error)}, 503, {"Retry-After": "1"})
    return JSONResponse({"error": str(error)}, 400 if isinstance(error, gs.OptionError) else 500)
