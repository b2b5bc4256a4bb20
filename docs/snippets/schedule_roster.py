"""Eight people, two weeks of three shifts: who works when."""

import groundstate as gs

request = {
    "days": "2025-03-03/2025-03-16",
    "people": ["Ada", "Bob", "Cem", "Dora", "Eve", "Fay", "Gus", "Hal"],
    "activities": [
        {"name": "Early", "at": "6:00-14:00", "repeat": "daily", "who": "2 of anyone"},
        {"name": "Late", "at": "14:00-22:00", "repeat": "daily", "who": "any 2"},
        {"name": "Night", "at": "22:00-6:00", "repeat": "daily", "who": "anyone"},
    ],
    "rules": [
        {"type": "rest", "time": "11h"},
        {"type": "work", "at_most": 1, "per": "day"},
        {"type": "work", "at_most": 5, "per": "week"},
        {"type": "days_in_a_row", "at_most": 5},
    ],
    "preferences": [{"type": "avoid", "who": "Ada", "window": "weekend", "weight": 3}],
}
solver = gs.load("scheduling")
solution = solver.solve(request)
print(solution.status, solution.answer["cost"])
print(solver.draw(request, solution.answer))
