"""Learn how assignments are usually made, and make a new one that way, beside hard constraints."""

import random

import groundstate as gs
from groundstate_training import learn_answers

draw = random.Random(0)
request = {
    "variables": {name: ["mon", "tue", "wed", "thu"] for name in ("plan", "review", "demo")},
    "constraints": ["plan != review"],
}


def past() -> dict[str, object]:
    """A past assignment: the review is mostly on Thursday, plan and demo mostly on one day."""
    while True:
        values = {name: draw.choice(days) for name, days in request["variables"].items()}
        if draw.random() < 0.9:
            values["review"] = "thu"
        if draw.random() < 0.8:
            values["demo"] = values["plan"]
        if values["plan"] != values["review"]:
            return {"values": values}


customs = learn_answers([past() for _ in range(60)], request)
print(customs.report)
new = {**request, "constraints": ["plan != review", "plan != mon", "demo != tue"]}
solution = gs.load("constraints").solve(customs.added(new, strength=1.0), alternatives=1)
print(solution.status, solution.answer["values"])
