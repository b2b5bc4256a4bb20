"""What every attack costs: processor time and memory until it is refused, each in a process of its own.

    python benchmarks/attacks.py                 # a table, and what misses the targets
    python benchmarks/attacks.py --gate 20       # the gate's time on the largest bundled models, as well

The process has solved a puzzle before, so that neither imports nor the first session count. Memory is the growth of the peak
resident set.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import multiprocessing
import re
import resource
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import groundstate as gs
from groundstate._gate import examine

TIME, MEMORY = 50.0, 64.0
"""Targets: processor milliseconds and megabytes of a refusal."""

OPEN = {"grid": [[1, 0, 0, 0], [0, 0, 0, 2], [0, 3, 0, 0], [0, 0, 4, 0]]}
FULL = {"grid": [[1, 2, 3, 4], [3, 4, 1, 2], [2, 1, 4, 3], [4, 3, 2, 1]]}


def attempts() -> Iterator[tuple[str, str, Callable[[], Any], Callable[[Any], Any], str | None]]:
    """Kind and name of each attack, what builds it, what it is done to, and the pattern of its refusal."""
    from tests.attacks.files import ATTACKS
    from tests.attacks.headers import HEADERS, IN_USE, SCORING
    from tests.attacks.requests import REQUESTS

    for attack in ATTACKS:
        loop = "loop" in attack.name or "choice" in attack.name
        yield "file", attack.name, attack.build, lambda data, loop=loop: examine(data, loop=loop), attack.says
    for attack in HEADERS:
        yield "header", attack.name, attack.build, gs.load, attack.says
    for attack in IN_USE:
        yield (
            "in use",
            attack.name,
            lambda a=attack: gs.load(a.build()),
            lambda s: s.solve(OPEN),
            attack.says,
        )
    for attack in SCORING:
        yield "in use", attack.name, lambda a=attack: gs.load(a.build()), lambda s: s.score(FULL, FULL), attack.says
    for asked in REQUESTS:

        def build(asked: Any = asked) -> Any:
            return gs.load(asked.model), asked.build()

        yield "request", asked.name, build, lambda pair: pair[0].solve(pair[1], deadline=5), asked.says


def peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _one(index: int, results: Any) -> None:
    _, _, build, do, says = list(attempts())[index]
    made = build()
    gc.collect()
    before, begun = peak(), time.process_time()
    try:
        do(made)
        outcome = "" if says is None else "not refused"
    except gs.GroundstateError as error:
        outcome = (
            "" if says is not None and re.search(says, str(error)) else f"{type(error).__name__}: {str(error)[:100]}"
        )
    except Exception as error:  # noqa: BLE001 - a raw exception is what this looks for
        outcome = f"raw {type(error).__name__}"
    results.put((1e3 * (time.process_time() - begun), peak() - before, outcome))


def main() -> int:
    """Measure every attack."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gate", type=int, default=0, metavar="RUNS", help="measure the gate on bundled models, too")
    options = parser.parse_args()
    warm = gs.load("sudoku_4x4")
    warm.solve(OPEN)
    with contextlib.suppress(gs.RequestError):
        warm.solve({"grid": 5})  # imports the validator of schemas
    context = multiprocessing.get_context("fork")
    print("| kind | attack | ms | MB more | |\n|---|---|---|---|---|")
    missed = wrong = 0
    listed = list(attempts())
    for index, (kind, name, *_) in enumerate(listed):
        results = context.SimpleQueue()
        worker = context.Process(target=_one, args=(index, results))
        worker.start()
        worker.join(60)
        if worker.is_alive() or results.empty():
            worker.kill()
            spent, memory, outcome = float("inf"), 0.0, "hangs or died"
        else:
            spent, memory, outcome = results.get()
        over = spent > TIME or memory > MEMORY
        missed, wrong = missed + over, wrong + bool(outcome)
        print(f"| {kind} | {name} | {spent:.0f} | {memory:.0f} | {outcome or ('over' if over else '')} |", flush=True)
    print(
        f"\n{len(listed)} attacks; {wrong} not refused by their own sentence; {missed} over {TIME:.0f} ms or {MEMORY:.0f} MB."
    )
    if options.gate:
        for path in sorted(Path("models/groundstate_models").glob("*/*.onnx")):
            data, times = path.read_bytes(), []
            for _ in range(options.gate):
                begun = time.process_time()
                passed = examine(data)
                times.append(1e3 * (time.process_time() - begun))
            print(
                f"gate: {path.stem}, {passed.nodes} nodes: {statistics.median(times):.1f} ms, at best {min(times):.1f}"
            )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent.parent))
    raise SystemExit(main())
