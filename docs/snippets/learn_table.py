"""Learn a table with missing values, and complete a new row with intervals and alternatives."""

import random

import groundstate as gs
from groundstate_training import learn

draw = random.Random(0)


def house() -> dict[str, object]:
    """A house: the price follows the area; the heating is old or new; some values are missing."""
    area, kind = draw.gauss(120, 25), draw.choice(["old", "new"])
    price = 3 * area + (60 if kind == "new" else 0) + draw.gauss(0, 8)
    row = {"area": round(area, 1), "heating": kind, "price": round(price, 1)}
    return {name: None if draw.random() < 0.1 else value for name, value in row.items()}


model = learn([house() for _ in range(300)], kind="table", effort=0.5)
model.export("houses.onnx")
solution = gs.load("houses.onnx").solve({"row": {"area": 100, "heating": "new"}}, alternatives=1)
(price,) = solution.answer["cells"]
print(solution.status, price["column"], price["low"] < 360 < price["high"])
