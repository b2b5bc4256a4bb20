import random
from itertools import pairwise

import groundstate as gs
from groundstate_training import learn

draw = random.Random(1)


def roster() -> dict[str, str]:
    """Return a random week that follows unwritten rules: one night shift, and no early shift after it."""
    while True:
        week = {day: draw.choice(["early", "late", "night", "free"]) for day in ("mon", "tue", "wed", "thu", "fri")}
        shifts = list(week.values())
        if shifts.count("night") == 1 and ("night", "early") not in pairwise(shifts):
            return week


model = learn([roster() for _ in range(200)])  # or a .csv, .jsonl or .txt file
print(model.report)
model.export("roster.onnx")
solution = gs.load("roster.onnx").solve({"known": {"mon": "early", "wed": "night"}})
print(solution.status, solution.answer["values"])
