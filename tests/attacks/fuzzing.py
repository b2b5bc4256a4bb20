"""Structure-aware fuzzing of artefacts and requests: as long as one likes by hand, a little in every test run.

    python -m tests.attacks.fuzzing --files 20000 --requests 100000

Every mutant runs in a worker process with limits of memory and time, so that a crash of a kernel is found and not hidden.
Whatever is neither a solution that holds nor a `GroundstateError` in whole sentences is a finding, and is written to a folder.
"""

from __future__ import annotations

import argparse
import copy
import json
import math
import multiprocessing
import random
import resource
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import onnx

import groundstate as gs
from groundstate_models.sudoku import artefact_4x4

DEADLINE = 0.3
"""Seconds that a solve of a mutant may take."""

LONGEST = 3.0
"""Processor seconds that loading and solving a mutant may take; the load of the machine does not count."""

SILENT = 120.0
"""Seconds without a result after which a worker counts as hanging, on a busy machine."""

MEMORY = 4 << 30
"""Bytes of address space of a worker."""

BOARD = {"grid": [[1, 0, 0, 0], [0, 0, 0, 2], [0, 3, 0, 0], [0, 0, 4, 0]]}

INTERESTING: tuple[Any, ...] = (
    *(
        None,
        True,
        False,
        0,
        1,
        -1,
        2,
        5.0,
        1e308,
        -1e-308,
        math.nan,
        math.inf,
        -math.inf,
        2**31,
        2**63,
        -(2**63),
        10**30,
    ),
    *(
        "",
        "0",
        "a",
        "\0",
        "\ud800",
        "\u202e",
        "x" * 10_000,
        "1" * 400,
        "$ref",
        "#/",
        "file:///etc/passwd",
        "http://127.0.0.1:9/",
    ),
    *([], {}, [[]], {"": {}}, [0] * 1000, {"$ref": "#"}, {"$ref": "file:///etc/passwd"}, {"pattern": "(a+)+$"}),
)
"""Values that programs trip over."""


class Finding(Exception):
    """Something that must not happen."""


