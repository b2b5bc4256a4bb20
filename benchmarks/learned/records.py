"""Measurements that are printed one a line as they come, and kept in a journal, so that a stopped run goes on where it was."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from benchmarks.journal import Journal, Record


class Records:
    """Measurements by key.

    Args:
        path: The journal; None keeps nothing.
    """

    def __init__(self, path: Path | None) -> None:
        self._journal = None if path is None else Journal(path)

    def of(self, key: Mapping[str, Any], measure: Callable[[], Record]) -> Record:
        """The record of a key, measured unless the journal has it, and printed."""
        found = None if self._journal is None else self._journal.get(key)
        if found is None:
            found = measure()
            if self._journal is not None:
                self._journal.add(key, found)
        print(json.dumps({**key, **found}, ensure_ascii=False), flush=True)
        return found


def add_options(parser: argparse.ArgumentParser, draws: str, many: int) -> None:
    """Options for the draws: how many, the first one, and the journal."""
    parser.add_argument(f"--{draws}", type=int, default=many, help=f"number of {draws}  [default: {many}]")
    parser.add_argument("--first", type=int, default=0, help=f"first of the {draws}, which are also the seeds")
    parser.add_argument(
        "--journal", type=Path, help="keep every measurement here; the same command goes on with the rest"
    )
