"""Six days, three people: who works when, as far as possible as they would like it."""

from itertools import pairwise

import groundstate as gs

DAYS = ["mon", "tue", "wed", "thu", "fri", "sat"]
PEOPLE = ["Ada", "Bob", "Cem"]


def works(person: str, days: list[str]) -> list[dict[str, str]]:
    return [{"variable": day, "value": person} for day in days]


def rather_not(person: str, days: list[str], weight: float) -> dict[str, object]:
    return {"constraint": {"type": "count", "of": works(person, days), "exactly": 0}, "weight": weight}


request = {
    "variables": dict.fromkeys(DAYS, PEOPLE),
    "constraints": [
        *({"type": "count", "of": works(one, DAYS), "exactly": 2, "name": f"two days for {one}"} for one in PEOPLE),
        *({"type": "not_equal", "variables": list(days)} for days in pairwise(DAYS)),
        {"type": "implies", "if": works("Ada", ["mon"]), "then": works("Ada", ["fri"])},
        {"type": "count", "of": works("Bob", ["sat"]), "exactly": 0, "name": "Bob is away"},
    ],
    "preferences": [
        rather_not("Ada", ["mon", "tue"], 2),
        rather_not("Bob", ["wed", "thu", "fri"], 1),
        rather_not("Cem", ["fri", "sat"], 3),
    ],
}
solver = gs.load("constraints")
solution = solver.solve(request)
print(solution.status, solution.answer)

request["constraints"].append({"type": "count", "of": works("Bob", DAYS), "exactly": 0, "name": "Bob is ill"})
print(solver.solve(request).violations[0].message)
