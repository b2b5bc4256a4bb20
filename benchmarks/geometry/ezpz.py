"""CAD sketches of KittyCAD's ezpz without their guesses: ``python -m benchmarks.geometry.ezpz FOLDER``.

Right is: what ``expected.json`` asserts, but for what the guess decides (``from_guess``). Points of circles and arcs are
named as there.
"""

from __future__ import annotations

import argparse
import json
import math
import re
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import groundstate as gs


def number(text: str) -> float:
    """``30deg``, ``sqrt(32)``, ``-1.5``; angles in degrees."""
    text = text.strip()
    if match := re.fullmatch(r"sqrt\((.+)\)", text):
        return math.sqrt(float(match.group(1)))
    if text.endswith("rad"):
        return math.degrees(float(text[:-3]))
    return float(text.removesuffix("deg"))


def request(text: str) -> dict[str, Any]:
    """The request of a problem file, its guesses left out.

    Raises:
        KeyError: A constraint is not known.
    """
    points: list[str] = []
    circles: dict[str, Any] = {}
    arcs: dict[str, Any] = {}
    said: list[Any] = []
    for line in text.split("# guesses", maxsplit=1)[0].splitlines():
        one = line.strip()
        if not one or one.startswith("#"):
            continue
        word = one.split()[0]
        if word == "point":
            points.append(one.split()[1])
        elif word == "circle":
            name = one.split()[1]
            points.append(f"{name}.center")
            circles[name] = {"center": f"{name}.center"}
        elif word == "arc":
            name = one.split()[1]
            own = {f"{name}{end}" for end in ("center", "a", "b")}
            dot = "" if own <= set(points) else "."
            points += [f"{name}.{end}" for end in ("center", "a", "b") if dot]
            arcs[name] = {"center": f"{name}{dot}center", "start": f"{name}{dot}a", "end": f"{name}{dot}b"}
        elif match := re.fullmatch(r"(\S+)\.(x|y)\s*=\s*(.+)", one):
            said.append({"type": match.group(2), "of": [match.group(1)], "is": number(match.group(3))})
        elif match := re.fullmatch(r"(\S+)\s*=\s*\((.+),(.+)\)", one):
            for axis, value in (("x", match.group(2)), ("y", match.group(3))):
                said.append({"type": axis, "of": [match.group(1)], "is": number(value)})
        elif match := re.fullmatch(r"(\w+)\((.*)\)", one):
            said += _constraint(match.group(1), [part.strip() for part in match.group(2).split(",")], arcs)
        else:
            raise KeyError(one)
    for name in {n for c in said if isinstance(c, dict) for n in c["of"]} - set(points) - set(circles) - set(arcs):
        points.append(name)
    found: dict[str, Any] = {"points": points, "constraints": said, "distinct": False}
    return found | ({"circles": circles} if circles else {}) | ({"arcs": arcs} if arcs else {})


def _constraint(word: str, a: list[str], arcs: dict[str, Any]) -> list[dict[str, Any]]:
    same = {
        "parallel": "parallel",
        "perpendicular": "perpendicular",
        "horizontal": "horizontal",
        "vertical": "vertical",
    }
    same |= {"coincident": "coincident", "lines_equal_length": "equal_lengths"}
    if word in {"line", "is_arc"}:
        return []
    if word in same:
        return [{"type": same[word], "of": a}]
    if word == "distance":
        return [{"type": "distance", "of": a[:2], "is": number(a[2])}]
    if word == "midpoint":
        return [{"type": "midpoint", "of": [a[2], a[0], a[1]]}]
    if word == "radius":
        return [{"type": "radius", "of": [a[0]], "is": number(a[1])}]
    if word == "arc_radius":
        return [{"type": "distance", "of": [arcs[a[0]]["center"], arcs[a[0]]["start"]], "is": number(a[1])}]
    if word == "arc_length":
        # A quarter to half a turn: the angle at the centre times the radius.
        arc = arcs[a[0]]
        return [{"type": "arc_length", "of": [arc["center"], arc["start"], arc["end"]], "is": number(a[1])}]
    if word == "lines_at_angle":
        return [{"type": "line_angle", "of": a[:4], "is": number(a[4]) % 180}]
    if word == "point_line_distance":
        return [{"type": "signed_distance", "of": a[:3], "is": number(a[3])}]
    if word == "point_arc_coincident":
        return [{"type": "on_arc", "of": a}]
    if word == "symmetric":
        return [{"type": "symmetric", "of": [a[2], a[3], a[0], a[1]]}]
    if word == "tangent":
        return [{"type": "tangent_line", "of": [a[2], a[0], a[1]]}]
    raise KeyError(word)


