"""What a file says of itself beyond its tensors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Tool:
    """The words and numbers of the header that no tensor could tell. See ``docs/artefact.md``.

    Attributes:
        name: What users type; None for the file's stem.
        title: A line for people; None for the name.
        description: Written for a language model that decides whether to call the tool.
        licence: An SPDX identifier, such as ``Apache-2.0``.
        version: Of the model.
        task: An entry point of the group ``groundstate.tasks`` that encodes, decodes and checks; None where the schema suffices.
        request: JSON schema of what a caller sends; None to derive it from the inputs.
        answer: JSON schema of what a caller gets; None to derive it from the answers.
        terms: A sentence for each term of the energy.
        rules: A sentence for each rule.
        defaults: ``restarts``, ``max_steps``, ``patience``, ``lengthens``, ``settled``; what is missing is chosen.
        limits: ``restarts``, ``max_steps``, ``batch``; what is missing is chosen.
        self_test: ``{"request": …, "answer": …}``, or None.
    """

    name: str | None = None
    title: str | None = None
    description: str | None = None
    licence: str = ""
    version: str = "0"
    task: str | None = None
    request: Mapping[str, Any] | None = None
    answer: Mapping[str, Any] | None = None
    terms: Mapping[str, str] = field(default_factory=dict)
    rules: Mapping[str, str] = field(default_factory=dict)
    defaults: Mapping[str, float] = field(default_factory=dict)
    limits: Mapping[str, int] = field(default_factory=dict)
    self_test: Mapping[str, Any] | None = None
