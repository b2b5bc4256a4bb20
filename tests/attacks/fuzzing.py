"""Structure-aware fuzzing of artefacts and requests: as long as one likes by hand, a little in every test run.

    python -m tests.attacks.fuzzing --files 20000 --requests 100000 --jobs 2

Mutants of every installed model and of two learned ones are tried in worker processes with limits of memory and time, so that a
crash of a kernel is found and not hidden. A finding is whatever is neither a solution that holds nor a `GroundstateError` in
whole sentences. A mutant follows from its seed. Every block of seeds leaves a file in a folder, and a run that is started
again goes on after the last one.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import random
import resource
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

import groundstate as gs
from tests.attacks.corpus import GRIDS, Sound, corpus, learn_some
from tests.attacks.mutants import mutated, mutated_file

DEADLINE = 0.3
"""Seconds that a solve of a mutant may take."""

EFFORT = {"restarts": 4, "max_steps": 256}
"""Chains and steps of a solve."""

LONGEST = 3.0
"""Processor seconds that a mutant may take; the load of the machine does not count."""

SILENT = 120.0
"""Seconds without a result after which a worker counts as hanging, on a busy machine."""

MEMORY = 4 << 30
"""Bytes of address space of a worker."""

BLOCK = 1000
"""Seeds of a worker process."""

GROWTH = {"files": 150.0, "requests": 80.0}
"""Megabytes by which a worker may grow after its first three tenths, while its dozen models still warm up."""


class Finding(Exception):
    """Something that must not happen."""


def holds(sound: gs.Solver, request: dict[str, Any], solution: gs.Solution) -> None:
    """Whether a solution is what it says.

    Args:
        sound: The model before it was mutated.

    Raises:
        Finding: It is not.
    """
    side = GRIDS.get(sound.header.name)
    if side is not None and solution.status in ("infeasible", "solved", "ambiguous"):
        given = request["grid"]
        if solution.status == "infeasible" and _completed([list(row) for row in given], side):
            raise Finding(f"called infeasible, and has an answer: {given!r}")
        if solution.solved and not _right(solution.answer, given, side):
            raise Finding(f"called solved, and wrong: {solution.answer!r} for {given!r}")
    if solution.solved and sound.score(request, solution.answer or {}).valid is False:
        raise Finding(f"called {solution.status.value}, and its answer is not valid: {str(solution.answer)[:500]}")


def _units(side: int) -> list[list[tuple[int, int]]]:
    high, wide = {4: (2, 2), 6: (2, 3)}[side]
    lines = [[(r, c) for c in range(side)] for r in range(side)]
    boxes = [
        [(r + i, c + j) for i, j in product(range(high), range(wide))]
        for r in range(0, side, high)
        for c in range(0, side, wide)
    ]
    return [*lines, *map(list, zip(*lines, strict=True)), *boxes]


def _right(answer: Any, given: list[list[int]], side: int) -> bool:
    grid = (answer or {}).get("grid")
    whole = set(range(1, side + 1))
    kept = all(not given[r][c] or given[r][c] == grid[r][c] for r, c in product(range(side), repeat=2))
    return kept and all({grid[r][c] for r, c in unit} == whole for unit in _units(side))


def _completed(grid: list[list[int]], side: int) -> bool:
    """Whether plain search finds an answer."""
    units = _units(side)
    for unit in units:
        seen = [grid[r][c] for r, c in unit if grid[r][c]]
        if len(seen) != len(set(seen)):
            return False
    for r, c in product(range(side), repeat=2):
        if not grid[r][c]:
            taken = {grid[i][j] for unit in units if (r, c) in unit for i, j in unit}
            for digit in set(range(1, side + 1)) - taken:
                grid[r][c] = digit
                if _completed(grid, side):
                    return True
            grid[r][c] = 0
            return False
    return True


class Trial:
    """Tries mutants in this process.

    Args:
        kind: ``"files"`` or ``"requests"``.
        models: What mutants are made from.
    """

    def __init__(self, kind: str, models: tuple[Sound, ...]) -> None:
        self.kind, self.models = kind, models
        self.solvers = [gs.load(one.data) for one in models]

    def __call__(self, seed: int) -> str:
        """Try one mutant. Returns what became of it, with its model.

        Raises:
            Finding: Something that must not happen; so is every other error.
        """
        draw = random.Random(seed)
        index = seed % len(self.models)
        sound, solver, request = self.models[index], self.solvers[index], draw.choice(self.models[index].requests)
        try:
            if self.kind == "files":
                solver = gs.load(mutated_file(sound.data, draw))
            else:
                request = mutated(request, draw)
            options = EFFORT | {"alternatives": draw.choice((1, 2)), "ask": draw.random() < 0.3}
            solution = solver.solve(request, deadline=DEADLINE, **options)
            if self.kind == "requests" or (
                solver.header.task and solver.header.task == self.solvers[index].header.task
            ):
                holds(self.solvers[index], dict(solution.request), solution)
            found = solution.status.value
        except gs.GroundstateError as error:
            if self.kind == "requests" and isinstance(error, gs.TaskError | gs.ArtefactError):
                raise  # the model is sound: its code or its graph could not cope with a request
            found = _sentence(error)
        finally:
            if self.kind == "files":
                solver.close()
        return f"{found} {sound.name}"


def _sentence(error: gs.GroundstateError) -> str:
    text = str(error)
    if len(text) > 2500 or not text.rstrip().endswith((".", "?", ":")):
        raise Finding(f"no sentence: {text[-200:]!r}")
    return type(error).__name__


# Running many


@dataclass
class Outcome:
    """What became of a block of seeds.

    Attributes:
        counts: How often each outcome came, by outcome and model.
        findings: Seed and reason of each finding.
        seconds: Time on the wall.
        grew: Megabytes by which the worker grew after its first three tenths.
    """

    counts: Counter[str] = field(default_factory=Counter)
    findings: list[tuple[int, str]] = field(default_factory=list)
    seconds: float = 0.0
    grew: float = 0.0


def resident() -> float:
    """Megabytes of this process in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def _worker(kind: str, learned: Path | None, seeds: list[int], results: Any) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    trial = Trial(kind, corpus(learned))
    warm, base = max(3 * len(seeds) // 10, 1), 0.0
    for number, seed in enumerate(seeds):
        if number == warm:
            base = resident()
        results.put((seed, None))
        begun = time.process_time()
        try:
            outcome = trial(seed)
        except Exception:  # noqa: BLE001 - whatever it is, it is a finding
            outcome = f"FINDING {traceback.format_exc(limit=-4)}"
        if (taken := time.process_time() - begun) > LONGEST:
            outcome = f"FINDING {taken:.1f} processor seconds, {outcome}"
        results.put((seed, outcome))
    results.put((None, resident() - base if base else 0.0))


def run(kind: str, seeds: Iterable[int], learned: Path | None = None) -> Outcome:
    """Try mutants in a process of their own, and in further ones where it ends or hangs."""
    found, todo, begun = Outcome(), list(seeds), time.monotonic()
    context = multiprocessing.get_context("spawn")
    while todo:
        results = context.SimpleQueue()
        worker = context.Process(target=_worker, args=(kind, learned, todo, results), daemon=True)
        worker.start()
        current, since = todo[0], time.monotonic()
        while todo or worker.is_alive():
            if not results.empty():
                seed, outcome = results.get()
                since = time.monotonic()
                if seed is None:
                    found.grew = max(found.grew, outcome)
                    break
                current = seed
                if outcome is None:
                    continue
                todo = todo[1:]
                found.counts["FINDING" if outcome.startswith("FINDING") else outcome] += 1
                if outcome.startswith("FINDING"):
                    found.findings.append((seed, outcome))
            elif not worker.is_alive() or time.monotonic() - since > SILENT:
                why = "hangs" if worker.is_alive() else f"ended with {worker.exitcode}"
                worker.kill()
                found.findings.append((current, f"FINDING the worker {why}"))
                todo = todo[todo.index(current) + 1 :] if current in todo else todo
                break
            else:
                time.sleep(0.005)
        worker.join(5)
    found.seconds = time.monotonic() - begun
    return found


def main() -> int:
    """Run as many as asked for, and say what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=0, help="mutated artefacts")
    parser.add_argument("--requests", type=int, default=0, help="mutated requests")
    parser.add_argument("--seed", type=int, default=0, help="the first seed")
    parser.add_argument("--jobs", type=int, default=1, help="worker processes at a time")
    parser.add_argument(
        "--out", type=Path, default=Path("runs/fuzzing"), help="where blocks are written; finished ones are kept"
    )
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    learn_some(asked.out / "learned")
    begun, fresh = time.monotonic(), 0

    def block(kind: str, first: int, last: int) -> tuple[Outcome, bool]:
        path = asked.out / f"{kind}-{first}-{last}.json"
        if path.exists():
            read = json.loads(path.read_text())
            return Outcome(Counter(read["counts"]), read["findings"], read["seconds"], read["grew"]), False
        outcome = run(kind, range(first, last), asked.out / "learned")
        path.write_text(json.dumps(vars(outcome)))
        return outcome, True

    status = 0
    with ThreadPoolExecutor(asked.jobs) as pool:
        for kind in ("files", "requests"):
            ends = asked.seed + getattr(asked, kind)
            starts = range(asked.seed, ends, BLOCK)
            total, grew = Outcome(), 0.0
            for outcome, new in pool.map(
                lambda first, kind=kind, ends=ends: block(kind, first, min(first + BLOCK, ends)), starts
            ):
                total.counts += outcome.counts
                total.findings += outcome.findings
                total.seconds += outcome.seconds
                grew = max(grew, outcome.grew)
                fresh += new * sum(outcome.counts.values())
                sys.stderr.write(
                    f"\r{kind}: {sum(total.counts.values()):,} of {ends - asked.seed:,}, {len(total.findings)} findings "
                )
            if starts:
                status |= _said(kind, total, grew)
    sys.stdout.write(f"{fresh / max(time.monotonic() - begun, 1e-9):.1f} a second\n")
    return status


def _said(kind: str, total: Outcome, grew: float) -> int:
    number = sum(total.counts.values())
    kinds: Counter[str] = Counter()
    for name, count in total.counts.items():
        kinds[name.split()[0]] += count
    listed = ", ".join(f"{name} {count:,}" for name, count in kinds.most_common())
    sys.stdout.write(
        f"\n{number:,} {kind} in {total.seconds:.0f} s of worker time ({number / max(total.seconds, 1e-9):.1f} a second and "
        f"worker): {listed}; {len(total.findings)} findings; a worker grew by at most {grew:.1f} MB.\n"
    )
    for seed, why in total.findings:
        sys.stdout.write(f"{kind} {seed}: {why}\n")
    return int(bool(total.findings) or grew > GROWTH[kind])


if __name__ == "__main__":
    raise SystemExit(main())
