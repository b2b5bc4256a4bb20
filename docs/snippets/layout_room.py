"""A bedroom from what a person says, and somebody's own layout repaired with the least change."""

import groundstate as gs

solver = gs.load("layout")
room = {
    "area": {"width": 400, "height": 300, "doors": [{"wall": "south", "at": 40, "width": 80}]},
    "items": {
        "bed": {"size": [160, 200], "turns": "none"},
        "nightstand": {"size": [40, 40], "count": 2, "turns": "none"},
        "wardrobe": {"size": [120, 60], "front": "south"},
    },
    "relations": [
        "bed against north wall",
        "bed centred in the room horizontally",
        "nightstand-1 left of bed, gap 5",
        "nightstand-2 right of bed, gap 5",
        "nightstands against north wall",
        "wardrobe against west wall",
        "60 clear in front of wardrobe",
    ],
    "unit": "cm",
}
answer = solver.solve(room).answer
for name, item in answer["items"].items():
    print(name, [round(v) for v in item["box"]])
print("the wardrobe can move", "up or down" if sum(answer["free"]["wardrobe"][2:]) else "nowhere")

drawn = {
    "area": [270, 252],
    "items": {
        "bed": {"size": [170, 130], "at": [129, 111]},
        "wardrobe": {"size": [45, 127], "at": [240, 81]},
        "nightstand": {"size": [29, 40], "at": [25, 14]},
    },
    "repair": True,
}
answer = solver.solve(drawn).answer
print("moved by", round(answer["moved"]["mean"], 1), "on average")

tight = {**room, "area": {"width": 238, "height": 300}, "relations": room["relations"][2:4]}
solution = solver.solve(tight)
print(solution.status, solution.violations[0].message)
print([option.label for option in solution.question.options])
