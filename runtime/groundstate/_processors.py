"""The number of processors that this process may use: its affinity, and the quota of its container."""

from __future__ import annotations

import math
import os
from pathlib import Path

_CGROUPS = Path("/sys/fs/cgroup")
_OWN = Path("/proc/self/cgroup")


def processors() -> int:
    """Processors of the process's affinity, or fewer if a container's quota allows less; at least 1."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    found = quota()
    return allowed if found is None else max(1, min(allowed, math.ceil(found)))


def quota(cgroups: Path = _CGROUPS, own: Path = _OWN) -> float | None:
    """The processors that the control groups of Linux allow, as a fraction of time; None if there is no limit.

    The limits of the enclosing groups count too. Version 2 has ``cpu.max``; version 1 has ``cpu.cfs_quota_us``.

    Args:
        cgroups: Where the groups are mounted.
        own: Lists the groups of this process, one a line: number, controllers, path.
    """
    try:
        lines = own.read_text("utf-8").splitlines()
    except (OSError, ValueError):
        return None
    found: list[float] = []
    for line in lines:
        _, controllers, path = [*line.split(":", 2), "", ""][:3]
        if controllers and "cpu" not in controllers.split(","):
            continue
        roots = [cgroups] if not controllers else [cgroups / controllers, cgroups / "cpu", cgroups / "cpu,cpuacct"]
        for root in roots:
            # In a container the own group is often mounted as the root, whatever the path says.
            parts = [part for part in path.split("/") if part not in ("", "..")]
            folders = [root.joinpath(*parts[:depth]) for depth in range(len(parts) + 1)]
            found += [limit for folder in folders if (limit := _limit(folder)) is not None]
    return min(found, default=None)


def _limit(folder: Path) -> float | None:
    try:
        if (file := folder / "cpu.max").exists():
            share, period = file.read_text("utf-8").split()
            return None if share == "max" else int(share) / int(period)
        used = int((folder / "cpu.cfs_quota_us").read_text("utf-8"))
        return used / int((folder / "cpu.cfs_period_us").read_text("utf-8")) if used > 0 else None
    except (OSError, ValueError, ZeroDivisionError):
        return None
