"""Problems solved one by one and in batches, by models and by CP-SAT; every answer is checked without the solver's own check."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import ortools
from benchmarks.journal import Journal, Progress, Record
from benchmarks.loaded import Ledger, Model
from benchmarks.problems import exact
from benchmarks.problems.instance import Instance

import groundstate as gs
from groundstate_models.constraints.families.example import Request
from groundstate_models.constraints.problem import Problem

CP_SAT = f"CP-SAT {ortools.__version__}"
ALONE, BATCH = "alone", "batch"


@dataclass(frozen=True)
class Budget:
    """Budget of each problem: chains, steps a chain, seconds; and threads for a model's chains."""

    chains: int
    steps: int
    deadline: float
    threads: int | None = None

    def __str__(self) -> str:
        return f"{self.chains} chains × {self.steps} updates, {self.deadline:g} s"


@dataclass(frozen=True)
class Job:
    """Problems of a family, and the budget of each."""

    family: str
    instances: Sequence[Instance]
    budget: Budget

    def key(self, instance: Instance, solver: str, kind: str) -> Record:
        """The key of a record: a changed part causes a new measurement."""
        asked = hashlib.sha256(json.dumps(instance.request).encode()).hexdigest()[:16]
        place = {"family": self.family, "name": instance.name, "request": asked, "seed": instance.seed}
        spent = {"deadline": self.budget.deadline} if solver == CP_SAT else asdict(self.budget)
        return {"kind": kind, "solver": solver, **place, **spent}

    def missing(self, journal: Journal, solver: str, kind: str) -> list[Instance]:
        return [one for one in self.instances if journal.get(self.key(one, solver, kind)) is None]

    def recorded(self, journal: Journal, solver: str, kind: str) -> list[tuple[Instance, Record]]:
        """The problems that have been measured, with their records.

        A record holds ``status`` (the solver's status), ``right`` (there is an answer, and it passes every check
        here), ``cost`` (of a right answer, if answers have a cost), ``seconds`` and, of a model, ``updates`` of all chains.
        """
        found = [(one, journal.get(self.key(one, solver, kind))) for one in self.instances]
        return [(one, record) for one, record in found if record is not None]

    def claims(self, models: Iterable[Model], journal: Journal) -> Iterator[Record]:
        """All records of some models, of problems alone and in batches."""
        for model in models:
            for kind in (ALONE, BATCH):
                yield from (record for _, record in self.recorded(journal, model.digest, kind))


def wrong(record: Record) -> bool:
    """Whether a model reported a wrong answer as solved, or a feasible problem as infeasible."""
    claimed = record["status"] in (gs.Status.SOLVED.value, gs.Status.AMBIGUOUS.value)
    return (claimed and not record["right"]) or record["status"] == gs.Status.INFEASIBLE.value


def checked(instance: Instance, answer: Mapping[str, Any] | None) -> Record:
    """Whether an answer passes every check, and its cost."""
    if answer is None:
        return {"right": False, "cost": None}
    problem, values = Problem.of(instance.request), answer["values"]
    right = not problem.violations(values) and instance.keeps(values)
    if not (right and problem.preferences):
        return {"right": right, "cost": None}
    cost = problem.cost(values)
    return {"right": answer.get("cost", cost) == cost, "cost": cost}


def alone(model: Model, job: Job, journal: Journal) -> None:
    """Solve the problems missing from the journal with single calls, until the solution or the end of the budget."""
    missing = job.missing(journal, model.digest, ALONE)
    progress = Progress(f"{job.family}, {model.title}, alone", len(missing))
    spent = job.budget
    for instance in missing:
        ledger = Ledger(model.solver.header)
        begun = time.perf_counter()
        try:
            found = model.solver.solve(
                instance.request,
                restarts=spent.chains,
                max_steps=spent.steps,
                deadline=spent.deadline,
                seed=instance.seed,
                ask=False,
                watch=ledger,
            )
        except gs.RequestError as error:
            raise _refused(job, instance, error) from None
        seconds = time.perf_counter() - begun
        _add(journal, job.key(instance, model.digest, ALONE), instance, found, ledger.updates[0], seconds)
        progress()


def batch(model: Model, job: Job, journal: Journal) -> None:
    """Solve the problems missing from the journal in shared batches; seconds count from the end of the previous problem."""
    missing = job.missing(journal, model.digest, BATCH)
    ledger, progress = Ledger(model.solver.header), Progress(f"{job.family}, {model.title}, in a batch", len(missing))
    spent, last = job.budget, time.perf_counter()

    def done(index: int, found: gs.Solution | gs.RequestError) -> None:
        nonlocal last
        if isinstance(found, gs.RequestError):
            raise _refused(job, missing[index], found)
        seconds = time.perf_counter() - last
        key = job.key(missing[index], model.digest, BATCH)
        _add(journal, key, missing[index], found, ledger.updates.pop(index, 0), seconds)
        progress()
        last = time.perf_counter()

    model.solver.solve_many(
        [reordered(instance.request, instance.seed) for instance in missing],
        restarts=spent.chains,
        max_steps=spent.steps,
        deadline=spent.deadline,
        done=done,
        watch=ledger,
    )


def reordered(request: Request, seed: int) -> Request:
    """The same problem with its variables in another order.

    A batch shares one seed, so problems that differ only in their own seed would all behave the same.
    """
    names = list(request["variables"])
    order = np.random.default_rng(seed).permutation(len(names))
    return {**request, "variables": {names[k]: request["variables"][names[k]] for k in order}}


def exactly(job: Job, journal: Journal) -> None:
    """Solve the problems missing from the journal with CP-SAT, one worker, until the answer or the deadline."""
    missing = job.missing(journal, CP_SAT, ALONE)
    progress = Progress(f"{job.family}, {CP_SAT}", len(missing))
    for instance in missing:
        begun = time.perf_counter()
        found = exact.solve(Problem.of(instance.request), limit=job.budget.deadline, seed=instance.seed)
        seconds = time.perf_counter() - begun
        outcome = checked(instance, None if found.values is None else {"values": found.values})
        if found.status == "INFEASIBLE" or (found.values is not None and not outcome["right"]):
            raise SystemExit(f"CP-SAT ends {instance.name} of {job.family} as {found.status}, with {found.values}.")
        journal.add(job.key(instance, CP_SAT, ALONE), {"status": found.status, **outcome, "seconds": seconds})
        progress()


def _refused(job: Job, instance: Instance, error: gs.RequestError) -> SystemExit:
    return SystemExit(f"{instance.name} of {job.family} is refused: {error}")


def _add(journal: Journal, key: Record, instance: Instance, found: gs.Solution, updates: int, seconds: float) -> None:
    outcome = checked(instance, found.answer if found.solved else None)
    journal.add(key, {"status": found.status.value, **outcome, "updates": updates, "seconds": seconds})
