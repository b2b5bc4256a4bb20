"""A LangChain chat model over a small local one, which calls tools although it has no template for them."""

from __future__ import annotations

import json
from typing import Any, Self

from benchmarks.local_llm import LocalModel
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolCall, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import ConfigDict, Field

_TOOLS_OWN = {"replies", "action", "answer"}
"""Arguments of the tool that are not part of the request."""


class LocalChat(BaseChatModel):
    """Each reply has a form that is forced, and a content that the model chooses.

    What a person says becomes a call of the tool, with arguments of its schema; a question in a result becomes the same call with
    one of the options; any other result becomes a sentence.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    llm: LocalModel
    tool: dict[str, Any] = Field(default_factory=dict)

    @property
    def _llm_type(self) -> str:
        return "local"

    def bind_tools(self, tools: Any, **_options: Any) -> Self:
        return self.model_copy(update={"tool": convert_to_openai_tool(tools[0])["function"]})

    def _generate(self, messages: list[BaseMessage], *_args: Any, **_options: Any) -> ChatResult:
        asked = next(message.text for message in messages if isinstance(message, HumanMessage))
        told = json.loads(messages[-1].text) if isinstance(messages[-1], ToolMessage) else None
        if told is None:
            reply = self._call(self._arguments(asked), len(messages))
        elif "question" in told:
            earlier = next(m.tool_calls[0]["args"] for m in reversed(messages) if isinstance(m, AIMessage))
            chosen = {**earlier.get("replies", {}), **self._choice(asked, told["question"])}
            reply = self._call({**earlier, "replies": chosen}, len(messages))
        else:
            found = json.dumps(told.get("answer"))
            prompt = f"{asked}\nA solver found: {found}. {told['message']} Tell me so in one sentence."
            reply = AIMessage(self.llm.say([{"role": "user", "content": prompt}]))
        return ChatResult(generations=[ChatGeneration(message=reply)])

    def _arguments(self, asked: str) -> dict[str, Any]:
        """The problem in the words of the tool. An example is worth more to a model of this size than a description."""
        schema = dict(self.tool["parameters"])
        example = json.dumps(schema.pop("examples")[0])
        schema["properties"] = {name: part for name, part in schema["properties"].items() if name not in _TOOLS_OWN}
        said = [("user", f"Solve this: {example}"), ("assistant", example), ("user", asked)]
        return self.llm.send([{"role": role, "content": text} for role, text in said], schema)

    def _choice(self, asked: str, question: dict[str, Any]) -> dict[str, str]:
        ids = [option["id"] for option in question["options"]]
        schema = {"type": "object", "properties": {question["id"]: {"enum": ids}}, "required": [question["id"]]}
        prompt = f"{asked}\n{question['text']} Reply with one of {', '.join(ids)}."
        return self.llm.send([{"role": "user", "content": prompt}], {**schema, "additionalProperties": False})

    def _call(self, arguments: dict[str, Any], number: int) -> AIMessage:
        call = ToolCall(name=self.tool["name"], args=arguments, id=str(number), type="tool_call")
        return AIMessage("", tool_calls=[call])
