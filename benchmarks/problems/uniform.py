"""Satisfiable uniform random 3-SAT: drawn until a SAT solver (package python-sat) says so, as SATLIB's uf20 and uf50 were.

Nothing is planted, and a complete solver decides, so that easy formulas are not favoured (H. Hoos and T. Stützle, "SATLIB",
2000).
"""

from __future__ import annotations

import numpy as np
from pysat.solvers import Glucose4

from groundstate_models.constraints.factors import Value
from groundstate_models.constraints.families.example import Example
from groundstate_models.constraints.families.logic import random_clauses, satisfiability


def uniform_sat(n: int, ratio: float, rng: np.random.Generator) -> Example:
    """A satisfiable formula of n variables and ``ratio · n`` clauses of three."""
    while True:
        clauses = random_clauses(n, round(ratio * n), 3, rng)
        with Glucose4(bootstrap_with=clauses) as solver:
            if solver.solve():
                true = {x for x in solver.get_model() if x > 0}
                solution: dict[str, Value] = {f"x{i}": int(i in true) for i in range(1, n + 1)}
                return Example("sat", satisfiability(n, clauses), solution)
