"""Find an hour for three people; with a fourth, report why there is none."""

import groundstate as gs

request = {
    "days": ["mon", "tue"],
    "hours": "9:00-17:00",
    "people": {
        "Ada": {"busy": ["mon 9:00-14:00", "tue 9:00-10:30"]},
        "Bob": {"busy": ["mon after 13:00", "tue 12:00-15:00"]},
        "Cem": {"free": "tue until 11:30"},
        "Dora": {"free": "mon"},
    },
    "activities": [{"name": "Plan", "duration": "1h", "who": ["Ada", "Bob", "Cem"]}],
}
solver = gs.load("scheduling")
solution = solver.solve(request)
print(solution.status, solution.answer["activities"][0])

request["activities"][0]["who"].append("Dora")
print(solver.solve(request).violations[0].message)
