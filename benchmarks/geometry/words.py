"""From a text to a drawing with a small language model that runs offline: ``python -m benchmarks.geometry.words --save FOLDER``.

SmolLM2-135M (`benchmarks.local_llm` names its wheels) turns each sentence into statements; their form is forced, their content
is its own. Counted is: a figure was drawn, and everything that the sentence says is true of it, by statements that the model
never sees. Beside it, the same model writes the coordinates itself.
"""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
from benchmarks.local_llm import LocalModel

import groundstate as gs
from groundstate_models.geometry.figure import Figure
from groundstate_models.geometry.request import read

LINE, POINT, NUMBER = "[A-Z]{2}", "[A-Z]", "[0-9]{1,3}"
FORMS = "|".join(
    (
        f"{LINE} = {NUMBER}",
        f"angle [A-Z]{{3}} = {NUMBER}",
        f"{LINE} (perpendicular|parallel) {LINE}",
        f"{POINT} midpoint of {LINE}",
        f"{POINT} on segment {LINE}",
        "[A-Z]{4} (square|rectangle|parallelogram)",
    )
)
"""The forms of statement that the model may write."""

STATEMENTS = {
    "type": "object",
    "properties": {
        "constraints": {
            "type": "array",
            "items": {"type": "string", "pattern": f"^({FORMS})$"},
            "minItems": 1,
            "maxItems": 6,
        }
    },
    "required": ["constraints"],
    "additionalProperties": False,
}

EXAMPLES = [
    ("Draw PQ of length 3 and QR of length 8, with 50 degrees at Q.", ["PQ = 3", "QR = 8", "angle PQR = 50"]),
    (
        "Draw a rectangle EFGH with EF 9 and FG 2, and T in the middle of EF.",
        ["EFGH rectangle", "EF = 9", "FG = 2", "T midpoint of EF"],
    ),
    ("Draw a triangle with sides UV 6, VW 7 and UW 4.", ["UV = 6", "VW = 7", "UW = 4"]),
    (
        "Draw a segment XY of length 8, and YZ of length 2 at a right angle to it.",
        ["XY = 8", "YZ = 2", "XY perpendicular YZ"],
    ),
]


def sentences(count: int) -> list[tuple[str, list[str]]]:
    """Sentences, and what each says."""
    draw = np.random.default_rng(7)
    found: list[tuple[str, list[str]]] = []
    for k in range(count):
        a, b = (int(v) for v in draw.integers(4, 13, 2))
        c = int(draw.integers(abs(a - b) + 1, a + b))
        angle = int(draw.integers(25, 155))
        found.append(
            [
                (f"Draw a triangle with sides AB {a}, BC {b} and AC {c}.", [f"AB = {a}", f"BC = {b}", f"AC = {c}"]),
                (
                    f"Draw AB of length {a} and BC of length {b}, with {angle} degrees at B.",
                    [f"AB = {a}", f"BC = {b}", f"angle ABC = {angle}"],
                ),
                (
                    f"Draw a rectangle ABCD with AB {a} and BC {b}, and M in the middle of AB.",
                    ["ABCD rectangle", f"AB = {a}", f"BC = {b}", "M midpoint of AB"],
                ),
                (
                    f"Draw a segment AB of length {a}, and BC of length {b} at a right angle to it.",
                    [f"AB = {a}", f"BC = {b}", "AB perpendicular BC"],
                ),
            ][k % 4]
        )
    return found


def written(llm: LocalModel, text: str) -> list[str]:
    """The statements that the model makes of a sentence."""
    shots = [
        one
        for asked, said in EXAMPLES
        for one in (
            {"role": "user", "content": asked},
            {"role": "assistant", "content": json.dumps({"constraints": said})},
        )
    ]
    reply = llm.send([*shots, {"role": "user", "content": text}], STATEMENTS, most=160)
    return list(reply["constraints"])


def placed(llm: LocalModel, text: str, names: list[str]) -> dict[str, Any]:
    """The coordinates that the model writes itself."""
    place = {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2}
    schema = {
        "type": "object",
        "properties": dict.fromkeys(names, place),
        "required": names,
        "additionalProperties": False,
    }
    shot = (
        "Give coordinates. Draw PQ of length 3 and QR of length 4 at a right angle to it.",
        {"P": [3, 0], "Q": [0, 0], "R": [0, 4]},
    )
    messages = [{"role": "user", "content": shot[0]}, {"role": "assistant", "content": json.dumps(shot[1])}]
    found = llm.send([*messages, {"role": "user", "content": f"Give coordinates. {text}"}], schema, most=160)
    return dict(found)


def true(meant: list[str], points: dict[str, Any], tolerance: float) -> bool:
    """Whether everything that a sentence says is true of places."""
    problem = read({"constraints": meant}).problem
    if set(problem.points) - set(points):
        return False
    figure = Figure({name: (float(at[0]), float(at[1])) for name, at in points.items()}, {}, {}, {})
    amounts = [amount for _, amount in problem.amounts(figure)]
    return all(math.isfinite(a) and a <= tolerance for a in amounts)


def main(argv: list[str] | None = None) -> int:
    """Print each sentence with what became of it; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=12)
    parser.add_argument("--save", type=Path, help="a folder for the drawings")
    options = parser.parse_args(argv)
    llm, solver = LocalModel(), gs.load("geometry")
    drawn = right = alone = 0
    for number, (text, meant) in enumerate(sentences(options.count)):
        names = read({"constraints": meant}).problem.points
        alone += true(meant, placed(llm, text, names), 0.01)
        try:
            request = {"constraints": written(llm, text)}
            answer = solver.solve(request, ask=False, deadline=10.0).answer
        except (gs.GroundstateError, ValueError) as error:
            print(f"{text}\n  {error}")
            continue
        drawn += answer is not None
        good = answer is not None and true(meant, answer["points"], 1e-6)
        right += good
        print(f"{text}\n  {request['constraints']}: {'as meant' if good else 'not as meant'}", flush=True)
        if answer is not None and options.save is not None:
            options.save.mkdir(parents=True, exist_ok=True)
            (options.save / f"{number}.svg").write_text(solver.svg(request, answer) or "", encoding="utf-8")
    print(
        f"{options.count} sentences: {drawn} drawn, {right} as meant to 1e-6; coordinates by the same model alone: "
        f"{alone} as meant to 1 %"
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
