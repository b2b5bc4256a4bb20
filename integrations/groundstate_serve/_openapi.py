"""The server's description: an OpenAPI 3.1 document, and a page for people."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping
from typing import Any

import groundstate as gs

_OPTIONS: dict[str, Any] = {
    "type": "object",
    "description": "Options of the solve; all are optional.",
    "properties": {
        "restarts": {"type": "integer", "minimum": 1, "description": "Largest number of chains."},
        "max_steps": {"type": "integer", "minimum": 1, "description": "Largest number of steps for each chain."},
        "deadline": {"type": "number", "exclusiveMinimum": 0, "description": "Seconds."},
        "seed": {"type": "integer", "minimum": 0},
        "alternatives": {"type": "integer", "minimum": 1, "description": "Number of different answers to look for."},
        "ask": {"type": "boolean", "description": "Whether to look for a question."},
        "replies": {
            "type": "object",
            "additionalProperties": {"type": "string"},
            "description": "Replies to questions about this request: question id to option id.",
        },
    },
    "additionalProperties": False,
}

_STYLE = (
    "body{font:16px/1.5 system-ui;max-width:46em;margin:2em auto;padding:0 1em}"
    "pre{background:#f3f3f3;padding:1em;overflow:auto}"
)


def document(solvers: Mapping[str, gs.Solver]) -> dict[str, Any]:
    """The OpenAPI 3.1 document of a server with these models."""
    paths: dict[str, Any] = {
        "/health": {"get": _get("Whether the server runs")},
        "/models": {"get": _get("The models")},
    }
    for name, solver in solvers.items():
        header = solver.header
        paths[f"/models/{name}"] = {"get": _get(f"Request and answer of {header.title}")}
        solve = _object({"request": _inner(header.request, name, "request"), "options": _OPTIONS}, ["request"])
        parts = {part: _inner(getattr(header, part), name, part) for part in ("request", "answer")}
        score = _object(parts, list(parts))
        paths[f"/models/{name}/solve"] = {"post": _post(f"solve_{name}", header.title, header.description, solve)}
        paths[f"/models/{name}/score"] = {
            "post": _post(
                f"score_{name}", f"Score an answer: {header.title}", "Energy and violations of an answer.", score
            )
        }
    info = {"title": "groundstate", "version": gs.__version__, "description": "Energy-based models as tools."}
    return {"openapi": "3.1.0", "info": info, "paths": paths}


def page(solvers: Mapping[str, gs.Solver]) -> str:
    """A page for people: the models, with an example call for each."""
    parts = []
    for name, solver in solvers.items():
        header = solver.header
        example = (header.self_test or {}).get("request", {})
        call = f"curl -s {{server}}/models/{name}/solve -H 'Content-Type: application/json' -d '{_short(example)}'"
        parts.append(
            f"<h2>{html.escape(header.title)}</h2><p>{html.escape(header.description)}</p>"
            f"<pre>{html.escape(call)}</pre><p><a href='/models/{html.escape(name)}'>schemas, checks, limits</a></p>"
        )
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>groundstate</title><style>{_STYLE}</style>"
        f"<h1>groundstate {gs.__version__}</h1><p>Machine-readable: <a href='/openapi.json'>openapi.json</a></p>"
        f"{''.join(parts)}"
    )


def _short(example: Any) -> str:
    text = json.dumps({"request": example})
    return text if len(text) <= 400 else '{"request": …}'


def _inner(schema: Mapping[str, Any], model: str, part: str) -> dict[str, Any]:
    """A schema inside the document. Its own identifier keeps its references local."""
    return {"$id": f"/models/{model}/{part}"} | {name: value for name, value in schema.items() if name != "$schema"}


def _object(properties: Mapping[str, Any], required: list[str]) -> dict[str, Any]:
    return {"type": "object", "properties": dict(properties), "required": required, "additionalProperties": False}


def _get(summary: str) -> dict[str, Any]:
    return {"summary": summary, "responses": {"200": {"description": "As JSON."}}}


def _post(operation: str, summary: str, description: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "operationId": operation,
        "summary": summary,
        "description": description,
        "requestBody": {"required": True, "content": {"application/json": {"schema": schema}}},
        "responses": {
            "200": {"description": "The outcome."},
            "400": {"description": "The call is malformed, or an option is out of range."},
            "422": {"description": "The request does not fit the schema; every fault is listed with its place."},
            "503": {"description": "Too many calls are in progress."},
        },
    }
