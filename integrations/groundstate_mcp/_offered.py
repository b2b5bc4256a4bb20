"""What a server offers: tools and resources of its models, and of the learned ones while they are kept."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence

from mcp_types import Resource

import groundstate as gs
from groundstate._words import cleaned
from groundstate.tools import DescribeTool, LLMTool, SolveTool, card
from groundstate_models.learned.learning import LearnTool


class Offered:
    """The tools and resources of a server.

    Args:
        solvers: The models, which stay.
        learn: The tool that learns others, if there is one. Its tools come and go.
        tool: Makes the tool of a solver.

    Attributes:
        tools: The tools by name.
        resources: The models' headers and cards, with their texts, by URI.

    Raises:
        OptionError: If a tool that was learned earlier has the name of a model.
    """

    def __init__(
        self, solvers: Sequence[gs.Solver], learn: LearnTool | None, tool: Callable[[gs.Solver], SolveTool]
    ) -> None:
        self._learn, self._tool = learn, tool
        self._solvers = list(solvers)
        self._fixed: dict[str, LLMTool] = {one.name: one for one in map(tool, solvers)}
        self._learned: list[gs.Solver] = []
        if learn is not None:
            names = {solver.header.name for solver in solvers}
            if twice := names & {solver.header.name for solver in learn.solvers}:
                raise gs.OptionError(f"A learned tool and a model are both called {min(twice)!r}; rename one of them.")
            learn.reserved |= names
        self.tools: dict[str, LLMTool] = {}
        self.resources: dict[str, tuple[Resource, str]] = {}
        self._made: dict[int, LLMTool] = {}
        self._offer()

    def refresh(self) -> bool:
        """Take up what was learned and forgotten; returns whether anything changed."""
        if self._learn is None or self._learn.solvers == self._learned:
            return False
        self._offer()
        return True

    def _offer(self) -> None:
        self._learned = [] if self._learn is None else self._learn.solvers
        self._made = {id(one): self._made.get(id(one)) or self._tool(one) for one in self._learned}
        every = [*self._solvers, *self._learned]
        describe = DescribeTool(every)
        tools = [*self._fixed.values(), describe, *([self._learn] if self._learn else []), *self._made.values()]
        self.tools = {tool.name: tool for tool in tools}
        self.resources = _resources(every)


def _resources(solvers: Iterable[gs.Solver]) -> dict[str, tuple[Resource, str]]:
    """The models' headers, and the cards of installed models, by URI."""
    found: dict[str, tuple[Resource, str]] = {}
    for solver in solvers:
        about = cleaned(solver.describe())
        uri = f"groundstate://models/{about['name']}"
        found[uri] = (
            Resource(
                uri=uri,
                name=about["name"],
                title=about["title"],
                description="The model's header: schemas, checks, energy terms, defaults, limits, parity with PyTorch.",
                mime_type="application/json",
            ),
            json.dumps(about, ensure_ascii=False),
        )
        if (text := card(about["name"])) is not None:
            found[f"{uri}/card"] = (
                Resource(
                    uri=f"{uri}/card",
                    name=f"{about['name']} card",
                    title=f"Model card of {about['name']}",
                    description="What the model does, how it was trained, measured results, limits.",
                    mime_type="text/markdown",
                ),
                text,
            )
    return found
