"""Resumable measurements: a file of JSON lines, one record each; a repeated run skips what it contains."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

Record = dict[str, Any]


class Journal:
    """Records by key, written to disk at once.

    Args:
        path: The file; created with its folders if missing.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        self._path = path
        self._values: dict[str, Record] = {}
        *lines, torn = path.read_bytes().split(b"\n")
        for number, line in enumerate(lines, 1):
            try:
                record = json.loads(line)
                self._values[_name(record["key"])] = record["value"]
            except (ValueError, KeyError, TypeError):
                raise SystemExit(
                    f"Line {number} of {path} is not a record of a benchmark; repair it, or name another --journal."
                ) from None
        if torn:  # the process was killed while it wrote its last line
            os.truncate(path, path.stat().st_size - len(torn))

    def get(self, key: Mapping[str, Any]) -> Record | None:
        """The record of a key, or None."""
        return self._values.get(_name(key))

    def add(self, key: Mapping[str, Any], value: Record) -> None:
        """Add a record under a key."""
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"key": key, "value": value}) + "\n")
        self._values[_name(key)] = value


def _name(key: Mapping[str, Any]) -> str:
    return json.dumps(key, sort_keys=True)


class Progress:
    """A progress line on stderr: count, total, name, elapsed time."""

    def __init__(self, what: str, total: int) -> None:
        self._what, self._total = what, total
        self._seen, self._begun, self._told = 0, time.monotonic(), 0.0

    def __call__(self, found: str = "") -> None:
        self._seen += 1
        now = time.monotonic()
        due = now - self._told > (0.2 if sys.stderr.isatty() else 30.0)
        if due or self._seen == self._total:
            self._told = now
            ending = "\n" if self._seen == self._total or not sys.stderr.isatty() else ""
            text = f"\r{self._what}: {self._seen} of {self._total}, {now - self._begun:.0f} s{found}"
            print(text, end=ending, file=sys.stderr, flush=True)
