"""Networks of the sizes that people train: a descent in the exported file against eager PyTorch and torch.compile, as ratios.

    python benchmarks/networks.py --no-compile --only decoder            # a minute
    python benchmarks/networks.py --prepare                              # exports and compiles into a folder: half an hour
    python benchmarks/networks.py --reuse --json networks.json           # times what was prepared

All contenders make the same steps from the same start, and are checked against each other. The file also returns the energy
and the residual of where the steps end, which costs it one more gradient; `same results` is eager PyTorch that computes these
too, the other two do not. They take turns in one process; a figure is the median over turns, a ratio the median of the turns'
ratios. torch.compile gets graphs of fixed shape with the gradient inside: all steps as one graph for the small networks, one
step for the large ones, which take it minutes. The file is the one that a user gets: any batch, and for `gnn` and `sets` any
size.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

FOLDER = Path(tempfile.gettempdir()) / "groundstate-networks"
CONTENDERS = ("groundstate", "eager", "same", "compile")
NAMES = ("unet", "drunet", "transformer", "gnn", "sets", "decoder")
SECONDS = 0.3
"""How long a contender runs in one turn, at least."""

Contender = Callable[[], object]


def exported(name: str, steps: int | None, folder: Path, *, reuse: bool) -> tuple[bytes, dict[str, Any]]:
    """The file of a network, and facts about its export."""
    from benchmarks.trained import network

    from groundstate_export import export

    path, facts = (folder / f"{name}{steps or ''}.{kind}" for kind in ("onnx", "json"))
    if reuse and path.exists() and facts.exists():
        return path.read_bytes(), json.loads(facts.read_text())
    made = network(name, steps)
    few = made.landscape
    begin, spent = time.perf_counter(), time.process_time()
    report = export(
        few.energy,
        inputs=few.inputs(3),
        state=few.state(3),
        rule=few.rule,
        unroll=made.steps,
        path=path,
        axes=made.axes,
        resized=[made.resized(3)] if made.resized else (),
    )
    weights = sum(p.numel() * p.element_size() for p in few.energy.parameters())  # type: ignore[attr-defined]
    found = {
        "wall_s": time.perf_counter() - begin,
        "cpu_s": time.process_time() - spent,
        "stages_s": report.seconds,
        "nodes": report.nodes,
        "size_over_weights": report.bytes / weights,
        "worst_error": report.worst,
    }
    facts.write_text(json.dumps(found))
    return path.read_bytes(), found


def contenders(name: str, batch: int, threads: int, options: argparse.Namespace) -> dict[str, Contender]:
    """Callables that each make the steps of a segment; all were checked against one another."""
    import torch
    from benchmarks.speed import apart
    from benchmarks.trained import network
    from torch.fx.experimental.proxy_tensor import make_fx

    torch.set_num_threads(threads)
    made = network(name, options.steps)
    landscape, steps = made.landscape, made.steps
    inputs, start = landscape.inputs(batch), landscape.state(batch)
    keys = list(inputs)

    def step(y: torch.Tensor, *given: torch.Tensor) -> torch.Tensor:
        with torch.enable_grad():
            leaf = y.detach().requires_grad_()
            found = landscape.energy(leaf, **dict(zip(keys, given, strict=True)))
            energy = found if isinstance(found, torch.Tensor) else sum(found.values())
            (slope,) = torch.autograd.grad(energy.sum(), leaf)
        with torch.no_grad():
            moved: torch.Tensor = landscape.rule({"y": y}, {"y": slope})["y"]
        return moved

    def several(one: Callable[..., torch.Tensor], times: int) -> Callable[..., torch.Tensor]:
        def run(y: torch.Tensor, *given: torch.Tensor) -> torch.Tensor:
            for _ in range(times):
                y = one(y, *given)
            return y

        return run

    arguments = (start, *inputs.values())
    eager = several(step, steps)
    wanted = eager(*arguments)

    def ended() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        leaf = eager(*arguments).detach().requires_grad_()
        with torch.enable_grad():
            found = landscape.energy(leaf, **inputs)
            energy = found if isinstance(found, torch.Tensor) else sum(found.values())
            (slope,) = torch.autograd.grad(energy.sum(), leaf)
        return leaf, energy, slope.flatten(1).norm(dim=1)

    found: dict[str, Contender] = {"eager": lambda: eager(*arguments), "same": ended}
    if not options.no_compile:
        part = steps if made.whole and not options.by_step else 1
        with torch.no_grad():
            begin = time.perf_counter()
            graph = make_fx(several(step, part))(*arguments)
            compiled = several(torch.compile(graph, dynamic=False, fullgraph=True), steps // part)
            apart(compiled(*arguments), wanted)
            print(f"{name} {batch} {threads}: torch.compile {time.perf_counter() - begin:.0f} s", file=sys.stderr)
        found["compile"] = lambda: compiled(*arguments)
    model, _ = exported(name, options.steps, options.folder, reuse=options.reuse)
    feeds = {k: v.numpy() for k, v in inputs.items()} | {"state.y": start.numpy()}
    found["groundstate"] = served(model, feeds, threads)
    apart(found["groundstate"](), wanted)
    return found


def served(model: bytes, feeds: dict[str, Any], threads: int) -> Contender:
    """The file in a session of the runtime, in runs of as many rows as the runtime takes, over a number of threads."""
    import numpy as np

    from groundstate._header_reader import read_header
    from groundstate._pool import Pool
    from groundstate._segment import rows_per_run
    from groundstate._session import Session
    from groundstate._sizes import header_at

    session, pool = Session(model), Pool(threads)
    header = read_header(session.metadata)
    header = header_at(header, {name: feeds[name].shape[1:] for name in header.inputs})
    feeds[header.step_scale] = np.ones(len(feeds["state.y"]), np.float32)
    rows = len(feeds["state.y"])
    length = min(rows_per_run(rows, header), rows)
    parts = [{k: v[at : at + length] for k, v in feeds.items()} for at in range(0, rows, length)]

    def everything() -> object:
        found = pool.map(session.run, parts)
        return np.concatenate([part["next.y"] for part in found])

    return everything


def one(options: argparse.Namespace) -> None:
    """What a child process does: one network at one number of threads."""
    from benchmarks.speed import taken

    name, threads = options.only[0], options.threads[0]
    found: dict[str, Any] = {"times": {}}
    for batch in options.batches:
        runs = contenders(name, batch, threads, options)
        options.reuse = True
        if not options.prepare:
            found["times"][batch] = taken(runs, options.turns, SECONDS)
    found["export"] = exported(name, options.steps, options.folder, reuse=True)[1]
    print(json.dumps(found))


def child(name: str, threads: int, options: argparse.Namespace, *, reuse: bool) -> dict[str, Any]:
    """Measure one network at one number of threads in a process of its own."""
    command = [sys.executable, __file__, "--one", "--only", name, "--threads", str(threads)]
    command += ["--batches", *map(str, options.batches), "--turns", str(options.turns), "--folder", str(options.folder)]
    flags = {
        "--prepare": options.prepare,
        "--reuse": reuse,
        "--by-step": options.by_step,
        "--no-compile": options.no_compile,
    }
    command += [flag for flag, given in flags.items() if given]
    command += ["--steps", str(options.steps)] if options.steps else []
    environment = os.environ | {
        "OMP_NUM_THREADS": str(threads),
        "TORCHINDUCTOR_CACHE_DIR": str(options.folder / "inductor"),
        "PYTHONPATH": os.pathsep.join(p for p in sys.path if p),
    }
    output = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout
    found: dict[str, Any] = json.loads(output.strip().splitlines()[-1])
    return found


def machine() -> dict[str, str]:
    """What the figures were measured on."""
    import onnxruntime
    import torch

    model = platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [
            line.partition(":")[2].strip() for line in info.read_text().splitlines() if line.startswith("model name")
        ]
        model = f"{len(names)} × {names[0]}" if names else model
    return {"processor": model, "torch": torch.__version__, "onnxruntime": onnxruntime.__version__}


def row(name: str, batch: str, threads: int, times: dict[str, list[float]]) -> str:
    """A row of the table."""

    def median(key: str) -> str:
        return f"{1e3 * statistics.median(times[key]):.1f}" if key in times else ""

    def ratio(key: str) -> str:
        pairs = zip(times["groundstate"], times.get(key, []), strict=False)
        return f"{statistics.median(a / b for a, b in pairs):.2f}" if key in times else ""

    figures = [*map(median, CONTENDERS), *map(ratio, CONTENDERS[1:])]
    return f"| {name} | {batch} | {threads} | {' | '.join(figures)} |"


def main() -> None:
    parser = argparse.ArgumentParser(
        description="Networks of real size: exported files against PyTorch and its compiler."
    )
    parser.add_argument("--only", nargs="+", default=list(NAMES), choices=NAMES)
    parser.add_argument("--batches", nargs="+", type=int, default=[1, 32])
    parser.add_argument("--threads", nargs="+", type=int, default=[1])
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--steps", type=int, help="steps in a segment, in place of each network's own")
    parser.add_argument("--no-compile", action="store_true", help="leave torch.compile out")
    parser.add_argument(
        "--by-step", action="store_true", help="compile one step for small networks too, which is quicker"
    )
    parser.add_argument("--prepare", action="store_true", help="export and compile into the folder, and time nothing")
    parser.add_argument("--reuse", action="store_true", help="take the files from the folder if they are there")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where files and compiled code are kept")
    parser.add_argument("--json", type=Path, help="write all times, and the machine, to this file")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    if options.one:
        one(options)
        return
    found: dict[str, Any] = {"machine": machine(), "networks": {}}
    print(", ".join(f"{k} {v}" for k, v in found["machine"].items()), "; milliseconds a segment\n", sep="")
    contenders = "groundstate | eager | same results | torch.compile | / eager | / same results | / compile"
    print(f"| network | batch | threads | {contenders} |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    exports = []
    for name in options.only:
        for place, threads in enumerate(options.threads):
            measured = child(name, threads, options, reuse=options.reuse or place > 0)
            found["networks"].setdefault(name, {"export": measured["export"], "threads": {}})
            found["networks"][name]["threads"][threads] = measured["times"]
            for batch, times in measured["times"].items():
                print(row(name, batch, threads, times), flush=True)
        facts = found["networks"][name]["export"]
        exports.append(
            f"| {name} | {facts['nodes']} | {facts['wall_s']:.1f} | {facts['cpu_s']:.1f} "
            f"| {facts['stages_s']['verify']:.1f} | {facts['size_over_weights']:.2f} | {facts['worst_error']:.0e} |"
        )
    print(
        "\n| network | nodes | export s | processor s | verify s | file / weights | worst error |\n|---|---|---|---|---|---|---|"
    )
    print("\n".join(exports))
    if options.json:
        options.json.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent.parent))
    main()
