"""Learn how weeks are usually planned, and schedule a new week that way."""

import random

import groundstate as gs
from groundstate_training import learn_weeks

draw = random.Random(0)


def past() -> dict[str, object]:
    """A past week: the review is mostly on Friday afternoon, the plan on Monday."""
    review = (
        ("fri", draw.randint(13, 15)) if draw.random() < 0.9 else (draw.choice(["wed", "thu"]), draw.randint(9, 15))
    )
    plan = ("mon" if draw.random() < 0.9 else "tue", draw.randint(9, 15))
    placed = {"Review": review, "Plan": plan}
    return {
        "activities": [
            {"name": name, "start": f"{day} {hour}:00", "end": f"{day} {hour + 1}:00"}
            for name, (day, hour) in placed.items()
        ]
    }


habits = learn_weeks([past() for _ in range(50)])
print(habits.report)
request = {
    "people": {"Ada": {"busy": "fri 13:00-15:00"}},
    "activities": [
        {"name": "Review", "duration": "1h", "who": "Ada"},
        {"name": "Plan", "duration": "1h", "who": "Ada"},
    ],
}
solution = gs.load("scheduling").solve(habits.added(request, strength=1.0), alternatives=1)
print([f"{one['name']} {one['start']}" for one in solution.answer["activities"]])
