"""A toolkit of several artefacts."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Self, Unpack

from langchain_core.tools import BaseTool, BaseToolkit
from pydantic import ConfigDict

from groundstate.tools import Model, SolveOptions, collected
from langchain_groundstate._replies import OnQuestion
from langchain_groundstate._tools import EnergyCatalogTool, EnergyTool


class EnergyToolkit(BaseToolkit):
    """A tool for every model, which solves and scores, and one tool that describes all models. Made by `from_models`.

    Attributes:
        tools: The models' tools in the order given, then the tool that describes them.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    tools: list[BaseTool]

    @classmethod
    def from_models(
        cls,
        models: Iterable[Model] | Model,
        *,
        on_question: OnQuestion = "return",
        device: str = "cpu",
        **solve_options: Unpack[SolveOptions],
    ) -> Self:
        """Load each model once.

        Args:
            models: Models in the forms that `EnergyTool` takes, or a single one.
            on_question: As in `EnergyTool`.
            device: ``"cpu"`` or ``"cuda"``, as in `groundstate.load`.
            solve_options: See `SolveOptions`; used for every model.

        Raises:
            GroundstateError: If a model cannot be loaded.
            OptionError: If an option is unknown or out of range, or if two models have the same name.
        """
        solvers = collected(models, device)
        tools: list[BaseTool] = [
            EnergyTool.from_model(solver, on_question=on_question, **solve_options) for solver in solvers
        ]
        return cls(tools=[*tools, EnergyCatalogTool.from_solvers(solvers)])

    @classmethod
    def from_folder(
        cls,
        folder: str | os.PathLike[str],
        *,
        on_question: OnQuestion = "return",
        device: str = "cpu",
        **solve_options: Unpack[SolveOptions],
    ) -> Self:
        """The tools of every ``.onnx`` file in a folder, in the order of their names.

        Raises:
            GroundstateError: If a file is not an energy artefact, or a model cannot be loaded.
            OptionError: If the folder has none.
        """
        return cls.from_models([Path(folder)], on_question=on_question, device=device, **solve_options)

    def get_tools(self) -> list[BaseTool]:
        """The tools of every model."""
        return list(self.tools)
