"""LangChain's own suites for tools."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
from langchain_core.tools import BaseTool
from langchain_tests.integration_tests import ToolsIntegrationTests
from langchain_tests.unit_tests import ToolsUnitTests

import groundstate as gs
from langchain_groundstate import EnergyCatalogTool, EnergyTool
from tests.support import EASY, EASY_SOLUTION, rows


class _Solve:
    solver: ClassVar[gs.Solver]

    @pytest.fixture(autouse=True)
    def _load(self, sudoku: gs.Solver) -> None:
        type(self).solver = sudoku

    @property
    def tool_constructor(self) -> BaseTool:
        return EnergyTool.from_model(self.solver)

    @property
    def tool_invoke_params_example(self) -> dict[str, Any]:
        return {"grid": rows(EASY)}


class _Score(_Solve):
    @property
    def tool_constructor(self) -> BaseTool:
        return EnergyTool(self.solver, name="score_sudoku")

    @property
    def tool_invoke_params_example(self) -> dict[str, Any]:
        return {"grid": rows(EASY), "action": "score", "answer": {"grid": rows(EASY_SOLUTION)}}


class _Describe(_Solve):
    @property
    def tool_constructor(self) -> BaseTool:
        return EnergyCatalogTool.from_solvers([self.solver])

    @property
    def tool_invoke_params_example(self) -> dict[str, Any]:
        return {"model": "sudoku"}


class TestSolveUnit(_Solve, ToolsUnitTests):
    pass


class TestSolveIntegration(_Solve, ToolsIntegrationTests):
    pass


class TestScoreUnit(_Score, ToolsUnitTests):
    pass


class TestScoreIntegration(_Score, ToolsIntegrationTests):
    pass


class TestDescribeUnit(_Describe, ToolsUnitTests):
    pass


class TestDescribeIntegration(_Describe, ToolsIntegrationTests):
    pass
