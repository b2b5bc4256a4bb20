"""The main loop: chains of many problems descend segment by segment until each problem is answered or out of budget."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from groundstate._header import Header
from groundstate._pool import Pool
from groundstate._problem import BUSY, Candidate, Problem, Segment
from groundstate._rows import Rows
from groundstate._segment import segment, wanted_outputs
from groundstate._session import Session, Tensors

ROWS = 128
"""A further problem joins while fewer chains than this are in flight."""

ROWS_IN_HASTE = 32
"""The same for problems with a deadline: a segment of few chains ends sooner."""

LEAST_ROWS = 16
"""Lower bound on the same number, for very large graphs."""


def luby(n: int) -> int:
    """The n-th term, from 0, of Luby's sequence 1, 1, 2, 1, 1, 2, 4, 1, 1, 2, 1, 1, 2, 4, 8 and so on.

    With these multiples of a patience, chains reach an answer nearly as soon as with the problem's best patience, which is
    unknown (M. Luby, A. Sinclair and D. Zuckerman, "Optimal speedup of Las Vegas algorithms", 1993).
    """
    n += 1
    while n & (n + 1):
        n -= (1 << (n.bit_length() - 1)) - 1
    return (n + 1) // 2


def descend(
    sessions: list[Session],
    problems: Iterable[Problem],
    pool: Pool,
    watch: Callable[[Segment], None] | None = None,
    heartbeat: Callable[[], None] | None = None,
    *,
    explain: bool = True,
) -> Iterator[Problem]:
    """Solve problems. Yields each problem when it is answered, out of budget or out of time, in no particular order.

    Args:
        sessions: One for each stage, in order.
        watch: Called after every segment, for each problem in flight and each stage in which it has chains.
        heartbeat: Called before every segment; an exception that it raises ends the descent.
        explain: Whether to record the order in which answers were decided.
    """
    waiting = iter(problems)
    flights: dict[tuple[tuple[int, ...], ...], _Flight] = {}
    exhausted = False
    while True:
        while not exhausted and sum(flight.load for flight in flights.values()) < 1:
            problem = next(waiting, None)
            if problem is None:
                exhausted = True
                break
            if problem.size not in flights:
                flights[problem.size] = _Flight(sessions, problem.header, pool, watch, explain=explain)
            flights[problem.size].active.append(problem)
        if not flights:
            return
        for size, flight in list(flights.items()):
            if heartbeat is not None:
                heartbeat()
            yield from flight.advance()
            if not flight.active:
                del flights[size]


class _Flight:
    """Problems of one size in flight together: a batch for each stage."""

    def __init__(
        self,
        sessions: list[Session],
        header: Header,
        pool: Pool,
        watch: Callable[[Segment], None] | None,
        *,
        explain: bool,
    ) -> None:
        self._sessions, self._header, self._pool, self._watch = sessions, header, pool, watch
        headers = [*(stage.header for stage in header.stages), header]
        self._stages = [Rows(one) for one in headers]
        watched = watch is not None
        self._fetch = [
            wanted_outputs(one, session, path=watched or (explain and one is header), trace=watched)
            for one, session in zip(headers, sessions, strict=True)
        ]
        self.active: list[Problem] = []

    @property
    def load(self) -> float:
        """Chains that its problems want in flight, as a fraction of the maximum."""
        hasty = any(problem.budget.deadline is not None for problem in self.active)
        room = max(BUSY // max(self._header.largest, 1), LEAST_ROWS)
        return sum(problem.wanted for problem in self.active) / min(room, ROWS_IN_HASTE if hasty else ROWS)

    def advance(self) -> list[Problem]:
        """Run one segment. Returns the problems that are answered, out of budget or out of time."""
        self._top_up()
        # From the last stage to the first, so that a chain runs one segment, not one in each stage.
        for stage in reversed(range(len(self._stages))):
            if len(self._stages[stage]):
                self._run(stage)
        for problem in self.active:
            before = problem.inputs
            problem.count_round()
            if problem.inputs is not before:
                for rows in self._stages:
                    rows.give(problem)
        live = self._live()
        finished = [problem for problem in self.active if self._over(problem, live[problem.index])]
        if finished:
            indices = [problem.index for problem in finished]
            for rows in self._stages:
                rows.keep(~np.isin(rows.owner, indices))
            self.active = [problem for problem in self.active if problem not in finished]
        return finished

    def _live(self) -> Counter[int]:
        """Chains of each problem, by its index."""
        return Counter(owner for rows in self._stages for owner in rows.owner.tolist())

    def _over(self, problem: Problem, live: int) -> bool:
        if problem.late:
            self._offer_all(problem)
            return True
        return problem.answered or bool(problem.disproved) or (problem.started >= problem.budget.restarts and not live)

    def _top_up(self) -> None:
        live = self._live()
        for problem in self.active:
            budget = problem.budget
            chains = min(problem.wanted - live[problem.index], budget.restarts - problem.started)
            if chains > 0:
                self._stages[0].start(problem, chains)

    def _run(self, stage: int) -> None:
        rows = self._stages[stage]
        scale = np.ones(len(rows), np.float32)
        out = segment(
            self._sessions[stage],
            rows.header,
            rows.inputs,
            rows.state,
            rows.noise(),
            scale,
            self._pool,
            self._fetch[stage],
            rows.owner,
        )
        rows.advance(out)
        finite = np.isfinite(out["energy"]) & np.isfinite(out["residual"])
        last = stage == len(self._stages) - 1
        ended, right, moved = self._accepted(rows, out, finite) if last else (np.zeros(len(rows), bool),) * 3
        self._note(stage, rows, out, finite & ~right if last else None)
        limit = np.array([chain.problem.budget.max_steps for chain in rows.chains])
        spent = rows.steps >= limit
        for row in np.flatnonzero(spent & ~ended):
            self._offer_candidate(rows, int(row))
        ended |= spent
        if last:
            going_on = np.zeros(len(rows), bool)
            stuck = self._stuck(rows, out, finite, moved) & ~ended
        else:
            until = self._header.stages[stage]
            close = out["residual"] < (-1.0 if until.residual is None else until.residual)
            going_on = finite & (close | (rows.stage_age >= until.max_steps)) & ~ended
            stuck = ~finite & ~ended
        self._restart(stage, rows, stuck)
        if going_on.any():
            self._stages[stage + 1].take_over(rows, np.flatnonzero(going_on).tolist(), out)
        rows.keep(~(ended | going_on | (stuck if stage else False)))

    def _restart(self, stage: int, rows: Rows, stuck: NDArray[np.bool_]) -> None:
        given_up = np.flatnonzero(stuck).tolist()
        if stage:
            self._stages[0].start_over(rows, given_up)
        else:
            for row in given_up:
                rows.restart(row)

    def _stuck(
        self, rows: Rows, out: Tensors, finite: NDArray[np.bool_], moved: NDArray[np.bool_]
    ) -> NDArray[np.bool_]:
        """Mask of the chains to restart: converged, or out of patience. A chain that is being polished continues.

        Args:
            moved: Chains whose problem has changed since the residual was computed.
        """
        defaults = rows.header.defaults
        polished = np.array([chain.candidate is not None for chain in rows.chains], bool)
        stuck = (out["residual"] < defaults["residual_tolerance"]) & ~moved
        patience, exponent = defaults["patience"], defaults["luby_exponent"]
        for row in np.flatnonzero(rows.stage_age >= patience):
            stuck[row] |= rows.stage_age[row] >= patience * luby(int(rows.number[row])) ** exponent
        given_up: NDArray[np.bool_] = ~finite | (stuck & ~polished)
        return given_up

    def _accepted(
        self, rows: Rows, out: Tensors, finite: NDArray[np.bool_]
    ) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_]]:
        """Offer the acceptable configurations of chains to their problems.

        Returns:
            Three masks: chains that end, chains with a correct acceptable configuration, chains whose problem changed.
        """
        header = self._header
        acceptable = finite.copy()
        if header.checks:
            acceptable &= (out["violations"][:, header.required] == 0).all(1)
        if header.accept.converged:
            acceptable &= out["residual"] < header.defaults["residual_tolerance"]
        ended, right, moved = (np.zeros(len(rows), bool) for _ in range(3))
        polishing = [row for row, chain in enumerate(rows.chains) if chain.candidate is not None]
        for row in sorted({*np.flatnonzero(acceptable).tolist(), *polishing}):
            chain = rows.chains[row]
            if acceptable[row]:
                candidate = self._candidate(rows, out, row)
                if chain.candidate is None:
                    chain.candidate, chain.polishing = candidate, header.accept.polish
                else:
                    chain.polishing -= 1
                    if candidate.energy <= chain.candidate.energy:
                        chain.candidate = candidate
            else:
                chain.polishing -= 1
            right[row] = True
            if chain.polishing <= 0:
                before = chain.problem.inputs
                right[row] = self._offer_candidate(rows, row)
                ended[row] = right[row] and not chain.problem.improving
                if chain.problem.inputs is not before:
                    moved |= rows.owner == chain.problem.index
        return ended, right, moved

    def _offer_candidate(self, rows: Rows, row: int) -> bool:
        """Offer a chain's polished candidate to its problem. Returns whether it is correct."""
        chain = rows.chains[row]
        if chain.candidate is None:
            return False
        problem, candidate = chain.problem, chain.candidate
        chain.candidate, chain.polishing = None, 0
        before = problem.inputs
        right = problem.offer(candidate)
        if problem.inputs is not before:
            for others in self._stages:
                others.give(problem)
        return right

    def _offer_all(self, problem: Problem) -> None:
        """Offer all candidates that a problem's chains are still polishing."""
        rows = self._stages[-1]
        for row in np.flatnonzero(rows.owner == problem.index):
            self._offer_candidate(rows, int(row))

    def _candidate(self, rows: Rows, out: Tensors, row: int) -> Candidate:
        header = self._header
        return Candidate(
            tensors={name: out[f"answer.{name}"][row].copy() for name in header.answers},
            energy=float(out["energy"][row]),
            violations=out["violations"][row].copy() if header.checks else np.zeros(0, np.int64),
            excess=out["excess"][row].copy() if header.measures else None,
            steps=int(rows.steps[row]),
            since={name: tensor[row].copy() for name, tensor in rows.since.items()},
        )

    def _note(self, stage: int, rows: Rows, out: Tensors, usable: NDArray[np.bool_] | None) -> None:
        """Record the best attempts and the step counts, and call ``watch``.

        Args:
            usable: Mask of rows with a finite configuration that is not an answer, in the last stage; else None.
        """
        groups = rows.groups()
        for problem in self.active:
            mine = groups.get(problem.index)
            if mine is None:
                continue
            problem.steps = max(problem.steps, int(rows.steps[mine].max()))
            if usable is not None and not problem.found and (open_ := mine[usable[mine]]).size:
                lowest = int(open_[np.argmin(out["energy"][open_])])
                if problem.best is None or out["energy"][lowest] < problem.best.energy:
                    problem.best = self._candidate(rows, out, lowest)
            if self._watch is not None:
                self._watch(self._segment(stage, rows, out, problem, mine))

    def _segment(self, stage: int, rows: Rows, out: Tensors, problem: Problem, mine: NDArray[np.intp]) -> Segment:
        header = rows.header
        none = np.zeros((len(mine), 0), np.int64)
        return Segment(
            index=problem.index,
            stage=self._header.stages[stage].name if stage < len(self._header.stages) else "",
            steps=problem.steps,
            chains=len(mine),
            chain=rows.number[mine],
            energy=out["energy"][mine],
            violations=out["violations"][mine] if header.checks else none,
            trace=out["trace"][mine],
            answer={name: out[f"answer.{name}"][mine] for name in header.answers},
            path={name: out[f"path.{name}"][mine] for name in header.answers if f"path.{name}" in out},
        )
