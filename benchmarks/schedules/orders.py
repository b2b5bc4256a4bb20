"""Job shops on their exact scale of time, by orders of the operations, with CP-SAT beside.

    python -m benchmarks.schedules.orders INSTANCES.json [--names ft06 la01 …] [--seconds 20] [--without-ours | --exact]

The request has a start for each operation, precedences within jobs, `no_overlap` on machines, and the objective "latest end";
every start may be as late as the sum of all durations allows. Every makespan is of a schedule that `jobshop.right` has checked.
CP-SAT has interval variables, one worker and the same time.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from benchmarks.schedules.jobshop import JSON, Shop, makespan, named, right, shops
from ortools.sat.python import cp_model

import groundstate as gs


def exact_request(shop: Shop) -> JSON:
    """The request on the exact scale, without a bound on the makespan."""
    lasts = {named((job, k)): shop.durations[job][k] for job, k in shop.operations}
    horizon = sum(lasts.values())
    before = (
        {
            "type": "precedence",
            "before": named((job, k - 1)),
            "after": named((job, k)),
            "gap": shop.durations[job][k - 1],
        }
        for job, k in shop.operations
        if k
    )
    alone = (
        {"type": "no_overlap", "starts": list(map(named, some)), "durations": [lasts[named(one)] for one in some]}
        for some in shop.on_machines().values()
    )
    return {
        "variables": {name: {"from": 0, "to": horizon - d} for name, d in lasts.items()},
        "constraints": [*before, *alone],
        "objective": {"minimise": {"latest": [{"variable": name, "plus": d} for name, d in lasts.items()]}},
    }


def ours(solver: gs.Solver, shop: Shop, seconds: float, seed: int) -> tuple[int, bool]:
    """The makespan, and whether it is proven to be the least."""
    solution = solver.solve(exact_request(shop), deadline=seconds, seed=seed, ask=False)
    if solution.answer is None:
        raise SystemExit(f"{shop.name}: no schedule was found ({solution.status}).")
    values = solution.answer["values"]
    starts = {one: int(values[named(one)]) for one in shop.operations}
    if not right(shop, starts) or makespan(shop, starts) != solution.answer["objective"]:
        raise SystemExit(f"{shop.name}: the schedule is wrong.")
    return makespan(shop, starts), solution.optimal


def cp_sat(shop: Shop, seconds: float) -> tuple[int | None, bool]:
    """CP-SAT's best makespan, and whether it is proven."""
    model, horizon = cp_model.CpModel(), sum(map(sum, shop.durations))
    starts = {one: model.new_int_var(0, horizon, named(one)) for one in shop.operations}
    lasts = {(job, k): shop.durations[job][k] for job, k in shop.operations}
    latest = model.new_int_var(0, horizon, "latest")
    for job, k in shop.operations:
        model.add(latest >= starts[job, k] + lasts[job, k])
        if k:
            model.add(starts[job, k] >= starts[job, k - 1] + lasts[job, k - 1])
    for some in shop.on_machines().values():
        model.add_no_overlap([model.new_fixed_size_interval_var(starts[one], lasts[one], named(one)) for one in some])
    model.minimize(latest)
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds, solver.parameters.num_workers = seconds, 1
    status = solver.solve(model)
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return None, False
    return round(solver.objective_value), status == cp_model.OPTIMAL


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path", type=Path)
    parser.add_argument("--names", nargs="*", help="only these instances")
    parser.add_argument("--seconds", type=float, default=20.0, help="each (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--exact", action="store_true", help="CP-SAT beside it, in the same time")
    which.add_argument("--without-ours", action="store_true", help="only CP-SAT")
    given = parser.parse_args()
    solver = gs.load("constraints")
    with_exact = given.exact or given.without_ours
    print("| shop | best known | makespan | above | seconds |" + (" CP-SAT | seconds |" if with_exact else ""))
    print("|---|---|---|---|---|" + ("---|---|" if with_exact else ""))
    gaps = []
    for shop in shops(given.path):
        if given.names and shop.name not in given.names:
            continue
        line = f"| {shop.name} | {shop.best} |"
        if given.without_ours:
            line += " | | |"
        else:
            begun = time.monotonic()
            length, proven = ours(solver, shop, given.seconds, given.seed)
            gaps.append(100 * (length / shop.best - 1))
            line += f" {length}{', proven' if proven else ''} | {gaps[-1]:.1f} % | {time.monotonic() - begun:.1f} |"
        if with_exact:
            begun = time.monotonic()
            found, proven = cp_sat(shop, given.seconds)
            line += f" {found or '–'}{', proven' if proven else ''} | {time.monotonic() - begun:.1f} |"
        print(line, flush=True)
    if gaps:
        print(
            f"\n{len(gaps)} shops: mean {sum(gaps) / len(gaps):.2f} %, largest {max(gaps):.2f} % above the best known."
        )


if __name__ == "__main__":
    main()
