"""Questions on their way to the user and back, in both eras of the protocol.

Up to 2025-11-25 a server asks while a call runs. From 2026-07-28 on it returns what it wants to know, and the client makes the
call again with the reply and with the state that the server gave it, sealed by the SDK. Nothing is kept on the server.
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
"""Questions in a call. Clients of 2026-07-28 stop after that many rounds; a remaining question is returned in the result."""

_FIELD = "reply"

_ROUNDS = "2026-07-28"
_TITLES = "2025-11-25"


class InputRequired(Exception):  # noqa: N818
    """The call cannot go on before the client has answered: raised through the solve, as LangGraph's interrupts are.

    Attributes:
        result: What the client is to answer.
    """

    def __init__(self, result: InputRequiredResult) -> None:
        super().__init__()
        self.result = result


class User:
    """Replies to the questions of one call by asking the user, if the client can: a `groundstate.tools.Replier`.

    Args:
        context: Of the call.
        params: Of the call; with the state and the reply of earlier rounds, if there were any.

    Attributes:
        asked: The questions of earlier rounds that were replied to.
        willing: Whether the user may be asked: the client can, and nobody has declined.
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
        raise gs.OptionError("The user can only be asked by an asynchronous call.")

    async def acall(self, question: gs.Question, solution: gs.Solution) -> str | None:
        """The id of the option that the user chose; None if nobody may or can be asked.

        Raises:
            InputRequired: Where the protocol wants the client to answer first.
            RequestError: If the client sent what is not an option of the form.
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
        """Take up the call where the last round left it."""
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
    """A flat form with one choice, as the protocol allows them.

    Args:
        titles: Whether the protocol knows choices with titles as JSON Schema has them, and not only ``enumNames``.
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
