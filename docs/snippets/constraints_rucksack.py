"""A rucksack: the most valuable things that weigh at most 15 kg."""

import groundstate as gs

things = {"tent": (9, 12), "stove": (4, 5), "camera": (5, 7), "jacket": (4, 6), "food": (7, 11)}
request = {
    "variables": dict.fromkeys(things, "0..1"),
    "constraints": [" + ".join(f"{kg}*{name}" for name, (kg, _) in things.items()) + " <= 15"],
    "objective": "maximise " + " + ".join(f"{worth}*{name}" for name, (_, worth) in things.items()),
}
solution = gs.load("constraints").solve(request)
print(solution.answer["objective"], solution.optimal)
print(solution.explanation.split(". ")[2].rstrip("."))
