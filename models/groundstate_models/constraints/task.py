"""The constraints task: the reading of each request."""

from __future__ import annotations

from typing import Any

from groundstate import Task
from groundstate_models.constraints.order_reading import OrderReading, by_orders
from groundstate_models.constraints.problem import Problem
from groundstate_models.constraints.reading import ConstraintsReading, PreferringReading


class ConstraintsTask(Task):
    """Finite problems as typed constraints, see `ConstraintsReading`; job shops with many starts, see `OrderReading`."""

    reading = ConstraintsReading

    def read(self, request: dict[str, Any]) -> ConstraintsReading:
        if not request.get("preferences") and "objective" not in request:
            return ConstraintsReading(self.header, request)
        problem = Problem.of(request)
        shop = by_orders(problem)
        if shop is not None:
            return OrderReading(self.header, request, problem, shop)
        return PreferringReading(self.header, request, problem)
