"""Ask the user questions, in both generations of the protocol.

Up to 2025-11-25 a server asks while a call runs. From 2026-07-28 on it returns the question. The client
repeats the call with the reply and the server's state, which the SDK seals. The server keeps nothing.
"""

from __future__ import annotations

import json
from typing import Any

from mcp.server.context import ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp_types import (
    CallToolRequestParams,
    ElicitRequest,
    ElicitRequestFormParams,
    ElicitResult,
    InputRequiredResult,
)
from mcp_types.version import is_version_at_least

import groundstate as gs
from groundstate.tools import Asked

MOST = 10
"""Most questions in a call. Clients of 2026-07-28 stop after this many rounds; a further question is returned."""

_FIELD = "reply"

_ROUNDS = "2026-07-28"
_TITLES = "2025-11-25"


class InputRequired(Exception):  # noqa: N818
    """The call needs a reply from the client first. Raised through the solve, like an interrupt of LangGraph.

    Attributes:
        result: The request for input, for the client.
    """

    def __init__(self, result: InputRequiredResult) -> None:
        super().__init__()
        self.result = result


class User:
    """Replies to the questions of one call by asking the user, if the client can: a `groundstate.tools.Replier`.

    Args:
        context: The call's context.
        params: The call's parameters, with the state and the reply of earlier rounds.

    Attributes:
        asked: The questions of earlier rounds that have replies.
        willing: Whether the user may be asked: the client supports it, and the user has not declined.
    """

    def __init__(self, context: ServerRequestContext[Any, Any], params: CallToolRequestParams) -> None:
        self._context = context
        self.asked: list[Asked] = []
        self.willing = self._can_ask()
        self._count = 0
        if self.willing and params.request_state is not None:
            self._resume(params.request_state, params)

    def __call__(self, question: gs.Question, solution: gs.Solution) -> str | None:
        del question, solution
        raise gs.OptionError("Only an asynchronous call can ask the user.")

    async def acall(self, question: gs.Question, solution: gs.Solution) -> str | None:
        """The id of the option that the user chose; None if the user cannot be asked.

        Raises:
            InputRequired: If the protocol returns the question to the client first.
            RequestError: If the client's reply is not an option of the form.
        """
        del solution
        if not self.willing or self._count >= MOST:
            return None
        self._count += 1
        form = _form(question, titles=self._at_least(_TITLES))
        if self._at_least(_ROUNDS):
            state = {"asked": self.asked, "open": {"id": question.id, "text": question.text}}
            request = ElicitRequest(params=ElicitRequestFormParams(message=question.text, requested_schema=form))
            raise InputRequired(
                InputRequiredResult(input_requests={question.id: request}, request_state=json.dumps(state))
            )
        try:
            result = await self._context.session.elicit_form(question.text, form, self._context.request_id)
        except MCPError:
            # The client declared that it can ask and then refused: the question stays in the result.
            self.willing = False
            return None
        choice = self._chosen(result)
        return None if choice is None else question.option(choice).id

    def _resume(self, state: str, params: CallToolRequestParams) -> None:
        """Resume the call from the state of the last round."""
        earlier = json.loads(state)
        self.asked = earlier["asked"]
        result = (params.input_responses or {}).get(earlier["open"]["id"])
        if isinstance(result, ElicitResult) and (choice := self._chosen(result)) is not None:
            self.asked.append(Asked(id=earlier["open"]["id"], text=earlier["open"]["text"], reply=choice))
        self._count = len(self.asked)

    def _chosen(self, result: ElicitResult) -> str | None:
        if result.action != "accept":
            self.willing = False
            return None
        return str((result.content or {}).get(_FIELD, ""))

    def _can_ask(self) -> bool:
        capabilities = self._context.session.client_capabilities
        elicitation = capabilities.elicitation if capabilities is not None else None
        # An empty capability is older than modes, and means forms.
        forms = elicitation is not None and (elicitation.form is not None or elicitation.url is None)
        return forms and (self._at_least(_ROUNDS) or self._context.session.can_send_request)

    def _at_least(self, version: str) -> bool:
        return is_version_at_least(self._context.protocol_version, version)


def _form(question: gs.Question, *, titles: bool) -> dict[str, Any]:
    """A flat form with one choice, the kind that the protocol allows.

    Args:
        titles: Whether the protocol supports titled choices of JSON Schema, and not only ``enumNames``.
    """
    ids, labels = ([getattr(option, name) for option in question.options] for name in ("id", "label"))
    choice: dict[str, Any] = {"type": "string", "title": "Reply"}
    if ids == labels:
        choice["enum"] = ids
    elif titles:
        choice["oneOf"] = [{"const": id_, "title": label} for id_, label in zip(ids, labels, strict=True)]
    else:
        choice |= {"enum": ids, "enumNames": labels}
    return {"type": "object", "properties": {_FIELD: choice}, "required": [_FIELD]}
