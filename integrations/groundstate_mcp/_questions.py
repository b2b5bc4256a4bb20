"""Questions on their way to the user and back, in both eras of the protocol.

Up to 2025-11-25 a server asks while a call runs. From 2026-07-28 on it returns what it wants to know, and the client makes the
call again with the reply and with the state that the server gave it, sealed by the SDK. Nothing is kept on the server.
"""

from __future__ import annotations

import json
from typing import Any

from mcp.server.mcpserver import Context
from mcp.shared.exceptions import MCPError
from mcp_types import ElicitRequest, ElicitRequestFormParams, ElicitResult, InputRequiredResult
from mcp_types.version import is_version_at_least

from groundstate import Question
from groundstate.tools import Asked

MOST = 10
"""Questions in a call. Clients of 2026-07-28 give up after that many rounds; what is then open stands in the result."""

_FIELD = "reply"

_ROUNDS = "2026-07-28"
_TITLES = "2025-11-25"


class Dialogue:
    """The questions of one call.

    Args:
        context: Of the call.
        may_ask: Whether the user may be asked at all.

    Attributes:
        asked: The questions that were replied to, in their order.
        may_ask: Whether one more may be asked: the client can, nobody has declined, and there were not too many.
    """

    def __init__(self, context: Context[Any, Any], *, may_ask: bool) -> None:
        self._context = context
        self._version = context.protocol_version
        self.asked: list[Asked] = []
        self._willing = may_ask and self._can_ask()
        if self._willing and context.request_state is not None:
            self._resume(context.request_state)

    @property
    def replies(self) -> dict[str, str]:
        """The replies, as `groundstate.Solver.solve` takes them."""
        return {one["id"]: one["reply"] for one in self.asked}

    @property
    def may_ask(self) -> bool:
        return self._willing and len(self.asked) < MOST

    async def ask(self, question: Question) -> InputRequiredResult | None:
        """Ask the user; afterwards the reply is among `asked`, or nothing more may be asked.

        Returns:
            What the client is to answer before the call can go on, where the protocol wants that.
        """
        form = _form(question, titles=self._at_least(_TITLES))
        if self._at_least(_ROUNDS):
            state = {"asked": self.asked, "open": {"id": question.id, "text": question.text}}
            request = ElicitRequest(params=ElicitRequestFormParams(message=question.text, requested_schema=form))
            return InputRequiredResult(input_requests={question.id: request}, request_state=json.dumps(state))
        try:
            result = await self._context.session.elicit_form(question.text, form, self._context.request_id)
        except MCPError:
            # The client said that it can ask and then would not: the question stays in the result.
            self._willing = False
            return None
        self._note({"id": question.id, "text": question.text}, result)
        return None

    def _resume(self, state: str) -> None:
        """Take up the call where the last round left it."""
        earlier = json.loads(state)
        self.asked = earlier["asked"]
        replies = self._context.input_responses or {}
        result = replies.get(earlier["open"]["id"])
        if isinstance(result, ElicitResult):
            self._note(earlier["open"], result)

    def _note(self, question: dict[str, str], result: ElicitResult) -> None:
        if result.action == "accept":
            reply = str((result.content or {}).get(_FIELD, ""))
            self.asked.append({"id": question["id"], "text": question["text"], "reply": reply})
        else:
            self._willing = False

    def _can_ask(self) -> bool:
        if self._version is None:
            return False
        capabilities = self._context.client_capabilities
        elicitation = capabilities.elicitation if capabilities is not None else None
        # An empty capability is older than modes, and means forms.
        forms = elicitation is not None and (elicitation.form is not None or elicitation.url is None)
        return forms and (self._at_least(_ROUNDS) or self._context.session.can_send_request)

    def _at_least(self, version: str) -> bool:
        return self._version is not None and is_version_at_least(self._version, version)


def _form(question: Question, *, titles: bool) -> dict[str, Any]:
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
