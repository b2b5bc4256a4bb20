"""Many callers of one solver: fair shares, equal answers in any company, deadlines, cancellation, a bounded queue."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import pickle
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import groundstate as gs
from groundstate import _admission
from groundstate._session import StoppedRunError
from tests.support import EASY, MEDIUM, TWO_SOLUTIONS, Stalled, rows

EMPTY = {"grid": [[0] * 4] * 4}
LONG: dict[str, Any] = {"alternatives": 64, "restarts": 256, "max_steps": 2048, "ask": False}
"""Options with which an empty board takes long."""

GENEROUS = 30.0
"""Seconds after which a test is given up."""


def boards(count: int) -> list[dict[str, Any]]:
    """Small puzzles: with one solution, with several, and contradictory ones."""
    kinds = ["1..43..22..34..1", "1...............", "1..4..2....3....", "11..............", "................"]
    texts = [kinds[k % len(kinds)] for k in range(count)]
    return [{"grid": [[int(c) if c != "." else 0 for c in text[i : i + 4]] for i in (0, 4, 8, 12)]} for text in texts]


def dump(solution: gs.Solution) -> str:
    """Everything in a solution but its time."""
    found = solution.to_json()
    found.pop("seconds", None)
    energy = None if solution.energy is None else float(solution.energy).hex()
    closest = None if solution.closest is None else float(solution.closest.energy).hex()
    extra = [energy, closest, solution.steps, solution.chains, solution.hits, str(solution.question)]
    return json.dumps([found, extra], sort_keys=True, default=str)


@pytest.fixture
def small() -> Iterator[gs.Solver]:
    with gs.load("sudoku_4x4", threads=2) as solver:
        yield solver


def until(met: Callable[[], object]) -> None:
    """Wait until a condition is met."""
    end = time.monotonic() + GENEROUS
    while not met():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.002)


# Answers


@pytest.mark.parametrize("threads", [1, 3])
def test_sixty_four_callers_get_byte_for_byte_what_they_get_alone(threads: int) -> None:
    with gs.load("sudoku_4x4", threads=1) as lonely:
        alone = [dump(lonely.solve(one, alternatives=2, ask=k < 2, seed=k)) for k, one in enumerate(boards(16))]
    with gs.load("sudoku_4x4", threads=threads) as solver, ThreadPoolExecutor(64) as callers:

        def one(k: int) -> bool:
            k %= 16
            return dump(solver.solve(boards(16)[k], alternatives=2, ask=k < 2, seed=k)) == alone[k]

        assert all(callers.map(one, range(64)))


def test_rows_of_many_chains_beside_others_give_what_they_give_alone() -> None:
    requests = [{"grid": rows(text)} for text in (EASY, MEDIUM, TWO_SOLUTIONS)] * 2
    options: dict[str, Any] = {"max_steps": 128, "restarts": 16, "alternatives": 3, "ask": False}
    with gs.load("sudoku", threads=1) as lonely:
        alone = [dump(lonely.solve(request, **options)) for request in requests]
    with gs.load("sudoku", threads=4) as solver, ThreadPoolExecutor(6) as callers:
        assert list(callers.map(lambda request: dump(solver.solve(request, **options)), requests)) == alone
        assert [dump(one) for one in solver.solve_many(requests, **options) if isinstance(one, gs.Solution)] == alone


async def test_asolve_gives_what_solve_gives_and_takes_three_threads_at_most(small: gs.Solver) -> None:
    requests = boards(200)
    wanted = [dump(small.solve(one, alternatives=2)) for one in requests[:5]]
    before = threading.active_count()
    most = 0

    async def one(k: int) -> str:
        nonlocal most
        text = dump(await small.asolve(requests[k], alternatives=2))
        most = max(most, threading.active_count())
        return text

    found = await asyncio.gather(*map(one, range(len(requests))))
    assert found == [wanted[k % 5] for k in range(len(requests))]
    assert most - before <= 3 + 2


@pytest.mark.nightly
async def test_ten_thousand_asolves_are_all_right(small: gs.Solver) -> None:
    before, requests = threading.active_count(), boards(10_000)
    solutions = await asyncio.gather(*(small.asolve(one, ask=False) for one in requests))
    assert threading.active_count() - before <= 3 + 2
    expected = {"solved": 4, "infeasible": 1}
    assert {s: sum(one.status == s for one in solutions) // 2000 for s in expected} == expected


def test_a_problem_with_few_chains_is_not_kept_waiting_by_those_with_many() -> None:
    with gs.load("sudoku", threads=1) as solver:
        stop = threading.Event()

        def pulse() -> None:
            if stop.is_set():
                raise InterruptedError

        def hard() -> None:
            with pytest.raises(InterruptedError):
                solver.solve({"grid": [[0] * 9] * 9}, heartbeat=pulse, **{**LONG, "restarts": 64, "max_steps": 1 << 11})

        threads = [threading.Thread(target=hard) for _ in range(4)]
        for thread in threads:
            thread.start()
        until(lambda: solver._engine.calls.active == 4)
        count = Counted(solver)
        solver.solve({"grid": rows(EASY)})
        # In turn, four problems with up to 64 chains would take as many as 16 runs for each segment of this one.
        easy = count.runs
        stop.set()
        for thread in threads:
            thread.join()
        alone = Counted(solver)
        solver.solve({"grid": rows(EASY)})
        assert easy <= 12 * alone.runs + 8


class Counted:
    """Counts the runs of a solver from now on."""

    def __init__(self, solver: gs.Solver) -> None:
        self.runs = 0
        run = solver._session.run

        def counted(*arguments: Any) -> Any:
            self.runs += 1
            return run(*arguments)

        solver._session.run = counted  # type: ignore[method-assign]


# Deadlines and cancellation


def test_a_deadline_ends_a_running_segment(small: gs.Solver, monkeypatch: pytest.MonkeyPatch) -> None:
    stalled = Stalled()
    monkeypatch.setattr(small._session, "run", stalled)
    begun = time.monotonic()
    solution = small.solve(EMPTY, deadline=0.1)
    assert (solution.status, solution.closest) == ("unsolved", None)
    # Some of the time is kept for making the solution.
    assert 0.05 <= time.monotonic() - begun < GENEROUS
    assert stalled.ended.is_set()


async def test_a_deadline_ends_a_running_segment_in_company_and_the_neighbours_lose_nothing() -> None:
    with gs.load("sudoku_4x4", threads=1) as solver:
        request = boards(3)[2]
        wanted = dump(solver.solve(request, ask=False))
        run, stalled = solver._session.run, Stalled()
        ended: list[int] = []

        def first_stalls(feeds: Any, fetch: Any = None, options: Any = None) -> Any:
            rows_ = len(feeds[solver.header.step_scale])
            try:
                return stalled(feeds, fetch, options) if stalled.runs < 2 else run(feeds, fetch, options)
            except StoppedRunError:
                ended.append(rows_)
                raise

        solver._session.run = first_stalls  # type: ignore[method-assign]
        hasty = asyncio.create_task(solver.asolve(EMPTY, deadline=0.1, **LONG))
        patient = asyncio.create_task(solver.asolve(request, ask=False))
        assert (await asyncio.wait_for(hasty, GENEROUS)).status == "unsolved"
        stalled.runs = 2
        for seat_run in list(solver._engine._running):
            seat_run.options.terminate = True  # a run that was ended for another's sake
        assert dump(await asyncio.wait_for(patient, GENEROUS)) == wanted
        assert ended


@pytest.mark.parametrize("method", ["read", "contradictions", "proof"])
def test_a_deadline_ends_the_code_of_a_task(small: gs.Solver, monkeypatch: pytest.MonkeyPatch, method: str) -> None:
    def endless(*_: object) -> None:
        while True:
            pass

    if method == "read":
        monkeypatch.setattr(small._task.task, "read", endless)
    else:
        kind = type(small.read(EMPTY))
        monkeypatch.setattr(kind, method, property(endless) if method == "contradictions" else endless)
    unsolvable = {"grid": [[1, 2, 0, 0], [0, 0, 1, 0], [0, 0, 0, 2], [0, 0, 0, 0]]}
    begun = time.monotonic()
    solution = small.solve(unsolvable, deadline=0.2, restarts=64, alternatives=64, ask=False)
    assert solution.status in ("unsolved", "ambiguous", "solved")
    assert time.monotonic() - begun < GENEROUS
    monkeypatch.undo()
    assert small.solve(boards(1)[0]).status == "solved"


def test_a_deadline_also_counts_while_a_call_waits_to_be_taken_up(
    small: gs.Solver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_admission, "YOUNG", 1)
    monkeypatch.setattr(small._session, "run", Stalled())
    with ThreadPoolExecutor(2) as callers:
        first = callers.submit(small.solve, EMPTY, deadline=1.0)
        until(lambda: small._engine.calls.active)
        begun = time.monotonic()
        late = small.solve(EMPTY, deadline=0.05)
        assert late.status == "unsolved"
        assert "before the request was read" in late.explanation
        assert time.monotonic() - begun < 1.0
        assert first.result(GENEROUS).status == "unsolved"


def test_no_change_of_the_clock_ends_or_prolongs_a_call(small: gs.Solver, monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = itertools.count(1e9, -3600)
    monkeypatch.setattr(time, "time", lambda: next(ticks))
    assert small.solve(boards(1)[0], deadline=GENEROUS).status == "solved"
    monkeypatch.setattr(small._session, "run", Stalled())
    assert small.solve(EMPTY, deadline=0.05).status == "unsolved"


async def test_a_cancelled_call_frees_the_engine_at_once_and_the_next_call_is_right(small: gs.Solver) -> None:
    run, stalled = small._session.run, Stalled()
    small._session.run = stalled  # type: ignore[method-assign]
    task = asyncio.create_task(small.asolve(EMPTY, **LONG))
    assert await asyncio.to_thread(stalled.begun.wait, GENEROUS)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await asyncio.to_thread(stalled.ended.wait, GENEROUS)
    small._session.run = run  # type: ignore[method-assign]
    assert (await small.asolve(boards(1)[0])).status == "solved"
    await asyncio.to_thread(until, lambda: not small._engine.calls.active)


async def test_a_cancelled_call_that_waits_leaves_the_queue(small: gs.Solver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_admission, "YOUNG", 1)
    monkeypatch.setattr(small._session, "run", Stalled())
    tasks = [asyncio.create_task(small.asolve(EMPTY, **LONG)) for _ in range(3)]
    await asyncio.to_thread(until, lambda: len(small._engine.calls._waiting) == 2)
    for task in tasks:
        task.cancel()
    assert all(isinstance(one, asyncio.CancelledError) for one in await asyncio.gather(*tasks, return_exceptions=True))
    await asyncio.to_thread(until, lambda: not small._engine.calls.active and not small._engine.calls._waiting)


def test_more_calls_than_may_wait_are_refused_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_admission, "YOUNG", 1)
    with gs.load("sudoku_4x4", threads=1, max_waiting=0) as solver, ThreadPoolExecutor(1) as callers:
        monkeypatch.setattr(solver._session, "run", Stalled())
        first = callers.submit(solver.solve, EMPTY, deadline=1.0)
        until(lambda: solver._engine.calls.active)
        with pytest.raises(gs.BusyError, match=r"works on 1 calls, and 0 more wait, .* larger max_waiting") as raised:
            solver.solve(EMPTY)
        assert pickle.loads(pickle.dumps(raised.value)).limit == 0
        with pytest.raises(gs.BusyError):
            asyncio.run(solver.asolve(EMPTY))
        assert first.result(GENEROUS).status == "unsolved"


def test_max_waiting_out_of_range_is_refused() -> None:
    with pytest.raises(gs.OptionError, match="max_waiting is -1"):
        gs.load("sudoku_4x4", max_waiting=-1)


# Faults


def test_a_callback_that_raises_ends_its_own_call_alone(small: gs.Solver) -> None:
    def raising(_: gs.Segment) -> None:
        raise KeyError("mine")

    def one(k: int) -> object:
        try:
            return small.solve(boards(1)[0], watch=None if k % 4 else raising).status
        except KeyError:
            return "raised"

    with ThreadPoolExecutor(16) as callers:
        assert list(callers.map(one, range(16))) == ["raised", "solved", "solved", "solved"] * 4


def test_a_run_that_fails_is_the_fault_of_one_problem_of_those_in_it(small: gs.Solver) -> None:
    run, poison = small._session.run, boards(1)[0]["grid"]
    bad = small._problems.read({"grid": poison}).inputs
    (name, wrong), *_ = bad.items()

    def failing(feeds: Any, fetch: Any = None, options: Any = None) -> Any:
        if any((row == wrong).all() for row in feeds[name]):
            raise gs.ArtefactError("The graph failed.")
        return run(feeds, fetch, options)

    small._session.run = failing  # type: ignore[method-assign]

    async def all_() -> list[Any]:
        requests = [*boards(3)[1:], {"grid": poison}] * 8
        return await asyncio.gather(*(small.asolve(one, ask=False) for one in requests), return_exceptions=True)

    found = asyncio.run(all_())
    kinds = [one.status if isinstance(one, gs.Solution) else type(one).__name__ for one in found]
    assert kinds == ["solved", "solved", "ArtefactError"] * 8


def test_closing_ends_calls_in_progress_with_their_own_error(small: gs.Solver) -> None:
    stalled, run = Stalled(), small._session.run
    small._session.run = stalled  # type: ignore[method-assign]
    with ThreadPoolExecutor(2) as callers:
        calls = [callers.submit(lambda: asyncio.run(small.asolve(EMPTY, **LONG))) for _ in range(2)]
        assert stalled.begun.wait(GENEROUS)
        until(lambda: len(small._engine._seats) == 2)
        small.close()
        for call in calls:
            with pytest.raises(gs.ClosedError, match="was closed while this call"):
                call.result(GENEROUS)
    small._session.run = run  # type: ignore[method-assign]
    assert small.solve(boards(1)[0]).status == "solved"


def test_an_interrupt_in_the_main_thread_leaves_the_calls_of_others_alone(small: gs.Solver) -> None:
    class Interrupted(Exception):
        pass

    def handler(*_: object) -> None:
        raise Interrupted

    before = signal.signal(signal.SIGALRM, handler)
    try:
        with ThreadPoolExecutor(4) as callers:
            others = [callers.submit(small.solve, one, alternatives=2, ask=False) for one in boards(5) * 4]
            signal.setitimer(signal.ITIMER_REAL, 0.05)
            with pytest.raises(Interrupted):
                _solve_for_ever(small)
            assert {call.result(GENEROUS).status for call in others} == {"solved", "ambiguous", "infeasible"}
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert not small._engine.calls.active


def _solve_for_ever(solver: gs.Solver) -> None:
    while True:
        solver.solve(EMPTY, seed=1, **LONG)


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_child_that_is_forked_while_the_engine_runs_solves_with_an_engine_of_its_own() -> None:
    with gs.load("sudoku_4x4", threads=2) as solver:
        wanted, stop = dump(solver.solve(boards(3)[2])), threading.Event()

        async def crowd() -> None:
            while not stop.is_set():
                await asyncio.gather(*(solver.asolve(EMPTY, ask=False, seed=k) for k in range(4)))

        others = threading.Thread(target=lambda: asyncio.run(crowd()))
        others.start()
        try:
            for _ in range(3):
                time.sleep(0.05)
                child = os.fork()
                if child == 0:
                    signal.alarm(30)
                    alone = dump(solver.solve(boards(3)[2])) == wanted
                    crowded = dump(asyncio.run(solver.asolve(boards(3)[2]))) == wanted
                    os._exit(0 if alone and crowded else 1)
                assert os.waitpid(child, 0)[1] == 0
        finally:
            stop.set()
            others.join()


# Streams


def test_improvements_come_while_the_search_goes_on(small: gs.Solver) -> None:
    updates = list(small.solve_iter(EMPTY, alternatives=6))
    counts = [len(one.outcome.alternatives) for one in updates if isinstance(one.outcome, gs.Solution)]
    assert [one.last for one in updates] == [False] * (len(updates) - 1) + [True]
    assert len(updates) > 1
    assert counts == sorted(counts)
    assert counts[-1] == 5


def test_an_endless_stream_of_requests_is_read_as_room_allows(small: gs.Solver) -> None:
    read = 0

    def endless() -> Iterator[dict[str, Any]]:
        nonlocal read
        for one in itertools.cycle(boards(5)):
            read += 1
            yield one

    stream = small.solve_iter(endless(), improvements=False)
    found = {update.index: update.outcome for update in itertools.islice(stream, 40)}
    stream.close()  # type: ignore[attr-defined]  # a generator
    assert len(found) == 40
    assert read < 400
    until(lambda: not small._engine.calls.active and not small._engine.working)
    assert small.solve(boards(1)[0]).status == "solved"


def test_an_invalid_request_in_a_stream_is_its_own_update(small: gs.Solver) -> None:
    updates = list(small.solve_iter([boards(1)[0], {"grid": 5}], improvements=False))  # type: ignore[list-item]
    kinds = {one.index: type(one.outcome).__name__ for one in updates}
    assert kinds == {0: "Solution", 1: "RequestError"}
