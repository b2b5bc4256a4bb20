"""A descent as an exported file, in eager PyTorch, and compiled by torch.compile and AOTInductor: side by side, as ratios.

    python benchmarks/speed.py                                    # everything; compiles for half an hour
    python benchmarks/speed.py --energies mlp conv --batches 1 --threads 1 --steps 4

Every contender makes the same steps from the same start. PyTorch's compilers get the whole segment as one graph of fixed shape,
gradient included, which is the fastest form that we know. Contenders take turns in one process, so that other
load affects all alike; a figure is the median over turns, a ratio the median of the turns' ratios. Each pair of energy
and thread count has a separate process.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

STEPS = 16
TURNS = 15
SECONDS = 0.15
"""How long a contender runs in one turn, at least."""


def contenders(
    name: str, batch: int, steps: int, threads: int, compilers: list[str]
) -> dict[str, Callable[[], object]]:
    """Callables that each make ``steps`` steps; all were checked against one another."""
    import numpy as np
    import torch
    from benchmarks.landscapes import landscape
    from torch import _inductor as inductor
    from torch.fx.experimental.proxy_tensor import make_fx

    from groundstate_export import export

    torch.set_num_threads(threads)
    made = landscape(name)
    inputs, start = made.inputs(batch), made.state(batch)
    slots = {name: slot.tensor for name, slot in made.rule.slots({"y": start}).items()}
    keys = list(inputs)

    def segment(y: torch.Tensor, *given: torch.Tensor) -> torch.Tensor:
        state = {"y": y} | {k: torch.zeros_like(y) for k in slots}
        named = dict(zip(keys, given, strict=True))
        for _ in range(steps):
            with torch.enable_grad():
                leaf = state["y"].detach().requires_grad_()
                found = made.energy(leaf, **named)
                energy = found if isinstance(found, torch.Tensor) else sum(found.values())
                (slope,) = torch.autograd.grad(energy.sum(), leaf)
            with torch.no_grad():
                state = made.rule(state, {"y": slope})
        return state["y"]

    arguments = (start, *inputs.values())
    wanted = segment(*arguments)
    found: dict[str, Callable[[], object]] = {"eager": lambda: segment(*arguments)}
    if compilers:
        with torch.no_grad():
            graph = make_fx(segment)(*arguments)
            if "compile" in compilers:
                compiled = torch.compile(graph, dynamic=False, fullgraph=True)
                begin = time.perf_counter()
                apart(compiled(*arguments), wanted)
                print(f"torch.compile: {time.perf_counter() - begin:.0f} s", file=sys.stderr)
                found["compile"] = lambda: compiled(*arguments)
            if "aot" in compilers:
                begin = time.perf_counter()
                package = inductor.aoti_compile_and_package(torch.export.export(graph, arguments))
                runner = inductor.aoti_load_package(package)
                apart(runner(*arguments), wanted)
                print(f"AOTInductor: {time.perf_counter() - begin:.0f} s", file=sys.stderr)
                found["aot"] = lambda: runner(*arguments)

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "segment.onnx"
        few = made.inputs(4)
        export(
            made.energy,
            inputs=few,
            state=made.state(4),
            rule=made.rule,
            unroll=steps,
            path=path,
            batches=(1, 3),
            seeds=(0,),
        )
        model = path.read_bytes()
    feeds = {k: v.numpy() for k, v in inputs.items()} | {"state.y": start.numpy(), "rate": np.ones(batch, np.float32)}
    feeds |= {f"state.{k}": np.zeros_like(start.numpy()) for k in slots}
    found["groundstate"] = served(model, feeds, threads, wanted)
    return found


def served(model: bytes, feeds: dict, threads: int, wanted: object) -> Callable[[], object]:
    """The file as the runtime serves it: with the file's number of rows for each run, and runs spread over threads."""
    from groundstate._header_reader import read_header
    from groundstate._pool import Pool
    from groundstate._segment import segment
    from groundstate._session import Session

    session = Session(model)
    header = read_header(session.metadata)
    pool = Pool(threads)
    state = {k.removeprefix("state."): v for k, v in feeds.items() if k.startswith("state.")}
    rate = feeds["rate"]

    def everything() -> object:
        return segment(session, header, feeds, state, {}, rate, pool)["next.y"]

    apart(everything(), wanted)
    return everything


def apart(found: object, wanted: object) -> None:
    """The middle row must agree: a row on a ridge between basins may diverge by rounding."""
    import torch

    error = (torch.as_tensor(found) - wanted).abs().flatten(1).amax(1).median() / wanted.abs().max()
    assert error < 1e-3, f"contenders differ by {error}"


def taken(found: dict[str, Callable[[], object]], turns: int, seconds: float = SECONDS) -> dict[str, list[float]]:
    """The median seconds of each contender in each turn, in which it runs for a number of seconds."""
    import torch

    times: dict[str, list[float]] = {k: [] for k in found}
    with torch.no_grad():
        for run in found.values():
            run()
        for _ in range(turns):
            for contender, run in found.items():
                each: list[float] = []
                until = time.perf_counter() + seconds
                while time.perf_counter() < until or not each:
                    begin = time.perf_counter()
                    run()
                    each.append(time.perf_counter() - begin)
                times[contender].append(statistics.median(each))
    return times


def main() -> None:
    parser = argparse.ArgumentParser(description="An exported descent against PyTorch and its compilers.")
    parser.add_argument("--energies", nargs="+", default=["transformer", "conv", "mlp", "sudoku", "factors"])
    parser.add_argument("--batches", nargs="+", type=int, default=[1, 32])
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--turns", type=int, default=TURNS)
    parser.add_argument("--compilers", nargs="*", default=["compile", "aot"], choices=["compile", "aot"])
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        runs = contenders(options.energies[0], options.batches[0], options.steps, options.threads[0], options.compilers)
        print(json.dumps(taken(runs, options.turns)))
        return
    print(
        f"{options.steps} steps; milliseconds, median of {options.turns} turns; ratios of groundstate to the others\n"
    )
    print(
        "| energy | batch | threads | groundstate | eager | torch.compile | AOTInductor | / eager | / compile | / aot |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|")
    for name in options.energies:
        for batch in options.batches:
            for threads in options.threads:
                row(name, batch, threads, options)


def row(name: str, batch: int, threads: int, options: argparse.Namespace) -> None:
    command = [
        sys.executable,
        __file__,
        "--one",
        "--energies",
        name,
        "--batches",
        str(batch),
        "--threads",
        str(threads),
    ]
    command += ["--steps", str(options.steps), "--turns", str(options.turns), "--compilers", *options.compilers]
    environment = os.environ | {
        "OMP_NUM_THREADS": str(threads),
        "PYTHONPATH": os.pathsep.join(p for p in sys.path if p),
    }
    output = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout
    times: dict[str, list[float]] = json.loads(output.strip().splitlines()[-1])
    ours = times["groundstate"]

    def median(key: str) -> str:
        return f"{1e3 * statistics.median(times[key]):.2f}" if key in times else ""

    def ratio(key: str) -> str:
        return f"{statistics.median(a / b for a, b in zip(ours, times[key], strict=True)):.2f}" if key in times else ""

    figures = [*map(median, ("groundstate", "eager", "compile", "aot")), *map(ratio, ("eager", "compile", "aot"))]
    print(f"| {name} | {batch} | {threads} | {' | '.join(figures)} |", flush=True)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent.parent))
    main()