# Mutation


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a JSON value."""
    yield path
    if isinstance(value, dict):
        for key, item in value.items():
            yield from places(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from places(item, (*path, index))


def mutated(value: Any, draw: random.Random) -> Any:
    """A copy of a JSON value with one to three changes."""
    found = copy.deepcopy(value)
    for _ in range(draw.choice((1, 1, 2, 3))):
        path = draw.choice(list(places(found)))
        if not path:
            found = _changed(found, draw)
            continue
        parent = found
        for step in path[:-1]:
            parent = parent[step]
        action = draw.random()
        if action < 0.15:
            del parent[path[-1]]
        elif action < 0.25 and isinstance(parent, list):
            parent.insert(path[-1], copy.deepcopy(draw.choice(parent)))
        elif action < 0.32 and isinstance(parent, dict):
            parent[draw.choice(["", "x", "grid ", "__proto__", "é" * 40])] = parent.pop(path[-1])
        else:
            parent[path[-1]] = _changed(parent[path[-1]], draw)
    return found


def _changed(value: Any, draw: random.Random) -> Any:
    if isinstance(value, bool) or value is None or draw.random() < 0.4:
        return copy.deepcopy(draw.choice(INTERESTING))
    if isinstance(value, int):
        return draw.choice(
            (value + 1, value - 1, -value, value * 1000, float(value), str(value), value ^ 1 << draw.randrange(63))
        )
    if isinstance(value, float):
        return draw.choice((-value, value * 1e300, math.nan, int(value) if math.isfinite(value) else 0))
    if isinstance(value, str):
        at = draw.randrange(len(value) + 1)
        return draw.choice((value[:at], value + value, value[:at] + "\x1b[2J" + value[at:], value.upper()))
    if isinstance(value, list):
        return draw.choice(
            (value * 2, value[:-1], [value], tuple(value)[:1] and value[0], {str(i): v for i, v in enumerate(value)})
        )
    return draw.choice((list(value.values()), {**value, "more": value}, {}))


def mutated_file(seed: int) -> bytes:
    """A mutant of a sound artefact: its header, its graph, or its bytes."""
    draw = random.Random(seed)
    data = artefact_4x4().read_bytes()
    choice = draw.random()
    if choice < 0.25:
        return _bytes(data, draw)
    model = onnx.load_from_string(data)
    if choice < 0.65:
        entry = next(one for one in model.metadata_props if one.key == "groundstate")
        entry.value = json.dumps(mutated(json.loads(entry.value), draw)).encode("utf-8", "replace").decode()
    else:
        for _ in range(draw.choice((1, 1, 2, 4))):
            _graph(model.graph, draw)
    return model.SerializeToString()


def _bytes(data: bytes, draw: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(draw.choice((1, 2, 8, 64))):
        changed[draw.randrange(len(changed))] = draw.randrange(256)
    if draw.random() < 0.2:
        del changed[draw.randrange(len(changed)) :]
    return bytes(changed)


def _graph(graph: onnx.GraphProto, draw: random.Random) -> None:
    node, tensor = draw.choice(graph.node), draw.choice(graph.initializer)
    operators = (
        "Neg",
        "Add",
        "Expand",
        "Concat",
        "Reshape",
        "Loop",
        "RandomNormal",
        "Cast",
        "Gather",
        "TopK",
        "Tile",
        "Range",
    )
    actions: list[Callable[[], Any]] = [
        lambda: setattr(node, "op_type", draw.choice(operators)),
        lambda: node.input.append(draw.choice(graph.node).output[0]),
        lambda: node.input and node.input.pop(),
        lambda: node.output.append("more"),
        lambda: node.attribute and node.attribute.pop(),
        lambda: node.attribute.append(onnx.helper.make_attribute("axis", draw.choice((-9, 0, 1, 99, 2**40)))),
        lambda: setattr(node, "domain", draw.choice(("", "ai.onnx", "com.microsoft", "x"))),
        lambda: graph.node.remove(node),
        lambda: graph.node.insert(0, node),
        lambda: tensor.dims.append(draw.choice((0, 1, 2, -1, 2**40))),
        lambda: setattr(tensor, "data_type", draw.randrange(25)),
        lambda: setattr(tensor, "raw_data", tensor.raw_data[: draw.randrange(len(tensor.raw_data) + 1)]),
        lambda: setattr(tensor, "raw_data", bytes(draw.randrange(256) for _ in tensor.raw_data)),
        lambda: graph.output.pop(draw.randrange(len(graph.output))),
        lambda: graph.input.pop(draw.randrange(len(graph.input))),
        lambda: setattr(draw.choice(graph.output), "name", draw.choice(graph.node).output[0]),
    ]
    draw.choice(actions)()


# What must hold


def holds(problem: dict[str, Any], solution: gs.Solution) -> None:
    """Whether a solution of a 4×4 Sudoku is what it says.

    Raises:
        Finding: It is not.
    """
    if not solution.solved:
        return
    grid = (solution.answer or {}).get("grid")
    given = problem["grid"]
    rows = [list(row) for row in grid] if isinstance(grid, list) else []
    units = [*rows, *map(list, zip(*rows, strict=True))]
    units += (
        [[rows[r + i][c + j] for i in (0, 1) for j in (0, 1)] for r in (0, 2) for c in (0, 2)] if len(rows) == 4 else []
    )
    right = len(units) == 12 and all(sorted(unit) == [1, 2, 3, 4] for unit in units)
    if not right or any(g and g != v for a, b in zip(given, rows, strict=True) for g, v in zip(a, b, strict=True)):
        raise Finding(f"called {solution.status.value}, and wrong: {grid!r} for {given!r}")


def try_file(seed: int) -> str:
    """Load a mutant and solve with it. Returns what became of it."""
    data = mutated_file(seed)
    try:
        solver = gs.load(data)
        solution = solver.solve(BOARD, deadline=DEADLINE, alternatives=2)
        holds(BOARD, solution)
    except gs.GroundstateError as error:
        return _sentence(error)
    return solution.status.value


def try_request(solver: gs.Solver, seed: int) -> str:
    """Send a mutant of a request. Returns what became of it."""
    draw = random.Random(seed)
    request = mutated(BOARD, draw)
    try:
        solution = solver.solve(request, deadline=DEADLINE, alternatives=draw.choice((1, 2)))
        holds(dict(solution.request), solution)
    except gs.GroundstateError as error:
        return _sentence(error)
    return solution.status.value


def _sentence(error: gs.GroundstateError) -> str:
    text = str(error)
    if len(text) > 2000 or not text.rstrip().endswith((".", "?")):
        raise Finding(f"no sentence: {text[-200:]!r}")
    return type(error).__name__


# Running many


def _worker(kind: str, seeds: list[int], results: Any) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    solver = gs.load("sudoku_4x4") if kind == "requests" else None
    for seed in seeds:
        results.put((seed, None, ""))
        begun = time.process_time()
        try:
            outcome = try_file(seed) if solver is None else try_request(solver, seed)
        except Exception:  # noqa: BLE001 - whatever it is, it is a finding
            outcome = f"FINDING {traceback.format_exc(limit=-4)}"
        if (taken := time.process_time() - begun) > LONGEST:
            outcome = f"FINDING {taken:.1f} processor seconds"
        results.put((seed, outcome, ""))


def run(
    kind: str, seeds: Iterable[int], block: int = 500, found: Callable[[int, str], None] = lambda *_: None
) -> tuple[Counter[str], list[tuple[int, str]]]:
    """Try many mutants. Returns how often each outcome came, and the findings with their seeds.

    Args:
        found: Called with the seed and the reason of each finding, at once.
    """
    counts: Counter[str] = Counter()
    findings: list[tuple[int, str]] = []

    def note(seed: int, why: str) -> None:
        findings.append((seed, why))
        found(seed, why)

    todo = list(seeds)
    context = multiprocessing.get_context("spawn")
    while todo:
        results = context.SimpleQueue()
        worker = context.Process(target=_worker, args=(kind, todo[:block], results), daemon=True)
        worker.start()
        done, current, since = 0, None, time.monotonic()
        while done < len(todo[:block]):
            if not results.empty():
                seed, outcome, _ = results.get()
                since = time.monotonic()
                if outcome is None:
                    current = seed
                    continue
                done += 1
                counts[outcome.split()[0]] += 1
                if outcome.startswith("FINDING"):
                    note(seed, outcome)
            elif not worker.is_alive() or time.monotonic() - since > SILENT:
                why = f"FINDING the worker {'hangs' if worker.is_alive() else f'ended with {worker.exitcode}'}"
                worker.kill()
                note(current if current is not None else -1, why)
                counts["FINDING"] += 1
                done += 1
                break
            else:
                time.sleep(0.002)
        worker.join(5)
        todo = todo[done:]
        sys.stderr.write(f"\r{kind}: {sum(counts.values())} {dict(counts)}")
    sys.stderr.write("\n")
    return counts, findings


def main() -> int:
    """Run as many as asked for, and write what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=0, help="mutated artefacts")
    parser.add_argument("--requests", type=int, default=0, help="mutated requests")
    parser.add_argument("--seed", type=int, default=0, help="the first seed")
    parser.add_argument("--out", type=Path, default=Path("runs/fuzzing"), help="where findings are written")
    asked = parser.parse_args()
    total = 0
    for kind in ("files", "requests"):

        def found(seed: int, why: str, kind: str = kind) -> None:
            asked.out.mkdir(parents=True, exist_ok=True)
            (asked.out / f"{kind}-{seed}.txt").write_text(why)

        _, findings = run(kind, range(asked.seed, asked.seed + getattr(asked, kind)), found=found)
        for seed, why in findings:
            sys.stdout.write(f"{kind} {seed}: {why}\n")
        total += len(findings)
    return 1 if total else 0


if __name__ == "__main__":
    raise SystemExit(main())
