"""Everything that is to be known about a GPU, in one run of at most eight minutes.

    python benchmarks/gpu.py                      # on a machine with an NVIDIA GPU and groundstate[gpu]
    python benchmarks/gpu.py --device cpu --quick # the same script without one: for its test

It checks that the device gives what the CPU gives; then it measures rows a second of a segment at batches 1 to 4096, with
captured CUDA graphs, without, on the CPU, and of the same graph under torch.compile where torch has the GPU; then whole solves:
puzzles a second, the share of the time that the host takes, and 64 callers at once. It prints a Markdown table as it goes, and
writes ``gpu.json`` and, where matplotlib is installed, ``gpu.png``. Each part ends when its share of the time is spent.
"""

from __future__ import annotations

import argparse
import itertools
import json
import platform
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

import groundstate as gs
from groundstate._header import Header
from groundstate._pool import Pool
from groundstate._segment import segment
from groundstate._session import Session

BATCHES = (1, 4, 16, 64, 256, 1024, 4096)
HARD = "..............3.85..1.2.......5.7.....4...1...9.......5......73..2.1........4...9"
EASY = "53..7....6..195....98....6.8...6...34..8.3..17...2...6.6....28....419..5....8..79"
BUDGET = 480.0
"""Seconds for everything."""


class Report:
    """Prints rows of a table as they come, and keeps them.

    Args:
        folder: Where the results are written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.rows: list[dict[str, Any]] = []
        print("| what | where | batch | value | unit |\n|---|---|---|---|---|", flush=True)

    def add(self, what: str, where: str, batch: int | None, value: float | str, unit: str) -> None:
        self.rows.append({"what": what, "where": where, "batch": batch, "value": value, "unit": unit})
        shown = f"{value:.4g}" if isinstance(value, float) else value
        print(f"| {what} | {where} | {'' if batch is None else batch} | {shown} | {unit} |", flush=True)

    def write(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "gpu.json").write_text(json.dumps(self.rows, indent=1))

    def draw(self) -> None:
        """Draw rows a second over the batch, where there is matplotlib."""
        try:
            import matplotlib as mpl
        except ImportError:
            return
        mpl.use("Agg")
        from matplotlib import pyplot as plt

        figure, axes = plt.subplots(figsize=(7, 4.5))
        rates = [row for row in self.rows if row["what"] == "segment" and row["unit"] == "rows/s"]
        for where in dict.fromkeys(row["where"] for row in rates):
            mine = [(row["batch"], row["value"]) for row in rates if row["where"] == where]
            axes.loglog(*zip(*mine, strict=True), "o-", label=where)
        axes.set_xlabel("rows in a batch")
        axes.set_ylabel("rows a second, one segment")
        axes.grid(visible=True, alpha=0.3)
        axes.legend()
        figure.tight_layout()
        figure.savefig(self.folder / "gpu.png", dpi=120)
        plt.close(figure)


def timed(run: Callable[[], Any], seconds: float, most: int = 200) -> list[float]:
    """Seconds of calls, until their time is spent; at least three."""
    run()
    times: list[float] = []
    end = time.perf_counter() + seconds
    while len(times) < 3 or (time.perf_counter() < end and len(times) < most):
        begin = time.perf_counter()
        run()
        times.append(time.perf_counter() - begin)
    return times


class Segments:
    """One segment after another of a file on one device, from a state that stays where it is.

    Args:
        solver: The loaded file.
        batch: Rows.
    """

    def __init__(self, solver: gs.Solver, batch: int) -> None:
        self.session: Session = solver._sessions[-1]  # noqa: SLF001 - a benchmark of what is inside
        self.header: Header = solver.header
        self.pool = Pool()
        random = np.random.default_rng(0)
        self.inputs = {n: np.zeros((batch, *s.shape), s.dtype) for n, s in self.header.inputs.items()}
        self.state: dict[str, Any] = {
            n: random.standard_normal((batch, *s.shape)).astype(s.dtype) for n, s in self.header.state.items()
        }
        self.noise = {n: np.zeros((batch, *s.shape), s.dtype) for n, s in self.header.noise.items()}
        self.scale = np.ones(batch, np.float32)
        self.fetch = ["energy", "residual", *(["violations"] if self.header.checks else [])]
        self.fetch += [f"next.{name}" for name in self.header.state]

    def __call__(self) -> dict[str, Any]:
        out = segment(self.session, self.header, self.inputs, self.state, self.noise, self.scale, self.pool, self.fetch)
        self.state = {name: out[f"next.{name}"] for name in self.header.state}
        return out


def correct(report: Report, here: gs.Solver, there: gs.Solver, batches: tuple[int, ...]) -> None:
    """Whether the device gives what the CPU gives: the energy of the same states, and where a segment leads from them.

    A descent amplifies rounding where two basins meet, so of a segment the median row and the share of rows that part are shown.
    """
    for batch in batches:
        pair = [Segments(solver, batch) for solver in (here, there)]
        for still in (True, False):
            for one in pair:
                one.scale[:] = 0 if still else 1
            ours, theirs = (one() for one in pair)
            for name in ("energy",) if still else ("energy", *(name for name in ours if name.startswith("next."))):
                wanted, found = np.asarray(ours[name], np.float64), np.asarray(theirs[name], np.float64)
                gap = np.abs(found - wanted).reshape(batch, -1).max(1) / max(np.abs(wanted).max(), 1e-30)
                if still:
                    report.add(
                        "difference of the energy", there.device, batch, float(gap.max()), "of its size, worst row"
                    )
                else:
                    report.add(f"after a segment, {name}", there.device, batch, float(np.median(gap)), "median row")
                    report.add(
                        f"after a segment, {name}", there.device, batch, float((gap > 1e-3).mean()), "share apart"
                    )


def rates(report: Report, contenders: dict[str, gs.Solver], batches: tuple[int, ...], seconds: float) -> None:
    """Rows a second of one segment."""
    each = seconds / (len(batches) * len(contenders))
    for batch in batches:
        for where, solver in contenders.items():
            times = timed(Segments(solver, batch), each)
            report.add("segment", where, batch, 1e3 * statistics.median(times), "ms")
            report.add("segment", where, batch, batch / statistics.median(times), "rows/s")


def compiled(report: Report, device: str, batches: tuple[int, ...], seconds: float, energy: str = "sudoku") -> None:
    """The same 16 steps of one energy as an exported file and under torch.compile, on the same device."""
    try:
        import torch
        from benchmarks.landscapes import landscape
        from torch.fx.experimental.proxy_tensor import make_fx

        from groundstate_export import export
    except ImportError as error:
        report.add("torch.compile", device, None, f"left out: {error}", "")
        return
    place = "cuda" if device.startswith("cuda") else "cpu"
    if place == "cuda" and not torch.cuda.is_available():
        report.add("torch.compile", device, None, "left out: this torch has no CUDA", "")
        return
    made = landscape(energy)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "segment.onnx"
        few = {"inputs": made.inputs(4), "state": made.state(4), "rule": made.rule}
        export(made.energy, **few, unroll=16, path=path, batches=(1, 3), seeds=(0,))
        solver = gs.load(path, device=device)
    model = made.energy.to(place) if isinstance(made.energy, torch.nn.Module) else made.energy
    for batch in batches:
        inputs = {name: tensor.to(place) for name, tensor in made.inputs(batch).items()}
        start = made.state(batch).to(place)
        state = {"y": start} | {n: torch.zeros_like(start) for n in made.rule.slots({"y": start})}

        def steps(*tensors: Any, names: tuple[str, ...] = tuple(state), keys: tuple[str, ...] = tuple(inputs)) -> Any:
            now, given = dict(zip(names, tensors, strict=False)), dict(zip(keys, tensors[len(names) :], strict=True))
            for _ in range(16):
                with torch.enable_grad():
                    leaf = now["y"].detach().requires_grad_()
                    found = model(leaf, **given)
                    total = (found if isinstance(found, torch.Tensor) else sum(found.values())).sum()
                    (slope,) = torch.autograd.grad(total, leaf)
                now = made.rule(now, {"y": slope})
            return tuple(now.values())

        tensors = (*state.values(), *inputs.values())
        try:
            with torch.no_grad():
                mode = "default" if place == "cpu" else "reduce-overhead"
                run = torch.compile(make_fx(steps)(*tensors), dynamic=False, fullgraph=True, mode=mode)

                def once(run: Any = run, tensors: Any = tensors) -> None:
                    run(*tensors)
                    if place == "cuda":
                        torch.cuda.synchronize()

                theirs = statistics.median(timed(once, seconds / len(batches) / 2))
        except Exception as error:  # noqa: BLE001 - whatever the compiler raises, the rest is still worth having
            report.add("torch.compile", device, batch, f"{type(error).__name__}: {str(error)[:80]}", "")
            return
        mine = Segments(solver, batch)
        mine.inputs = {name: tensor.cpu().numpy() for name, tensor in inputs.items()}
        ours = statistics.median(timed(mine, seconds / len(batches) / 2))
        report.add(f"16 steps of {energy}", "torch.compile", batch, batch / theirs, "rows/s")
        report.add(f"16 steps of {energy}", device, batch, batch / ours, "rows/s")
        report.add(f"16 steps of {energy}", f"{device} over torch.compile", batch, theirs / ours, "× its throughput")


def chains(report: Report, where: str, solver: gs.Solver, puzzle: str, counts: tuple[int, ...], seconds: float) -> None:
    """One puzzle with so many chains: time to the answer."""
    request, seeds = solver.parse(puzzle), itertools.count()
    for count in counts:
        solved: list[bool] = []

        def once(count: int = count, solved: list[bool] = solved) -> None:
            # With another seed each time: an equal call would be answered from the cache.
            solved.append(solver.solve(request, restarts=count, seed=next(seeds), ask=False).solved)

        times = timed(once, seconds / len(counts), 20)
        report.add("puzzle, chains", where, count, 1e3 * statistics.median(times), "ms")
        report.add("puzzle, chains", where, count, sum(solved) / len(solved), "solved")


def puzzles(report: Report, where: str, solver: gs.Solver, counts: tuple[int, ...], seconds: float) -> None:
    """Puzzles a second of `solve_many`, and the host's share of the time."""
    request = solver.parse(EASY)
    inside = [0.0]
    session = solver._sessions[-1]  # noqa: SLF001
    owner, name = (session, "run") if session.resident is None else (session.resident, "segment")
    real = getattr(owner, name)

    def watched(*arguments: Any, **options: Any) -> Any:
        begin = time.perf_counter()
        try:
            return real(*arguments, **options)
        finally:
            inside[0] += time.perf_counter() - begin

    for count in counts:
        setattr(owner, name, watched)
        inside[0] = 0.0
        begin = time.perf_counter()
        times = timed(lambda count=count: solver.solve_many([request] * count), seconds / len(counts), 20)
        whole = time.perf_counter() - begin
        setattr(owner, name, real)
        report.add("solve_many", where, count, count / statistics.median(times), "puzzles/s")
        if solver.device != "cpu":
            report.add("solve_many, host's share", where, count, 1 - inside[0] / whole, "of the time")