def right(found: gs.Solution, expected: dict[str, Any], tolerance: float) -> list[str]:
    """What is not as the source's own tests assert."""
    if expected.get("satisfied") is False:
        return [] if found.status == "infeasible" else [f"inconsistent, and it is {found.status}"]
    if found.answer is None:
        return [f"it is {found.status}"]
    answer, wrong = found.answer, []
    decided = set(expected.get("from_guess", ())) | set(expected.get("free", ()))
    for name, at in expected.get("points", {}).items():
        for axis, value in zip("xy", at, strict=True):
            is_free = name in decided or f"{name}.{axis}" in decided
            if not is_free and abs(answer["points"][name]["xy".index(axis)] - value) > tolerance:
                wrong.append(f"{name}.{axis} is {answer['points'][name]['xy'.index(axis)]:.6g}, not {value:g}")
    for name, value in expected.get("values", {}).items():
        stem, _, what = name.rpartition(".")
        got = answer["circles"][stem]["radius"] if what == "radius" else answer["points"][stem]["xy".index(what)]
        if name not in decided and abs(got - value) > tolerance:
            wrong.append(f"{name} is {got:.6g}, not {value:g}")
    for one, other, value in expected.get("distances", ()):
        if abs(math.dist(answer["points"][one], answer["points"][other]) - value) > tolerance:
            wrong.append(f"{one} {other} are not {value:g} apart")
    free = answer.get("freedom", {}).get("degrees", 0) > 0
    if "underconstrained" in expected and free != expected["underconstrained"]:
        wrong.append(f"degrees of freedom: {answer['freedom']['degrees']}")
    if "free" in expected and "freedom" in answer:
        moving = {name.rpartition(".")[0] for name in expected["free"]}
        if set(answer["freedom"]["moving"]) != moving:
            wrong.append(f"moving {answer['freedom']['moving']}")
    return wrong


def main(argv: list[str] | None = None) -> int:
    """Print a line for each file; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--deadline", type=float, default=20.0)
    options = parser.parse_args(argv)
    expected = json.loads((options.folder / "expected.json").read_text(encoding="utf-8"))
    solver = gs.load("geometry")
    good, files = 0, sorted(options.folder.glob("*.md"))
    for path in files:
        try:
            asked = request(path.read_text(encoding="utf-8"))
            solver.solve(asked, ask=False, deadline=options.deadline)
            begun = time.perf_counter()
            found = solver.solve(asked, ask=False, deadline=options.deadline)
            took = f"{(time.perf_counter() - begun) * 1e3:.0f} ms"
            wrong = right(found, expected["cases"].get(path.stem, {}), expected["tolerance"])
            if wrong and found.answer is not None:
                # Without a guess a mirror image is as good: one of the figures that are listed must be the source's.
                more = solver.solve(asked, ask=False, alternatives=32, deadline=options.deadline)
                for answer in (other.answer for other in more.alternatives):
                    one = replace(more, answer=answer, alternatives=())
                    if not right(one, expected["cases"].get(path.stem, {}), expected["tolerance"]):
                        wrong = []
        except (KeyError, gs.GroundstateError) as error:
            wrong, took = [f"{type(error).__name__}: {error}"[:160]], "-"
        good += not wrong
        print(f"{path.stem:45} {'right' if not wrong else '; '.join(wrong)} ({took})", flush=True)
    print(f"{good} of {len(files)} right")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
