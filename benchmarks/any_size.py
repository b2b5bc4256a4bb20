"""Everyday energies over problems of any size: which are exported, and their errors at sizes that no example had.

    python benchmarks/any_size.py [--all] [name ...]

Without ``--all`` every fifth pattern is tried. The patterns are in `tests/export/any_size.py`.
"""

from __future__ import annotations

import argparse
import sys
import time

import torch

from groundstate_export import ExportError
from tests.export.any_size import NOTED, PATTERNS, compare

TOLERANCE = 1e-4
"""Two steps and an energy in float32, both sides."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--all", action="store_true")
    parser.add_argument("names", nargs="*")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    names = arguments.names or list(PATTERNS)[:: 1 if arguments.all else 5]
    counts = {"match": 0, "refused": 0, "WRONG": 0, "CRASH": 0}
    print("| pattern | | error | s |\n|---|---|---|---|")
    for name in names:
        begin = time.perf_counter()
        try:
            error = compare(name)
            outcome, text = ("match" if error < TOLERANCE else "WRONG"), f"{error:.0e}"
        except ExportError as refusal:
            outcome, text = "refused", str(refusal)
        except Exception as error:  # noqa: BLE001  # a crash is a result
            outcome, text = "CRASH", f"{type(error).__name__}: {str(error)[:300]}"
        counts[outcome] += 1
        print(f"| {name} | {outcome} | {text} | {time.perf_counter() - begin:.1f} |", flush=True)
    noted = sum(name in NOTED for name in names)
    print(
        f"{counts['match']} of {len(names)} match ({noted} of all are from the trials), {counts['refused']} are refused, "
        f"{counts['WRONG']} are wrong, {counts['CRASH']} crash"
    )
    sys.exit(bool(counts["WRONG"] + counts["CRASH"]))


if __name__ == "__main__":
    main()
