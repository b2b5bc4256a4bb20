"""The engine under load: overheads, many callers, deadlines, cancellation, memory, and equal answers in any company.

    python benchmarks/engine.py [--all] [--only callers,deadlines,…] [--threads 2]

Each part prints its figures beside their targets. The default is a small sample; ``--all`` takes minutes to an hour.
Puzzles are generated: half of them easy (one solution by singles alone), half hard.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import gc
import io
import json
import multiprocessing
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

import groundstate as gs
from groundstate._engine import Engine
from groundstate._session import Session
from groundstate_models.sudoku.search import easy_puzzles, hard_puzzles

SEED = 1
WARM = 20

Request = dict[str, Any]


def session_of(solver: gs.Solver) -> Session:
    """The session of a solver's last stage."""
    return solver._session  # noqa: SLF001 - measured is what the solver adds to it


def engine_of(solver: gs.Solver) -> Engine:
    """The engine of a solver."""
    return solver._engine  # noqa: SLF001 - whether it computes is no business of callers


def boards(count: int, *, hard: bool) -> list[Request]:
    """Puzzles of 9×9 cells."""
    found = hard_puzzles(count, SEED, rounds=8)[0] if hard else easy_puzzles(count, SEED, givens=40)[0]
    return [{"grid": puzzle.reshape(9, 9).tolist()} for puzzle in found]


def unsolvable(name: str, *, large: bool) -> Request | None:
    """A request without an answer, or with a best answer that takes long to find; None if the model has no such request here."""
    if name.startswith("sudoku"):
        size = {"sudoku": 9, "sudoku_4x4": 4, "sudoku_6x6": 6, "sudoku_16x16": 16}[name]
        return {"grid": [[0] * size for _ in range(size)]}
    if name == "constraints":
        people = 40 if large else 9
        names = [f"v{i}" for i in range(people)]
        pairs = [f"{a} != {b}" for i, a in enumerate(names) for b in names[:i]]
        return {"variables": dict.fromkeys(names, f"1..{people - 1}"), "constraints": pairs}
    if name == "scheduling":
        count = 30 if large else 7
        rooms = {"Blue": {"capacity": 9}}
        tasks = [{"name": f"T{i}", "duration": 60, "room": "Blue"} for i in range(count)]
        return {"days": ["mon"], "hours": "9:00-15:00", "people": {"Ada": {}}, "rooms": rooms, "activities": tasks}
    if name == "geometry":
        points = 12 if large else 4
        letters = "ABCDEFGHIJKL"[:points]
        texts = [f"{a}{b} = {3 + i + 7 * j % 5}" for i, a in enumerate(letters) for j, b in enumerate(letters[:i])]
        return {"constraints": texts}
    if name == "layout":
        # Circles that fill more of the area than circles can, and less than all of it.
        items = {f"disc{i}": {"diameter": 1} for i in range(60 if large else 8)}
        side = 7.2 if large else 2.65
        return {"area": [side, side], "items": items}
    if name == "equilibrium":
        return {"preset": {"type": "cluster", "atoms": 100 if large else 13}}
    if name == "jigsaw":
        return noise(12 if large else 3)
    return None


