"""Worst relative error of one file against PyTorch, over all outputs, at batches from 1 to 1024.

    python benchmarks/batches.py

The exporter checks this: it runs the file at every batch, and refuses it if an output differs by more than 1e-5.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

STEPS = 8
BATCHES = (1, 2, 7, 32, 256, 1024)


def main() -> None:
    import torch
    from benchmarks.landscapes import LANDSCAPES, landscape

    from groundstate_export import export

    parser = argparse.ArgumentParser(description="Files at batches from 1 to 1024 against PyTorch.")
    parser.add_argument("--energies", nargs="+", default=list(LANDSCAPES), choices=list(LANDSCAPES))
    options = parser.parse_args()
    torch.set_num_threads(1)
    print(f"{STEPS} steps; batches {', '.join(map(str, BATCHES))}\n")
    print("| energy | worst error | checked by float64 | seconds |\n|---|---|---|---|")
    for name in options.energies:
        made = landscape(name)
        with tempfile.TemporaryDirectory() as folder:
            report = export(
                made.energy, inputs=made.inputs(8), state=made.state(8), rule=made.rule, unroll=STEPS,
                path=Path(folder) / "energy.onnx", batches=BATCHES, seeds=(0,),
            )  # fmt: skip
        judged = ", ".join(f"{k} (float32 PyTorch {v:.1e})" for k, v in report.judged.items()) or "nothing"
        print(f"| {name} | {report.worst:.1e} | {judged} | {sum(report.seconds.values()):.0f} |", flush=True)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent.parent))
    main()
