"""Threads, alarms, and the number of processors."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from groundstate._overdue import OverdueError, in_time
from groundstate._pool import Pool
from groundstate._processors import processors, quota
from groundstate._watchdog import Watchdog


def written(folder: Path, files: dict[str, str]) -> tuple[Path, Path]:
    """Files of control groups under a folder, and the list of the process's groups."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return folder / "cg", folder / "own"


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"own": "0::/\n", "cg/cpu.max": "150000 100000\n"}, 1.5),
        ({"own": "0::/a/b\n", "cg/a/cpu.max": "200000 100000\n", "cg/a/b/cpu.max": "max 100000\n"}, 2.0),
        ({"own": "0::/a/b\n", "cg/a/cpu.max": "400000 100000\n", "cg/a/b/cpu.max": "50000 100000\n"}, 0.5),
        ({"own": "0::/not/mounted/here\n", "cg/cpu.max": "300000 100000\n"}, 3.0),
        (
            {
                "own": "4:cpu,cpuacct:/d\n",
                "cg/cpu/d/cpu.cfs_quota_us": "250000",
                "cg/cpu/d/cpu.cfs_period_us": "100000",
            },
            2.5,
        ),
        ({"own": "4:cpu:/\n", "cg/cpu/cpu.cfs_quota_us": "-1", "cg/cpu/cpu.cfs_period_us": "100000"}, None),
        ({"own": "0::/\n", "cg/cpu.max": "max 100000\n"}, None),
        ({"own": "0::/\n", "cg/cpu.max": "nonsense\n"}, None),
        ({"own": "7:memory:/x\n"}, None),
    ],
)
def test_the_quota_of_a_container_is_read(tmp_path: Path, files: dict[str, str], expected: float | None) -> None:
    assert quota(*written(tmp_path, files)) == expected


def test_without_control_groups_there_is_no_quota(tmp_path: Path) -> None:
    assert quota(tmp_path, tmp_path / "missing") is None


@pytest.mark.parametrize(("share", "threads"), [(0.4, 1), (1.0, 1), (1.5, 2), (1000.0, None)])
def test_a_quota_limits_the_threads(monkeypatch: pytest.MonkeyPatch, share: float, threads: int | None) -> None:
    monkeypatch.setattr("groundstate._processors.quota", lambda: None)
    free = processors()
    monkeypatch.setattr("groundstate._processors.quota", lambda: share)
    assert processors() == min(free, threads or free)
    assert Pool().threads == processors()


def test_results_keep_the_order_of_the_items() -> None:
    pool = Pool(3)
    assert pool.map(lambda k: (time.sleep(0.001 * (7 - k % 7)), k)[1], range(50)) == list(range(50))
    pool.close()


def test_what_a_task_raises_rises_in_the_calling_thread() -> None:
    pool = Pool(3)

    def run(k: int) -> int:
        if k == 5:
            raise ZeroDivisionError
        return k

    with pytest.raises(ZeroDivisionError):
        pool.map(run, range(8))
    assert pool.map(run, range(3)) == [0, 1, 2]
    pool.close()


def test_the_threads_are_daemons_and_end_with_their_pool() -> None:
    before = {*threading.enumerate()}
    pool = Pool(3, "mine")
    pool.map(lambda _: time.sleep(0.01), range(6))
    started = {*threading.enumerate()} - before
    assert started
    assert all(thread.daemon for thread in started)
    del pool
    gc.collect()
    for thread in started:
        thread.join(10)
        assert not thread.is_alive()


def test_alarms_are_called_in_the_order_of_their_times() -> None:
    dog, called, now, done = Watchdog(), list[int](), time.monotonic(), threading.Event()
    alarms = [dog.at(now + 0.01 * k, lambda k=k: called.append(k)) for k in (5, 1, 3, 2, 4)]  # type: ignore[misc]
    alarms[2].cancel()
    dog.at(now + 0.07, done.set)
    assert done.wait(10)
    assert called == [1, 2, 4, 5]


def test_cancelled_alarms_do_not_pile_up() -> None:
    dog, far = Watchdog(), time.monotonic() + 3600
    for _ in range(10_000):
        dog.at(far, lambda: None).cancel()
    assert len(dog._alarms) < 2100


def _endless() -> None:
    count = 0
    while True:
        count += 1


def test_code_that_takes_too_long_is_ended_where_it_is() -> None:
    with pytest.raises(OverdueError):
        in_time(time.monotonic() + 0.05, _endless)


def test_code_that_handles_its_own_errors_is_ended_too() -> None:
    def stubborn() -> None:
        try:
            _endless()
        except Exception:  # noqa: BLE001 - what is tested
            _endless()

    with pytest.raises(OverdueError):
        in_time(time.monotonic() + 0.05, stubborn)


def test_nothing_is_raised_after_the_code_has_ended() -> None:
    for k in range(300):
        due = time.monotonic() + 0.0002 * (k % 5)
        with suppress(OverdueError):
            assert in_time(due, sum, range(1000)) == 499_500
        # Whatever was raised too late would rise here.
        assert sum(range(2000)) == 1_999_000
    assert in_time(None, sum, [1, 2]) == 3


def test_what_the_code_raises_rises() -> None:
    with pytest.raises(ZeroDivisionError):
        in_time(time.monotonic() + 60, lambda: 1 // 0)


_TRACED = """
import sys, time
from groundstate._overdue import OverdueError, in_time

def endless():
    while True:
        pass

for call in (endless, lambda: [None for _ in range(60_000)]) * 10:
    try:
        in_time(time.monotonic() + 0.003, call)
    except OverdueError:
        pass
seen = []
trace = lambda *event: seen.append(event)
sys.setprofile(trace)
sum([1, 2])
sys.setprofile(None)
assert seen
"""


def test_after_a_deadline_code_can_be_profiled() -> None:
    """CPython 3.11 loops forever in profiled code while it believes that an error waits to be raised."""
    subprocess.run([sys.executable, "-c", _TRACED], check=True, timeout=60)
