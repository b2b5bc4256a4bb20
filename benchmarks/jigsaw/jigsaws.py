"""Jigsaws of a folder of photographs, put together by the model and by its rivals in one run.

    python benchmarks/jigsaw/jigsaws.py FOLDER --count 12 --rows "5x5" "10x10" "187" "187 worn 1" "187 worn 2" "turned" "lost"
    python benchmarks/jigsaw/jigsaws.py FOLDER --rows "printed" "maps" --packages PACKAGES
    python benchmarks/jigsaw/jigsaws.py FOLDER --rows 5x5 --end-to-end end-to-end.pt

Every line holds one row of the table: its target, whole layouts right, neighbours right, claims, and seconds of computing. A
neighbour is right where the picture is the same (blank pieces of a page stand for each other); `strict` counts every piece as
itself. `printed` and `maps` are drawn with the test split of fonts and texts of `groundstate_models.jigsaw.pages`.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

import groundstate as gs
from groundstate_models.jigsaw import pages
from groundstate_models.jigsaw.puzzles import Puzzle, make

sys.path.insert(0, str(Path(__file__).parent))

SIZE = 28
ROWS: dict[str, dict[str, Any]] = {
    "5x5": {"shape": (5, 5)},
    "10x10": {"shape": (10, 10)},
    "187": {},
    "187 worn 1": {"worn": 1},
    "187 worn 2": {"worn": 2},
    "turned": {"turned": True},
    "lost": {"lost": 0.1},
    "432": {"shape": (18, 24), "scale": 1.7},
    "strips": {"shape": (1, 40), "size": (320, 12)},
    "pages": {"shape": (8, 8), "size": 60, "source": "page"},
    "printed": {"shape": (8, 8), "size": 60, "source": "printed"},
    "maps": {"shape": (8, 8), "size": 60, "source": "map"},
}
"""The rows of the table: how the jigsaws of each are made. `pages` are text of this repository; most others are photographs."""

TARGETS = {
    "5x5": "100 % perfect in 1 s",
    "10x10": "95 % perfect",
    "187": "97 % perfect in 10 s",
    "187 worn 1": "98 % neighbours",
    "187 worn 2": "80 % neighbours",
    "turned": "95 % perfect",
    "lost": "95 % perfect",
    "432": "95 % neighbours, 60 % perfect, 60 s",
    "pages": "90 % neighbours",
    "printed": "90 % neighbours",
}

ROOT = Path(__file__).parents[2]


def picture(path: Path, shape: tuple[int, int] | None, scale: float = 1.0) -> np.ndarray[Any, Any]:
    """A photograph, cropped to what the row needs; portraits are turned so that all rows have one shape."""
    from PIL import Image

    with Image.open(path) as image:
        found = image.convert("RGB")
        if found.height > found.width and shape is None:
            found = found.rotate(90, expand=True)
        if scale != 1.0:
            found = found.resize((int(found.width * scale), int(found.height * scale)), Image.Resampling.LANCZOS)
        if shape is not None and (found.height < shape[0] * SIZE or found.width < shape[1] * SIZE):
            found = found.rotate(90, expand=True)
        return np.asarray(found)


def page(number: int, side: int) -> np.ndarray[Any, Any]:
    """A page of printed text, the nth of this repository's documentation: (side, side, 3)."""
    from PIL import Image, ImageDraw, ImageFont

    words = " ".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "docs").glob("*.md"))).split()
    font = ImageFont.load_default(15)
    image = Image.new("RGB", (side, side), "white")
    pen = ImageDraw.Draw(image)
    at, line, top = 400 * number % len(words), "", 8
    while top < side - 18:
        longer = f"{line} {words[at % len(words)]}".strip()
        if pen.textlength(longer, font=font) > side - 16 and line:
            pen.text((8, top), line, fill="black", font=font)
            top, line = top + 19, ""
            continue
        line, at = longer, at + 1
    return np.asarray(image)


def ours(solver: gs.Solver, puzzle: Puzzle) -> dict[str, Any]:
    """What the model makes of a jigsaw."""
    request = puzzle.request()
    begun = time.process_time()
    solution = solver.solve(request)
    seconds = time.process_time() - begun
    answer = solution.answer if solution.closest is None else solution.closest.answer
    assert answer is not None
    return {
        "perfect": puzzle.perfect(answer),
        "neighbours": puzzle.neighbours(answer),
        "strict": puzzle.neighbours(answer, strict=True),
        "seconds": seconds,
        "claimed": answer["confidence"],
        "solved": solution.status == "solved",
    }


