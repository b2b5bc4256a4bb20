"""Preferences for ``constraints`` from past answers: which of two would their maker prefer, and how good are proposed ones.

``python -m benchmarks.learned.usual [--makers 3] [--first 0] [--answers 50] [--pairs 200] [--proposals 20] [--journal FILE]``

Needs ``groundstate[train,cpu]``. A maker assigns ten tasks to days under hard constraints that change from request to request,
with hidden preferences for days and for pairs of tasks. Past answers are drawn with a probability that falls with their hidden
cost, by Gibbs sampling. Regret is the hidden cost of what ``constraints`` proposes above the least one, with and without what was
learned.
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np
from benchmarks.learned.records import Records, add_options

import groundstate as gs
from groundstate_models.constraints.problem import Problem
from groundstate_training import learn_answers

TASKS = ("plan", "review", "lab", "demo", "call", "audit", "train", "clean", "ship", "write")
DAYS = ("mon", "tue", "wed", "thu", "fri")


class Maker:
    """Someone with hidden preferences."""

    def __init__(self, random: np.random.Generator) -> None:
        self.random = random
        self.hidden: list[dict[str, Any]] = []
        for task in TASKS:
            if random.random() < 0.8:
                self._add(f"{task} == {random.choice(DAYS)}", random.uniform(1.5, 4))
        for _ in range(3):
            one, other = random.choice(TASKS, 2, replace=False)
            self._add(f"{one} {random.choice(['==', '!='])} {other}", random.uniform(1.5, 3))

    def _add(self, text: str, weight: float) -> None:
        self.hidden.append({"constraint": text, "weight": float(weight)})

    def request(self) -> dict[str, Any]:
        """A new request: some days are impossible, and some tasks must not share a day."""
        variables = {task: [day for day in DAYS if self.random.random() < 0.75] or list(DAYS) for task in TASKS}
        chosen = [self.random.choice(TASKS, 2, replace=False) for _ in range(4)]
        return {"variables": variables, "constraints": [f"{a} != {b}" for a, b in chosen]}

    def cost(self, values: dict[str, Any]) -> float:
        """The hidden cost."""
        return Problem.of({"variables": {task: list(DAYS) for task in TASKS}, "preferences": self.hidden}).cost(values)

    def answer(self, solver: gs.Solver, request: dict[str, Any], heat: float = 1.0) -> dict[str, Any]:
        """An answer drawn from the maker's distribution."""
        problem = Problem.of(request)
        hidden = Problem.of({"variables": {task: list(DAYS) for task in TASKS}, "preferences": self.hidden})
        values = dict(solver.solve(request, alternatives=1).answer["values"])
        for _ in range(6):
            for task in TASKS:
                options = [{**values, task: day} for day in problem.domains[task]]
                options = [one for one in options if all(c.holds(one) for c in problem.constraints)]
                costs = np.array([hidden.cost(one) for one in options])
                chance = np.exp(-(costs - costs.min()) / heat)
                values = options[self.random.choice(len(options), p=chance / chance.sum())]
        return values


def possible(text: str, request: dict[str, Any]) -> bool:
    """Whether a request has the day that a hidden preference names; elsewhere its cost is the same for all answers."""
    task, _, other = text.split()
    return other in TASKS or other in request["variables"][task]


def measure(seed: int, answers: int, pairs: int, proposals: int) -> dict[str, Any]:
    """One maker."""
    solver, maker = gs.load("constraints"), Maker(np.random.default_rng(seed))
    requests = [maker.request() for _ in range(answers)]
    customs = learn_answers([maker.answer(solver, one) for one in requests], requests)
    right = total = 0
    while total < pairs:
        request = maker.request()
        one, other = maker.answer(solver, request), maker.answer(solver, request, heat=8.0)
        true = maker.cost(one) - maker.cost(other)
        if true:
            right += (customs.cost(one) - customs.cost(other)) * true > 0
            total += 1
    regret = np.zeros(2)
    for _ in range(proposals):
        request = maker.request()
        known = [one for one in maker.hidden if possible(one["constraint"], request)]
        asked = ({**request, "preferences": known}, customs.added(request), request)
        best, learned, plain = (maker.cost(solver.solve(one, alternatives=1).answer["values"]) for one in asked)
        regret += learned - best, plain - best
    return {
        "habits": len(customs.habits),
        "hidden": len(maker.hidden),
        "right about pairs": f"{right} of {total}",
        "target pairs": "90 %",
        "regret with": round(float(regret[0] / proposals), 2),
        "regret without": round(float(regret[1] / proposals), 2),
        "ratio": round(float(regret[0] / max(regret[1], 1e-9)), 3),
        "target ratio": 0.10,
    }


def main() -> None:
    """Print one JSON line a maker."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_options(parser, "makers", 3)
    parser.add_argument("--answers", type=int, default=50)
    parser.add_argument("--pairs", type=int, default=200)
    parser.add_argument("--proposals", type=int, default=20)
    options = parser.parse_args()
    records, shape = Records(options.journal), (options.answers, options.pairs, options.proposals)
    for seed in range(options.first, options.first + options.makers):
        key = {"maker": seed, "answers": options.answers, "proposals": options.proposals}
        records.of(key, lambda seed=seed: measure(seed, *shape))  # type: ignore[misc]


if __name__ == "__main__":
    main()
