"""Several artefacts, each with its tools."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Self, Unpack

from langchain_core.tools import BaseTool, BaseToolkit
from pydantic import ConfigDict

import groundstate as gs
from langchain_groundstate._options import Model, SolveOptions, opened
from langchain_groundstate._tools import EnergyTool, ScoreTool


class EnergyToolkit(BaseToolkit):
    """For every model a tool that solves and one that judges answers. Made by `from_models`.

    Attributes:
        tools: The tools, by model in the order given, solve before score.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    tools: list[BaseTool]

    @classmethod
    def from_models(
        cls, models: Iterable[Model], *, device: str = "cpu", **solve_options: Unpack[SolveOptions]
    ) -> Self:
        """Load each model once, for both of its tools.

        Args:
            models: As in `EnergyTool.from_model`.
            device: ``"cpu"`` or ``"cuda"``, as in `groundstate.load`.
            solve_options: See `SolveOptions`; for the solve tool of every model.

        Raises:
            GroundstateError: If a model cannot be loaded.
            OptionError: If an option is unknown or out of range, or if two models have the same name.
        """
        tools: list[BaseTool] = []
        for model in models:
            solver = opened(model, device)
            tools += [EnergyTool.from_model(solver, **solve_options), ScoreTool.from_model(solver)]
        repeated = [name for name, count in Counter(tool.name for tool in tools).items() if count > 1]
        if repeated:
            raise gs.OptionError(
                f"Two of the models would both be the tool {repeated[0]!r}, and an agent calls tools by name; "
                "make one with EnergyTool.from_model(…, name=…)."
            )
        return cls(tools=tools)

    def get_tools(self) -> list[BaseTool]:
        """The tools of every model."""
        return list(self.tools)