def callers(report: Report, where: str, solver: gs.Solver, puzzle: str, count: int, seconds: float) -> None:
    """Callers at once, each with puzzles one after another."""
    request, took = solver.parse(puzzle), list[float]()
    end = time.perf_counter() + seconds

    def call(seed: int) -> None:
        for turn in itertools.count():
            begin = time.perf_counter()
            solver.solve(request, seed=seed + turn * count, ask=False)
            took.append(time.perf_counter() - begin)
            if time.perf_counter() > end:
                return

    begin = time.perf_counter()
    threads = [threading.Thread(target=call, args=(seed,)) for seed in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    whole = time.perf_counter() - begin
    report.add(f"{count} callers", where, None, len(took) / whole, "puzzles/s")
    for part in (50, 95):
        report.add(f"{count} callers, p{part}", where, None, 1e3 * float(np.percentile(took, part)), "ms")


def uncaptured(device: str) -> gs.Solver:
    """The same model on the device without CUDA graphs."""
    from groundstate._devices import _cuda

    real = _cuda.opened
    try:
        _cuda.opened = lambda *arguments, **_: real(*arguments, capture=False)
        return gs.load("sudoku", device=device)
    finally:
        _cuda.opened = real


def steps(options: argparse.Namespace, report: Report) -> Iterator[str]:
    """The parts of the run; each yields its name when it is done."""
    quick, puzzle = options.quick, EASY if options.quick else HARD
    batches = (1, 4) if quick else BATCHES
    share = (4.0 if quick else BUDGET) / 8
    here, begin = gs.load("sudoku", device="cpu"), time.perf_counter()
    there = gs.load("sudoku", device=options.device)
    report.add("load", options.device, None, time.perf_counter() - begin, "s")
    report.add("CUDA graphs", options.device, None, "yes" if there._sessions[-1].captures else "no", "")  # noqa: SLF001
    yield "loaded"
    correct(report, here, there, batches)
    yield "correct"
    contenders = {options.device: there}
    if options.device != "cpu":
        contenders |= {f"{options.device} without CUDA graphs": uncaptured(options.device), "cpu": here}
    rates(report, contenders, batches, 2 * share)
    yield "rates"
    if not options.without_torch:
        compiled(report, options.device, batches, share)
        yield "torch.compile"
    chains(report, options.device, there, puzzle, (1, 4) if quick else (1, 16, 64, 256, 1024), share)
    yield "chains"
    for where, solver in {options.device: there, "cpu": here}.items():
        puzzles(report, where, solver, (1, 4) if quick else (1, 16, 64, 256, 1024), share / 2)
    yield "puzzles"
    callers(report, options.device, there, puzzle, 2 if quick else 64, share)
    yield "callers"


def main(arguments: list[str] | None = None) -> int:
    """Run everything, and write what was found even if the time runs out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda", help="cuda, cuda:1, or cpu")
    parser.add_argument("--quick", action="store_true", help="two small batches: for the test of this script")
    parser.add_argument("--without-torch", action="store_true", help="leave torch.compile out")
    parser.add_argument("--out", type=Path, default=Path("runs/gpu"), help="folder for gpu.json and gpu.png")
    options = parser.parse_args(arguments)
    print(f"groundstate {gs.__version__}, Python {platform.python_version()}, {platform.platform()}\n")
    report, begin = Report(options.out), time.perf_counter()
    try:
        for _ in steps(options, report):
            report.write()
            if time.perf_counter() - begin > BUDGET:
                report.add("stopped", options.device, None, "the time is up", "")
                break
    except gs.ProviderError as error:
        print(f"\n{error}")
        return 1
    report.add("the whole run", options.device, None, time.perf_counter() - begin, "s")
    report.write()
    report.draw()
    return 0


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent.parent))
    raise SystemExit(main())