def rival(solve: Any, puzzle: Puzzle) -> dict[str, Any]:
    """What a rival makes of it; it knows the shape, and takes upright pieces only."""
    begun = time.process_time()
    grid = solve(puzzle.pieces, puzzle.shape)
    seconds = time.process_time() - begun
    answer = {"grid": [[None if piece < 0 else piece for piece in row] for row in grid.tolist()]}
    return {"perfect": puzzle.perfect(answer), "neighbours": puzzle.neighbours(answer), "seconds": seconds}


def end_to_end(weights: Path) -> Any:
    """The rival that is trained end to end, as a function of pieces and shape."""
    from end_to_end import layout, solver

    network, _ = solver(weights)
    return lambda pieces, shape: layout(network, pieces, shape)


def summary(rows: list[dict[str, Any]]) -> dict[str, float]:
    """Shares in percent, and the median of seconds."""
    found = {
        "perfect": 100 * float(np.mean([row["perfect"] for row in rows])),
        "neighbours": 100 * float(np.mean([row["neighbours"] for row in rows])),
        "seconds": float(np.median([row["seconds"] for row in rows])),
    }
    if "strict" in rows[0]:
        found["strict"] = 100 * float(np.mean([row["strict"] for row in rows]))
    if "solved" in rows[0]:
        found["solved"] = 100 * float(np.mean([row["solved"] for row in rows]))
        found["solved_and_wrong"] = sum(row["solved"] and not row["perfect"] for row in rows)
    return {name: round(value, 2) for name, value in found.items()}


def main(argv: list[str] | None = None) -> int:
    """Run; returns the exit code."""
    from rivals import greedy_tree, linear_programs

    parser = argparse.ArgumentParser(description="Jigsaws by the model and by its rivals.")
    parser.add_argument("folder", type=Path, help="photographs (JPEG), at least 481 × 321 pixels")
    parser.add_argument("--count", type=int, default=12, help="photographs, the first ones by name")
    parser.add_argument("--skip", type=int, default=0)
    parser.add_argument("--rows", nargs="+", default=list(ROWS), choices=list(ROWS))
    parser.add_argument("--no-rivals", action="store_true")
    parser.add_argument("--packages", type=Path, help="where `pages.fetch` unpacked fonts and texts, or will")
    parser.add_argument("--end-to-end", type=Path, help="weights of the end-to-end rival, for 5x5")
    options = parser.parse_args(argv)
    files = sorted(options.folder.glob("*.jpg"))[options.skip : options.skip + options.count]
    peers = {} if options.no_rivals else {"MGC, greedy tree": greedy_tree, "MGC, linear programs": linear_programs}
    press = None
    if {"printed", "maps"} & set(options.rows):
        if options.packages is None:
            parser.error("the rows printed and maps need --packages")
        pages.fetch(options.packages)
        press = pages.Press(options.packages, training=False)
    with gs.load("jigsaw") as solver:
        for name in options.rows:
            kind = dict(ROWS[name])
            scale, size, origin = kind.pop("scale", 1.0), kind.pop("size", SIZE), kind.pop("source", "photograph")
            against = dict(peers)
            if options.end_to_end is not None and name == "5x5":
                against["end to end"] = end_to_end(options.end_to_end)
            found: dict[str, list[dict[str, Any]]] = {}
            for number, file in enumerate(files):
                side, rng = size * max(kind.get("shape", (0,))), np.random.default_rng([77, number])
                if origin == "page":
                    source = page(number, side)
                elif press is not None and origin != "photograph":
                    source = (press.page if origin == "printed" else press.map)(rng, side)
                else:
                    source = picture(file, kind.get("shape") if size == SIZE else None, scale)
                puzzle = make(source, size, np.random.default_rng(number), **kind)
                found.setdefault("ours", []).append(ours(solver, puzzle))
                if not (puzzle.turns.any() or kind.get("lost")):
                    for peer, solve in against.items():
                        found.setdefault(peer, []).append(rival(solve, puzzle))
            print(
                json.dumps(
                    {
                        "row": name,
                        "puzzles": len(files),
                        "target": TARGETS.get(name),
                        **{who: summary(rows) for who, rows in found.items()},
                    }
                ),
                flush=True,
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
