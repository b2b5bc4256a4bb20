"""Costs of a file before it runs, and of its forms: session creation, peak memory, file size, export time, the Loop.

    python benchmarks/sessions.py [--runs 5]

Each figure of creation, memory and export comes from a separate process. Memory is the increase of the peak resident set
from before the session's creation until after runs at a batch of 8. The loop and the unrolled file take turns.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

BATCH = 8


def exported(name: str, steps: int, path: Path, **options: Any) -> dict[str, float]:
    """Export an energy as a user would; seconds, bytes and nodes."""
    import torch
    from benchmarks.landscapes import landscape

    from groundstate_export import export

    torch.set_num_threads(1)
    made = landscape(name)
    begin = time.perf_counter()
    report = export(
        made.energy, inputs=made.inputs(4), state=made.state(4), rule=made.rule, unroll=steps, path=path, **options
    )
    return {"seconds": time.perf_counter() - begin, "bytes": report.bytes, "nodes": report.nodes}


def opened(path: Path, *, reuse: bool) -> Any:
    """A session like the runtime's, without the planner that reuses buffers."""
    from groundstate._session import _options, runtime

    options = _options("cpu")
    options.enable_mem_reuse = reuse
    return runtime().InferenceSession(path.read_bytes(), options, providers=["CPUExecutionProvider"])


def feeds(session: Any, inputs: dict[str, Any] | None = None, batch: int = BATCH) -> dict[str, Any]:
    """The given inputs, step scale 1, and random values for the rest."""
    import numpy as np

    random = np.random.default_rng(0)
    found: dict[str, Any] = {"rate": np.ones(batch, np.float32)} | (inputs or {})
    for entry in session.get_inputs():
        shape = [batch if isinstance(d, str) else d for d in entry.shape]
        found.setdefault(entry.name, 0.1 * random.standard_normal(shape).astype(np.float32))
    return found


def created(path: Path, *, reuse: bool) -> dict[str, float]:
    """Seconds to create a session, and its peak memory in MB."""
    import onnxruntime  # noqa: F401  # exclude the import from the measurement

    before = peak()
    begin = time.perf_counter()
    session = opened(path, reuse=reuse)
    seconds = time.perf_counter() - begin
    given = feeds(session)
    for _ in range(3):
        session.run(None, given)
    return {"seconds": seconds, "megabytes": peak() - before}


def peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def apart(name: str, steps: int, folder: Path, runs: int) -> dict[str, float]:
    """The loop against the unrolled steps: median ratio of times, and difference of states, at batches 1 and 8."""
    import numpy as np
    from benchmarks.landscapes import landscape

    paths = {form: folder / f"{name}-{form}.onnx" for form in ("unrolled", "loop")}
    for form, path in paths.items():
        exported(name, steps, path, form=form, batches=(1, 2), seeds=(0,))
    sessions = {form: opened(path, reuse=False) for form, path in paths.items()}
    found: dict[str, float] = {}
    for batch in (1, BATCH):
        inputs = {key: tensor.numpy() for key, tensor in landscape(name).inputs(batch).items()}
        given = feeds(sessions["unrolled"], inputs, batch)
        limits = {"max_steps": np.array(steps), "tolerance": np.array(0, np.float32)}
        takes = {"unrolled": given, "loop": given | limits}
        states = {form: session.run(["next.y"], takes[form])[0] for form, session in sessions.items()}
        gap = np.abs(states["loop"] - states["unrolled"]).max() / np.abs(states["unrolled"]).max()
        ratios = []
        for _ in range(8 * runs):
            seconds = {}
            for form, session in sessions.items():
                begin = time.perf_counter()
                session.run(None, takes[form])
                seconds[form] = time.perf_counter() - begin
            ratios.append(seconds["loop"] / seconds["unrolled"])
        found |= {f"ratio{batch}": statistics.median(ratios), f"gap{batch}": float(gap)}
    return found


def child(**task: Any) -> dict[str, float]:
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    command = [sys.executable, __file__, "--task", json.dumps(task)]
    output = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout
    found: dict[str, float] = json.loads(output.strip().splitlines()[-1])
    return found


def perform(task: dict[str, Any]) -> dict[str, float]:
    """Run the measurement of a child process."""
    kind, path = task.pop("kind"), Path(task.pop("path"))
    if kind == "export":
        return exported(path=path, **task)
    if kind == "create":
        return created(path, **task)
    return apart(folder=path, **task)


def row(what: str, target: str, measured: str) -> None:
    print(f"| {what} | {target} | {measured} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description="Session creation, memory, file size, export time, the Loop form.")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--task", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.task:
        print(json.dumps(perform(json.loads(options.task))))
        return
    print("| what | target | measured (median) |\n|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        report(Path(folder), options.runs)


def report(folder: Path, runs: int) -> None:
    block, mlp = str(folder / "block.onnx"), str(folder / "mlp.onnx")
    pairs = [[child(kind="export", path=block, name="transformer", steps=n) for n in (4, 32)] for _ in range(runs)]
    seconds = statistics.median(long["seconds"] for _, long in pairs)
    ratio = statistics.median(long["seconds"] / short["seconds"] for short, long in pairs)
    row("export, transformer block, 32 steps", "≤ 25 s", f"{seconds:.1f} s")
    row("… against 4 steps", "≤ 1.2 ×", f"{ratio:.2f} ×")
    made = {reuse: [child(kind="create", path=block, reuse=reuse) for _ in range(runs)] for reuse in (False, True)}
    time_, memory = (
        {reuse: statistics.median(one[key] for one in found) for reuse, found in made.items()}
        for key in ("seconds", "megabytes")
    )
    row(
        f"session creation, {pairs[0][1]['nodes']:,.0f} nodes",
        "≤ 0.5 s",
        f"{time_[False]:.2f} s (reuse planned: {time_[True]:.2f} s)",
    )
    row("peak memory, batch 8", "≤ 1.3 × with reuse", f"{memory[False]:.0f} MB, {memory[False] / memory[True]:.2f} ×")
    size = child(kind="export", path=mlp, name="mlp", steps=64)["bytes"]
    row("file, MLP of 83 kB, 64 steps", "≤ 170 kB", f"{size / 1e3:.0f} kB")
    for name in ("transformer", "sudoku", "conv", "factors", "mlp"):
        found = child(kind="loop", path=str(folder), name=name, steps=32, runs=runs)
        text = ", ".join(
            f"{found[f'ratio{b}']:.2f} × at batch {b}, apart by {found[f'gap{b}']:.0e}" for b in (1, BATCH)
        )
        row(f"Loop against unrolled, {name}, 32 steps", "≤ 1.2 ×, 1e-6", text)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent.parent))
    main()
