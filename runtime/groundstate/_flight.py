"""One problem in flight: its chains descend segment by segment until it is answered or out of budget."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress

import numpy as np
from numpy.typing import NDArray

from groundstate._overdue import OverdueError
from groundstate._problem import Candidate, Problem, Segment
from groundstate._rows import Rows
from groundstate._segment import Work, unscaled, wanted_outputs
from groundstate._session import Session, Tensors


def luby(n: int) -> int:
    """The n-th term, from 0, of Luby's sequence 1, 1, 2, 1, 1, 2, 4, 1, 1, 2, 1, 1, 2, 4, 8 and so on.

    With these multiples of a patience, chains reach an answer nearly as soon as with the problem's best patience, which is
    unknown (M. Luby, A. Sinclair and D. Zuckerman, "Optimal speedup of Las Vegas algorithms", 1993).
    """
    n += 1
    while n & (n + 1):
        n -= (1 << (n.bit_length() - 1)) - 1
    return (n + 1) // 2


_NOTHING = np.zeros(0, np.int64)


class Flight:
    """One problem in flight. A round is one segment of each of its chains; it consists of one work for each stage with chains.

    Not safe to share between threads: one at a time advances it.

    Args:
        sessions: One for each stage, in order.
        problem: The problem.
        watch: Called with each segment; None if nobody watches.
        explain: Whether to record the order in which answers were decided.

    Attributes:
        work: The work to run next; None between rounds and at the end.
        over: Whether the problem is answered, out of budget or out of time.
    """

    def __init__(
        self, sessions: list[Session], problem: Problem, watch: Callable[[Segment], None] | None, *, explain: bool
    ) -> None:
        self.problem, self._sessions, self._watch = problem, sessions, watch
        header = problem.header
        self._header = header
        headers = [*(stage.header for stage in header.stages), header]
        self._stages = [Rows(one, problem, tracks=explain and one is header) for one in headers]
        watched = watch is not None
        self._fetch = [
            wanted_outputs(one, session, path=watched or (explain and one is header), trace=watched)
            for one, session in zip(headers, sessions, strict=True)
        ]
        self._round: Iterator[int] = iter(())
        self._stage = 0
        self.work: Work | None = None
        self.over = False

    def begin_round(self) -> None:
        """Start the chains that are wanted, and prepare the round's first work."""
        problem, live = self.problem, sum(map(len, self._stages))
        chains = min(problem.wanted - live, problem.budget.restarts - problem.started)
        if chains > 0:
            self._stages[0].start(chains)
        # From the last stage to the first, so that a chain runs one segment, not one in each stage.
        self._round = reversed(range(len(self._stages)))
        self._prepare()

    def take(self, out: Tensors) -> None:
        """Take the outputs of the current work. Prepare the round's next work, or end the round."""
        self._advance(self._stage, out)
        self._prepare()
        if self.work is None:
            with suppress(OverdueError):
                self.problem.count_round()
            live = sum(map(len, self._stages))
            problem = self.problem
            if problem.late:
                self.interrupt()
            elif problem.answered or problem.disproved or (problem.started >= problem.budget.restarts and not live):
                self.over = True

    def interrupt(self) -> None:
        """End the problem with what it has: offer all candidates that its chains are still polishing."""
        rows = self._stages[-1]
        for row in range(len(rows)):
            self._offer_candidate(rows, row)
        self.work, self.over = None, True

    def _prepare(self) -> None:
        for stage in self._round:
            rows = self._stages[stage]
            if not len(rows):
                continue
            scale = unscaled(len(rows))
            self.work = Work.of(
                self._sessions[stage], rows.header, rows.inputs, rows.state, rows.noise(), scale, self._fetch[stage]
            )
            self._stage = stage
            return
        self.work = None

    def _advance(self, stage: int, out: Tensors) -> None:
        rows, problem = self._stages[stage], self.problem
        rows.advance(out)
        finite = np.isfinite(out["energy"]) & np.isfinite(out["residual"])
        last = stage == len(self._stages) - 1
        none = np.zeros(len(rows), bool)
        ended, right, moved = self._accepted(rows, out, finite) if last else (none, none, False)
        self._note(stage, rows, out, finite & ~right if last else None)
        if last and problem.answered:
            return  # its chains are needed no longer
        spent = rows.steps >= problem.budget.max_steps
        if spent.any():
            for row in np.flatnonzero(spent & ~ended):
                self._offer_candidate(rows, int(row))
            ended = ended | spent
        if last:
            going_on = none
            stuck = self._stuck(rows, out, finite, moved=moved) & ~ended
        else:
            until = self._header.stages[stage]
            close = out["residual"] < (-1.0 if until.residual is None else until.residual)
            going_on = finite & (close | (rows.stage_age >= until.max_steps)) & ~ended
            stuck = ~finite & ~ended
        if stuck.any():
            self._restart(stage, rows, stuck)
        if going_on.any():
            self._stages[stage + 1].take_over(rows, np.flatnonzero(going_on).tolist(), out)
        rows.keep(~(ended | going_on | (stuck if stage else none)))

    def _restart(self, stage: int, rows: Rows, stuck: NDArray[np.bool_]) -> None:
        given_up = np.flatnonzero(stuck).tolist()
        if stage:
            self._stages[0].start_over(rows, given_up)
        else:
            for row in given_up:
                rows.restart(row)

    def _stuck(self, rows: Rows, out: Tensors, finite: NDArray[np.bool_], *, moved: bool) -> NDArray[np.bool_]:
        """Mask of the chains to restart: converged, or out of patience. A chain that is being polished continues.

        Args:
            moved: Whether the problem has changed since the residual was computed.
        """
        defaults = rows.header.defaults
        stuck = np.zeros(len(rows), bool) if moved else out["residual"] < defaults["residual_tolerance"]
        patience, exponent = defaults["patience"], defaults["luby_exponent"]
        old = rows.stage_age >= patience
        if old.any():
            for row in np.flatnonzero(old):
                stuck[row] |= rows.stage_age[row] >= patience * luby(int(rows.number[row])) ** exponent
        if stuck.any():
            stuck &= [chain.candidate is None for chain in rows.chains]
        given_up: NDArray[np.bool_] = ~finite | stuck
        return given_up

    def _accepted(
        self, rows: Rows, out: Tensors, finite: NDArray[np.bool_]
    ) -> tuple[NDArray[np.bool_], NDArray[np.bool_], bool]:
        """Offer the acceptable configurations of chains to the problem.

        Returns:
            Masks of the chains that end, and of those with a correct acceptable configuration; and whether the problem changed.
        """
        header = self._header
        acceptable = finite
        if header.checks:
            counts = out["violations"] if header.requires_all else out["violations"][:, header.required]
            acceptable = acceptable & ~counts.any(1)
        if header.accept.converged:
            acceptable = acceptable & (out["residual"] < header.defaults["residual_tolerance"])
        if header.accept.polish:
            return self._polished(rows, out, acceptable)
        ended, right, moved = np.zeros(len(rows), bool), np.zeros(len(rows), bool), False
        for row in np.flatnonzero(acceptable).tolist():
            before = self.problem.inputs
            right[row] = self.problem.offer(self._candidate(rows, out, row, kept=False))
            ended[row] = right[row] and not self.problem.improving
            moved = moved or self.problem.inputs is not before
        return ended, right, moved

    def _polished(
        self, rows: Rows, out: Tensors, acceptable: NDArray[np.bool_]
    ) -> tuple[NDArray[np.bool_], NDArray[np.bool_], bool]:
        """As `_accepted`, for files whose chains go on for some segments before their best configuration is offered."""
        header = self._header
        ended, right, moved = np.zeros(len(rows), bool), np.zeros(len(rows), bool), False
        for row, (chain, accepted) in enumerate(zip(rows.chains, acceptable.tolist(), strict=True)):
            if accepted:
                candidate = self._candidate(rows, out, row)
                if chain.candidate is None:
                    chain.candidate, chain.polishing = candidate, header.accept.polish
                else:
                    chain.polishing -= 1
                    if candidate.energy <= chain.candidate.energy:
                        chain.candidate = candidate
            elif chain.candidate is not None:
                chain.polishing -= 1
            else:
                continue
            right[row] = True
            if chain.polishing <= 0:
                before = self.problem.inputs
                right[row] = self._offer_candidate(rows, row)
                ended[row] = right[row] and not self.problem.improving
                moved = moved or self.problem.inputs is not before
        return ended, right, moved

    def _offer_candidate(self, rows: Rows, row: int) -> bool:
        """Offer a chain's polished candidate to the problem. Returns whether it is correct."""
        chain = rows.chains[row]
        if chain.candidate is None:
            return False
        candidate = chain.candidate
        chain.candidate, chain.polishing = None, 0
        return self.problem.offer(candidate)

    def _candidate(self, rows: Rows, out: Tensors, row: int, *, kept: bool = True) -> Candidate:
        """The configuration of a chain.

        Args:
            kept: Whether it is used after this round. If not, its tensors are views that the next round changes.
        """
        header = self._header
        if not kept:
            return Candidate(
                tensors={name: out[f"answer.{name}"][row] for name in header.answers},
                energy=float(out["energy"][row]),
                violations=_NOTHING,
                excess=None,
                steps=int(rows.steps[row]),
                since={name: tensor[row] for name, tensor in rows.since.items()},
            )
        return Candidate(
            tensors={name: out[f"answer.{name}"][row].copy() for name in header.answers},
            energy=float(out["energy"][row]),
            violations=out["violations"][row].copy() if header.checks else np.zeros(0, np.int64),
            excess=out["excess"][row].copy() if header.measures else None,
            steps=int(rows.steps[row]),
            since={name: tensor[row].copy() for name, tensor in rows.since.items()},
        )

    def _note(self, stage: int, rows: Rows, out: Tensors, usable: NDArray[np.bool_] | None) -> None:
        """Record the best attempt and the step count, and call ``watch``.

        Args:
            usable: Mask of rows with a finite configuration that is not an answer, in the last stage; else None.
        """
        problem = self.problem
        problem.steps = max(problem.steps, int(rows.steps.max()))
        if usable is not None and not problem.found and usable.any():
            lowest = int(np.argmin(np.where(usable, out["energy"], np.inf)))
            if problem.best is None or out["energy"][lowest] < problem.best.energy:
                problem.best = self._candidate(rows, out, lowest)
        if self._watch is not None:
            self._watch(self._segment(stage, rows, out))

    def _segment(self, stage: int, rows: Rows, out: Tensors) -> Segment:
        header = rows.header
        none = np.zeros((len(rows), 0), np.int64)
        return Segment(
            index=self.problem.index,
            stage=self._header.stages[stage].name if stage < len(self._header.stages) else "",
            steps=self.problem.steps,
            chains=len(rows),
            chain=rows.number.copy(),
            energy=out["energy"],
            violations=out["violations"] if header.checks else none,
            trace=out["trace"],
            answer={name: out[f"answer.{name}"] for name in header.answers},
            path={name: out[f"path.{name}"] for name in header.answers if f"path.{name}" in out},
        )