def noise(side: int) -> Request:
    """A picture of ``side`` times ``side`` tiles of noise, which fit nowhere."""
    from PIL import Image

    pixels = np.random.default_rng(SEED).integers(0, 256, (28 * side, 28 * side, 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return {"image": base64.b64encode(file.getvalue()).decode(), "rows": side, "columns": side}


def p(values: list[float], share: float) -> float:
    """A percentile, in the unit of the values."""
    return sorted(values)[min(int(share * len(values)), len(values) - 1)]


def overheads(options: argparse.Namespace) -> None:
    """`minimise` and `solve` over the session that they run, and an easy puzzle alone."""
    solver = gs.load("sudoku", threads=1)
    session, header = session_of(solver), solver.header
    spent = [0.0]
    run = session.run

    def timed(*arguments: Any) -> Any:
        begun = time.perf_counter()
        try:
            return run(*arguments)
        finally:
            spent[0] += time.perf_counter() - begun

    session.run = timed  # type: ignore[method-assign]
    inputs = {name: np.zeros((4, *spec.shape), spec.dtype) for name, spec in header.inputs.items()}
    noise = {name: np.zeros((4, *spec.shape), spec.dtype) for name, spec in header.noise.items()}
    start = {name: np.zeros((4, *spec.shape), spec.dtype) for name, spec in header.state.items()}
    easy = boards(20, hard=False)
    counts = 2000 if options.all else 300

    def beyond(call: Callable[[int], object]) -> tuple[list[float], list[float]]:
        alone, whole = [], []
        for turn in range(-WARM, counts):
            spent[0], begun = 0.0, time.perf_counter()
            call(turn)
            took = time.perf_counter() - begun
            if turn >= 0:
                alone.append(1e6 * (took - spent[0]))
                whole.append(1e3 * took)
        return alone, whole

    alone, _ = beyond(lambda _: solver.minimise(inputs, start, noise=noise))
    print(f"minimise over the session: median {median(alone):.0f} µs (target 40)")
    alone, whole = beyond(lambda turn: solver.solve(easy[turn % len(easy)]))
    print(
        f"an easy 9×9 Sudoku alone: median {median(whole):.2f} ms (target 1.2), of that beyond the session "
        f"{median(alone):.0f} µs (target 240)"
    )


def callers(options: argparse.Namespace) -> None:
    """64 callers, easy and hard puzzles mixed, against the raw session and against one after another."""
    solver = gs.load("sudoku", threads=options.threads)
    rounds = 16 if options.all else 3
    easy = boards(32, hard=False)
    best, thrifty = _raw_rows_per_second(solver, options.threads)
    begun, busy = time.perf_counter(), time.process_time()
    for request in easy * 2 * rounds:
        solver.solve(request)
    sequential = len(easy) * 2 * rounds / (time.perf_counter() - begun)
    alone_busy = time.process_time() - busy
    with ThreadPoolExecutor(64) as many:
        list(many.map(solver.solve, easy))
        begun, busy = time.perf_counter(), time.process_time()
        list(many.map(solver.solve, easy * 2 * rounds))
        together = len(easy) * 2 * rounds / (time.perf_counter() - begun)
        thrift = alone_busy / (time.process_time() - busy)
    print(
        f"easy puzzles: one after another {sequential:.0f}/s, 64 callers {together:.0f}/s, ratio {together / sequential:.2f} "
        f"(target 3); for a second of a processor {thrift:.2f} times as many"
    )

    mixed(solver, easy, best, thrifty, seconds=30 if options.all else 6)


def mixed(solver: gs.Solver, easy: list[Request], best: float, thrifty: float, *, seconds: float) -> None:
    """32 callers with easy puzzles beside 32 with boards of many answers, of which each search takes 64 chains.

    Args:
        best, thrifty: Rows of the raw session for a second, and for a second of a processor.
    """
    rows = [0]
    session = session_of(solver)
    run = session.run

    def counted(feeds: Any, *rest: Any) -> Any:
        rows[0] += len(feeds[solver.header.step_scale])
        return run(feeds, *rest)

    session.run = counted  # type: ignore[method-assign]
    latency: list[float] = []

    open_ = unsolvable("sudoku", large=False)
    assert open_ is not None

    def easily(k: int) -> None:
        while not stop.is_set():
            begun = time.perf_counter()
            solver.solve(easy[k])
            latency.append(1e3 * (time.perf_counter() - begun))

    def hardly(k: int) -> None:
        while not stop.is_set():
            solver.solve(open_, alternatives=64, restarts=64, max_steps=1024, seed=k, ask=False)

    stop = threading.Event()
    threads = [threading.Thread(target=easily, args=(k,)) for k in range(32)]
    threads += [threading.Thread(target=hardly, args=(k,)) for k in range(32)]
    for thread in threads:
        thread.start()
    time.sleep(2)
    latency.clear()
    rows[0], begun, busy = 0, time.perf_counter(), time.process_time()
    time.sleep(seconds)
    rate, thrift = rows[0] / (time.perf_counter() - begun), rows[0] / (time.process_time() - busy)
    taken = list(latency)
    stop.set()
    for thread in threads:
        thread.join()
    print(
        f"64 callers mixed: {rate:.0f} rows/s, raw best {best:.0f}, share {rate / best:.2f} (target 0.8); for a second of a "
        f"processor {thrift:.0f}, raw {thrifty:.0f}, share {thrift / thrifty:.2f}"
    )
    low, high = median(taken), p(taken, 0.99)
    print(f"  easy ones: median {low:.1f} ms, 99th {high:.1f} ms, ratio {high / low:.1f} (target 4), n {len(taken)}")


def _raw_rows_per_second(solver: gs.Solver, threads: int) -> tuple[float, float]:
    """Rows a second of the session itself at its best batch, on as many threads; and rows for a second of a processor."""
    header, session = solver.header, session_of(solver)
    best = thrifty = 0.0
    for rows in (4, 8, 16, 32, 64):
        feeds = {name: np.zeros((rows, *spec.shape), spec.dtype) for name, spec in header.inputs.items()}
        feeds |= {f"state.{n}": np.zeros((rows, *s.shape), s.dtype) for n, s in header.state.items()}
        feeds |= {f"noise.{n}": np.zeros((rows, *s.shape), s.dtype) for n, s in header.noise.items()}
        feeds[header.step_scale] = np.ones(rows, np.float32)
        fetch = [name for name in header.graph_outputs if name not in ("terms", "steps")]
        end = time.perf_counter() + 1.0
        done = [0] * threads

        def run(k: int, feeds: Any = feeds, fetch: Any = fetch, end: float = end, done: list[int] = done) -> None:
            while time.perf_counter() < end:
                session.run(feeds, fetch)
                done[k] += 1

        workers = [threading.Thread(target=run, args=(k,)) for k in range(threads)]
        begun, busy = time.perf_counter(), time.process_time()
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        best = max(best, sum(done) * rows / (time.perf_counter() - begun))
        thrifty = max(thrifty, sum(done) * rows / (time.process_time() - busy))
    return best, thrifty


def asolves(options: argparse.Namespace) -> None:
    """Ten thousand concurrent `asolve`, and the threads that they take."""
    count = 10_000 if options.all else 1_000
    solver = gs.load("sudoku_4x4", threads=options.threads)
    requests: list[Request] = [{"grid": [[k % 4 + 1, 0, 0, 0], [0] * 4, [0] * 4, [0] * 4]} for k in range(count)]
    before, most = threading.active_count(), [0]

    async def main() -> list[gs.Solution]:
        async def watch() -> None:
            while True:
                most[0] = max(most[0], threading.active_count())
                await asyncio.sleep(0.01)

        watching = asyncio.create_task(watch())
        try:
            return await asyncio.gather(*(solver.asolve(request) for request in requests))
        finally:
            watching.cancel()

    begun = time.perf_counter()
    solutions = asyncio.run(main())
    took = time.perf_counter() - begun
    right = sum(solution.status == "solved" for solution in solutions)
    extra = most[0] - before - options.threads
    print(f"{count} concurrent asolve: {right} right, {took:.1f} s, {extra} threads besides the pool (target 3)")


def deadlines(options: argparse.Namespace) -> None:
    """Calls with a deadline of 50 ms that find no answer, alone, in every bundled model."""
    count = 1000 if options.all else 40
    for name in gs.models():
        for large in (False, True):
            request = unsolvable(name, large=large)
            if request is None:
                continue
            solver = gs.load(name, threads=options.threads)
            kind: dict[str, Any] = {"alternatives": 64, "restarts": 64}
            solver.solve(request, deadline=0.2, **kind)
            took = []
            for seed in range(count):
                begun = time.perf_counter()
                solver.solve(request, deadline=0.05, seed=seed, **kind)
                took.append(1e3 * (time.perf_counter() - begun))
            size = "large" if large else "small"
            tail = f"99th {p(took, 0.99):.1f} (target 60), most {max(took):.1f} (75)"
            print(f"deadline 50 ms, {name} {size}: median {median(took):.1f}, {tail}", flush=True)


def cancellation(options: argparse.Namespace) -> None:
    """Time from cancelling an `asolve` to a free engine, and whether the next call is right."""
    count = 200 if options.all else 20
    for name in ("sudoku", "sudoku_16x16"):
        solver = gs.load(name, threads=options.threads)
        request = unsolvable(name, large=False)
        assert request is not None
        free: list[float] = []

        async def main(solver: gs.Solver = solver, request: Request = request, free: list[float] = free) -> None:
            for turn in range(count):
                task = asyncio.create_task(solver.asolve(request, alternatives=64, restarts=64, seed=turn))
                await asyncio.sleep(0.05 + 0.001 * (turn % 7))
                begun = time.perf_counter()
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
                while engine_of(solver).working:
                    await asyncio.sleep(0.0005)
                free.append(1e3 * (time.perf_counter() - begun))

        asyncio.run(main())
        print(f"cancellation, {name}: compute free after {median(free):.1f} ms, 99th {p(free, 0.99):.1f} (target 20)")


def memory(options: argparse.Namespace) -> None:
    """Resident memory, threads and handles over many solves."""
    count = 100_000 if options.all else 2_000
    solver = gs.load("sudoku_4x4", threads=options.threads)
    requests: list[Request] = [{"grid": [[k % 4 + 1, 0, 0, 0], [0] * 4, [0] * 4, [0] * 4]} for k in range(8)]

    def state() -> tuple[float, int, int]:
        gc.collect()
        pages = int(Path("/proc/self/statm").read_text("utf-8").split()[1])
        return (
            pages * os.sysconf("SC_PAGE_SIZE") / 1e6,
            threading.active_count(),
            len(list(Path("/proc/self/fd").iterdir())),
        )

    def solve(total: int) -> None:
        with ThreadPoolExecutor(4) as many:
            list(many.map(lambda k: solver.solve(requests[k % 8], deadline=5.0 if k % 2 else None), range(total)))

    solve(500)
    first = state()
    solve(count)
    last = state()
    print(
        f"{count} solves: resident {first[0]:.1f} to {last[0]:.1f} MB (target ± 5), threads {first[1]} to {last[1]}, "
        f"handles {first[2]} to {last[2]}"
    )


def _answers(threads: int, queue: Any) -> None:
    solver = gs.load("sudoku", threads=threads)
    requests = boards(4, hard=False) + boards(4, hard=True)
    queue.put([_text(solver.solve(request, max_steps=512, restarts=16)) for request in requests])


def _text(solution: gs.Solution) -> str:
    found = solution.to_json() | {"energy": None if solution.energy is None else solution.energy.hex()}
    found.pop("seconds", None)
    return json.dumps(found | {"steps": solution.steps, "chains": solution.chains}, sort_keys=True)


def equality(options: argparse.Namespace) -> None:
    """The same answers with any number of threads, in company, and in other processes."""
    del options
    requests = boards(4, hard=False) + boards(4, hard=True)
    found: dict[str, list[str]] = {}
    for threads in (1, 2, 4, 16):
        solver = gs.load("sudoku", threads=threads)
        found[f"{threads} threads"] = [_text(solver.solve(r, max_steps=512, restarts=16)) for r in requests]
        with ThreadPoolExecutor(16) as many:
            crowd = list(many.map(lambda r, s=solver: _text(s.solve(r, max_steps=512, restarts=16)), requests * 3))  # type: ignore[misc]
        for turn in range(3):
            found[f"{threads} threads, in company {turn}"] = crowd[turn * len(requests) : (turn + 1) * len(requests)]
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    child = context.Process(target=_answers, args=(3, queue))
    child.start()
    found["another process"] = queue.get(timeout=300)
    child.join()
    first, *others = found.values()
    unequal = sum(one != other for list_ in others for one, other in zip(first, list_, strict=True))
    print(f"equal answers: {unequal} of {len(others) * len(first)} differ (target 0)")


PARTS: dict[str, Callable[[argparse.Namespace], None]] = {
    "overheads": overheads,
    "callers": callers,
    "asolves": asolves,
    "deadlines": deadlines,
    "cancellation": cancellation,
    "memory": memory,
    "equality": equality,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--all", action="store_true", help="the whole of every part")
    parser.add_argument("--only", default=",".join(PARTS), help="parts, separated by commas (default: all)")
    parser.add_argument("--threads", type=int, default=2, help="threads of the solvers (default: %(default)s)")
    options = parser.parse_args()
    for name in options.only.split(","):
        PARTS[name](options)


if __name__ == "__main__":
    main()
