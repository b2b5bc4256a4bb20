"""A roster of six days for three people, with preferences."""

from itertools import pairwise

import groundstate as gs

DAYS = ["mon", "tue", "wed", "thu", "fri", "sat"]
PEOPLE = ["Ada", "Bob", "Cem"]

request = {
    "variables": dict.fromkeys(DAYS, PEOPLE),
    "constraints": [
        *(f"exactly 2 of {', '.join(DAYS)} are {one}" for one in PEOPLE),
        *(f"{day} != {following}" for day, following in pairwise(DAYS)),
        "if mon == Ada then fri == Ada",
        "sat != Bob",
    ],
    "preferences": [
        {"constraint": "exactly 0 of mon, tue are Ada", "weight": 2},
        {"constraint": "exactly 0 of wed, thu, fri are Bob", "weight": 1},
        {"constraint": "exactly 0 of fri, sat are Cem", "weight": 3},
    ],
}
solver = gs.load("constraints")
solution = solver.solve(request)
print(solution.status, solution.answer)

request["constraints"].append(f"exactly 0 of {', '.join(DAYS)} are Bob")
print(solver.solve(request).violations[0].message)
