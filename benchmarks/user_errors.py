"""Users' errors: what the exporter says to each, and whether that is the cause.

    python benchmarks/user_errors.py [name ...]

The errors are in `tests/export/user_errors.py`.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import warnings
from pathlib import Path

import torch

from tests.export.user_errors import ERRORS, NOTED, attempt, verdict


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="beginnings of names; all by default")
    names = parser.parse_args().names or [""]
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    wrong = tried = 0
    for name, error in ERRORS.items():
        if not name.startswith(tuple(names)):
            continue
        with tempfile.TemporaryDirectory() as folder:
            try:
                refusal = attempt(error, Path(folder))
                fault = verdict(error, refusal)
            except Exception as crash:  # noqa: BLE001  # a crash is a result
                refusal, fault = f"{type(crash).__name__}: {crash}", "CRASH"
        tried, wrong = tried + 1, wrong + bool(fault)
        print(f"{name}{f'  [{fault.upper()}]' if fault else ''}\n    {refusal or 'exported'}", flush=True)
    noted = sum(name.startswith(tuple(names)) for name in NOTED)
    print(f"\n{tried - wrong} of {tried} right ({noted} of them from the trials), {wrong} wrong")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
